"""ZIP archives: each file in its place under its name, within limits that no archive gets around."""

import io
import zipfile
from pathlib import Path

import pytest

from tests.ports.test_parsers_pages import read
from zhuli.knowledge.retrieval.reading.reading_child import Parsers, answer, find_parsers
from zhuli.knowledge.retrieval.reading.reading_limits import Limits
from zhuli.types.knowledge.document import Block


@pytest.fixture(scope="module")
def parsers() -> Parsers:
    return find_parsers()


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_each_file_is_read_under_its_name(parsers: Parsers, tmp_path: Path) -> None:
    inner = packed({"deep.txt": b"Deep words."})
    files = {
        "b/notes.md": b"# Plan\n\nWords.",
        "a.txt": "第一段。".encode(),
        "c.png": b"\x89PNG\r\n\x1a\n" + bytes(60),
        "d.zip": inner,
        "__MACOSX/._a.txt": b"junk",
        ".DS_Store": b"junk",
    }
    assert read(packed(files), "all.zip", parsers, tmp_path) == [
        Block("a.txt", "heading", 1),
        Block("第一段。"),
        Block("b/notes.md", "heading", 1),
        Block("Plan", "heading", 2),
        Block("Words."),
        Block("d.zip", "heading", 1),
        Block("deep.txt", "heading", 3),
        Block("Deep words."),
        Block("Not read: c.png (The file looks like a PNG image, of which no text is read)."),
    ]


def test_names_of_other_systems_are_read(parsers: Parsers, tmp_path: Path) -> None:
    content = packed({"XXXX.txt": b"Words."}).replace(b"XXXX", "价格".encode("gb18030"))
    assert read(content, "a.zip", parsers, tmp_path)[0] == Block("价格.txt", "heading", 1)


def test_archives_in_archives_have_an_end(parsers: Parsers, tmp_path: Path) -> None:
    content = b"The innermost words."
    for _ in range(6):
        content = packed({"a.txt": b"Words.", "next.zip": content})
    text = "\n".join(block.text for block in read(content, "a.zip", parsers, tmp_path))
    assert "more than 3 files deep" in text and "innermost" not in text


def test_an_archive_without_anything_to_read_says_why(parsers: Parsers, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(packed({"c.png": b"\x89PNG\r\n\x1a\n" + bytes(60)}))
    ((kind, code, message, _),) = answer(tmp_path / "a", "a.zip", parsers, Limits(60, 2**30, 10**6))
    assert (kind, code) == ("failed", "unsupported_file")
    assert message.startswith("None of the files in it could be read: c.png (The file looks like a PNG image")
