"""The parsers against their contract, and each on a file as people make them: order, headings, tables and pages."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.samples import office, pdfs
from tests.samples.hostile_pdf import encrypted
from tests.samples.old_word import old_letter
from zhuli.core.errors import Unreadable
from zhuli.ports import Parser
from zhuli.registry import find
from zhuli.testing.parser_contract import ParserContract
from zhuli.types.knowledge.document import Block


def parser_named(name: str) -> Parser:
    parser: Parser = find("parsers", name)()
    return parser


def parsed(parser: Parser, content: bytes, folder: Path) -> list[Block]:
    (folder / "file").write_bytes(content)
    blocks = [item for item in parser.parse(folder / "file") if isinstance(item, Block)]
    return [block for block in blocks if block.text.strip()]


class TestText(ParserContract):
    words = ("Einleitung", "First paragraph", "Second paragraph")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("text")

    @pytest.fixture
    def good(self) -> bytes:
        return b"\\section{Einleitung}\nFirst paragraph,\nstill the first.\n\n \nSecond paragraph."

    def test_a_section_of_latex_is_a_heading(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        first, *others = parsed(parser, good, tmp_path)
        assert first == Block("Einleitung", "heading", 2)
        assert [block.text.strip() for block in others] == ["First paragraph,\nstill the first.", "Second paragraph."]


class TestCode(ParserContract):
    words = ("import os", "def first", "    return os.name", "def second")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("code")

    @pytest.fixture
    def good(self) -> bytes:
        return b"import os\n\n\ndef first():\n    return os.name\n\n\ndef second():\n    pass\n"

    def test_pieces_keep_their_indentation(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        assert [block.text for block in parsed(parser, good, tmp_path)][1] == "def first():\n    return os.name"

    @pytest.mark.parametrize(
        "extension", ".c .cpp .cs .css .go .java .js .php .py .rb .sh .ts .rs .h .sql .yaml .xml .toml".split()
    )
    def test_every_listed_language_is_read(self, parser: Parser, extension: str) -> None:
        assert extension in parser.extensions


class TestMarkdown(ParserContract):
    words = ("Guide", "Some text", "Install", "pip install", "| a | b |", "- one")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("markdown")

    @pytest.fixture
    def good(self) -> bytes:
        return (
            b"---\ntitle: x\n---\n# Guide\n\nSome text\nhere.\n\nInstall\n-------\n\n```sh\n# no heading\npip install\n```\n\n"
            b"| a | b |\n| - | - |\n| 1 | 2 |\n\n- one\n- two\n"
        )

    def test_headings_are_those_of_the_document(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        blocks = parsed(parser, good, tmp_path)
        assert [(b.text, b.level) for b in blocks if b.kind == "heading"] == [("Guide", 1), ("Install", 2)]
        assert [b.kind for b in blocks] == ["code", "heading", "text", "heading", "code", "table", "text"]


class TestHtml(ParserContract):
    words = ("Prices", "All in euros", "Tea", "- hot", "x = 1")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("html")

    @pytest.fixture
    def good(self) -> bytes:
        return (
            b"<html><head><title>Shop</title><style>p {color: red}</style></head><body><h1>Prices</h1><p>All in <b>euros</b>"
            b"<br>and cents.</p><table><tr><th>What</th><th>Price</th></tr><tr><td>Tea</td><td>2</td></tr></table>"
            b"<ul><li>hot</li><li>cold</li></ul><pre>x = 1\ny = 2</pre></body></html>"
        )

    def test_a_page_becomes_headings_tables_lists_and_code(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        assert parsed(parser, good, tmp_path) == [
            Block("Prices", "heading", 1),
            Block("All in euros\nand cents."),
            Block("| What | Price |\n| --- | --- |\n| Tea | 2 |", "table"),
            Block("- hot"),
            Block("- cold"),
            Block("x = 1\ny = 2", "code"),
        ]

    def test_the_title_stands_where_no_heading_does(self, parser: Parser, tmp_path: Path) -> None:
        page = "<title>今日新闻</title><p>天气很好。</p>"
        assert parsed(parser, page.encode(), tmp_path) == [Block("今日新闻", "heading", 1), Block("天气很好。")]

    @pytest.mark.parametrize(("declared", "used"), [("gb2312", "gb18030"), ("big5", "big5"), ("iso-8859-1", "latin-1")])
    def test_the_declared_encoding_counts(self, parser: Parser, tmp_path: Path, declared: str, used: str) -> None:
        word = {"gb18030": "网页", "big5": "網頁", "latin-1": "Übergrößenträger"}[used]
        page = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}"><p>{word}</p>'
        assert parsed(parser, page.encode(used), tmp_path) == [Block(word)]


class TestDelimited(ParserContract):
    words = ("| name | city |", "| Ann | Oslo, Norway |")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("delimited")

    @pytest.fixture
    def good(self) -> bytes:
        return b'name;city\r\nAnn;"Oslo, Norway"\r\nBob;"a ""quoted""\r\nline"\r\n'

    def test_every_piece_of_a_long_table_has_the_header(self, parser: Parser, tmp_path: Path) -> None:
        rows = "\n".join(["id,word", *(f"{number},w{number}" for number in range(100))])
        blocks = parsed(parser, rows.encode(), tmp_path)
        assert len(blocks) == 3
        assert all(block.text.startswith("| id | word |") and block.kind == "table" for block in blocks)

    def test_tabs_are_found(self, parser: Parser, tmp_path: Path) -> None:
        assert "| b, c |" in parsed(parser, b"x\ty\na\tb, c\n", tmp_path)[0].text


class TestJson(ParserContract):
    words = ("info.title", "Shop", "items[0:")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("json_values")

    @pytest.fixture
    def good(self) -> bytes:
        items = ", ".join(f'{{"id": {number}, "name": "thing {number}"}}' for number in range(100))
        return f'{{"info": {{"title": "Shop", "text": "{"long " * 400}"}}, "items": [{items}]}}'.encode()

    def test_a_list_comes_in_runs_of_whole_values(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        runs = [block.text for block in parsed(parser, good, tmp_path) if block.text.startswith("items[")]
        assert len(runs) > 1
        assert all(run.endswith("]") for run in runs)

    def test_each_line_of_jsonl_is_a_block(self, parser: Parser, tmp_path: Path) -> None:
        lines = '{"问": "你好吗"}\n{"问": "再见"}\n'
        assert ["再见" in block.text for block in parsed(parser, lines.encode(), tmp_path)] == [False, True]


class TestMail(ParserContract):
    words = ("From: Ann <a@example.com>", "Subject: 会议 notes", "Dear all", "Attachments: plan.pdf")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("mail")

    @pytest.fixture
    def good(self) -> bytes:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "Ann <a@example.com>", "b@example.com", "会议 notes"
        message.set_content("Dear all,\n\nwe meet at nine.\n")
        message.add_alternative("<p>Dear <b>all</b></p>", subtype="html")
        message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="plan.pdf")
        return message.as_bytes()

    def test_html_counts_where_there_is_no_plain_text(self, parser: Parser, tmp_path: Path) -> None:
        message = EmailMessage()
        message["From"], message["Subject"] = "a@example.com", "News"
        message.set_content("<h2>Big news</h2><p>It rains.</p>", subtype="html", charset="gb18030")
        assert parsed(parser, message.as_bytes(), tmp_path)[1:] == [Block("Big news", "heading", 2), Block("It rains.")]


class TestDocx(ParserContract):
    words = ("Annual report", "Sales grew", "- North", "By city", "| Oslo | 12 |", "The price is 12 euros", "附录")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("docx")

    @pytest.fixture
    def good(self) -> bytes:
        return office.letter()

    def test_headings_have_their_levels(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        headings = [(b.text, b.level) for b in parsed(parser, good, tmp_path) if b.kind == "heading"]
        assert headings == [("Annual report", 1), ("Sales", 1), ("By city", 2), ("附录", 1)]

    def test_a_table_is_rows(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        (table,) = [block.text for block in parsed(parser, good, tmp_path) if block.kind == "table"]
        assert table == "| City | Units | Note |\n| --- | --- | --- |\n| Oslo | 12 | new \\| old |"


class TestPptx(ParserContract):
    words = ("Welcome", "Upper words", "Lower words", "Numbers", "| 2025 | 7 |", "Notes: Speak slowly here.")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("pptx")

    @pytest.fixture
    def good(self) -> bytes:
        return office.slides()

    def test_a_slide_is_a_page(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        assert [(b.text, b.page) for b in parsed(parser, good, tmp_path) if b.kind == "heading"] == [
            ("Welcome", 1),
            ("Numbers", 2),
        ]


class TestSpreadsheet(ParserContract):
    words = (
        "Stock",
        "| Part | Count | Since |",
        "| Bolt | 3 | 2024-05-17 |",
        "| Nut | 2.5 |",
        "长表",
        "| 100 | 零件100 |",
    )

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("spreadsheet")

    @pytest.fixture
    def good(self) -> bytes:
        return office.workbook()

    def test_a_sheet_is_a_page_and_empty_ones_are_left_out(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        blocks = parsed(parser, good, tmp_path)
        assert [(b.text, b.page) for b in blocks if b.kind == "heading"] == [("Stock", 1), ("长表", 3)]
        assert sum(block.text.startswith("| 编号 | 名称 |") for block in blocks) == 3


class TestOldWord(ParserContract):
    words = ("Dear reader", "an old letter", "旧信", "cell one | cell two", "a link to the page")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("word97")

    @pytest.fixture
    def good(self) -> bytes:
        return old_letter()

    def test_the_address_of_a_link_is_no_text(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        assert "HYPERLINK" not in "".join(block.text for block in parsed(parser, good, tmp_path))


class TestPdf(ParserContract):
    words = ("Before the tables", "| Paris | 2,100,000 |", "Between", "| Pear | 2.10 |", "After the tables")

    @pytest.fixture
    def parser(self) -> Parser:
        return parser_named("pdf")

    @pytest.fixture
    def good(self) -> bytes:
        return pdfs.tables()

    def test_columns_are_read_one_after_the_other(self, parser: Parser, tmp_path: Path) -> None:
        blocks = parsed(parser, pdfs.two_columns(), tmp_path)
        text = " ".join(block.text for block in blocks if block.kind == "text")
        marks = [f"Paragraph {number} {word}" for number in range(1, 13) for word in ("begins", "ends")]
        places = [text.find(mark) for mark in marks]
        assert -1 not in places and places == sorted(places)

    def test_large_type_is_a_heading_and_page_numbers_are_no_text(self, parser: Parser, tmp_path: Path) -> None:
        blocks = parsed(parser, pdfs.two_columns(), tmp_path)
        assert Block("A Title across Two Columns", "heading", 1, 1) in blocks
        assert Block("Results", "heading", 2, 1) in blocks
        assert "1" not in [block.text for block in blocks]

    def test_both_tables_are_rows(self, parser: Parser, good: bytes, tmp_path: Path) -> None:
        tables = [block.text for block in parsed(parser, good, tmp_path) if block.kind == "table"]
        assert tables == [
            "| City | People |\n| --- | --- |\n| Paris | 2,100,000 |\n| Berlin | 3,700,000 |",
            "| Fruit | Price |\n| --- | --- |\n| Apple | 1.20 |\n| Pear | 2.10 |\n| Plum | 0.90 |",
        ]

    def test_chinese_lines_join_without_spaces_on_their_pages(self, parser: Parser, tmp_path: Path) -> None:
        assert parsed(parser, pdfs.chinese(), tmp_path) == [
            Block("第一章", "heading", 1, 1),
            Block(pdfs.CHINESE * 3, page=1),
            Block("第二章", "heading", 1, 2),
            Block(pdfs.CHINESE * 3, page=2),
        ]

    @pytest.mark.parametrize("degrees", [0, 90, 180, 270])
    def test_turned_pages_are_read_as_they_are_shown(self, parser: Parser, tmp_path: Path, degrees: int) -> None:
        text = " ".join(block.text for block in parsed(parser, pdfs.turned(degrees), tmp_path))
        assert text == "The upper line of the page and the lower line of it"


def test_a_pdf_with_a_password_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="encrypted"):
        parsed(parser_named("pdf"), encrypted(), tmp_path)
