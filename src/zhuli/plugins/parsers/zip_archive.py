"""ZIP archives: the files in them, by their names. Whether unpacking one is safe is looked at before, by reading.archives."""

import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from zhuli.core.decoding import decode
from zhuli.core.errors import Unreadable
from zhuli.types.knowledge.document import Block, Enclosed

UTF8 = 0x800
"""The flag of a name that is UTF-8 (APPNOTE 4.4.4); others are in the encoding of whoever packed."""


class Plugin:
    """Nothing is read here: each member is handed on as a file."""

    extensions: Sequence[str] = (".zip",)

    def parse(self, path: Path) -> Iterator[Block | Enclosed]:
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise Unreadable("The file is a damaged or truncated archive.") from error
        with archive:
            members = [(_name(member), member) for member in archive.infolist() if not member.is_dir()]
            for name, member in sorted(members, key=lambda one: one[0]):
                if not _is_left_out(name):
                    yield Enclosed(name, partial(archive.open, member))


def _name(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & UTF8:
        return member.filename
    try:
        return decode(member.filename.encode("cp437"))
    except (UnicodeEncodeError, Unreadable):
        return member.filename


def _is_left_out(name: str) -> bool:
    return name.startswith("__MACOSX/") or any(part.startswith(".") for part in PurePosixPath(name).parts)
