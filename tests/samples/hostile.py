"""Files that are broken, lie about what they are, or are made to hurt who reads them; each with its expected end.

All are made by code when a test asks for them, the large ones too. None of them holds a program or an address.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.samples import hostile_mail, hostile_packages, hostile_pdf, hostile_text

Make = Callable[[], bytes]


@dataclass(frozen=True)
class Hostile:
    """code: None for a file that is read all the same. words: of the message, or of the text. not_there: never in either."""

    filename: str
    make: Make
    code: str | None
    words: str
    not_there: str = "\x00"


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00"
PROGRAM = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00>\x00" + bytes(200)

HOSTILE: dict[str, Hostile] = {
    # nothing in it
    "empty": Hostile("empty.txt", lambda: b"", "invalid_file", "The file is empty"),
    "empty with a pdf's name": Hostile("empty.pdf", lambda: b"", "invalid_file", "The file is empty"),
    "only white space": Hostile("blank.md", lambda: b" \n\t\r\n" * 1000, "invalid_file", "no text"),
    "only a mark": Hostile("mark.txt", lambda: b"\xef\xbb\xbf", "invalid_file", "no text"),
    "only control characters that are not shown": Hostile(
        "bell.txt", lambda: b"\x1b\x08\n" * 90, "invalid_file", "no text"
    ),
    # something else than its name says
    "an image called .txt": Hostile("photo.txt", lambda: PNG, "unsupported_file", "a PNG image"),
    "an image called .pdf": Hostile("photo.pdf", lambda: PNG, "unsupported_file", "a PNG image"),
    "a program called .md": Hostile("readme.md", lambda: PROGRAM, "unsupported_file", "a program"),
    "a program without a name": Hostile("run", lambda: PROGRAM, "unsupported_file", "a program"),
    "a pdf called .txt": Hostile(
        "paper.txt", lambda: hostile_pdf.plain("Mislabelled words"), None, "Mislabelled words"
    ),
    "a docx called .doc": Hostile(
        "letter.doc", lambda: hostile_packages.docx_file("Newer letter"), None, "Newer letter"
    ),
    "a docx called .pdf": Hostile(
        "letter.pdf", lambda: hostile_packages.docx_file("Newer letter"), None, "Newer letter"
    ),
    "a page called .doc": Hostile("page.doc", lambda: b"<html><p>From the web</p></html>", None, "From the web", "<p>"),
    "a page called .pdf": Hostile(
        "page.pdf", lambda: b"<!DOCTYPE html><p>404</p>", "invalid_file", "looks like an HTML page"
    ),
    "text called .docx": Hostile("notes.docx", lambda: b"just some words", "invalid_file", "looks like plain text"),
    "a zip called .docx": Hostile("files.docx", hostile_packages.zip_of_files, "unsupported_file", "a ZIP archive"),
    "a gzip called .csv": Hostile(
        "rows.csv", lambda: b"\x1f\x8b\x08" + bytes(60), "unsupported_file", "a gzip archive"
    ),
    "rtf": Hostile("letter.rtf", lambda: rb"{\rtf1\ansi Hello}", None, "Hello", "ansi"),
    "a film": Hostile("film.mp4", lambda: b"\0\0\0\x20ftypisom" + bytes(90), "unsupported_file", "a film"),
    "random bytes": Hostile("noise.txt", hostile_text.noise, "unsupported_file", "binary data"),
    # text
    "zeros in text": Hostile("zeros.txt", lambda: b"before\0the zero and after\0it " * 50, None, "beforethe zero"),
    "control characters": Hostile(
        "control.txt", lambda: b"clean\x07ed \x1b[31mred" + b" words" * 50, None, "cleaned [31mred"
    ),
    "directions turned round": Hostile("bidi.py", hostile_text.turned_round, None, "access_level", "\u202e"),
    "tags that nobody sees": Hostile("tags.txt", hostile_text.tagged, None, "visible words", "\U000e0041"),
    "halves of characters": Hostile("halves.json", lambda: b'{"a": "\\ud800 half"}', None, "half"),
    "utf-16 without a mark": Hostile("wide.txt", lambda: "Zürich, 19 Uhr".encode("utf-16-le"), None, "Zürich, 19 Uhr"),
    "utf-16 of Chinese and numbers": Hostile("wide.txt", lambda: "一共 31 个".encode("utf-16-be"), None, "一共 31 个"),
    "utf-16 cut in a character": Hostile("cut.txt", lambda: "cut here 好".encode("utf-16")[:-1], None, "cut here"),
    "two encodings in one file": Hostile("joined.txt", hostile_text.joined_encodings, None, "第一部分"),
    "one line of 8 MB": Hostile("line.txt", lambda: b"word " * 1_600_000, None, "word word"),
    "more text than is taken": Hostile("long.txt", lambda: b"word " * 3_000_000, "invalid_file", "characters of text"),
    "csv with 100,000 columns": Hostile("wide.csv", lambda: b"a," * 100_000, "invalid_file", "100,001 columns"),
    "csv with one endless cell": Hostile(
        "cell.csv", lambda: b'a,b\n"' + b"x" * 2_000_000, "invalid_file", "line 2 is no row of cells"
    ),
    "json a million deep": Hostile("deep.json", lambda: b"[" * 1_000_000, "invalid_file", "not JSON"),
    "json cut off": Hostile("cut.json", lambda: b'{"a": [1, 2, {"b": ', None, '"b"'),
    "jsonl with broken lines": Hostile("some.jsonl", hostile_text.half_broken_lines, None, "question 7"),
    "jsonl with nothing right": Hostile("none.jsonl", lambda: b"{a}\n{b}\n{c}\n", None, "{b}"),
    "html a million deep": Hostile("deep.html", lambda: b"<div>" * 1_000_000, "invalid_file", "nested too deeply"),
    "html a thousand deep": Hostile("deep.html", lambda: b"<b>" * 1000 + b"the bottom", None, "the bottom"),
    "html with hidden orders": Hostile("hidden.html", hostile_text.hidden_orders, None, "What is shown", "obey"),
    "billion laughs as xml": Hostile("laughs.xml", hostile_text.billion_laughs, None, "lol9", "lollollol"),
    "billion laughs as html": Hostile("laughs.html", hostile_text.billion_laughs, None, "lol9", "lollollol"),
    "markdown 100,000 quotes deep": Hostile("deep.md", lambda: b"> " * 100_000 + b"deep down", None, "deep down"),
    # office packages
    "docx cut off": Hostile("cut.docx", lambda: hostile_packages.docx_file("Words")[:-200], "invalid_file", "damaged"),
    "docx with a broken part": Hostile("part.docx", hostile_packages.broken_part, "invalid_file", "damaged"),
    "docx that is a bomb": Hostile("bomb.docx", hostile_packages.bomb, "invalid_file", "decompression bomb"),
    "docx that hides its size": Hostile("liar.docx", hostile_packages.lying_bomb, "invalid_file", "decompression bomb"),
    "docx with 20,001 parts": Hostile("parts.docx", hostile_packages.many_parts, "invalid_file", "20018 entries"),
    "docx with billion laughs": Hostile(
        "laughs.docx", hostile_packages.laughing_docx, "invalid_file", "a damaged Word document", "lollollol"
    ),
    "docx that names a file of ours": Hostile("entity.docx", hostile_packages.file_entity, None, "Before", "root:"),
    "docx with a way out": Hostile("../../out.docx", hostile_packages.way_out, None, "Inside", "escaped"),
    "docx with a password": Hostile("secret.docx", hostile_packages.encrypted_office, "invalid_file", "encrypted"),
    "zip with a password": Hostile("secret.xlsx", hostile_packages.encrypted_zip, "invalid_file", "encrypted"),
    "docx 5,000 tables deep": Hostile(
        "deep.docx", hostile_packages.deep_tables, "invalid_file", "a damaged Word document"
    ),
    "xlsx of 17 billion cells": Hostile("huge.xlsx", hostile_packages.far_corner, "invalid_file", "memory"),
    "xlsx that only declares a million rows": Hostile("rows.xlsx", hostile_packages.declared_rows, None, "only cell"),
    "odt": Hostile("text.odt", hostile_packages.odt, "invalid_file", "damaged document"),
    "old PowerPoint": Hostile("old.ppt", hostile_packages.old_powerpoint, "unsupported_file", "Save it as .pptx"),
    "Outlook's message of nothing but a name": Hostile(
        "mail.msg", hostile_packages.outlook, "unsupported_file", "This kind of OLE file is not read"
    ),
    "doc with nothing behind its directory": Hostile("old.doc", hostile_packages.hollow_doc, "invalid_file", "damaged"),
    # pdf
    "pdf cut off": Hostile(
        "cut.pdf", lambda: hostile_pdf.plain("Words " * 2000)[:600], "invalid_file", "damaged or truncated"
    ),
    "pdf of nothing but a mark": Hostile("mark.pdf", lambda: b"%PDF-1.7\n%%EOF", "invalid_file", "damaged"),
    "pdf with a password": Hostile("secret.pdf", hostile_pdf.encrypted, "invalid_file", "encrypted"),
    "pdf of scanned pages": Hostile("scan.pdf", hostile_pdf.scanned, "invalid_file", "pages 1 to 3 are scanned images"),
    "pdf with one scanned page": Hostile("mixed.pdf", hostile_pdf.half_scanned, None, "[Page 2 is a scanned image"),
    "pdf without text or images": Hostile("blank.pdf", lambda: hostile_pdf.plain(""), "invalid_file", "no text"),
    "pdf without a map of its characters": Hostile(
        "font.pdf", hostile_pdf.unmapped_font, "invalid_file", "which characters"
    ),
    "pdf of ten thousand pages": Hostile("pages.pdf", hostile_pdf.many_pages, None, "This is page 10000"),
    "pdf whose pages lead in a circle": Hostile("circle.pdf", hostile_pdf.circular, "invalid_file", "no text"),
    "pdf with a bomb of a stream": Hostile("bomb.pdf", hostile_pdf.bomb, "invalid_file", "no text"),
    "pdf nested deeply": Hostile("deep.pdf", hostile_pdf.deep, "invalid_file", "no text"),
    # e-mail
    "e-mail 500 deep": Hostile("deep.eml", hostile_mail.deep, "invalid_file", "more than 200 parts"),
    "e-mail without an end": Hostile("cut.eml", hostile_mail.cut, None, "the part that came"),
    "e-mail in an unknown encoding": Hostile("odd.eml", hostile_mail.unknown_charset, None, "plain enough"),
    "e-mail with a program": Hostile("gift.eml", hostile_mail.with_attachment, None, "invoice.exe", "MZ"),
    "words called .eml": Hostile("words.eml", lambda: b"no headers, only words", "invalid_file", "no e-mail"),
}
