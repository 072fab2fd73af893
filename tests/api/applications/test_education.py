"""The configuration for education, over HTTP: answers are marked with reasons, weak topics found, the next exercise given."""

from fractions import Fraction
from typing import Any

import httpx2
import pytest
from benchmarks.applications.education import learning, sample
from benchmarks.applications.education.marking import read_number
from benchmarks.applications.education.sample import Language
from benchmarks.applications.education.school import School


class Api:
    """The tests' server."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    def get(self, path: str) -> Any:
        return self._said(self._http.get(f"/v1{path}"))

    def post(self, path: str, body: Any) -> Any:
        return self._said(self._http.post(f"/v1{path}", json=body))

    def upload_text(self, name: str, content: bytes) -> str:
        file = self._http.post("/v1/files", files={"file": (name, content)}, data={"purpose": "assistants"})
        return str(self._said(file)["id"])

    def _said(self, response: httpx2.Response) -> Any:
        assert response.status_code == 200, response.text
        return response.json()


def school(http: httpx2.Client, language: Language) -> School:
    return School(Api(http), language, embedder="hashed")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_answer_is_marked_and_the_mistake_behind_it_named(http: httpx2.Client, language: Language) -> None:
    opened = school(http, language)
    fraction = next(one for one in opened.exercises.values() if one.topic == "fractions" and one.level == 2)
    assert fraction.answer is not None
    right = (
        f"{fraction.answer.denominator}分之{fraction.answer.numerator}" if language == "zh" else f"= {fraction.answer}"
    )
    assert opened.answer("ann", fraction.id, right).verdict == "right"
    added = opened.answer("ann", fraction.id, str(fraction.mistakes[0].answer))
    assert added.verdict == "wrong" and added.explanation.startswith(fraction.mistakes[0].says[language])
    assert str(fraction.answer) in added.explanation  # and how it is done

    summer = opened.exercises["seasons-1"]
    assert opened.answer("ann", summer.id, summer.right[0]).verdict == "right"
    near = opened.answer("ann", summer.id, summer.mistakes[0].like[0])
    assert near.verdict == "wrong" and summer.mistakes[0].says[language] in near.explanation
    assert opened.answer("ann", summer.id, "…").verdict == "unsure"
    assert [right for _, right in opened.log("ann")] == [
        True,
        False,
        True,
        False,
    ]  # what a teacher must see is not kept
    file, passage = opened.lesson(summer.id)
    [lesson] = [lesson["text"][language] for lesson in sample.texts()["lessons"] if lesson["topic"] == "seasons"]
    assert (file, passage) == ("seasons.txt", lesson)


def test_a_weak_topic_is_found_and_comes_next_and_what_was_solved_does_not(http: httpx2.Client) -> None:
    opened = school(http, "en")
    at, events = 1_000.0, []
    for one in opened.exercises.values():
        number = int(one.id.rpartition("-")[2])
        if number <= 3 or (one.topic == "percentages" and number == 4):
            at += 1
            events.append(opened.event("bob", one.id, one.topic != "percentages" or number == 1, at))
    opened.tell(events)
    standing = opened.standing("bob")
    assert {topic.name for topic in standing.values() if topic.weak} == {"percentages"}
    known = {event["item"] for event in events}
    for _ in range(3):
        next_ = opened.next("bob")
        assert next_.exercise.topic == "percentages" and next_.exercise.id not in known
        assert next_.why.startswith("percentages: 1 of ") and "weak" in next_.why
        known.add(next_.exercise.id)
        opened.answer("bob", next_.exercise.id, "no idea", of_list=next_.list)
    later = 4e9  # than the answers of today
    solved = [one.id for one in opened.exercises.values() if one.topic == "percentages"]
    opened.tell([opened.event("bob", id_, True, later) for id_ in solved * 2])
    assert opened.next("bob").exercise.topic != "percentages"


def test_who_is_new_is_asked_of_every_topic_first() -> None:
    topics = sample.topics("en")
    log: list[tuple[str, bool]] = []
    for _ in range(3 * len(topics)):
        log.append((learning.order(learning.standing(log, topics))[0].name, True))
    assert sorted(name for name, _ in log) == sorted(topics * 3)


def test_how_hard_the_next_one_is_follows_what_was_right() -> None:
    assert learning.level([], "areas") == 1
    assert learning.level([("areas", 1, True), ("areas", 2, True), ("heat", 1, False)], "areas") == 3
    assert learning.level([("areas", 1, True), ("areas", 2, False)], "areas") == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5/6", Fraction(5, 6)),
        ("It is 1 1/4.", Fraction(5, 4)),
        ("x = -3", Fraction(-3)),
        ("0.5", Fraction(1, 2)),
        ("20%", Fraction(1, 5)),
        ("六分之五", Fraction(5, 6)),
        ("负十二", Fraction(-12)),
        ("二十五", Fraction(25)),
        ("一共120元", Fraction(120)),
        ("20 + 4 = 24", Fraction(24)),
        ("1/0", None),
        ("no idea", None),
    ],
)
def test_numbers_are_read_as_they_are_written(text: str, value: Fraction | None) -> None:
    assert read_number(text) == value


def test_no_mistake_has_the_right_answer_and_every_exercise_is_in_both_languages() -> None:
    for language in ("en", "zh"):
        for one in sample.exercises(language):
            assert one.answer not in [mistake.answer for mistake in one.mistakes] or one.answer is None
            assert one.mistakes and one.question["en"] and one.question["zh"] and one.explains[language]
            assert one.answer is not None or (one.right and all(mistake.like for mistake in one.mistakes))
