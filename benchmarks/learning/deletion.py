"""Whether attributions mean something: how far an answer's probability falls when the words that score highest are deleted.

    python -m benchmarks.learning.deletion MODEL_FOLDER TEXTS --texts 200 --most 5

MODEL_FOLDER: a tuned text classifier's. TEXTS: a data file of texts that it has not learned from, in any format that tuning
reads; labels are not used. Random words, and those that score lowest, are deleted for comparison.
"""

import argparse
import time
from pathlib import Path

import torch

from zhuli.learning.neural.explaining.deletion import MOST, deletion
from zhuli.learning.neural.explaining.explanations import attributions_of
from zhuli.learning.training.data.reading import records
from zhuli.learning.training.tuned import Tuned, open_tuned
from zhuli.types.learning.example import Example, Record


def main() -> None:
    given = _arguments()
    torch.set_num_threads(given.threads)
    tuned = open_tuned(given.folder)
    entries = records(given.texts, "auto", {}, task="text_classification")
    texts = [str(entry.fields["text"]) for entry in entries if isinstance(entry, Record)]
    step = max(len(texts) // given.number, 1)
    examples = [tuned.task.ask(text) for text in texts[::step][: given.number]]
    started = time.monotonic()
    errors = [_completeness(tuned, example) for example in examples]
    each = (time.monotonic() - started) / len(examples)
    falls = deletion(tuned.task, tuned.model, examples, most=given.most)
    print(
        f"{falls.texts} texts of more than {given.most} words, out of {len(examples)}; seconds to explain one: {each:.2f}"
    )
    print(f"completeness error: mean {sum(errors) / len(errors):.4f}, largest {max(errors):.4f}")
    print("\nmean fall of the answer's probability after deleting words\n")
    print("deleted   " + " ".join(f"{number:>8}" for number in range(1, given.most + 1)) + "     AOPC")
    for name in ("highest", "random", "lowest"):
        row = getattr(falls, name)
        print(f"{name:<10}" + " ".join(f"{fall:8.4f}" for fall in row) + f" {falls.aopc[name]:8.4f}")


def _completeness(tuned: Tuned, example: Example) -> float:
    found = attributions_of(tuned.task, tuned.model, example)
    return 0.0 if found is None else float(found["completeness_error"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="MODEL_FOLDER")
    parser.add_argument("texts", type=Path, metavar="TEXTS")
    parser.add_argument("--texts", dest="number", type=int, default=200, help="how many of them")
    parser.add_argument("--most", type=int, default=MOST, help="words that are deleted at most")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
