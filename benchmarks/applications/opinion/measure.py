"""How well a tuned model reads a set of `sets`: what `zhuli tune` does not say of templates and of a tuning that was ended early.

    python -m benchmarks.applications.opinion.measure TUNING/model SET.jsonl [SET.jsonl …]

Micro-F1 is the share of records that were read rightly, as each has one label; macro-F1 is the mean of the labels'. Where a set
has kinds (comparison, not_bad, …), each has its share; of what is only "not negative", both other answers are right, and it
counts in no F1. Of companies it is also told what a monitor reads, which asks again where something is denied.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.applications.opinion.sets import Record, is_right
from benchmarks.applications.opinion.story import macro_f1
from zhuli.applications.opinion.denials import denial, read_again
from zhuli.applications.opinion.reading import company_input
from zhuli.learning.training.tuned import open_tuned
from zhuli.types.applications.opinion import LabelReading, Mention


def told(rows: Sequence[Record], said: Sequence[str]) -> str:
    """One line for a set, and one for each kind in it. said: the model's label of each row."""
    pairs = [(row["label"], answer) for row, answer in zip(rows, said, strict=True) if row["label"] != "not_negative"]
    right = [is_right(row["label"], answer) for row, answer in zip(rows, said, strict=True)]
    micro = sum(one == other for one, other in pairs) / len(pairs)
    lines = [f"{len(rows)} records: macro-F1 {macro_f1(pairs):.3f}, micro-F1 {micro:.3f}"]
    all_of, right_of = Counter(row.get("kind") for row in rows), Counter[str | None]()
    for row, good in zip(rows, right, strict=True):
        right_of[row.get("kind")] += good
    lines += [f"  {kind}: {right_of[kind]} of {number} right" for kind, number in all_of.items() if kind]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("sets", type=Path, nargs="+")
    asked = parser.parse_args()
    tuned = open_tuned(asked.model)
    for path in asked.sets:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        inputs = [{name: row[name] for name in ("text", "head", "tail") if name in row} for row in rows]
        answers = tuned.predict([one if len(one) > 1 else one["text"] for one in inputs])
        said = [answer[0]["label"] for answer in answers]
        print(f"{path.stem}: {told(rows, said)}")
        if rows and "head" in rows[0]:
            print(f"{path.stem}, with denials: {told(rows, _with_denials(tuned, rows, said))}")


def _with_denials(tuned: Any, rows: Sequence[Record], said: Sequence[str]) -> list[str]:
    """What a monitor reads, which asks the model again where something is denied."""
    mentions = [Mention(**row["head"], text=row["text"][row["head"]["start"] : row["head"]["end"]]) for row in rows]
    found = [denial(row["text"], mention) for row, mention in zip(rows, mentions, strict=True)]
    asked = [(one.affirmed, one.affirmed_at) for one in found if one] + [
        (one.without, one.without_at) for one in found if one
    ]
    answers = tuned.predict([company_input(text, mention) for text, mention in asked]) if asked else []
    labels = [LabelReading(label=answer[0]["label"], score=1.0, model="") for answer in answers]
    both = iter(zip(labels[: len(labels) // 2], labels[len(labels) // 2 :], strict=True))
    whole = [LabelReading(label=label, score=1.0, model="") for label in said]
    return [
        (one if place is None else read_again(one, *next(both))).label for one, place in zip(whole, found, strict=True)
    ]


if __name__ == "__main__":
    main()
