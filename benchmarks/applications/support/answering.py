"""How many questions a published desk may answer by its templates, and how many of these answers are wrong.

    python -m benchmarks.applications.support.answering --data ../shared/data [--choosing] [--unlabelled]

CrossWOZ, through the code that serves: what `val` proposes is accepted where three dialogues have it and becomes a domain, whose
understander reads the questions of `test`, which nothing was chosen on; with --choosing a fifth of the dialogues of `val` is
asked in place of it. --unlabelled: as if the transcripts did not label their answers, so that they are clustered by vectors.

What is right, as it was fixed before the questions of `test` were asked, for the slots that an answer tells (by its dialogue
acts; Inform, Recommend and Select are one):
- exact: the template tells what the real answer told, no slot more and none less. This is what a desk's evaluation counts.
- fair: it tells all that was asked for and was really told, and nothing that was neither asked for nor really told.
"""

import argparse
import asyncio
import hashlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.applications.support.matching import Acts, crosswoz_acts, embedded, is_held, part_of
from zhuli import registry
from zhuli.applications.support.episodes import Pair, pairs
from zhuli.applications.support.lexical import Bm25
from zhuli.applications.support.mining import mine
from zhuli.applications.support.published import Ordering, answers_of, domain_of
from zhuli.core.clock import SystemClock
from zhuli.knowledge.retrieval.indexing.segmentation import words
from zhuli.testing.plain_services import PlainServices
from zhuli.types.applications.support import Content, Desk, Proposal
from zhuli.types.knowledge.vectors import Vectors
from zhuli.types.understanding.domain import Domain
from zhuli.types.understanding.understanding import DialogueState, Reading
from zhuli.understanding.dialogue.utterance.intent_decision import decide_intent

EMBEDDER = "e5-small"
LEAST = 3
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
Slots = frozenset[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--choosing", action="store_true")
    parser.add_argument("--unlabelled", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path("build/support"))
    asked = parser.parse_args()
    asked.cache.mkdir(parents=True, exist_ok=True)
    folder = asked.data / "crosswoz_zh"
    parts = [[pairs(one) for one in part_of(folder / f"{part}.json.zip")] for part in ("val", "test")]
    whole = [one for part in parts for some in part for one in some]
    if asked.choosing:
        split = [is_held(one) for one in part_of(folder / "val.json.zip")]
        parts = [
            [some for some, held in zip(parts[0], split, strict=True) if held == wanted] for wanted in (False, True)
        ]
    if asked.unlabelled:
        parts[0] = [[replace(one, label=None) for one in some] for some in parts[0]]
    began = time.process_time()
    report = asyncio.run(answered(parts[0], parts[1], crosswoz_acts(folder), whole, asked.cache))
    print(json.dumps(report, indent=2, ensure_ascii=False))
    print(f"{time.process_time() - began:.0f} s of processor time")


async def answered(
    known: list[list[Pair]], measured: list[list[Pair]], acts: Acts, whole: list[Pair], cache: Path
) -> dict[str, Any]:
    """Shares of wrong answers, of all questions, where so many are answered, the surest first. whole: what has vectors."""
    services = await Embedded.of(whole, cache)
    learned = [one for some in known for one in some]
    asked, said = services.rows([one.question for one in learned]), services.rows([one.answer for one in learned])
    mined = mine(learned, asked, said, least=LEAST)
    proposals = [_accepted(one) for one in mined.proposals if one["support"] >= LEAST]
    ordering = Ordering(proposals)
    for some in known:
        ordering.count([asdict(one) for one in some])
    desk = Desk(id="desk", created_at=0, name="Travel", languages=["zh"], embedder=EMBEDDER)
    fields = domain_of(desk, proposals, ordering.order)
    domain = Domain.model_validate({**fields.model_dump(), "id": "dom", "created_at": 0, "version": 1})
    understander = registry.find("understanders", domain.understander.type)(domain, services)
    await understander.prepare()
    kept, read = list[Pair](), list[Reading]()
    for some in measured:
        state = DialogueState()
        for one in some:
            (said_of,) = await understander.read([one.question], state)
            decided = decide_intent(said_of, domain.fallback)
            state = DialogueState(turn=state.turn + 1, intent=decided.intent if decided.known else None)
            if _told(acts, one.answer):
                kept.append(one)
                read.append(said_of)
    of_intent = answers_of(domain)
    chosen = [_template(domain, of_intent, one) for one in read]
    sure = np.array(
        [one.in_scope * one.ranking[0].confidence if text else -1.0 for one, text in zip(read, chosen, strict=True)]
    )
    order = np.argsort(-sure, kind="stable")
    report: dict[str, Any] = {
        "learned": len(learned),
        "questions": len(kept),
        "templates": len(set(of_intent.values())),
        "with a template that is likeliest": round(float((sure >= 0).mean()), 4),
        "threshold": understander.report.threshold,
    }
    report["recall"] = _recall(domain, of_intent, acts, kept, read)
    for name, right in (("exact", _exact), ("fair", _fair)):
        held = np.array([bool(text) and right(acts, one, text) for one, text in zip(kept, chosen, strict=True)])
        report[name] = {
            f"{share:.0%} answered": _wrong(held[order[: int(share * len(kept))]], len(kept)) for share in SHARES
        }
    return report


class Embedded(PlainServices):
    """Services whose vectors of the transcripts' texts were made before."""

    def __init__(self, texts: Sequence[str], vectors: Any, cache: Path) -> None:
        super().__init__(Path(tempfile.mkdtemp(prefix="zhuli-answering-")))
        self._place = {text: row for row, text in enumerate(texts)}
        self._vectors = vectors
        self._cache = cache

    @classmethod
    async def of(cls, pairs: Sequence[Pair], cache: Path) -> "Embedded":
        texts = list(dict.fromkeys(text for one in pairs for text in (one.question, one.answer)))
        return cls(texts, await embedded(texts, EMBEDDER, cache), cache)

    def rows(self, texts: Sequence[str]) -> Any:
        return self._vectors[[self._place[text] for text in texts]]

    async def embed(self, embedder: str | None, texts: Sequence[str]) -> Vectors:
        new = [text for text in texts if text not in self._place]
        made = dict(zip(new, await embedded(new, EMBEDDER, self._cache), strict=True)) if new else {}
        rows = np.stack([made[text] if text in made else self._vectors[self._place[text]] for text in texts])
        return Vectors(rows.shape[1], rows.astype("<f4").tobytes())


def _accepted(one: dict[str, Any]) -> Proposal:
    digest = hashlib.sha256(f"{one['kind']} {one['name']}".encode()).hexdigest()[:16]
    return Proposal(
        id=f"prop_{digest}",
        created_at=int(SystemClock().now()),
        desk_id="desk",
        kind=one["kind"],
        name=one["name"],
        status="accepted",
        support=one["support"],
        content=Content.model_validate(one["content"]),
        origin="import",
    )


def _template(domain: Domain, of_intent: dict[str, str], one: Reading) -> str | None:
    """What the desk says where it is sure: None where the likeliest intent leads to no template."""
    name = of_intent.get(one.ranking[0].name) if one.ranking else None
    return None if name is None else str(domain.responses[name])


def _recall(
    domain: Domain, of_intent: dict[str, str], acts: Acts, kept: list[Pair], read: list[Reading]
) -> dict[str, dict[str, float]]:
    """Of questions with a template that tells exactly what was told: how often one is the first, or among five; beside BM25."""
    names = sorted(set(of_intent.values()))
    texts = {name: str(domain.responses[name]) for name in names}
    told = {name: _told(acts, text) for name, text in texts.items()}
    counted, lexical = [Counter(words(texts[name])) for name in names], Bm25(list(texts.values()))
    ranks: dict[str, list[int]] = {"desk": [], "BM25 over templates": []}
    for one, reading in zip(kept, read, strict=True):
        right = {name for name in names if told[name] == _told(acts, one.answer)}
        if not right:
            continue
        desk = list(dict.fromkeys(of_intent[score.name] for score in reading.ranking if score.name in of_intent))
        by_words = [names[place] for place in np.argsort(-lexical.scores(one.question, counted), kind="stable")]
        for way, order in zip(ranks, (desk, by_words), strict=True):
            ranks[way].append(next((place for place, name in enumerate(order) if name in right), len(names)))
    return {
        way: {f"@{most}": round(float(np.mean([rank < most for rank in found])), 4) for most in (1, 5)}
        | {"questions": len(found)}
        for way, found in ranks.items()
    }


def _told(acts: Acts, answer: str) -> Slots:
    found = set()
    for kind, place, slot in (act[:3] for act in acts.get(answer, ())):
        if kind == "NoOffer":
            found.add((place, kind))
        elif slot != "none":
            found.add((place, slot))
    return frozenset(found)


def _asked(acts: Acts, question: str) -> Slots:
    return frozenset((act[1], act[2]) for act in acts.get(question, ()) if act[0] == "Request")


def _exact(acts: Acts, one: Pair, template: str) -> bool:
    return _told(acts, one.answer) == _told(acts, template)


def _fair(acts: Acts, one: Pair, template: str) -> bool:
    real, told, asked = _told(acts, one.answer), _told(acts, template), _asked(acts, one.question)
    return bool(told) and (asked & real or real) <= told <= (real | asked)


def _wrong(held: Any, count: int) -> dict[str, float]:
    """Of all questions, with the half width of its 95 % interval."""
    share = float((~held).sum() / count)
    return {"wrong, of all": round(share, 4), "plus or minus": round(1.96 * (share * (1 - share) / count) ** 0.5, 4)}


if __name__ == "__main__":
    main()
