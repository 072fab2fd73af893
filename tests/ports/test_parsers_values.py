"""Tables of values: the header is found, cells say what people see, merged ones in each of their places."""

import io
from pathlib import Path

import pytest
import xlsxwriter

from tests.ports.test_parsers import parsed, parser_named
from zhuli.knowledge.documents.cell_formats import shown_number
from zhuli.types.knowledge.document import Block


def rows_of(text: str, folder: Path) -> list[Block]:
    return parsed(parser_named("delimited"), text.encode(), folder)


def table(*rows: str) -> Block:
    width = rows[0].count("|") + 1
    lines = [f"| {row.replace('|', ' | ')} |" for row in rows]
    return Block("\n".join([lines[0], "|" + " --- |" * width, *lines[1:]]), "table")


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("sep=;\nname;units\nwidget;12\n", [table("name|units", "widget|12")]),
        ("sep=^\r\nname^units\r\nwidget^12\r\n", [table("name|units", "widget|12")]),
        (
            "Quarterly report\nGenerated 2024-01-01\n\nregion,units\nNorth,5\n",
            [Block("Quarterly report\nGenerated 2024-01-01"), table("region|units", "North|5")],
        ),
        ("Report\nregion,units\nNorth,5\nSouth,7\n", [Block("Report"), table("region|units", "North|5", "South|7")]),
        ("Ann,31\nBob,29\nCy,40\n", [table("A|B", "Ann|31", "Bob|29", "Cy|40")]),
        ("Item,2023,2024\nTea,5,6\nJam,7,8\n", [table("Item|2023|2024", "Tea|5|6", "Jam|7|8")]),
        ("a,b\n1,2\n\nc,d\n3,4\n", [table("a|b", "1|2"), table("c|d", "3|4")]),
        ("a,b\n1,2\n\n3,4\n", [table("a|b", "1|2", "3|4")]),
        ("name:age\nbob:3\namy:4\n", [table("name|age", "bob|3", "amy|4")]),
        ("P;Q\nA;1,50\nB;2,75\n", [table("P|Q", "A|1,50", "B|2,75")]),
        ("one\ntwo\nthree\n", [Block("one\ntwo\nthree")]),
    ],
)
def test_the_header_is_found(text: str, blocks: list[Block], tmp_path: Path) -> None:
    assert rows_of(text, tmp_path) == blocks


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.155, "0.0%", "15.5%"),
        (0.155, '0.0" %"', "0.2 %"),
        (1234.5, '"$"#,##0.00', "$1,234.50"),
        (1234.5, "#,##0.00 [$€-407]", "1,234.50 €"),
        (-3, "0.00;(0.00)", "(3.00)"),
        (-3, "0", "-3"),
        (7, "000", "007"),
        (1.5, "0.##", "1.5"),
        (2_500_000, '#,##0.0,,"M"', "2.5M"),
        (0.5, "# ?/?", None),
        (0.5, "General", None),
    ],
)
def test_numbers_are_as_they_are_shown(value: float, code: str, shown: str | None) -> None:
    assert shown_number(value, code) == shown


def budget() -> bytes:
    """A title over merged cells, a header below, a share, a merged cell, an error, a formula that nothing computed, a remark."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet, share = book.add_worksheet("Budget"), book.add_format({"num_format": "0.0%"})
    sheet.merge_range(1, 1, 1, 3, "Budget 2024")
    sheet.write_row(3, 1, ["Region", "Growth", "Total"])
    sheet.merge_range(4, 1, 5, 1, "North")
    sheet.write(4, 2, 0.155, share)
    sheet.write_formula(4, 3, "=1/0", None, "#DIV/0!")
    sheet.write(5, 2, 0.2, share)
    sheet.write_formula(5, 3, "=SUM(B1:B9)", None, "")
    sheet.write_comment(4, 2, "Who says so?", {"author": "Ann"})
    book.close()
    return buffer.getvalue()


def test_a_sheet_says_what_people_see(tmp_path: Path) -> None:
    blocks = parsed(parser_named("spreadsheet"), budget(), tmp_path)
    assert [block.text for block in blocks] == [
        "Budget",
        "Budget 2024",
        table("Region|Growth|Total", "North|15.5%|#DIV/0!", "North|20.0%|=SUM(B1:B9)").text,
        "Comment on C5: Who says so?",
        "[Formulas without a value, which no program has computed yet: 1.]",
    ]
