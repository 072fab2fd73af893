"""Less usual kinds of documents against the contract, and through the reading process that finds out what they are."""

from pathlib import Path

import pytest

from tests.ports.test_parsers import parsed, parser_named
from tests.ports.test_parsers_pages import read
from tests.samples import other_kinds, pdfs
from zhuli.knowledge.retrieval.reading.reading_child import Parsers, find_parsers
from zhuli.ports import Parser
from zhuli.testing.parser_contract import ParserContract
from zhuli.types.knowledge.document import Block


@pytest.fixture(scope="module")
def parsers() -> Parsers:
    return find_parsers()


class TestOdt(ParserContract):
    words = (
        "Sales",
        "1. one",
        "2. two",
        "| City | Units |",
        "| both | both |",
        "Two  spaces[1]",
        "Comment: Really?",
        "[1] A note.",
    )

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("odf")

    @pytest.fixture
    def good(self) -> bytes:
        return other_kinds.odt()

    def test_what_is_deleted_is_gone(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        blocks = parsed(parser, good, tmp_path)
        assert blocks[0] == Block("Sales", "heading", 2)
        assert "gone" not in "".join(block.text for block in blocks)


class TestEpub(ParserContract):
    words = ("A Book", "First", "It begins.", "Second", "The end.")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("epub")

    @pytest.fixture
    def good(self) -> bytes:
        return other_kinds.epub()


class TestNotebook(ParserContract):
    words = ("Title", "Some *text*.", "print('hello')", "hello", "KeyError: 'x'")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("notebook")

    @pytest.fixture
    def good(self) -> bytes:
        return other_kinds.notebook()

    def test_pictures_are_left_out(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        assert "iVBOR" not in "".join(block.text for block in parsed(parser, good, tmp_path))


class TestRtf(ParserContract):
    words = ("Dear all, café 你", "Seen words.", "One | Two")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("rtf")

    @pytest.fixture
    def good(self) -> bytes:
        return other_kinds.RTF


class TestSubtitles(ParserContract):
    words = ("[00:00:01] Hello there General Kenobi", "Ann: Yes.")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("subtitles")

    @pytest.fixture
    def good(self) -> bytes:
        return (
            b"WEBVTT\n\nNOTE a comment\n\nSTYLE\n::cue {color: red}\n\n1\n00:00:01.000 --> 00:00:02.000 align:start\n"
            b"<c.yellow>Hello there</c>\n\n00:00:03.000 --> 00:00:04.000\nHello there\nGeneral Kenobi\n\n"
            b"00:00:05.000 --> 00:00:06.000\n<v Ann>Yes.</v>\n"
        )

    def test_comments_and_styles_are_not_said(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        text = "".join(block.text for block in parsed(parser, good, tmp_path))
        assert "comment" not in text and "color" not in text and "-->" not in text


class TestOutlook(ParserContract):
    words = (
        "From: Ann <ann@example.com>",
        "To: Bob",
        "Date: 2024-05-",
        "Subject: An offer",
        "Hello Bob",
        "Attachments: offer.csv",
    )

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("outlook")

    @pytest.fixture
    def good(self) -> bytes:
        return other_kinds.outlook()


KINDS = {
    "letter.odt": (other_kinds.odt, "1. one"),
    "slides.odp": (other_kinds.odp, "Upper\n\nLower\n\nNotes: Speak slowly."),
    "book.epub": (other_kinds.epub, "It begins."),
    "work.ipynb": (other_kinds.notebook, "print('hello')"),
    "letter.rtf": (lambda: other_kinds.RTF, "Dear all"),
    "offer.msg": (other_kinds.outlook, "| what | price |"),
    "film.srt": (lambda: b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "[00:00:01] Hello"),
    "all.zip": (
        lambda: other_kinds.zipped({"a.pdf": pdfs.tables(), "b.odt": other_kinds.odt()}),
        "| Paris | 2,100,000 |",
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_is_found_and_read(name: str, parsers: Parsers, tmp_path: Path) -> None:
    make, words = KINDS[name]
    assert words in "\n\n".join(block.text for block in read(make(), name, parsers, tmp_path))


@pytest.mark.parametrize(
    ("json", "shown"),
    [
        ('{"a": NaN, "b": Infinity}', '"NaN"'),
        ('{"n": 123456789012345678901234567890}', "123456789012345678901234567890"),
        ('// c\n{"a": 1, /* x */ "b": [1,2,],}', '/* x */ "b"'),
        ('\ufeff{"a": 1}', '"a": 1'),
        ('{"a": [1, 2, {"b": ', '"b"'),
    ],
)
def test_json_that_is_not_strict_is_read(json: str, shown: str, parsers: Parsers, tmp_path: Path) -> None:
    assert shown in "\n".join(block.text for block in read(json.encode(), "a.json", parsers, tmp_path))
