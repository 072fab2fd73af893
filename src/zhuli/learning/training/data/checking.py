"""What is wrong or odd with examples that are well-formed one by one: too few, labels that can't be learned, contradictions.

Errors are Findings that forbid training; warnings are told. All functions are pure; duplicates between parts are in overlap.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from zhuli.learning.training.data.duplicates import key
from zhuli.learning.training.data.finding import Finding
from zhuli.types.learning.example import Example
from zhuli.types.learning.hyperparameters import TaskName

FEWEST = 10
"""Examples of a training file, as the original's: "must have at least 10 examples"."""

UNBALANCED = 10.0
"""How many times as frequent the most frequent label may be as the rarest without a warning."""

QUOTED = 60
"""Characters of a text that a message quotes."""

NAMED = 5
"""Labels, lines or texts that a message names; of more it says how many."""

CLASSES: tuple[TaskName, ...] = ("text_classification", "relation_extraction")
"""Tasks whose answer is one of several labels."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """An example, its text, and its labels, as the task says them."""

    example: Example
    text: str
    labels: tuple[str, ...]

    @property
    def line(self) -> int:
        """Where the example stands in its file, from 1."""
        return self.example.line


def errors(task: TaskName, examples: Sequence[Labelled]) -> Iterator[Finding]:
    """Why a training file can't be trained on."""
    if len(examples) < FEWEST:
        yield Finding(0, f"The training file must have at least {FEWEST} examples, found {len(examples)}.")
        return
    counts = label_counts(examples)
    several = any(len(one.labels) != 1 for one in examples)
    if task in CLASSES and not several and len(counts) == 1:
        label = next(iter(counts))
        yield Finding(0, f"All examples have the label “{label}”. There must be at least two labels to tell apart.")
    if task in CLASSES and not several and 2 * len(_once(counts)) > len(examples):
        yield Finding(
            0,
            f"{len(_once(counts))} of {len(counts)} labels stand at one example only. Are text and label mistaken for each "
            'other? Name their columns: {"text": …, "label": …}.',
        )
    if task == "token_classification" and not counts:
        yield Finding(0, "No example has an entity; there is nothing to learn.")


def unseen(part: str, examples: Sequence[Labelled], training: Mapping[str, int]) -> Iterator[Finding]:
    """Labels of a held-out part that training does not have, each with the first line that has it."""
    first: dict[str, int] = {}
    for one in examples:
        for label in one.labels:
            if label not in training:
                first.setdefault(label, one.line)
    for label, line in first.items():
        yield Finding(
            line,
            f"No training example has the label “{label}”. Add some to the training file, correct the label, or leave it out "
            f"of the {part} file.",
        )


def warnings(task: TaskName, examples: Sequence[Labelled]) -> Iterator[Finding]:
    """What is odd about a training file, the weightiest first."""
    yield from contradictions(examples)
    counts = label_counts(examples)
    if once := _once(counts):
        yield _warning(
            0, f"Only one example has {_named(once)}. What is seen once is hardly learned, and not measured."
        )
    if task in CLASSES and len(counts) > 1 and max(counts.values()) > UNBALANCED * min(counts.values()):
        most, rarest = max(counts, key=lambda label: counts[label]), min(counts, key=lambda label: counts[label])
        yield _warning(
            0,
            f"“{most}” has {counts[most]} examples, “{rarest}” {counts[rarest]}. Add examples of what is rare, or set "
            "class_weights = balanced.",
        )
    if again := repeated(examples):
        yield _warning(
            0, f"Texts that stand there again: {len(again)}, in lines {_lines(again)}. Each counts in training."
        )
    if broken := [one for one in examples if "\ufffd" in one.text]:
        yield _warning(
            0, f"Texts with broken characters (�): {len(broken)}, in lines {_lines(broken)}. Save the file as UTF-8."
        )


def contradictions(examples: Sequence[Labelled]) -> Iterator[Finding]:
    """Texts that stand there with different labels, at the second one's line."""
    first: dict[str, Labelled] = {}
    for one in examples:
        before = first.setdefault(key(one.text), one)
        if one.labels and before.labels and set(one.labels) != set(before.labels):
            yield _warning(
                one.line,
                f"“{quoted(one.text)}” is labelled {_named(one.labels)}, but {_named(before.labels)} in line {before.line}.",
            )


def repeated(examples: Sequence[Labelled]) -> list[Labelled]:
    """Those whose text one before them has."""
    by_text: dict[str, list[Labelled]] = defaultdict(list)
    for one in examples:
        by_text[key(one.text)].append(one)
    return [one for same in by_text.values() for one in same[1:]]


def label_counts(examples: Sequence[Labelled]) -> dict[str, int]:
    """Examples of each label, the most frequent first."""
    counts = Counter(label for one in examples for label in set(one.labels))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def quoted(text: str) -> str:
    """A text in one line, cut to the length in which findings quote."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else f"{line[:QUOTED]}…"


def _once(counts: Mapping[str, int]) -> list[str]:
    return [label for label, count in counts.items() if count == 1]


def _named(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(f"“{label}”" for label in labels[:NAMED]) + more


def _lines(examples: Sequence[Labelled]) -> str:
    more = f" and {len(examples) - NAMED} more" if len(examples) > NAMED else ""
    return ", ".join(str(one.line) for one in examples[:NAMED]) + more


def _warning(line: int, message: str) -> Finding:
    return Finding(line, message, level="warning")
