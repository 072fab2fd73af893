"""The promises of the Parser port as tests: subclass it, give it the fixture `parser`, and say what a good file holds."""

from pathlib import Path

import pytest

from zhuli.core.errors import Unreadable
from zhuli.ports import Parser
from zhuli.types.knowledge.document import Block, text_of

KINDS = {"text", "heading", "table", "code"}


class ParserContract:
    """`good` is a whole file of the kind, with `words` in it in this order."""

    words: tuple[str, ...] = ()

    @pytest.fixture
    def good(self) -> bytes:
        """The bytes of a file that the parser reads; each contract test gives its own."""
        raise NotImplementedError("give the test a fixture `good`, the bytes of a file of this kind")

    def read(self, parser: Parser, content: bytes, folder: Path) -> list[Block]:
        """The blocks of a file with this content, without files in it. It has no extension: what it is, its content says."""
        path = folder / "blob"
        path.write_bytes(content)
        return [item for item in parser.parse(path) if isinstance(item, Block)]

    def test_extensions_have_a_dot_and_no_capitals(self, parser: Parser) -> None:
        assert parser.extensions
        assert all(name.startswith(".") and name == name.lower() for name in parser.extensions)

    def test_the_words_come_in_reading_order(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        text = text_of(self.read(parser, good, tmp_path))
        places = [text.find(word) for word in self.words]
        assert -1 not in places, text
        assert places == sorted(places), text

    def test_blocks_are_what_they_say(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        blocks = self.read(parser, good, tmp_path)
        assert {block.kind for block in blocks} <= KINDS
        assert all((block.kind == "heading") == (1 <= block.level <= 6) for block in blocks)
        pages = [block.page for block in blocks if block.page is not None]
        assert pages == sorted(pages) and all(page >= 1 for page in pages)

    def test_the_same_file_gives_the_same_blocks(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        assert self.read(parser, good, tmp_path) == self.read(parser, good, tmp_path)

    def test_part_of_a_file_is_read_or_refused(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        """Refused with the one error that says why; what a library raises does not count."""
        for part in (good[: len(good) // 2], good[: len(good) - 1], good[:1], good[7:]):
            assert self._refusal(parser, part, tmp_path).endswith(".")

    def _refusal(self, parser: Parser, content: bytes, folder: Path) -> str:
        """Why the file is not read; just the full stop for one that is."""
        try:
            self.read(parser, content, folder)
        except Unreadable as error:
            return error.message
        return "."
