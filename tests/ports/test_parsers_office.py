"""Word and PowerPoint as offices make them: what is shown is read, once, and nothing that is deleted, moved away or hidden."""

from pathlib import Path

import pytest

from tests.ports.test_parsers import parsed, parser_named
from tests.samples import office, office_kinds
from tests.samples.office_kinds import word
from zhuli.types.knowledge.document import Block

MAIN = "application/vnd.openxmlformats-officedocument.{}.main+xml"


def texts(content: bytes, folder: Path, name: str = "docx") -> list[str]:
    return [block.text for block in parsed(parser_named(name), content, folder)]


@pytest.mark.parametrize(
    ("runs", "shown"),
    [
        ("<w:r><w:t>E</w:t></w:r><w:r><w:noBreakHyphen/></w:r><w:r><w:t>1042</w:t></w:r>", "E-1042"),
        ('<w:r><w:t>20 </w:t><w:sym w:font="Symbol" w:char="F0B0"/><w:t>C</w:t></w:r>', "20 °C"),
        ('<w:r><w:sym w:font="Symbol" w:char="F061"/></w:r><w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>', "α✓"),
        ("<w:r><w:t>Seen</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>", "Seen"),
        ('<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>Seen</w:t></w:r>', "Seen"),
        (
            "<w:moveFrom><w:r><w:t>There. </w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>Here.</w:t></w:r></w:moveTo>",
            "Here.",
        ),
        ("<w:r><w:t>A</w:t></w:r><w:del><w:r><w:delText>B</w:delText></w:r></w:del>", "A"),
        ("<w:r><w:fldChar/><w:instrText>PAGEREF x</w:instrText><w:t>12</w:t></w:r>", "12"),
        ("<w:sdt><w:sdtContent><w:r><w:t>chosen</w:t></w:r></w:sdtContent></w:sdt>", "chosen"),
    ],
)
def test_a_paragraph_says_what_it_shows(runs: str, shown: str, tmp_path: Path) -> None:
    assert texts(word(f"<w:p>{runs}</w:p>"), tmp_path) == [shown]


@pytest.mark.parametrize(
    ("formula", "latex"),
    [
        ("<m:f><m:num>{a}</m:num><m:den>{b}</m:den></m:f>", r"\frac{a}{b}"),
        ("<m:sSup><m:e>{a}</m:e><m:sup>{2}</m:sup></m:sSup>{+b}", "a^{2}+b"),
        ("<m:sSubSup><m:e>{a}</m:e><m:sub>{i}</m:sub><m:sup>{2}</m:sup></m:sSubSup>", "a_{i}^{2}"),
        ("<m:rad><m:deg>{3}</m:deg><m:e>{a}</m:e></m:rad>", r"\sqrt[3]{a}"),
        (
            '<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{i=1}</m:sub><m:sup>{n}</m:sup><m:e>{𝑥}</m:e></m:nary>',
            r"\sum_{i=1}^{n} x",
        ),
        ("<m:d><m:e>{a}</m:e></m:d>{≤α}", r"\left(a\right)\leq \alpha"),
        ("<m:m><m:mr><m:e>{1}</m:e><m:e>{0}</m:e></m:mr><m:mr><m:e>{0}</m:e><m:e>{1}</m:e></m:mr></m:m>",
         r"\begin{matrix}1 & 0 \\ 0 & 1\end{matrix}"),
    ],
)  # fmt: skip
def test_formulas_are_latex(formula: str, latex: str, tmp_path: Path) -> None:
    omml = formula.replace("{", "<m:r><m:t>").replace("}", "</m:t></m:r>")
    content = word(f"<w:p><w:r><w:t>so </w:t></w:r><m:oMath>{omml}</m:oMath></w:p>")
    assert texts(content, tmp_path) == [f"so ${latex}$"]


CELL = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"


def test_rows_and_cells_in_content_controls_are_rows_and_cells(tmp_path: Path) -> None:
    row = f"<w:tr>{CELL.format('Bolt')}<w:sdt><w:sdtContent>{CELL.format('9')}</w:sdtContent></w:sdt></w:tr>"
    table = (
        f"<w:tbl><w:tr>{CELL.format('Item')}{CELL.format('Price')}</w:tr>"
        f"<w:sdt><w:sdtContent>{row}</w:sdtContent></w:sdt>"
        f"<w:tr><w:trPr><w:del/></w:trPr>{CELL.format('gone')}{CELL.format('0')}</w:tr></w:tbl>"
    )
    assert texts(word(table), tmp_path) == ["| Item | Price |\n| --- | --- |\n| Bolt | 9 |"]


def test_merged_cells_say_their_value_in_each_place(tmp_path: Path) -> None:
    assert texts(office_kinds.merged(), tmp_path)[0].split("\n")[2:] == [
        "| Sales | Ann | 31 |",
        "| Sales | both | both |",
    ]


def test_headings_and_lists_have_the_numbers_that_word_writes(tmp_path: Path) -> None:
    assert texts(office_kinds.numbered(), tmp_path) == [
        *("1 Scope", "2 Terms", "2.1 Price", "2.2 Tax", "(a) first", "(b) second", "7 Annex")
    ]


def test_a_text_box_stands_behind_its_paragraph_and_a_comment_is_marked(tmp_path: Path) -> None:
    box = "<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>In the box.</w:t></w:r></w:p></w:txbxContent></w:pict></w:r>"
    assert texts(word(f"<w:p><w:r><w:t>Before.</w:t></w:r>{box}</w:p>"), tmp_path) == ["Before.", "In the box."]
    assert texts(office_kinds.commented(), tmp_path) == ["The price is 12 euros.", "Comment by Ann: Is it still?"]


@pytest.mark.parametrize("kind", ["template.main", "macro"])
def test_templates_and_documents_with_macros_are_read(kind: str, tmp_path: Path) -> None:
    declared = {
        "template.main": MAIN.format("wordprocessingml.template"),
        "macro": "application/vnd.ms-word.document.macroEnabled.main+xml",
    }[kind]
    content = office_kinds.of_kind(office.letter(), MAIN.format("wordprocessingml.document"), declared)
    assert texts(content, tmp_path) == texts(office.letter(), tmp_path)


def test_the_strict_form_of_the_standard_is_read(tmp_path: Path) -> None:
    assert texts(office_kinds.strict(office.letter()), tmp_path) == texts(office.letter(), tmp_path)
    assert texts(office_kinds.strict(office.slides()), tmp_path, "pptx") == texts(office.slides(), tmp_path, "pptx")


def test_a_show_of_slides_is_read(tmp_path: Path) -> None:
    content = office_kinds.of_kind(
        office.slides(), MAIN.format("presentationml.presentation"), MAIN.format("presentationml.slideshow")
    )
    assert texts(content, tmp_path, "pptx") == texts(office.slides(), tmp_path, "pptx")


def test_slides_are_read_by_columns_with_charts_and_merged_cells(tmp_path: Path) -> None:
    assert parsed(parser_named("pptx"), office_kinds.slides(), tmp_path) == [
        Block("Two columns", "heading", 1, 1),
        *(Block(f"{side} {what}", page=1) for side in ("Left", "Right") for what in ("head", "one", "two")),
        Block("Sales", "heading", 1, 2),
        Block("|  | 2024 | 2025 |\n| --- | --- | --- |\n| East | 19.2 | 20 |\n| West | 21.4 | 22 |", "table", page=2),
        Block("| Dept | Name |\n| --- | --- |\n| Sales | Ann |\n| Sales | Bob |", "table", page=2),
    ]
