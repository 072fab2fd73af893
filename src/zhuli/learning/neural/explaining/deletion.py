"""Whether attributions mean something: delete the words that score highest, and see how far the answer's probability falls.

    fall(k) = p(answer | text) - p(answer | text without k words)        AOPC = mean of fall(1) … fall(K)

(area over the perturbation curve, Samek et al. 2017, Evaluating the Visualization of What a Deep Neural Network Has Learned).
Random words are deleted for comparison. Of text classification, whose input is a text and whose answer a label.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from zhuli.learning.neural.explaining import explanations
from zhuli.types.learning.example import Example

MOST = 5
DRAWS = 5


class Falls(NamedTuple):
    """Mean falls of the probability by number of deleted words, and over how many texts. AOPC is the mean of a row."""

    highest: list[float]
    random: list[float]
    lowest: list[float]
    texts: int

    @property
    def aopc(self) -> dict[str, float]:
        rows = {"highest": self.highest, "random": self.random, "lowest": self.lowest}
        return {name: float(np.mean(row)) for name, row in rows.items()}


def deletion(task: Any, model: Any, examples: Sequence[Example], *, most: int = MOST, seed: int = 0) -> Falls:
    """Of texts with more than `most` words; the answer of each is the one that the model gives to it whole."""
    generator = np.random.default_rng(seed)
    found: list[tuple[list[float], list[float], list[float]]] = []
    for example in examples:
        words = _words(task, model, example)
        if len(words) <= most:
            continue
        order = sorted(words, key=lambda word: -float(word["score"]))
        draws = [[words[at] for at in generator.permutation(len(words))] for _ in range(DRAWS)]
        falls = [_falls(task, model, example, each, most) for each in (order, order[::-1], *draws)]
        found.append((falls[0], np.mean(falls[2:], axis=0).tolist(), falls[1]))
    means = np.mean(found, axis=0) if found else np.zeros((3, most))
    return Falls(means[0].tolist(), means[1].tolist(), means[2].tolist(), len(found))


def without(text: str, words: Collection[dict[str, Any]]) -> str:
    """The text with those words cut out, and no doubled spaces where they stood."""
    for word in sorted(words, key=lambda word: -int(word["start"])):
        text = text[: word["start"]] + text[word["end"] :]
    return " ".join(text.split())


def _words(task: Any, model: Any, example: Example) -> list[dict[str, Any]]:
    said = explanations.attributions_of(task, model, example) or {"tokens": []}
    return [word for word in said["tokens"] if any(map(str.isalnum, word["text"]))]


def _falls(task: Any, model: Any, example: Example, order: Sequence[dict[str, Any]], most: int) -> list[float]:
    """After 1, 2, … `most` of the words in this order are deleted."""
    shorter = [without(example.input, order[:number]) for number in range(1, most + 1)]
    whole, *rest = _probabilities(task, model, [example.input, *shorter])
    return [whole - each for each in rest]


def _probabilities(task: Any, model: Any, texts: Sequence[str]) -> list[float]:
    """Of the first text's answer, for each text."""
    examples = [task.ask(text) for text in texts]
    rows = [task.features(example, learn=False) for example in examples]
    where = next(model.parameters()).device
    batch = {name: value.to(where) for name, value in task.collate([row for own in rows for row in own]).items()}
    with torch.inference_mode():
        outputs = task.outputs(model, batch)
    said = task.predict(examples, rows, [[output] for output in outputs])
    label = said[0][0]["label"]
    return [next(entry["score"] for entry in each if entry["label"] == label) for each in said]
