"""What a file is: by its content where that says something, by its name otherwise. Answers with an extension.

Reads the file's beginning, and the list of names in a ZIP or OLE container. It does not parse: a file that is recognised
may still turn out broken.
"""

from pathlib import Path, PurePath

from zhuli.core.decoding import wide_by_zeros
from zhuli.core.errors import Unreadable
from zhuli.knowledge.retrieval.reading import archives, compound_files

HEAD = 4096
"""Bytes that are looked at; PDF allows its mark anywhere in the first 1024."""

FOREIGN = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"RIFF", "a sound, a film or a WebP image"),
    (b"ID3", "an MP3 recording"),
    (b"OggS", "an Ogg recording"),
    (b"fLaC", "a FLAC recording"),
    (b"\x1aE\xdf\xa3", "a Matroska film"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a Java class"),
    (b"SQLite format 3", "an SQLite database"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"\x00\x01\x00\x00\x00", "a font"),
    (b"OTTO", "a font"),
    (b"PAR1", "a Parquet file"),
    (b"%!PS", "a PostScript file"),
)
"""Beginnings of kinds that are not read here. Those of printable letters alone count only where the rest is binary."""

PICTURES = (
    (b"\x89PNG\r\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"BM", ".bmp"),
    (b"GIF8", ".gif"),
)

CONTAINERS = frozenset({".pdf", ".docx", ".pptx", ".xlsx", ".xlsm", ".xlsb", ".ods", ".odt", ".odp", ".epub"})
"""Formats whose content always shows; .doc and .xls are not among them, for programs save HTML and text under these names."""

NEVER_TEXT = frozenset(
    ".exe .dll .so .dylib .class .png .jpg .jpeg .gif .bmp .webp .ico .tif .tiff .mp3 .mp4 .wav .avi .mov .woff .woff2 .ttf .7z "
    ".rar .gz .bz2 .xz .p7m .p7s".split()
)
"""Names of programs, pictures, sounds, archives and seals: what is text under these is nothing to read."""

ALL_READ = (
    "Text, Markdown, HTML, PDF, Word, PowerPoint, Excel, OpenDocument, RTF, EPUB, CSV, JSON, e-mail, source code and ZIPs of "
    "these are read."
)


def recognise(path: Path, filename: str) -> str:
    """The extension, with the dot and in lower case, whose parser reads this file; ".txt" for text of no special kind.

    Unreadable for an empty file and for kinds that nobody reads, and for a text that calls itself a PDF or the like.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise Unreadable("The file is empty.")
    named = PurePath(filename).suffix.lower()
    if b"%PDF-" in head[:1024]:
        return ".pdf"
    if head.startswith(archives.MARK):
        return _package(path, named)
    if head.startswith(compound_files.MARK):
        return compound_files.recognise(path)
    if head.startswith(b"{\\rtf"):
        return ".rtf"
    if looks_binary(head):
        return _binary(head, named)
    return _text(head, named)


def picture(path: Path) -> str:
    """The extension of a picture, which only a server with OCR reads; "" for anything else."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    found = next((extension for mark, extension in PICTURES if head.startswith(mark)), "")
    return found if looks_binary(head) else ""


def _package(path: Path, named: str) -> str:
    extension = archives.recognise(path)
    if extension == ".zip" and named in CONTAINERS:
        raise Unreadable(
            f"The file is named {named} but is a ZIP archive of other files. Name it .zip to have them read.",
            code="unsupported_file",
        )
    return extension


def looks_binary(head: bytes) -> bool:
    """Whether no text begins like this, in any encoding: zeros where UTF-16 has none, or many control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00\x00\xfe\xff")):
        return False
    if 0 in head and not _is_mostly_text(head):
        return wide_by_zeros(head) is None
    return sum(1 for byte in head if byte < 32 and byte not in b"\t\n\r\f\x1b\x08\0") * 10 > len(head)


def _is_mostly_text(head: bytes) -> bool:
    """ASCII with a stray zero here and there."""
    return sum(1 for byte in head if 32 <= byte < 127 or byte in b"\t\n\r") * 10 > len(head) * 9


def _binary(head: bytes, named: str) -> str:
    what = foreign_kind(head)
    if what is None and named in CONTAINERS:
        raise Unreadable(f"The file is named {named} but its content is not of that kind: it is damaged or encrypted.")
    if what is None and named not in TEXTUAL:
        return named or ".bin"  # a parser that was added may know it by its name
    what = what or "binary data"
    raise Unreadable(f"The file looks like {what}, of which no text is read. {ALL_READ}", code="unsupported_file")


def foreign_kind(head: bytes) -> str | None:
    """What a file that begins so is in words, if it is one of the kinds that are not read."""
    if head[4:8] == b"ftyp":
        return "a film or an image (MPEG-4 family)"
    if head[257:262] == b"ustar":
        return "a tar archive"
    if head.startswith(b"RIFF"):
        return {b"WEBP": "a WebP image", b"WAVE": "a sound (WAV)"}.get(head[8:12], "a sound or a film")
    return next((what for mark, what in FOREIGN if head.startswith(mark)), None)


TEXTUAL = frozenset({"", ".txt", ".md", ".html", ".htm", ".csv", ".tsv", ".json", ".jsonl", ".eml", ".log", ".tex"})
"""Names under which binary content is a mistake, and no unknown format."""


def _text(head: bytes, named: str) -> str:
    markup = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_html = markup.startswith((b"<!doctype html", b"<html"))
    if named in CONTAINERS:
        looks = "an HTML page" if is_html else "plain text"
        raise Unreadable(
            f"The file is named {named} but looks like {looks}: what was saved is not the document itself."
        )
    if named in NEVER_TEXT:
        raise Unreadable(f"The file is named {named} but looks like plain text. Name it .txt.", code="unsupported_file")
    if named in {".doc", ".xls", ".txt", ""} and is_html:
        return ".html"
    if named in {".doc", ".xls", ".ppt", ".msg", ""}:
        return ".txt"
    return named
