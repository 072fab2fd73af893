"""A tuned model as one download: its folder as a tar archive, its GGUF file, or its safetensors file.

The archive is written while it is sent, file after file; nothing of it is kept. Where the base lies on this machine is
left out of it; importing finds the base by its name.
"""

import asyncio
import re
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zhuli.core.errors import InvalidRequest
from zhuli.learning.jobs.telling import without_places
from zhuli.models.tuned import not_here
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.types.learning.tuning import TASK

PIECE = 1024 * 1024

ADAPTER = "adapter_config.json"

Format = Literal["folder", "gguf", "safetensors"]

_FILES: dict[str, tuple[str, ...]] = {
    "gguf": ("model.gguf", "adapter.gguf"),
    "safetensors": ("model.safetensors", "adapter_model.safetensors"),
}


_TOLD = (TASK, ADAPTER)
"""Files that say where the base lies."""


@dataclass(frozen=True, slots=True)
class Export:
    """path: a folder, which becomes an archive with files under `stem`, or a file, which is sent as it is.

    hidden: folders of this machine that the archive does not name.
    """

    path: Path
    stem: str
    filename: str
    hidden: Sequence[Path] = ()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The bytes in order."""
        if self.path.is_file():
            async for piece in _content(self.path):
                yield piece
            return
        written = 0
        for file in sorted(path for path in self.path.rglob("*") if path.is_file()):
            info = _info(file, f"{self.stem}/{file.relative_to(self.path)}")
            told = without_places(file.read_text("utf-8"), self.hidden).encode() if file.name in _TOLD else None
            info.size = info.size if told is None else len(told)
            header = info.tobuf(tarfile.PAX_FORMAT)
            yield header
            async for piece in _content(file) if told is None else _pieces_of(told):
                yield piece
            padding = -info.size % tarfile.BLOCKSIZE
            yield bytes(padding)
            written += len(header) + info.size + padding
        end = 2 * tarfile.BLOCKSIZE
        yield bytes(end + -(written + end) % tarfile.RECORDSIZE)


def export_of(model: TunedModel, folder: Path, *, format: Format, hidden: Sequence[Path] = ()) -> Export:
    """InvalidRequest if the model has no file of that format, NotFound if its folder is not on this machine."""
    if not folder.is_dir():
        raise not_here(model.name)
    stem = re.sub(r"[^\w.-]+", "-", model.name)
    if format == "folder":
        return Export(folder, stem, f"{stem}.tar", hidden)
    names = _FILES[format]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        there = [other for other, files in _FILES.items() if any((folder / name).is_file() for name in files)]
        text = f"The model '{model.name}' has no {format} file. It has: {', '.join(['folder', *there])}."
        raise InvalidRequest(text, param="format", code="invalid_value")
    return Export(found, stem, f"{stem}{found.suffix}")


def _info(file: Path, name: str) -> tarfile.TarInfo:
    """Of the file's size now; who made it and where it lies stay out."""
    info = tarfile.TarInfo(name)
    stat = file.stat()
    info.size, info.mtime = stat.st_size, int(stat.st_mtime)
    return info


async def _pieces_of(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _content(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
