"""Trains the CRF of a tagger in a process of its own: CRFsuite holds Python's lock while it does, seconds long at times,
and everything else in the server would stand still.

Run as a program, it takes JSON on standard input and writes the model to standard output. What there is to learn from, says
tagged_examples.
"""

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from zhuli.core.errors import ServerFault
from zhuli.understanding.language.entity_extraction.entity_labels import entity_of
from zhuli.understanding.language.tagging.tagged_examples import Listed, TaggedExample, augmented, known_words, spans
from zhuli.understanding.language.tagging.word_features import Gazetteer, features

PENALTY = 0.1
"""Of the squared weights: five times as much costs three points of F1 on snips with 70 examples."""

ROUNDS = 30
"""Of L-BFGS; 60 bring half a point. It is the one of CRFsuite's algorithms that learns the same each time."""


async def train(examples: Sequence[tuple[TaggedExample, str]], listed: Listed) -> bytes:
    """The CRF's model, from marked texts with their intents, and all values that are known. ServerFault."""
    given = await asyncio.to_thread(_packed, examples, listed)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "zhuli.understanding.language.tagging.tagger_training"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        model, log = await process.communicate(given)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    if process.returncode != 0:
        last = log.decode(errors="replace").strip().rpartition("\n")[2]
        raise ServerFault(f"Learning the domain's entities failed: {last or f'it ended with {process.returncode}'}.")
    return model


def _packed(examples: Sequence[tuple[TaggedExample, str]], listed: Listed) -> bytes:
    return json.dumps([[[example.words, example.tags, intent] for example, intent in examples], listed]).encode()


def main() -> None:
    """The far end. It is not stopped when the server dies: it ends by itself, within seconds."""
    with suppress(OSError):
        os.nice(5)  # answers come first
    rows, listed = json.load(sys.stdin)
    examples = [(TaggedExample(tuple(words), tuple(tags)), intent) for words, tags, intent in rows]
    values = {label: [tuple(words) for words in known] for label, known in listed.items()}
    words = known_words((example for example, _ in examples), listed)
    sys.stdout.buffer.write(trained(augmented(examples, values), Gazetteer(listed), words))


def trained(learned_from: Sequence[TaggedExample], values: Gazetteer, words: Collection[str]) -> bytes:
    """The model's bytes. words: as in word_features.features."""
    import pycrfsuite

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": 0.0, "c2": PENALTY, "max_iterations": ROUNDS})
    for example in learned_from:
        low = [word.lower() for word in example.words]
        listed = values.features(low, _own(example) if example.fresh else {})
        trainer.append(features(example.words, listed, example.context, words), example.tags)
    with tempfile.TemporaryDirectory(prefix="zhuli-tagger-") as folder:
        path = Path(folder, "model")
        trainer.train(str(path))
        return path.read_bytes()


def _own(example: TaggedExample) -> dict[tuple[str, ...], set[str]]:
    """The values that the text gives to the lists, with their entities."""
    own: dict[tuple[str, ...], set[str]] = {}
    for first, end, label in spans(example.tags):
        own.setdefault(tuple(word.lower() for word in example.words[first:end]), set()).add(entity_of(label))
    return own


if __name__ == "__main__":
    main()
