"""The data of a tuning: read, checked, split, with a report. The one way from files to examples.

What is wrong is collected, so that it can be corrected at once, and then refused; what is odd goes into the report.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zhuli.core.errors import Unreadable
from zhuli.learning.training.data import checking
from zhuli.learning.training.data.checking import Labelled
from zhuli.learning.training.data.finding import Entry, Finding
from zhuli.learning.training.data.reading import records
from zhuli.learning.training.data.report import DataReport, Part
from zhuli.learning.training.data.splitting import split
from zhuli.learning.training.data.summary import Found, summary
from zhuli.learning.training.failures import FailureCode, TuningFailed
from zhuli.ports import Task
from zhuli.types.learning.example import BadExample, Example
from zhuli.types.learning.tuning import Source, Spec

TOLD = 20
"""Problems that a refusal names."""

_PARAMS: dict[Part, str] = {"train": "training_file", "validation": "validation_file", "test": "test_file"}
_CALLED: dict[Part, str] = {"train": "training", "validation": "validation", "test": "test"}


@dataclass(frozen=True)
class Data:
    """The three parts of a tuning's data, and the report on them."""

    train: list[Example]
    validation: list[Example]
    test: list[Example]
    report: DataReport


def load(spec: Spec, task: Task, folder: Path, *, window: int | None = None) -> Data:
    """window: tokens that the base reads at once, to say how many texts are longer.

    TuningFailed names up to 20 problems with their lines, what is wrong and what would be right.
    """
    sources: dict[Part, Source | None] = {"train": spec.train, "validation": spec.validation, "test": spec.test}
    found = Found({part: [] for part in sources})
    for part, source in sources.items():
        if source is not None:
            found.parts[part], findings = _read(source, part, spec, task, folder)
            found.warn(part, findings)
    _check(spec, found)
    found.duplicates = len(checking.repeated(found.parts["train"]))
    found.warn("train", checking.warnings(spec.task, found.parts["train"]))
    _hold_out(spec, found)
    parts = {part: [one.example for one in examples] for part, examples in found.parts.items()}
    return Data(parts["train"], parts["validation"], parts["test"], summary(spec, task, found, window))


def _read(source: Source, part: Part, spec: Spec, task: Task, folder: Path) -> tuple[list[Labelled], list[Finding]]:
    """The examples of a file, and warnings; its errors are refused."""
    examples: list[Labelled] = []
    findings: list[Finding] = []
    try:
        for entry in records(folder / source.path, source.format, source.columns, task=spec.task):
            read = _example(entry, task)
            if isinstance(read, Finding):
                findings.append(read)
            else:
                examples.append(read)
    except Unreadable as error:
        raise _failure(part, f"The {_CALLED[part]} file can't be read. {error.message}") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _failure(part, f"There is no {_CALLED[part]} file {source.path}.") from error
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        entries = len(examples) + len(errors)
        raise _failure(
            part, _told(f"{len(errors)} of {entries} entries of the {_CALLED[part]} file are wrong.", errors)
        )
    if not examples:
        raise _failure(part, f"The {_CALLED[part]} file has no examples.")
    return examples, findings


def _example(entry: Entry, task: Task) -> Labelled | Finding:
    if isinstance(entry, Finding):
        return entry
    try:
        example = task.read(entry)
    except BadExample as error:
        return Finding(entry.line, str(error))
    group = example.group or str(entry.fields.get("group") or entry.fields.get("context") or "")
    example = dataclasses.replace(example, line=entry.line, group=group)
    text = task.text_of(example)
    if not text.strip():
        return Finding(entry.line, "The text is empty.")
    return Labelled(example, text, tuple(task.labels_of(example)))


def _check(spec: Spec, found: Found) -> None:
    training = found.parts["train"]
    if errors := list(checking.errors(spec.task, training)):
        raise _failure("train", "\n".join(str(error) for error in errors))
    known = checking.label_counts(training)
    for part, examples in found.parts.items():
        if part != "train" and (errors := list(checking.unseen(_CALLED[part], examples, known))):
            called = f"The {_CALLED[part]} file has {len(errors)} labels that training does not have."
            raise _failure(part, _told(called, errors))


def _hold_out(spec: Spec, found: Found) -> None:
    """Parts that have no file of their own come out of the training file."""
    wanted: dict[Part, float] = {"validation": spec.validation_share, "test": spec.test_share}
    shares = {part: share for part, share in wanted.items() if share and not found.parts[part]}
    whole = found.parts["train"]
    groups, texts = [one.example.group for one in whole], [one.text for one in whole]
    indexes = split(texts, groups, [one.labels for one in whole], shares=shares, seed=spec.seed)
    for part in ("train", *shares):
        found.parts[part] = [whole[index] for index in indexes[part]]
    found.split = list(shares)


def _told(begins: str, findings: Sequence[Finding]) -> str:
    more = len(findings) - TOLD
    lines = [str(finding) for finding in sorted(findings, key=lambda finding: finding.line)[:TOLD]]
    return "\n".join([begins, *lines, *([f"… and {more} more."] if more > 0 else [])])


def _failure(part: Part, message: str) -> TuningFailed:
    code: FailureCode = "invalid_training_file" if part == "train" else "invalid_validation_file"
    return TuningFailed(code, message, param=_PARAMS[part])
