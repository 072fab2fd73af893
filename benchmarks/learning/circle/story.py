"""The learning circle, from a model that serves to a better one that took its place: `make demo-learning`.

    python -m benchmarks.learning.circle.story [--data DIR] [--language zh] [--quiet-runs 100] [--svg FILE]

Through the API of a server of its own, as a team would go: a model of some intents serves; messages of kinds that it has never
seen appear; drift is seen; suggestions say what is worth a label; users give feedback, a reviewer looks at it, it becomes a
version of a data set; the policy makes a candidate of it, which is gated and audited, asked in the shadow, heard by some, by all,
and stays. The server is killed twice on the way. Then three poisoned batches of feedback, and a bad model that a lenient gate
lets through. What people know is the labels of the data. Without --data a sample is told of, that lies beside this file.
"""

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.learning.circle import going_back, poison
from benchmarks.learning.circle.corpora import Corpus, Row, corpus
from benchmarks.learning.circle.cost import cost
from benchmarks.learning.circle.house import ALIAS, House, sender, waiting
from benchmarks.learning.circle.picture import Served, drawn
from benchmarks.learning.circle.recorded import recorded
from benchmarks.learning.circle.replay import replayed

HEAD = {"trainable": "head"}
WINDOW = 40
SHARE_NEW = 0.25
"""Of the messages once the new kind has appeared."""

VOTES = 0.3
"""Share of messages on which somebody gives a thumb."""

POISONED = (0.05, 0.10, 0.20)
ENDS = ("settled", "refused", "rolled_back", "failed")


class Story:
    """Told once. Each chapter leaves behind what the next needs."""

    def __init__(self, house: House, of: Corpus) -> None:
        self.house, self.of = house, of
        self.began, self.dice = time.monotonic(), random.Random(0)
        self.served: list[Served] = []
        self.events: list[tuple[int, str]] = []
        self.predictions: dict[str, str] = {}
        self._old, self._new = (_endless(of.part(of.traffic, new=new), self.dice) for new in (False, True))
        self.labels = dict([*of.traffic, *of.unseen])

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self.began:5.0f} s] {text}", flush=True)

    def event(self, name: str) -> None:
        """A mark in the picture."""
        self.events.append((len(self.served), name))

    def serve(self, number: int, *, new: float = SHARE_NEW) -> float:
        """So many messages, one by one, with a thumb on some; the share that was answered rightly."""
        votes, right = [], 0
        for _ in range(number):
            text, label = next(self._new if self.dice.random() < new else self._old)
            prediction, said = self.house.ask(text)
            self.predictions[text] = prediction
            self.served.append(Served(label in self.of.new, said == label))
            right += said == label
            if self.dice.random() < VOTES:
                votes.append({"target": _target(prediction), "verdict": "up" if said == label else "down"})
        if votes:
            self.house.feedback(votes)
        return right / number

    def begin(self) -> None:
        """A data set of what was known, a model of it, and the policy of the alias that leads to it."""
        house, of = self.house, self.of
        self.dataset = house.dataset("intents", house.upload("known.jsonl", of.known))
        first = house.version(self.dataset)
        self.champion = house.tuned(
            {
                "model": of.base,
                "training_file": first["training_file"],
                "dataset_version": first["id"],
                "tuning": {"hyperparameters": HEAD},
            }
        )
        house.put(f"/model_aliases/{ALIAS}", {"model": self.champion})
        self.fixed = house.upload("fixed.jsonl", of.fixed)
        self.policy = {
            "dataset": self.dataset,
            "hyperparameters": HEAD,
            "triggers": {"new_examples": len(of.new) * 50},
            "gate": {
                "regression_file": self.fixed,
                "slices": {"new": of.new, "old": of.old},
                "margins": {"regression": 0.01},
                "audit": {
                    "axes": ["gender", "dialect"],
                    "texts": [text for text, _ in of.fixed[::4]],
                    "labels": [label for _, label in of.fixed[::4]],
                    "bounds": {"accuracy_gap": 0.25},
                },
            },
            "stages": {"shadow_requests": 40, "share": 0.3, "share_requests": 20},
            "watch": {"requests": 80, "least": 15, "slower": 20},  # a busy machine is no fault of a model
            "drift": {"window": WINDOW, "reference": 150, "season": 20, "keep_texts": True},
        }
        house.post(f"/model_aliases/{ALIAS}/policy", self.policy)
        self.say(f"{self.champion} serves {len(of.old)} intents of {of.name}; {len(of.new)} more are to come")

    def quiet(self) -> None:
        """Messages of the known kinds: nothing fires."""
        right = self.serve(150 + 4 * WINDOW, new=0)
        time.sleep(3)
        drift = self.house.drift()
        self.say(f"quiet traffic: {len(drift['windows'])} windows, {drift['status']}; {right:.1%} answered rightly")

    def change(self) -> None:
        """A quarter of the messages is new."""
        self.event("new kinds")
        since = len(self.served)
        drift = self.house.drift()
        while drift["status"] != "drifted" and len(self.served) - since < 20 * WINDOW:
            self.serve(WINDOW)
            time.sleep(3)
            drift = self.house.drift()
        self.event("drift")
        named = [self.labels[each["text"]] in self.of.new for each in drift["messages"][:10]]
        self.say(
            f"drift is seen within {len(self.served) - since} messages, a quarter of them new ({drift['status']}); "
            f"of the ten that it names first {sum(named)} are new"
        )
        self.say("new kinds, as drift calls them: " + "; ".join(group["name"] for group in drift["groups"][:5]))

    def learn(self) -> None:
        """Labels and a candidate, again with more labels where it is refused or sent back."""
        for _ in range(3):
            self.label()
            if self.promote():
                return
        raise SystemExit("No candidate settles.")

    def label(self) -> None:
        """Suggestions, feedback, reviews, versions, until the policy makes a candidate."""
        before = len(self.house.candidates())
        for _ in range(12):
            self.serve(4 * WINDOW)
            asked = self.house.get(f"/datasets/{self.dataset}/suggestions?limit=100&model={self.champion}")["data"]
            found = Counter(self.labels[one["text"]] in self.of.new for one in asked)
            self._feedback([one["text"] for one in asked])
            self.house.work(self.dataset, "imports", {"feedback": {}})
            self.version = self.house.version(self.dataset)
            self.say(
                f"{found[True]} of {len(asked)} suggested messages are new ones; with the users' feedback on them, "
                f"reviewed, a version of the data set has {self.version['examples']} examples"
            )
            time.sleep(4)
            if len(self.house.candidates()) > before:
                return
        raise SystemExit("The policy makes no candidate.")

    def _feedback(self, texts: list[str]) -> None:
        """Users say what would have been right; one in ten is wrong, and the reviewer says better."""
        pieces, wrong = [], {}
        for text in texts:
            said = self.labels[text]
            if self.dice.random() < 0.1:
                said = self.dice.choice([label for label in [*self.of.old, *self.of.new] if label != said])
                wrong[text] = self.labels[text]
            pieces.append(
                {"target": _target(self.predictions[text]), "correction": {"label": said}, "user": sender(text)}
            )
        for text, piece in zip(texts, self.house.feedback(pieces), strict=True):
            correction = {"state": "corrected", "correction": {"label": wrong[text]}} if text in wrong else {}
            self.house.review([piece], "Ann", **correction)

    def promote(self) -> bool:
        """The candidate's way, and the server killed twice on it. False: it was refused or sent back."""
        self.event("candidate")
        unseen = [self.of.part(self.of.unseen, new=new) for new in (True, False)]
        before = [self.house.accuracy(rows, self.champion) for rows in unseen]
        time.sleep(3)
        self.house.kill()
        self.house.start()
        self.say("the server was killed while the candidate was tuned")
        gated = self._until("shadow", "share", "all", *ENDS, meanwhile=lambda: None)
        if gated["status"] == "refused":
            self._tell(gated, only=("refused",))
            return False
        self.serve(5)
        self.house.kill()
        self.house.start()
        self.say("and again while it was in the shadow")
        ended = self._until(meanwhile=lambda: self.serve(20))
        self._tell(ended)
        if ended["status"] != "settled":
            return False
        self.event("promoted")
        after = [self.house.accuracy(rows) for rows in unseen]
        self.say(
            f"of messages that no model has seen: new kinds {before[0]:.1%} → {after[0]:.1%}, "
            f"old ones {before[1]:.1%} → {after[1]:.1%}"
        )
        self.champion = self.house.get(f"/model_aliases/{ALIAS}")["model"]
        self.serve(3 * WINDOW)
        return True

    def poison(self) -> None:
        """Batches of feedback in which one intent has another's label, let through by a reviewer who does not look."""
        self.event("poison")
        taken, given = self.of.old[0], self.of.old[1]
        batch = self.of.part(self.of.traffic, new=False)[:200]
        for share in POISONED:
            number = round(share * len(batch))
            flipped = [text for text, label in self.of.traffic if label == taken][:number]
            honest = [text for text, _ in batch if text not in flipped][: len(batch) - number]
            said = {text: self.labels[text] for text in honest} | dict.fromkeys(flipped, given)
            pieces = [
                {"target": _target(self.house.ask(text)[0]), "correction": {"label": said[text]}} for text in said
            ]
            ids = self.house.feedback(pieces)
            self.house.review(ids, "Bob")
            dataset = self.house.dataset(f"poisoned {share:.0%}", self.version["training_file"])
            self.house.work(dataset, "imports", {"feedback": {}})
            body = {"dataset_version": self.house.version(dataset)["id"]}
            self.house.post(f"/model_aliases/{ALIAS}/candidates", body)
            ended = self._until(meanwhile=lambda: self.serve(10))
            self.say(f"{number} of {len(batch)} labels flipped, {taken} for {given} ({share:.0%}): {ended['status']}")
            self._tell(ended, only=("refused",))
            self.house.review(ids, "Ann", state="rejected", final=True)

    def fool(self) -> None:
        """A bad model comes to serve: the labels of four intents are mistaken, in training and gate, and the gate is lenient."""
        self.champion = self.house.get(f"/model_aliases/{ALIAS}")["model"]
        four = self.of.old[:4]
        turned = dict(zip(four, [*four[1:], four[0]], strict=True))
        rows = [(text, turned.get(label, label)) for text, label in [*self.of.known, *self._taught()]]
        held = [(text, turned.get(label, label)) for text, label in self.of.fixed]
        lenient = {
            **self.policy,
            "triggers": {},
            "gate": {"contradictions": 1.0},
            "stages": {"shadow_requests": 0, "share_requests": 0},
            "watch": {"requests": 400, "least": 30},
        }
        self.house.post(f"/model_aliases/{ALIAS}/policy", lenient)
        body = {
            "training_file": self.house.upload("wrong.jsonl", rows),
            "validation_file": self.house.upload("wrong-held.jsonl", held),
        }
        self.house.post(f"/model_aliases/{ALIAS}/candidates", body)
        self._until("all", "settled", meanwhile=lambda: self.serve(10))
        self.event("bad model")
        since = len(self.served)
        ended = self._until(meanwhile=lambda: self.serve(10))
        self.event("rolled back")
        self.say(f"a bad model served all; it was {ended['status']} after {len(self.served) - since} messages")
        self._tell(ended, only=("promoted", "rolled_back"))
        back = self.house.get(f"/model_aliases/{ALIAS}")["model"] == self.champion
        right = self.serve(100)
        self.say(f"the alias leads {'back to the champion' if back else 'elsewhere'}; {right:.1%} answered rightly")

    def _taught(self) -> list[Row]:
        return [row for row in self.of.traffic if row[1] in self.of.new][: len(self.of.new) * 25]

    def _until(self, *statuses: str, meanwhile: Callable[[], Any]) -> Any:
        """The newest candidate once it has one of these statuses, or has come to an end."""
        for _ in waiting("a candidate"):
            found = self.house.candidates()[0]
            if found["status"] in (statuses or ENDS):
                return found
            if found["status"] in ENDS:
                raise SystemExit(f"{found['status']}: {self.house.decisions()[-1]['sentence']['en']}")
            if found["status"] in ("shadow", "share", "all"):
                meanwhile()
        raise AssertionError

    def _tell(self, candidate: Any, only: tuple[str, ...] = ()) -> None:
        for decision in self.house.decisions():
            if decision["candidate"] == candidate["id"] and (not only or decision["kind"] in only):
                print(f"    {decision['kind']:15} {decision['sentence']['en']}\n{'':20}{decision['sentence']['zh']}")


def _target(prediction: str) -> dict[str, str]:
    return {"type": "prediction", "id": prediction}


def _endless(rows: list[Row], dice: random.Random) -> Iterator[Row]:
    """Each once in some order, and again in another."""
    while True:
        yield from dice.sample(rows, len(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with banking77/ and crosswoz_zh/; without it the sample")
    parser.add_argument("--language", choices=["en", "zh"], default="en")
    parser.add_argument("--svg", type=Path, default=Path("build/learning-circle.svg"))
    parser.add_argument("--cost", type=int, default=0, help="so many blocks of 50 messages tell what watching costs")
    parser.add_argument(
        "--quiet-runs", type=int, default=0, help="how often the same traffic is watched, in other orders"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhuli-circle-") as place, House(Path(place)) as house:
        story = Story(house, corpus(asked.language, asked.data))
        story.begin()
        champion = story.champion
        story.quiet()
        story.change()
        story.learn()
        story.poison()
        story.fool()
        asked.svg.parent.mkdir(parents=True, exist_ok=True)
        drawn(asked.svg, story.served, story.events)
        story.say(f"accuracy over time: {asked.svg}")
        if asked.cost:
            cost(house, story.champion, [text for text, _ in story.of.traffic], blocks=asked.cost)
        house.kill()
        _told_of_answers(house.folder, champion, story.of, asked.quiet_runs)


def _told_of_answers(folder: Path, model: str, of: Corpus, runs: int) -> None:
    """What the first model's answers alone can tell, again and again."""
    fixed = recorded(folder, model, of.fixed)
    old, new = (recorded(folder, model, of.part([*of.traffic, *of.unseen], new=new)) for new in (False, True))
    poison.told(old, fixed, POISONED)
    going_back.told(old, runs=100, votes=VOTES)
    if runs:
        replayed([*old, *fixed], new, runs, window=WINDOW, share=SHARE_NEW)


if __name__ == "__main__":
    main()
