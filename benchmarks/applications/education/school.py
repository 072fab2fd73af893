"""Exercises as a recommender's items, lessons as a vector store, answers as its events: all over HTTP, nothing of its own.

An exercise's category is its topic, and its price how hard it is. An answer is a rating, 1 or 0, and `liked_from` makes only
what was solved say what could come next: the lists are of what learners like this one went on to solve.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.applications.education import learning
from benchmarks.applications.education.learning import Topic
from benchmarks.applications.education.marking import Mark, marked
from benchmarks.applications.education.sample import Exercise, Language, exercises, texts, topics

_PATIENCE = 600.0
_PAGE = 100


class Api(Protocol):
    """A server's /v1."""

    def get(self, path: str) -> Any: ...

    def post(self, path: str, body: Any) -> Any: ...

    def upload_text(self, name: str, content: bytes) -> str:
        """A file's id."""
        ...


@dataclass(frozen=True, slots=True)
class Next:
    """An exercise, the list that it is of, and why it comes next, in words."""

    exercise: Exercise
    list: str
    why: str


class School:
    """A recommender and a vector store, made when it opens. embedder: of items, answers and lessons."""

    def __init__(self, api: Api, language: Language, *, embedder: str = "e5-small") -> None:
        self._api = api
        self.language = language
        self._embedder = embedder
        self.exercises = {one.id: one for one in exercises(language)}
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._count = itertools.count()
        made = {"name": f"exercises ({language})", "embedder": embedder, "liked_from": 0.5}
        self.path = f"/recommenders/{api.post('/recommenders', made)['id']}"
        api.post(f"{self.path}/items", {"data": [self._item(one) for one in self.exercises.values()]})
        self._lessons = self._open_lessons()

    def _item(self, one: Exercise) -> dict[str, Any]:
        text = f"{one.topic}: {one.question[self.language]}"
        return {"id": one.id, "text": text, "categories": [one.topic], "price": one.level}

    def _open_lessons(self) -> str:
        asked = {"name": f"lessons ({self.language})", "embedder": self._embedder}
        store = str(self._api.post("/vector_stores", asked)["id"])
        lessons = texts()["lessons"]
        for lesson in lessons:
            file = self._api.upload_text(f"{lesson['topic']}.txt", lesson["text"][self.language].encode())
            attached = {"file_id": file, "attributes": {"topic": lesson["topic"]}}
            self._api.post(f"/vector_stores/{store}/files", attached)
        for _ in waiting():
            counts = self._api.get(f"/vector_stores/{store}")["file_counts"]
            if counts["completed"] + counts["failed"] == len(lessons):
                return store
        raise TimeoutError("The lessons are not read.")

    def embed(self, given: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts by the server's embedder; each text is asked for once."""
        new = [text for text in dict.fromkeys(given) if text not in self._vectors]
        if new:
            data = self._api.post("/embeddings", {"model": self._embedder, "input": new})["data"]
            for text, one in zip(new, data, strict=True):
                vector = np.array(one["embedding"], np.float32)
                self._vectors[text] = vector / np.linalg.norm(vector)
        return np.stack([self._vectors[text] for text in given])

    def mark(self, exercise: str, given: str) -> Mark:
        """An answer's mark, which nothing keeps."""
        return marked(self.exercises[exercise], given, self.language, self.embed)

    def answer(self, user: str, exercise: str, given: str, *, of_list: str | None = None) -> Mark:
        """The mark, which is kept as an event unless a teacher must look."""
        mark = self.mark(exercise, given)
        if mark.verdict != "unsure":
            self.tell([self.event(user, exercise, mark.verdict == "right", time.time(), of_list=of_list)])
        return mark

    def event(self, user: str, exercise: str, right: bool, at: float, *, of_list: str | None = None) -> dict[str, Any]:
        """What …/events takes."""
        id_ = f"{user}-{next(self._count)}"
        return {
            "id": id_, "user": user, "item": exercise, "kind": "rate", "value": float(right), "at": at, "list": of_list
        }  # fmt: skip

    def tell(self, events: Sequence[dict[str, Any]]) -> None:
        """Events that must all be taken."""
        for start in range(0, len(events), 1_000):
            taken = self._api.post(f"{self.path}/events", {"data": events[start : start + 1_000]})
            assert not taken["faults"], taken["faults"]

    def lesson(self, exercise: str) -> tuple[str, str]:
        """Where to read again: of the topic's lessons the file and the passage that fits the question best."""
        one = self.exercises[exercise]
        of_topic = {"type": "eq", "key": "topic", "value": one.topic}
        asked = {"query": one.question[self.language], "max_num_results": 1, "filters": of_topic}
        first = self._api.post(f"/vector_stores/{self._lessons}/search", asked)["data"][0]
        return str(first["filename"]), str(first["content"][0]["text"])

    def log(self, user: str) -> list[tuple[Exercise, bool]]:
        """What the user has answered, oldest first, and whether it was right."""
        found, after = list[dict[str, Any]](), 0
        while True:
            page = self._api.get(f"{self.path}/events?user={user}&after={after}&limit={_PAGE}")
            found += page["data"]
            if not page["has_more"]:
                break
            after = page["data"][-1]["position"]
        found.sort(key=lambda one: one["at"])
        return [(self.exercises[one["item"]], one["value"] == 1.0) for one in found]

    def standing(self, user: str) -> dict[str, Topic]:
        """How the user stands in each topic."""
        log = [(exercise.topic, right) for exercise, right in self.log(user)]
        return learning.standing(log, topics(self.language))

    def next(self, user: str) -> Next:
        """Of the topic that needs it most, what the recommender puts first; once all of it is known, some comes again."""
        log = self.log(user)
        standing = learning.standing([(one.topic, right) for one, right in log], topics(self.language))
        for topic in learning.order(standing):
            hardest = learning.level([(one.topic, one.level, right) for one, right in log], topic.name)
            for seen, most in ((False, hardest), (False, 3), (True, 3)):
                controls = {"categories": [topic.name], "max_price": most, "seen": seen}
                asked = {"user": user, "limit": 1, "explain": True, "controls": controls}
                shown = self._api.post(f"{self.path}/recommendations", asked)
                if shown["data"]:
                    first = shown["data"][0]
                    return Next(self.exercises[first["item"]], shown["id"], f"{_said(topic)} {first['why']}")
        raise LookupError("There are no exercises.")

    def train(self) -> dict[str, Any]:
        """The report of a training on all answers."""
        training = self._api.post(f"{self.path}/trainings", {})
        for _ in waiting():
            found: dict[str, Any] = self._api.get(f"{self.path}/trainings/{training['id']}")
            if found["status"] != "queued":
                assert found["status"] == "completed", found
                report: dict[str, Any] = found["report"]
                return report
        raise TimeoutError("The training does not end.")


def _said(topic: Topic) -> str:
    known = f"{topic.right} of {topic.tried} right" if topic.tried else "not tried yet"
    return f"{topic.name}: {known}{', weak' if topic.weak else ''}."


def waiting() -> Iterator[None]:
    """Looks, four a second at most, for ten minutes."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        yield
        time.sleep(0.25)
