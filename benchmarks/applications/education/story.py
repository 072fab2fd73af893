"""A course that finds what somebody is weak at, end to end, over HTTP: `make demo-education ARGS="--language zh"`.

Exercises of ours are marked, the marks explained, weak topics found, and the next exercise recommended, on a server of its
own. Prints how marking agrees with answers that were marked by hand, and, of learners who do not exist, whether what they are
weak at was found and where their practice went, beside the book's order and the lot. `--choose` prints how thresholds of
marking do on the examples alone.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from benchmarks.applications.education import learning, sample
from benchmarks.applications.education.learners import Learner
from benchmarks.applications.education.marking import nearest
from benchmarks.applications.education.sample import Exercise
from benchmarks.applications.education.school import School
from benchmarks.applications.recommender.measuring import interval
from benchmarks.learning.circle.house import House

EARLIER = 60
"""Learners before, of whose answers the recommender learns."""


class OverHttp:
    """The house's server as a school needs it."""

    def __init__(self, house: House) -> None:
        self.get, self.post, self._files = house.get, house.post, house.send

    def upload_text(self, name: str, content: bytes) -> str:
        """A lesson's file."""
        return self._files(name, content, "assistants")


def main() -> None:
    """The story, in one language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=["en", "zh"], default="en")
    parser.add_argument("--embedder", default="e5-small")
    parser.add_argument("--learners", type=int, default=10)
    parser.add_argument("--exercises", type=int, default=40, help="of each learner")
    parser.add_argument("--choose", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhuli-education-") as place, House(Path(place)) as house:
        school = School(OverHttp(house), asked.language, embedder=asked.embedder)
        if asked.choose:
            choose(school)
            return
        print("Marking, of answers that were marked by hand:", marking(school))
        school.tell(earlier(school))
        print("Trained on those who came before:", school.train())
        show(school)
        print(practised(school, learners=asked.learners, each=asked.exercises))


def choose(school: School) -> None:
    """Of each example of an answer, left out in turn: how near it is to the other right ones, and to mistakes."""
    found = []
    for one in school.exercises.values():
        for text in (*one.right, *(text for mistake in one.mistakes for text in mistake.like)):
            near = nearest(one, text, school.embed, without=text)
            found.append((near.near, near.right - near.wrong, text in one.right))
    for apart in (0.0, 0.005, 0.01, 0.02, 0.03):
        sure = [(margin > 0, right) for _, margin, right in found if abs(margin) >= apart]
        good = sum(said == right for said, right in sure)
        print(f"apart {apart}: {len(sure)} of {len(found)} are sure, {good} of these right")
    print("the farthest of all:", sorted(round(near, 3) for near, _, _ in found)[:5])


def marking(school: School) -> dict[str, int]:
    """How many of sample.json's answers got the mark that a person gave them; what is not sure is counted apart."""
    found = {"answers": 0, "as by hand": 0, "unsure": 0, "wrong and sure": 0}
    for exercise, given, right in sample.texts()["answers"][school.language]:
        verdict = school.mark(exercise, given).verdict
        found["answers"] += 1
        if verdict == "unsure":
            found["unsure"] += 1
        else:
            found["as by hand" if (verdict == "right") == right else "wrong and sure"] += 1
    return found


def earlier(school: School, count: int = EARLIER) -> list[dict[str, Any]]:
    """What learners before did, in the book's order: of each, two thirds of the exercises."""
    events, now = list[dict[str, Any]](), time.time()
    names = sample.topics(school.language)
    for number in range(count):
        learner = Learner.drawn(f"earlier-{number}", names, seed=1_000 + number)
        at = now - 86_400 * (100 - number)
        for one in school.exercises.values():
            at += 60
            if learner.rng.random() < 2 / 3:
                events.append(school.event(learner.name, one.id, learner.does(one), at))
    return events


def show(school: School) -> None:
    """One learner's way: an answer, its mark and the lesson, and what comes next."""
    for exercise, given in (("fractions-5", None), ("seasons-1", None), ("equations-4", "x = 99")):
        one = school.exercises[exercise]
        first = one.mistakes[0]
        text = given or (str(first.answer) if one.answer is not None else first.like[0])
        mark = school.answer("ann", exercise, text)
        file, _ = school.lesson(exercise)
        print(
            f"\n{one.question[school.language]}\n  {text}\n  {mark.verdict}: {mark.explanation}\n  read again: {file}"
        )
    for _ in range(2):
        school.answer("ann", "fractions-6", "7")
    next_ = school.next("ann")
    print(f"\nnext: {next_.exercise.question[school.language]}\n  {next_.why}\n")


def practised(school: School, *, learners: int, each: int) -> dict[str, Any]:
    """Of learners who do not exist: whether what they are weak at is found, and how good they are afterwards, by who chose."""
    names = sample.topics(school.language)
    found, missed, false, others = 0, 0, 0, 0
    gained: dict[str, list[float]] = {"recommended": [], "in order": [], "by lot": []}
    for number in track(range(learners), description="learners"):
        learner = Learner.drawn(f"learner-{number}", names, seed=number)
        begun = dict(learner.skill)
        for step in range(each):
            next_ = school.next(learner.name)
            right = learner.does(next_.exercise)
            school.answer(learner.name, next_.exercise.id, learner.writes(next_.exercise, right), of_list=next_.list)
            if step + 1 == learning.LEAST * len(names):
                others += len(set(names) - learner.weak)
                said = {topic.name for topic in school.standing(learner.name).values() if topic.weak}
                found, missed = found + len(said & learner.weak), missed + len(learner.weak - said)
                false += len(said - learner.weak)
        gained["recommended"].append(_gain(begun, learner))
        for way in ("in order", "by lot"):
            gained[way].append(_alone(school, names, way, number, each))
    report: dict[str, Any] = {
        "weak topics found": found,
        "missed": missed,
        "said to be weak and are not": false,
        "of": others,
    }
    for way, gains in gained.items():
        report[f"share of topics at 0.6 or more, {way}"] = round(float(np.mean(gains)), 3)
    for other in ("in order", "by lot"):
        mean, low, high = interval(np.array(gained["recommended"]), np.array(gained[other]))
        report[f"recommended over {other}"] = f"{mean:+.3f} (95 % {low:+.3f} to {high:+.3f})"
    return report


def _alone(school: School, names: list[str], way: str, number: int, each: int) -> float:
    """The same learner with as many exercises, chosen without looking."""
    learner = Learner.drawn(f"learner-{number}", names, seed=number)
    begun, lot = dict(learner.skill), random.Random(number)
    order: list[Exercise] = list(school.exercises.values())
    if way == "by lot":
        lot.shuffle(order)
    for one in (order * (each // len(order) + 1))[:each]:
        learner.does(one)
    return _gain(begun, learner)


def _gain(begun: dict[str, float], learner: Learner) -> float:
    """The share of topics that the learner has a good hold of at the end."""
    return float(np.mean([skill >= 0.6 for skill in learner.skill.values()]))


if __name__ == "__main__":
    main()
