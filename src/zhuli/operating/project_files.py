"""The texts of a project's files: of a folder, or of a ZIP or gzipped tar as builders of assistants export it.

Nothing is unpacked to disk, and no link is followed out of an archive; what it declares of its sizes is not believed.
"""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from zhuli.core.errors import ConfigurationError
from zhuli.understanding.domains.rasa.yaml_files import is_of_tests

_OF_PROJECT = (".yml", ".yaml", ".md", ".json")
"""How names of files end that a project may consist of."""

ARCHIVES = (".zip", ".tgz", ".tar.gz")

MOST_BYTES = 4_000_000
"""Of a file that is looked at; larger ones in a project's folder are something else."""

MOST_ENTRIES = 20_000
MOST_OF_ALL = 64_000_000
"""Bytes of all files of an archive that are looked at."""

_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,
    RuntimeError,
)


def files_of(path: Path) -> dict[str, str]:
    """Texts by name within the folder or archive; ConfigurationError says what can't be read."""
    if path.is_dir():
        return {name: text_of(file) for name, file in _of_folder(path).items() if not is_of_tests(name)}
    found: dict[str, str] = {}
    left = MOST_OF_ALL
    try:
        for name, content in _of_zip(path) if path.name.lower().endswith(".zip") else _of_tar(path):
            if (left := left - len(content)) < 0:
                raise ConfigurationError(
                    f"{path} unpacks to more than {MOST_OF_ALL} bytes. Unpack it, and name the folder."
                )
            found[name] = _decoded(content, f"{name} in {path}")
    except _BROKEN as error:
        raise ConfigurationError(f"{path} can't be read: {error}.") from error
    return found


def is_archive(path: Path) -> bool:
    """Whether the name is an archive's."""
    return path.name.lower().endswith(ARCHIVES)


def text_of(path: Path) -> str:
    """The file's text; ConfigurationError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error}.") from error
    return _decoded(content, str(path))


def _decoded(content: bytes, of: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{of} can't be read: {error}.") from error


def _of_folder(folder: Path) -> dict[str, Path]:
    try:
        found = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in _OF_PROJECT and file.is_file()]
        small = [file for file in found if file.stat().st_size <= MOST_BYTES]
    except OSError as error:  # such as a folder in it that may not be read
        raise ConfigurationError(f"{folder} can't be read: {error}.") from error
    return {str(file.relative_to(folder)): file for file in small}


def _of_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        _counted(path, len(archive.namelist()))
        for name in sorted(archive.namelist()):
            if _wanted(name):
                with archive.open(name) as file:
                    content = file.read(MOST_BYTES + 1)
                if len(content) <= MOST_BYTES:
                    yield name, content


def _of_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(path, "r:*") as archive:
        for number, member in enumerate(archive):
            _counted(path, number + 1)
            file = archive.extractfile(member) if member.isreg() and _wanted(member.name) else None
            if file is not None and member.size <= MOST_BYTES:
                yield member.name.removeprefix("./"), file.read(MOST_BYTES)


def _counted(path: Path, number: int) -> None:
    if number > MOST_ENTRIES:
        raise ConfigurationError(f"{path} has more than {MOST_ENTRIES} files. Unpack it, and name the folder.")


def _wanted(name: str) -> bool:
    return name.lower().endswith(_OF_PROJECT) and not is_of_tests(name)
