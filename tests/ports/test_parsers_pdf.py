"""PDFs as printers and offices make them: one reader for all text, each word once and in the order of reading."""

from pathlib import Path

import pytest

from tests.ports.test_parsers import parsed, parser_named
from tests.samples import pdf_kinds, pdfs
from zhuli.knowledge.documents import pdf_tables
from zhuli.knowledge.documents.page_layout import TextPiece, in_rows
from zhuli.types.knowledge.document import Block


def blocks_of(content: bytes, folder: Path) -> list[Block]:
    return parsed(parser_named("pdf"), content, folder)


def texts(content: bytes, folder: Path) -> list[str]:
    return [block.text for block in blocks_of(content, folder)]


def test_cells_are_filled_with_the_words_of_the_page(tmp_path: Path) -> None:
    assert blocks_of(pdf_kinds.overflowing(), tmp_path) == [
        Block(
            "| Region | Sales | Sales |\n| --- | --- | --- |\n| North | first | second |\n| North | 1,234,567.89 | next |",
            "table",
            page=1,
        )
    ]


def test_a_frame_around_text_is_no_table(tmp_path: Path) -> None:
    blocks = blocks_of(pdf_kinds.framed(), tmp_path)
    assert {block.kind for block in blocks} == {"text"}
    assert "Line 29 of a text" in blocks[-1].text


def test_tables_are_given_up_before_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_tables, "SECONDS", 0.0)
    text = "\n".join(texts(pdfs.tables(), tmp_path))
    assert all(word in text for word in ("Before the tables", "Paris", "2,100,000", "After the tables"))


def test_heads_and_feet_stand_once_and_what_the_text_repeats_stays(tmp_path: Path) -> None:
    text = "\n".join(texts(pdf_kinds.running(), tmp_path))
    assert (text.count("Annual Report 2024"), text.count("Confidential")) == (1, 1)
    assert text.count("This sentence is said on each page.") == 5
    assert all(f"Text {line} of page {page} goes" in text for line in range(20) for page in range(1, 6))


def test_large_type_is_a_heading_only_where_it_is_one(tmp_path: Path) -> None:
    blocks = blocks_of(pdf_kinds.large_type(), tmp_path)
    assert [block.text for block in blocks if block.kind == "heading"] == ["Our markets"]
    text = "\n".join(block.text for block in blocks)
    assert all(words in text for words in ("We grew in every market", "12.5%", "and in others"))


def test_what_is_filled_into_a_form_stands_beside_its_name(tmp_path: Path) -> None:
    assert " ".join(texts(pdf_kinds.form(), tmp_path)) == "Name: Ada Lovelace Member: ☑ Guest:"


def test_lines_at_other_angles_are_whole_and_apart(tmp_path: Path) -> None:
    found = texts(pdf_kinds.margin(), tmp_path)
    assert "A note in the margin" in found and "CONFIDENTIAL" in found
    text = " ".join(found)
    assert " ".join(f"Line {line} of the text is upright." for line in range(20)) in text


def test_a_page_that_is_set_sideways_is_read_as_if_it_were_not(tmp_path: Path) -> None:
    assert texts(pdf_kinds.sideways(), tmp_path) == [
        "A wide table",
        "| City | People |\n| --- | --- |\n| Oslo | 700,000 |",
    ]


def test_columns_that_are_read_downwards_come_from_right_to_left(tmp_path: Path) -> None:
    assert "".join(texts(pdf_kinds.downwards(), tmp_path)) == "春眠不觉晓处处闻啼鸟夜来风雨声花落知多少"


def test_a_row_of_arabic_is_read_from_right_to_left() -> None:
    pieces = [TextPiece("الثانية", 10, 10, 60, 20, 10), TextPiece("الأولى", 200, 10, 260, 20, 10)]
    assert [[piece.text for piece in row] for row in in_rows(pieces)] == [["الأولى", "الثانية"]]
