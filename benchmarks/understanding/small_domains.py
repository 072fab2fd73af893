"""Where the prior of the detector comes from: `python -m benchmarks.understanding.small_domains --data DIR`.

Small domains are drawn from the training parts of clinc150 and banking77: a few intents with five to twelve examples each. Asked
are other training examples of their intents, and what is outside of them: clinc150's 200 texts for that, and messages of other
domains. A logistic regression over all these domains gives weights; by them and by more various examples
classifier_training.PRIOR was chosen. What the understander itself, which begins there, takes and refuses is printed beside.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from benchmarks.understanding.intent_sets import IntentSet, Message, banking77, clinc150
from benchmarks.understanding.services import BenchServices, KeptVectors
from zhuli.models.catalog import Catalog
from zhuli.understanding.dialogue.understander_services import ENGLISH
from zhuli.understanding.language.acts.small_talk import ANSWERS, SMALL_TALK
from zhuli.understanding.language.intent_classification import classifier_training
from zhuli.understanding.language.intent_classification.intent_classifier import ClosedSetClassifier, Doubles, sigmoid
from zhuli.understanding.language.intent_classification.softmax_regression import Floats
from zhuli.understanding.language.intent_classification.word_features import WordFeatures

DOMAINS, INTENTS, ASKED, OUTSIDE = 40, 6, 6, 40
"""How many are drawn of each set; of how many intents; and how many messages of each intent, and outside, each is asked."""

USED = (5, 6, 7)
"""The features that a small domain is told by: the mean cosines to what is near inside and outside, and the constant."""

RIDGE = 1e-4
"""Of the regression, on weights of which all messages have 1 in all."""

TALK = (*SMALL_TALK["en"], *ANSWERS["en"])


@dataclass(frozen=True, slots=True)
class Small:
    """names: of the intents, in words. examples, inside: texts with numbers of intents."""

    names: list[str]
    examples: list[tuple[str, int]]
    inside: list[tuple[str, int]]
    outside: list[str]

    @property
    def texts(self) -> list[str]:
        return [*self.names, *(text for text, _ in (*self.examples, *self.inside)), *self.outside]


def main(
    data: Annotated[Path, typer.Option(help="Where clinc150 and banking77 are.", exists=True)],
    work: Annotated[Path, typer.Option(help="Where vectors are kept.")] = Path("build/bench-understanding"),
    data_dir: Annotated[Path, typer.Option(help="Where embedders are made ready.")] = Path("data"),
) -> None:
    """Print the weights, and what is taken and refused."""
    clinc, choice = clinc150(data), random.Random(0)
    apart = [*clinc.outside["train"], *clinc.outside["val"]]
    drawn = [one for part in (clinc, banking77(data)) for one in _drawn(part, apart, choice)]
    texts = list(dict.fromkeys([*TALK, *(text for small in drawn for text in small.texts)]))
    vectors = dict(zip(texts, asyncio.run(_vectors(texts, work, data_dir)), strict=True))
    with threadpool_limits(1, "blas"):
        asked = [_asked(small, vectors) for small in drawn]
        given = np.vstack([features for features, _ in asked])
        truths = np.concatenate([is_inside for _, is_inside in asked])
        print("weights", np.round(_fitted(given[:, USED], truths), 1))
        kept, refused = zip(*(_taken(small, vectors) for small in drawn), strict=True)
    print(
        f"taken and told rightly {100 * np.mean(kept):.1f} %, refused of what is outside {100 * np.mean(refused):.1f} %"
    )


def _drawn(part: IntentSet, outside: Sequence[str], choice: random.Random) -> Iterator[Small]:
    by_intent = defaultdict[str, list[Message]](list)
    for message in part.train:
        by_intent[message.intent].append(message)
    for _ in range(DOMAINS):
        intents, each = choice.sample(sorted(by_intent), INTENTS), choice.randint(5, 12)
        texts = [[one.text for one in choice.sample(by_intent[name], each + ASKED)] for name in intents]
        yield Small(
            [name.replace("_", " ") for name in intents],
            [(text, number) for number, said in enumerate(texts) for text in said[:each]],
            [(text, number) for number, said in enumerate(texts) for text in said[each:]],
            choice.sample(list(outside), OUTSIDE),
        )


async def _vectors(texts: Sequence[str], work: Path, data_dir: Path) -> Floats:
    catalog = Catalog.load(None, data_dir)
    services = BenchServices(work, catalog, KeptVectors(work / "vectors.db"), language="en", models=work)
    try:
        made = await services.embed(ENGLISH, texts)
    finally:
        await catalog.aclose()
    return np.frombuffer(made.data, "<f4").reshape(-1, made.dimensions)


class _Rows:
    """The understander's numbers of texts, for one domain."""

    def __init__(self, small: Small, vectors: dict[str, Floats]) -> None:
        self._vectors = vectors
        self._words = WordFeatures.of([*small.names, *(text for text, _ in small.examples)])

    def of(self, texts: Sequence[str]) -> Floats:
        return np.hstack([np.array([self._vectors[text] for text in texts]), self._words.rows(texts)])


def _asked(small: Small, vectors: dict[str, Floats]) -> tuple[Doubles, Doubles]:
    """Scope features of what the domain is asked, and 1 for what is inside."""
    rows, labels = _Rows(small, vectors), np.array([number for _, number in small.examples], np.int64)
    closed_set = ClosedSetClassifier.fitted(rows.of([text for text, _ in small.examples]), labels, rows.of(small.names))
    placed = closed_set.placed(rows.of([*(text for text, _ in small.inside), *small.outside]))
    features = closed_set.scope_features(placed, closed_set.scores(placed), closed_set.placed(rows.of(TALK)))
    return features, np.repeat([1.0, 0.0], [len(small.inside), len(small.outside)])


def _fitted(given: Doubles, truths: Doubles) -> Doubles:
    """Newton's method; inside and outside count the same, and the constant is not held."""
    weights = np.where(truths == 1, 0.5 / (truths == 1).sum(), 0.5 / (truths == 0).sum())
    held, found = np.array([RIDGE, RIDGE, 1e-8]), np.zeros(3)
    for _ in range(30):
        said = sigmoid(given @ found)
        slope = given.T @ ((said - truths) * weights) + held * found
        found = found - np.linalg.solve((given.T * (weights * said * (1 - said))) @ given + np.diag(held), slope)
    return found


def _taken(small: Small, vectors: dict[str, Floats]) -> tuple[float, float]:
    """The shares of messages inside that are taken and told rightly, and of those outside that are refused."""
    rows, labels = _Rows(small, vectors), np.array([number for _, number in small.examples], np.int64)
    shown = rows.of([text for text, _ in small.examples])
    learned = classifier_training.learn(shown, labels, rows.of(small.names), rows.of(TALK)).classifier
    said = learned.read(rows.of([*(text for text, _ in small.inside), *small.outside]))
    taken = said.inside * said.shares.max(axis=1) >= learned.threshold
    right = said.shares.argmax(axis=1)[: len(small.inside)] == [number for _, number in small.inside]
    return float((taken[: len(small.inside)] & right).mean()), float((~taken[len(small.inside) :]).mean())


if __name__ == "__main__":
    typer.run(main)
