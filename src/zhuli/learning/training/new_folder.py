"""Make the folder of a new tuning: its spec and copies of its data, so that it can be run here, elsewhere and again.

What happens in it is training.tune's matter. Imports nothing heavy.
"""

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from zhuli import registry
from zhuli.core import whole_file
from zhuli.core.errors import ConfigurationError
from zhuli.learning.training.searching.space import space_of
from zhuli.types.learning.tuning import SPEC, Source, Spec

Rows = Iterable[Mapping[str, Any]]
Part = Literal["train", "validation", "test"]


def write(folder: Path, spec: Mapping[str, Any], data: Mapping[Part, Path | str | Rows | None]) -> Spec:
    """Make `folder` with spec.json and the data: files are copied, rows written as JSONL, folders left where they are.

    `spec` has Spec's fields but for the data's paths; those of its "sources" (format and columns) hold for all parts.
    ConfigurationError when something is missing or wrong, or the folder already has a tuning; InvalidRequest for a search's
    space.
    """
    if (folder / SPEC).exists():
        raise ConfigurationError(
            f"{folder} already has a tuning. Go on with it: zhuli tune {folder}; or choose another."
        )
    shape = dict(spec)
    common = shape.pop("sources", {})
    for part, given in data.items():
        if given is not None:
            _check_there(part, given)
    made = checked({**shape, **{part: {**common, "path": "-"} for part, given in data.items() if given is not None}})
    if made.search is not None:
        space_of(made.search, made.hyperparameters, task=made.task)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {part: _kept(folder, part, given) for part, given in data.items() if given is not None}
    sources: dict[str, Any] = {part: Source(**{**common, "path": path}) for part, path in paths.items()}
    written = made.model_copy(update=sources)
    whole_file.replace(folder / SPEC, f"{written.model_dump_json(indent=2, exclude_none=True)}\n".encode())
    return written


def read(folder: Path) -> Spec:
    """The spec of a tuning's folder; ConfigurationError when there is none, or it is wrong."""
    path = folder / SPEC
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ConfigurationError(f"{folder} is no tuning: it has no {SPEC}. Make one: zhuli tune --help.") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}.") from error
    return checked(content, place=f"{path}: ")


def base_of(base: str | Path) -> dict[str, str]:
    """A base as a spec has it: what is a folder is one, anything else is a name of the models file."""
    place = Path(base)
    if str(base) and place.is_dir():
        return {"name": place.name, "path": str(place.resolve())}
    return {"name": str(base)}


def checked(content: Mapping[str, Any], *, place: str = "") -> Spec:
    """The spec of these fields; ConfigurationError names the first that is wrong."""
    try:
        spec = Spec.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{place}{_wrong(error)}") from error
    known = registry.names("tasks")
    if spec.task not in known and ":" not in spec.task:
        raise ConfigurationError(
            f"{place}'task' can't be '{spec.task}'. Tasks: {', '.join(known)}, or 'package.module:Class'."
        )
    return spec


def _wrong(error: ValidationError) -> str:
    """The first wrong field: what pydantic says of each type that it may have, without its names for the types."""
    found = error.errors()
    places = [".".join(str(step) for step in entry["loc"] if re.fullmatch(r"\w+", str(step))) for entry in found]
    if found[0]["type"] == "missing":
        return f"'{places[0]}' is missing."
    if found[0]["type"] == "extra_forbidden":
        return f"There is no '{places[0]}'; docs/fine-tuning.md has the list."
    said = [entry["msg"] for entry, place in zip(found, places, strict=True) if place == places[0]]
    return f"'{places[0]}' can't be {found[0]['input']!r}: {', or: '.join(said)}."


def _check_there(part: Part, given: Path | str | Rows) -> None:
    if isinstance(given, str | Path) and not Path(given).exists():
        raise ConfigurationError(f"There is no {part} data at {given}.")


def _kept(folder: Path, part: Part, given: Path | str | Rows) -> str:
    """Where the part's data is now, as the spec says it."""
    if isinstance(given, str | Path):
        source = Path(given)
        if source.is_dir():
            return str(source.resolve())
        name = f"{part}{''.join(source.suffixes[-1:])}"
        shutil.copyfile(source, folder / name)
        return name
    with (folder / f"{part}.jsonl").open("w", encoding="utf-8") as file:
        for row in given:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return f"{part}.jsonl"
