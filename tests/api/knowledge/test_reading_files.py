"""Files of many kinds through the API: what is read is found in the file's content, what is not says why."""

from collections.abc import Callable

import openai
import pytest

from tests.samples import hostile_packages, hostile_pdf, office, pdfs
from tests.samples.hostile import HOSTILE

READ: dict[str, tuple[Callable[[], bytes], str]] = {
    "notes.txt": (lambda: "第一段。\n\n第二段：货物三天之内送到。".encode("gb18030"), "货物三天之内送到"),
    "信.txt": (lambda: "您好，請問訂單什麼時候會到？".encode("big5"), "請問訂單"),
    "paper.pdf": (pdfs.two_columns, "Paragraph 12 begins"),
    "章.pdf": (pdfs.chinese, "第二章"),
    "letter.docx": (office.letter, "The price is 12 euros"),
    "slides.pptx": (office.slides, "Notes: Speak slowly here."),
    "stock.xlsx": (office.workbook, "| Bolt | 3 | 2024-05-17 |"),
}

FAILING = [
    "pdf of scanned pages",
    "an image called .txt",
    "docx that is a bomb",
    "docx with a password",
    "json a million deep",
]


@pytest.mark.parametrize("filename", READ)
def test_a_file_is_read(client: openai.OpenAI, filename: str) -> None:
    make, words = READ[filename]
    store = client.vector_stores.create()
    file = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=(filename, make()))
    assert (file.status, file.last_error) == ("completed", None)
    pages = client.vector_stores.files.content(file.id, vector_store_id=store.id)
    assert words in "".join(page.text or "" for page in pages)


@pytest.mark.parametrize("name", FAILING)
def test_a_file_that_cannot_be_read_says_why(client: openai.OpenAI, name: str) -> None:
    hostile = HOSTILE[name]
    store = client.vector_stores.create()
    file = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=(hostile.filename, hostile.make()))
    assert file.status == "failed"
    assert file.last_error and file.last_error.code == hostile.code
    assert hostile.words in file.last_error.message


def test_good_files_come_through_beside_bad_ones(client: openai.OpenAI) -> None:
    store = client.vector_stores.create()
    bad = [
        ("cut.docx", office.letter()[:-300]),
        ("scan.pdf", hostile_pdf.scanned()),
        ("a.docx", hostile_packages.zip_of_files()),
    ]
    good = [("a.zip", hostile_packages.zip_of_files())]
    good += [(f"good-{number}.md", f"# Part {number}\n\nWords.".encode()) for number in range(5)]
    batch = client.vector_stores.file_batches.upload_and_poll(vector_store_id=store.id, files=[*bad, *good])
    assert (batch.file_counts.completed, batch.file_counts.failed, batch.file_counts.in_progress) == (6, 3, 0)
