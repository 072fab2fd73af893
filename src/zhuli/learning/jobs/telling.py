"""What clients are told of a tuning: its events without the places on the server's disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zhuli.models import bases
from zhuli.types.learning.tuning import TuningEvent


def places(data_dir: Path, models_file: Path | None) -> list[Path]:
    """Folders whose paths are none of a client's business, inner ones first."""
    beside = [] if models_file is None else [*bases.places(models_file), models_file.parent.resolve()]
    return [place for place in (*beside, data_dir.resolve()) if place.name]


def told(event: TuningEvent, places: Sequence[Path]) -> TuningEvent:
    """The event as clients may see it."""
    return event.model_copy(
        update={"message": without_places(event.message, places), "data": without_places(event.data, places)}
    )


def without_places(value: Any, places: Sequence[Path]) -> Any:
    """The value with paths in its texts, however deep, relative to the first of the places that they are in."""
    if isinstance(value, str):
        for place in places:
            value = value.replace(f"{place}/", "").replace(str(place), place.name)
        return value
    if isinstance(value, dict):
        return {key: without_places(inner, places) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_places(inner, places) for inner in value]
    return value
