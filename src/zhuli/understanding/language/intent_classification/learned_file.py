"""Keeps what was learned for a domain in a file, so that a restart does not learn it again.

What can't be read is as if it were not there: the file is damaged, or of another version of this program. It holds arrays,
and JSON as one of them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhuli.types.understanding.domain import DomainReport
from zhuli.understanding.language.intent_classification import array_file
from zhuli.understanding.language.intent_classification.intent_classifier import IntentClassifier
from zhuli.understanding.language.intent_classification.softmax_regression import Floats
from zhuli.understanding.language.intent_classification.word_features import WordFeatures
from zhuli.understanding.language.tagging.tagger import Tagger


@dataclass(frozen=True, slots=True)
class DomainModel:
    """What was learned. classifier: None without intents; tagger: None where no entity is learned. words: what the classifier
    knows of words. probe: the vector of a text, by which another embedder is noticed."""

    classifier: IntentClassifier | None
    words: WordFeatures
    tagger: Tagger | None
    report: DomainReport
    probe: Floats


def write(path: Path, model: DomainModel) -> None:
    """In place of what was kept there. OSError."""
    about: dict[str, Any] = {"report": model.report.model_dump(mode="json")}
    arrays: dict[str, NDArray[Any]] = {"codes": model.words.codes, "rarity": model.words.rarity, "probe": model.probe}
    if model.classifier:
        arrays |= {f"head.{name}": array for name, array in model.classifier.arrays().items()}
    if model.tagger:
        about |= {"words": sorted(model.tagger.words), "listed": model.tagger.listed, "said": model.tagger.said}
        arrays["tagger"] = _bytes(model.tagger.model)
    array_file.write(path, {"about": _bytes(json.dumps(about).encode()), **arrays})


def read(path: Path) -> DomainModel | None:
    """What write() wrote there, or None."""
    arrays = array_file.read(path)
    if arrays is None:
        return None
    try:
        about = json.loads(arrays["about"].tobytes())
        of_classifier = {
            name.removeprefix("head."): array for name, array in arrays.items() if name.startswith("head.")
        }
        return DomainModel(
            IntentClassifier.of_arrays(of_classifier) if of_classifier else None,
            WordFeatures(arrays["codes"], arrays["rarity"]),
            _tagger(arrays["tagger"].tobytes(), about) if "tagger" in arrays else None,
            DomainReport.model_validate(about["report"]),
            arrays["probe"],
        )
    except (KeyError, ValueError, TypeError):
        return None


def _tagger(model: bytes, about: dict[str, Any]) -> Tagger:
    return Tagger(model, frozenset(about["words"]), about["listed"], about["said"])


def _bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)
