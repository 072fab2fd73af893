"""What is found of the personal data in marked sentences, and what besides: `python -m benchmarks.safety.personal_data`.

With --plain FILE, a file with a text a line that has hardly any personal data, what is found there, kind by kind.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from zhuli.safety.personal_data import find

SENTENCES = Path(__file__).with_suffix(".txt")
_MARKED = re.compile(r"\{(\w+)(\??)\|([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """marked: kind, place and whether the recognisers promise to find it; what they don't has a question mark in the file."""

    language: str
    text: str
    marked: tuple[tuple[str, int, int, bool], ...]


def sentences() -> Iterator[Sentence]:
    """Of the file, with the marks taken out."""
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        language, written = line.split("\t")
        text, marked, end = "", [], 0
        for found in _MARKED.finditer(written):
            text += written[end : found.start()]
            marked.append((found[1], len(text), len(text) + len(found[3]), not found[2]))
            text += found[3]
            end = found.end()
        yield Sentence(language, text + written[end:], tuple(marked))


def main(plain: Annotated[Path | None, typer.Option(help="Texts without personal data, one a line.")] = None) -> None:
    """Print found of all by kind and language, what is missed, and what is found where nothing is."""
    if plain is not None:
        texts = plain.read_text(encoding="utf-8").splitlines()
        counts = Counter(one.kind for text in texts for one in find(text))
        print(f"{len(texts)} texts: {dict(counts)}")
        return
    of: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for sentence in sentences():
        found = {(one.kind, one.start, one.end) for one in find(sentence.text, sentence.language)}
        for kind, start, end, _ in sentence.marked:
            of[sentence.language, kind] += 1
            right[sentence.language, kind] += (kind, start, end) in found
            if (kind, start, end) not in found:
                print(f"missed {kind} {sentence.text[start:end]!r} in {sentence.text!r}")
        for kind, start, end in found - {mark[:3] for mark in sentence.marked}:
            print(f"too much {kind} {sentence.text[start:end]!r} in {sentence.text!r}")
    for (language, kind), count in sorted(of.items()):
        print(f"{language} {kind}: {right[language, kind]} of {count}")


if __name__ == "__main__":
    typer.run(main)
