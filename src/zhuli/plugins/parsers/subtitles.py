"""Subtitles (.srt, .vtt): what is said, in paragraphs that begin with their time; numbers, settings and colours are left out."""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path

from zhuli.core.decoding import read_text
from zhuli.types.knowledge.document import Block

PARAGRAPH = 300
"""Characters from which on a paragraph ends with the next sentence."""
LONGEST = 1_000
ENDS = (".", "!", "?", "。", "！", "？", "…", '"', "”")

_TIME = re.compile(r"^((?:\d+:)?\d{1,2}:\d{2})[.,]\d{1,3}\s*-->")
_SPEAKER = re.compile(r"<v(?:\.[\w.]+)?\s+([^>]+)>")
_MARK = re.compile(r"</?[a-zA-Z][^>]*>|<\d[\d:.]*>|\{\\[^}]*\}")


class Plugin:
    """SubRip and WebVTT. A file without times is text."""

    extensions: Sequence[str] = (".srt", ".vtt")

    def parse(self, path: Path) -> Iterator[Block]:
        text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
        start, said, before = "", "", ""
        for time, line in _cues(text):
            if line == before:  # captions that roll say each line again
                continue
            before = line
            start = start if said else time
            said = f"{said} {line}" if said else line
            if len(said) > LONGEST or (len(said) > PARAGRAPH and said.endswith(ENDS)):
                yield _paragraph(start, said)
                said = ""
        if said:
            yield _paragraph(start, said)


def _paragraph(start: str, said: str) -> Block:
    return Block(f"[{start}] {said}" if start else said)


def _cues(text: str) -> Iterator[tuple[str, str]]:
    """What is said with when it begins; comments and styles of WebVTT say nothing."""
    timed, time, waiting = "-->" in text, "", list[str]()
    for line in [*text.split("\n"), ""]:
        if found := _TIME.match(line.strip()):
            time, waiting = found[1], []  # the line before was the cue's name or number
        elif line.strip():
            waiting.append(line)
        else:
            if time or not timed:
                yield from ((time, said) for said in map(_said, waiting) if said)
            time, waiting = "", []


def _said(line: str) -> str:
    return unescape(_MARK.sub("", _SPEAKER.sub(r"\1: ", line))).strip()
