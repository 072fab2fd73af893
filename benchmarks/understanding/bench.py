"""What rows share: where data, models and vectors are, how an understander is made and asked, and what has gone wrong."""

import asyncio
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.understanding import bm25
from benchmarks.understanding.domain_of import domain_of
from benchmarks.understanding.edits import Span
from benchmarks.understanding.intent_sets import IntentSet, Message
from benchmarks.understanding.measures import Told
from benchmarks.understanding.rows import Row
from benchmarks.understanding.services import BenchServices, KeptVectors
from zhuli import registry
from zhuli.models.catalog import Catalog
from zhuli.ports import Understander
from zhuli.types.understanding.domain import DomainFields, Language
from zhuli.types.understanding.understanding import DialogueState, Reading

AT_ONCE = 50
"""Messages that are read together; the answers are the same as one by one."""

QUICK_TEST, QUICK_TRAIN = 25, 10
"""With --quick: messages that are asked, and examples of each intent where all would be taken."""


class Missing(Exception):
    """A row needs what another command makes."""


@dataclass(frozen=True)
class Bench:
    """advance: told after every part of the work how much of it is done, from 0 to 1."""

    data: Path
    work: Path
    models: Path
    data_dir: Path
    catalog: Catalog
    kept: KeptVectors
    quick: bool
    advance: Callable[[float], None]

    def each(self, row: Row) -> int:
        return QUICK_TRAIN if self.quick and not row.each else row.each

    def seeds(self, row: Row) -> tuple[int, ...]:
        return row.seeds[:1] if self.quick else row.seeds

    def sample(self, messages: Sequence[Message], most: int) -> list[Message]:
        """The same for every row that asks for as many."""
        most = min(QUICK_TEST, most or QUICK_TEST) if self.quick else most
        return random.Random(0).sample(list(messages), most) if 0 < most < len(messages) else list(messages)

    def services(self, row: Row, language: Language) -> BenchServices:
        for model in row.settings.values():
            if not (self.models / model / "model").is_dir():
                raise Missing(
                    f'the model {model} is not there: make bench-tuning ARGS="--data DIR --only {model}" first'
                )
        folder = self.work / "learned" / row.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return BenchServices(folder, self.catalog, self.kept, language=language, models=self.models)

    async def settings(self, row: Row, examples: Sequence[Message], language: Language) -> dict[str, Any]:
        """The row's understander's; of tuned models that are made of these examples, if it names none."""
        if row.understander != "tuned" or row.settings:
            return row.settings
        from benchmarks.understanding import tuned_here  # torch, which only these rows need

        every = not row.each and not self.quick
        folder = self.work / "tuned" / (f"{row.name}-quick" if self.quick else row.name)
        made = partial(tuned_here.models, language=language, every=every, data_dir=self.data_dir)
        return {**await asyncio.to_thread(made, folder, examples)}

    async def understander(self, row: Row, domain: DomainFields, language: Language) -> Understander:
        made: Understander = registry.find("understanders", row.understander)(domain, self.services(row, language))
        await made.prepare()
        return made


async def tell(understander: Understander, texts: Sequence[str], advance: Callable[[float], None]) -> list[Told]:
    """What the understander says to texts that no dialogue is around."""
    told: list[Told] = []
    for start in range(0, len(texts), AT_ONCE):
        readings = await understander.read(texts[start : start + AT_ONCE], DialogueState())
        told += map(as_told, readings)
        advance(min(1.0, (start + AT_ONCE) / len(texts)))
    return told


def as_told(reading: Reading) -> Told:
    spans = [Span(one.start, one.end, one.entity) for one in reading.entities]
    if not reading.ranking:
        return Told("", 0.0, spans)
    return Told(reading.ranking[0].name, reading.in_scope * reading.ranking[0].confidence, spans)


def told_by_bm25(examples: Sequence[Message], texts: Sequence[str]) -> list[Told]:
    """The intent of the nearest example; the score is BM25's, which is not a probability."""
    found = bm25.Nearest([message.text for message in examples]).find(texts)
    return [Told(examples[number].intent, score) for number, score in found]


async def answers(
    bench: Bench,
    row: Row,
    known: IntentSet,
    examples: Sequence[Message],
    texts: Sequence[str],
    *,
    outside: Sequence[str] = (),
) -> tuple[list[Told], float | None]:
    """To texts, by the row's understander with these examples; and the threshold that it chose."""
    if row.understander == "bm25":
        return told_by_bm25(examples, texts), None
    settings = await bench.settings(row, examples, known.language)
    domain = domain_of(examples, language=known.language, outside=outside, type=row.understander, **settings)
    understander = await bench.understander(row, domain, known.language)
    assert understander.report is not None
    return await tell(understander, texts, bench.advance), understander.report.threshold
