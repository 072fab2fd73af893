"""The far end of reader: a process that reads one file after another, within limits, and may die of any.

It guards against accidents, not against attackers: it runs as the server's user. Requests come as lines of JSON on
standard input; what goes back are frames:
four bytes of length and JSON. Parsers are imported here and nowhere else.
"""

import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from zhuli import registry
from zhuli.core.errors import Unreadable
from zhuli.knowledge.retrieval.reading import recognition
from zhuli.knowledge.retrieval.reading.cleaning import clean
from zhuli.knowledge.retrieval.reading.enclosed_files import Reading
from zhuli.knowledge.retrieval.reading.reading_limits import Limits, too_much_memory
from zhuli.types.knowledge.document import Block, Enclosed

FRAME_CHARACTERS = 256 * 1024

Parsers = dict[str, Any]
"""By extension. They are ports.Parser; importing that would bring along pydantic, and make this process twice as large."""


def main() -> None:
    """Read one file after the other, as standard input asks for them, until it ends."""
    limits = Limits(**orjson.loads(sys.argv[1]))
    answers = _take_standard_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the server ends this process in its own time
    _limit_process(limits)
    parsers = find_parsers(limits)
    _send(answers, ["ready"])
    for line in sys.stdin.buffer:
        request = orjson.loads(line)
        _limit_processor(limits.seconds)
        for frame in answer(Path(request["path"]), request["filename"], parsers, limits):
            _send(answers, frame)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _take_standard_output() -> BinaryIO:
    """Standard output for frames alone: what a library prints goes elsewhere."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _limit_process(limits: Limits) -> None:
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    resource.setrlimit(kind, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits.enclosed_bytes))  # files in files are copied in memory
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_processor(seconds: float) -> None:
    """SIGPROF ends this process when the file has had its time, however busy the machine is; RLIMIT_CPU is the backstop."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    soft = int(time.process_time() + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def find_parsers(limits: Limits | None = None) -> Parsers:
    """Every parser that is installed, by extension; one that was added goes before one of ours. Pictures only with OCR."""
    ours = registry.built_in("parsers")
    added = [name for name in registry.names("parsers") if name not in ours]
    parsers: Parsers = {}
    for name in [*ours, *added]:
        parser = registry.find("parsers", name)()
        parsers |= dict.fromkeys(parser.extensions, parser)
    if limits is not None and limits.ocr:
        reader = registry.find("ocr", limits.ocr)(limits.ocr_languages)
        parsers |= dict.fromkeys(reader.extensions, reader)
    return parsers


def answer(path: Path, filename: str, parsers: Parsers, limits: Limits) -> Iterator[list[Any]]:
    """The frames of one file: blocks, then "end" or "failed" with what to tell and what only the log may say."""
    try:
        yield from _blocks(path, filename, parsers, limits)
        yield ["end"]
    except Unreadable as error:
        yield ["failed", error.file_code, error.message, "" if error.__cause__ is None else repr(error.__cause__)]
    except ImportError as error:
        yield ["failed", "server_error", f"This server can't read such files: {error.name} is not installed on it.", ""]
    except MemoryError:
        yield ["failed", "invalid_file", too_much_memory(limits.memory_bytes), ""]
    except RecursionError:
        yield ["failed", "invalid_file", "The file is nested too deeply to be read.", ""]
    except Exception:  # libraries raise anything over a broken file
        why = "The file is broken: it can't be read. Open it where it was made and save it again."
        yield ["failed", "invalid_file", why, traceback.format_exc(limit=-8)]


def _blocks(path: Path, filename: str, parsers: Parsers, limits: Limits) -> Iterator[list[Any]]:
    frame, waiting, characters = [], 0, 0
    reading = Reading(lambda path, filename: _parsed(path, filename, parsers), limits.enclosed_bytes, parsers)
    for block in filter(None, map(clean, reading.blocks(path, filename))):
        characters += len(block.text) + 2
        if characters > limits.max_characters:
            raise Unreadable(f"The file has more than {limits.max_characters:,} characters of text. Split it.")
        frame.append(_packed(block))
        waiting += len(block.text)
        if waiting >= FRAME_CHARACTERS:
            yield ["blocks", frame]
            frame, waiting = [], 0
    if not characters:
        raise Unreadable("The file has no text: only spaces or nothing to read.")
    yield ["blocks", frame]


def _parsed(path: Path, filename: str, parsers: Parsers) -> Iterator[Block | Enclosed]:
    extension = recognition.picture(path)
    if extension not in parsers:
        extension = recognition.recognise(path, filename)
    parser = parsers.get(extension) or _for_unknown(extension, path, parsers)
    found: Iterator[Block | Enclosed] = parser.parse(path)
    return found


def _for_unknown(extension: str, path: Path, parsers: Parsers) -> Any:
    """Text under a name that no parser claims is read as text."""
    with path.open("rb") as file:
        head = file.read(recognition.HEAD)
    if extension in NEEDS_SAVING or recognition.looks_binary(head):
        advice = NEEDS_SAVING.get(extension, recognition.ALL_READ)
        raise Unreadable(f"Files with the extension {extension} are not read. {advice}", code="unsupported_file")
    return parsers[".txt"]


NEEDS_SAVING = {".ppt": "Save it as .pptx.", ".pages": "Save it as .docx.", ".key": "Save it as .pptx."}


def _packed(block: Block) -> tuple[str, str, int, int | None]:
    return block.text, block.kind, block.level, block.page


def _send(answers: BinaryIO, frame: list[Any]) -> None:
    data = orjson.dumps(frame)
    answers.write(len(data).to_bytes(4, "big") + data)
    answers.flush()


if __name__ == "__main__":
    main()
