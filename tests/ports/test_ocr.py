"""Scanned pages: said where there is no OCR, read in their places where there is; Tesseract itself where it is installed."""

import shutil
from pathlib import Path

import pytest

from tests.ports.test_parsers_pages import read
from tests.samples.hostile_pdf import half_scanned, scanned
from zhuli.knowledge.retrieval.reading.reading_child import answer, find_parsers
from zhuli.knowledge.retrieval.reading.reading_limits import Limits
from zhuli.types.knowledge.document import Block

OCR = Limits(60, 2**30, 10**6, ocr="tesseract", ocr_languages="eng")


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of this name that says what it was given."""
    program = tmp_path / "bin" / "tesseract"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nhead -c 4 | tail -c 3\necho " in $4"\necho\necho "第 二 段"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")


def test_without_it_a_scanned_page_says_what_it_needs(tmp_path: Path) -> None:
    blocks = read(half_scanned(), "half.pdf", find_parsers(), tmp_path)
    assert blocks[1] == Block(
        "[Page 2 is a scanned image without text: it needs OCR, a setting of the server.]", page=2
    )


@pytest.mark.usefixtures("stand_in")
def test_scanned_pages_are_read_in_their_places(tmp_path: Path) -> None:
    blocks = read(half_scanned(), "half.pdf", find_parsers(OCR), tmp_path)
    assert blocks == [
        Block("Words on page 1", page=1),
        Block("PNG in eng", page=2),
        Block("第二段", page=2),
        Block("Words on page 3", page=3),
    ]
    assert len(read(scanned(), "scan.pdf", find_parsers(OCR), tmp_path)) == 6


@pytest.mark.usefixtures("stand_in")
def test_a_picture_is_a_file_like_others(tmp_path: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(60)
    assert read(picture, "scan.png", find_parsers(OCR), tmp_path)[0] == Block("PNG in eng")


def test_a_server_without_tesseract_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "blob").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(60))
    ((kind, code, said, _),) = answer(tmp_path / "blob", "a.png", find_parsers(OCR), OCR)
    assert (kind, code, said) == ("failed", "server_error", "Tesseract is not installed on this server.")


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_tesseract_reads_a_page(tmp_path: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (900, 200), 255)
    ImageDraw.Draw(picture).text((40, 60), "Goods can be returned", fill=0, font=ImageFont.load_default(60))
    picture.save(tmp_path / "page.png")
    (block,) = read((tmp_path / "page.png").read_bytes(), "page.png", find_parsers(OCR), tmp_path)
    assert block.text == "Goods can be returned"
