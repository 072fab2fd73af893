"""Characters in pictures, by Tesseract (Apache-2.0), where the machine has it: images as files, and scanned pages of PDFs."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block

SECONDS = 120.0
"""On the clock for one picture, after which it is given up."""
_BETWEEN = re.compile(r"(?<=[\u2e80-\u9fff\uff00-\uffef]) (?=[\u2e80-\u9fff\uff00-\uffef])")
"""Spaces that Tesseract puts between Chinese characters."""
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")


class Plugin:
    """Implements ports.Parser. languages: as Tesseract calls them, joined by +; their data must be installed."""

    extensions: Sequence[str] = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp")

    def __init__(self, languages: str) -> None:
        self._languages = languages

    def parse(self, path: Path) -> Iterator[Block]:
        command = ["tesseract", "stdin", "stdout", "-l", self._languages]
        environment = os.environ | {"OMP_THREAD_LIMIT": "1"}
        try:
            done = subprocess.run(
                command, input=path.read_bytes(), capture_output=True, timeout=SECONDS, env=environment, check=True
            )
        except FileNotFoundError as error:
            raise Unreadable("Tesseract is not installed on this server.", code="server_error") from error
        except subprocess.TimeoutExpired as error:
            raise Unreadable(f"Recognising its characters takes longer than {SECONDS:g} seconds.") from error
        except subprocess.CalledProcessError as error:
            raise Unreadable(
                f"Tesseract can't read the picture, or has no data for the languages '{self._languages}'."
            ) from error
        for paragraph in _PARAGRAPH.split(done.stdout.decode("utf-8", "replace")):
            yield Block(_BETWEEN.sub("", " ".join(paragraph.split())))
