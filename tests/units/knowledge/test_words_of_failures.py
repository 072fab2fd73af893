"""What is said of a file that can't be read is ours: no words of a library, no path of the server, in whatever reader."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import zhuli
from zhuli.knowledge.retrieval.reading.reading_child import answer
from zhuli.knowledge.retrieval.reading.reading_limits import Limits
from zhuli.types.knowledge.document import Block

HOUSE = Path(zhuli.__file__).parent
READERS = [
    *(HOUSE / "plugins/parsers").glob("*.py"),
    *(HOUSE / "knowledge/documents").glob("*.py"),
    *(HOUSE / "knowledge/retrieval/reading").glob("*.py"),
]


def quoted(handler: ast.ExceptHandler) -> Iterator[str]:
    """What a message takes of a caught exception, but for words of ours (message, file_code) and a missing library's name."""
    for text in ast.walk(handler):
        for part in text.values if isinstance(text, ast.JoinedStr) else ():
            names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
            said = ast.unparse(part)
            if handler.name in names and not any(own in said for own in (".message", ".file_code", ".name")):
                yield said


@pytest.mark.parametrize("module", READERS, ids=lambda path: path.stem)
def test_no_message_quotes_an_exception(module: Path) -> None:
    handlers = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ExceptHandler)]
    assert [said for handler in handlers for said in quoted(handler)] == []


def test_what_a_parser_stumbles_over_is_for_the_log_alone(tmp_path: Path) -> None:
    class Stumbles:
        def parse(self, path: Path) -> list[Block]:
            raise KeyError(f"no part of {path} is called rId7")

    path = tmp_path / "blob"
    path.write_text("words")
    ((kind, code, said, details),) = answer(path, "words.txt", {".txt": Stumbles()}, Limits(60, 2**30, 100))
    assert (kind, code) == ("failed", "invalid_file")
    assert str(tmp_path) not in said and "rId7" not in said and "KeyError" not in said
    assert "rId7" in details
