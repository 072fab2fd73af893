"""What is read in items: who is named, topic and sentiment, which story it repeats. The models are asked as by /v1/predictions.

So an alias works as everywhere: what was served is noted, drift is seen, and a candidate takes its share.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from zhuli.applications.opinion import counting
from zhuli.applications.opinion.companies import CompanyFinder
from zhuli.applications.opinion.denials import denial, read_again
from zhuli.applications.opinion.duplicates import StoryIndex, signatures
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.store.applications.opinion import Entry, Folded
from zhuli.types.applications.opinion import (
    SENTIMENTS,
    CompanyReading,
    LabelReading,
    Language,
    Mention,
    Models,
    Monitor,
    Reading,
)
from zhuli.types.learning.prediction import PredictionCreate, PredictionList

Predict = Callable[[str, PredictionCreate], Awaitable[PredictionList]]

READ_CHARACTERS = 2_000
"""Of an item, that models read."""

MOST_NAMED = 8
"""Companies of an item whose sentiment is read; those named first."""

_ASKED = 64
"""Inputs of one request: others have their turn between them."""

_SIGNED = 64
"""Texts that are signed without a pause, in a thread."""

_NO_MODELS = Models()


@dataclass(frozen=True, slots=True)
class _Text:
    """An item on its way: what it names, and where its first mentions are."""

    entry: Entry
    text: str
    language: Language
    named: dict[str, list[Mention]]


class _Towards(NamedTuple):
    """What is read towards a company; denied: a model has missed a denial."""

    label: LabelReading | None
    denied: bool


class Reader:
    """Of one monitor as it was made; for another list of companies another one is made."""

    def __init__(self, project: str, monitor: Monitor, predict: Predict, clock: Clock) -> None:
        self._project = project
        self._monitor = monitor
        self._predict = predict
        self._clock = clock
        self._finder = CompanyFinder(monitor.companies)

    async def read(self, entries: Sequence[Entry], index: StoryIndex) -> list[Folded]:
        """What was read in those that still have a text, the last of each item only. index: brought up to the first of them.

        Errors are the predictions', but for a text that a model can't take: then that is not read.
        """
        last = {entry.key: entry for entry in entries if entry.item is not None}
        texts = await asyncio.to_thread(self._texts, list(last.values()))
        stories = await self._stories(texts, index)
        topics, sentiments, companies = await asyncio.gather(
            self._labels(texts, "topic"), self._labels(texts, "sentiment"), self._company_labels(texts)
        )
        now = int(self._clock.now())
        folded = []
        for place, (text, (story, signature)) in enumerate(zip(texts, stories, strict=True)):
            assert text.entry.item is not None
            reading = Reading(
                revision=text.entry.revision,
                language=text.language,
                topic=topics[place],
                sentiment=sentiments[place],
                companies=_of_companies(text, companies.get(place, {}), sentiments[place]),
                story=story,
                read_at=now,
            )
            folded.append(Folded(text.entry, reading, counting.counts(text.entry.item, reading), signature))
        return folded

    def _texts(self, entries: Sequence[Entry]) -> list[_Text]:
        found = []
        for entry in entries:
            assert entry.item is not None
            text = entry.item.whole
            found.append(_Text(entry, text, counting.language_of(entry.item), self._finder.find(text)))
        return found

    async def _stories(self, texts: Sequence[_Text], index: StoryIndex) -> list[tuple[str | None, bytes]]:
        found: list[tuple[str | None, bytes]] = []
        for start in range(0, len(texts), _SIGNED):
            found += await asyncio.to_thread(_placed, texts[start : start + _SIGNED], index)
        return found

    def _models(self, language: Language) -> Models:
        return self._monitor.models.get(language, _NO_MODELS)

    async def _labels(self, texts: Sequence[_Text], which: str) -> list[LabelReading | None]:
        """What the models for `which` say to each text."""
        said: list[LabelReading | None] = [None] * len(texts)
        for language in self._monitor.models:
            model = getattr(self._models(language), which)
            places = [place for place, text in enumerate(texts) if text.language == language]
            if model is None or not places:
                continue
            inputs = [texts[place].text[:READ_CHARACTERS] for place in places]
            for place, label in zip(places, await self._ask(model, inputs), strict=True):
                said[place] = label
        return said

    async def _company_labels(self, texts: Sequence[_Text]) -> dict[int, dict[str, _Towards]]:
        """By place of the text and company; without those that no model reads."""
        found: dict[int, dict[str, _Towards]] = {}
        for language in self._monitor.models:
            model = self._models(language).company_sentiment
            if model is None:
                continue
            asked = [
                (place, company, mentions[0])
                for place, text in enumerate(texts)
                if text.language == language
                for company, mentions in list(text.named.items())[:MOST_NAMED]
                if mentions[0].end <= READ_CHARACTERS
            ]
            denials = [denial(texts[place].text[:READ_CHARACTERS], mention) for place, _, mention in asked]
            inputs = [company_input(texts[place].text, mention) for place, _, mention in asked]
            again = [one for one in denials if one is not None]
            inputs += [company_input(one.affirmed, one.affirmed_at) for one in again]
            inputs += [company_input(one.without, one.without_at) for one in again]
            said = await self._ask(model, inputs)
            more = iter(zip(said[len(asked) : len(asked) + len(again)], said[len(asked) + len(again) :], strict=True))
            for (place, company, _), label, denied in zip(asked, said, denials, strict=False):
                both = next(more) if denied is not None else (None, None)
                told = label if label is None else read_again(label, *both)
                found.setdefault(place, {})[company] = _Towards(told, told is not label)
        return found

    async def _ask(self, model: str, inputs: Sequence[Any]) -> list[LabelReading | None]:
        said: list[LabelReading | None] = []
        for start in range(0, len(inputs), _ASKED):
            said += await self._ask_some(model, list(inputs[start : start + _ASKED]))
        return said

    async def _ask_some(self, model: str, inputs: list[Any]) -> list[LabelReading | None]:
        try:
            answer = await self._predict(
                self._project, PredictionCreate(model=model, input=inputs, top_k=1, store=False)
            )
        except InvalidRequest as error:
            if not (error.param or "").startswith("input"):
                raise
            if len(inputs) == 1:
                return [None]
            return [label for one in inputs for label in await self._ask_some(model, [one])]
        return [
            LabelReading(label=result.output[0]["label"], score=result.output[0]["score"], model=answer.model)
            for result in answer.data
        ]


def company_input(text: str, mention: Mention) -> dict[str, Any]:
    """A company in a text, as relation_extraction reads it: as head and tail."""
    place = {"start": mention.start, "end": mention.end}
    return {"text": text[:READ_CHARACTERS], "head": place, "tail": place}


def _placed(texts: Sequence[_Text], index: StoryIndex) -> list[tuple[str | None, bytes]]:
    """The story of each and its signature; new stories are remembered."""
    found: list[tuple[str | None, bytes]] = []
    for text, signature in zip(texts, signatures([text.text for text in texts]), strict=True):
        key = text.entry.key
        index.drop(key)
        story = index.story_of(key, signature)
        if story is None:
            index.add(key, signature)
        found.append((story, signature))
    return found


def _of_companies(text: _Text, labels: dict[str, _Towards], whole: LabelReading | None) -> list[CompanyReading]:
    """Where no model reads companies, the only one named has the text's sentiment, and several have none."""
    found = []
    for company, mentions in text.named.items():
        label, denied = labels.get(company, _Towards(None, False))
        if company not in labels and not labels and len(text.named) == 1:
            label = whole
        known = label is not None and label.label in SENTIMENTS
        found.append(
            CompanyReading(
                company=company,
                mentions=mentions[:100],
                label=label.label if label is not None and known else None,
                score=label.score if label is not None and known else None,
                model=label.model if label is not None and known else None,
                denied=denied,
            )
        )
    return found
