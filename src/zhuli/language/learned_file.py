"""Keeps what was learned for a domain in a file, so that a restart does not learn it again.

What can't be read is as if it were not there: the file is damaged, or of another version of this program. No pickle: a file
holds arrays and JSON, and runs nothing.
"""

import json
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhuli.language import whole_file
from zhuli.language.intent_head import IntentHead
from zhuli.language.softmax_regression import Floats
from zhuli.language.tagger import Tagger
from zhuli.language.word_view import WordView
from zhuli.types.domain import DomainReport


@dataclass(frozen=True, slots=True)
class Mind:
    """What was learned. head: None where there are no intents; tagger: None where no entity is learned. words: what the head
    knows of words. probe: the vector of a text, by which another embedder is noticed."""

    head: IntentHead | None
    words: WordView
    tagger: Tagger | None
    report: DomainReport
    probe: Floats


def write(path: Path, mind: Mind) -> None:
    """In place of what was kept there. OSError."""
    arrays: dict[str, NDArray[Any]] = {f"head.{name}": array for name, array in (_head(mind)).items()}
    about: dict[str, Any] = {"report": mind.report.model_dump(mode="json")}
    if mind.tagger:
        about |= {"words": sorted(mind.tagger.words), "listed": mind.tagger.listed, "said": mind.tagger.said}
        arrays["tagger"] = _bytes(mind.tagger.model)
    arrays |= {"codes": mind.words.codes, "rarity": mind.words.rarity}
    packed = BytesIO()
    np.savez(packed, about=_bytes(json.dumps(about).encode()), probe=mind.probe, **arrays)  # type: ignore[arg-type]
    whole_file.replace(path, packed.getbuffer())


def read(path: Path) -> Mind | None:
    """What write() wrote there, or None."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        about = json.loads(arrays["about"].tobytes())
        heads = {name.removeprefix("head."): array for name, array in arrays.items() if name.startswith("head.")}
        return Mind(
            IntentHead.of_arrays(heads) if heads else None,
            WordView(arrays["codes"], arrays["rarity"]),
            _tagger(arrays["tagger"].tobytes(), about) if "tagger" in arrays else None,
            DomainReport.model_validate(about["report"]),
            arrays["probe"],
        )
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        return None


def _tagger(model: bytes, about: dict[str, Any]) -> Tagger:
    return Tagger(model, frozenset(about["words"]), about["listed"], about["said"])


def _head(mind: Mind) -> dict[str, NDArray[Any]]:
    return mind.head.arrays() if mind.head else {}


def _bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)
