"""Evaluating a desk: dialogues that were held out are replayed through its domain, as runs would do it, without model and thread.

Each matter is asked as the next message of its dialogue's thread, of whose state nothing is kept but what the matter before was
about: what a form asked, or who handed over, is another story. What is told is what the published version does, not what a newer
set of proposals would.
"""

import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from zhuli.applications.support import child_folder, vectors
from zhuli.applications.support.handing_over import reason_of
from zhuli.applications.support.handler import Progress, ended
from zhuli.applications.support.outcome import Outcome
from zhuli.applications.support.published import accepted, answers_of
from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.learning.datasets.beside import work, work_folder
from zhuli.models.catalog import Catalog
from zhuli.store.applications import support as store
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.types.applications.support import Desk, EvaluationCreate, SupportTask
from zhuli.types.understanding.domain import OUT_OF_SCOPE, Domain
from zhuli.types.understanding.understanding import DialogueState, Understanding
from zhuli.understanding.dialogue.state import fold
from zhuli.understanding.dialogue.understanding import Understandings
from zhuli.understanding.domains.saving import Domains

_READ = 200
_ASKS = ("ask", "confirm", "clarify")
_SEARCHES = ("search", "talk")


@dataclass
class Evaluating:
    """Implements handler.Does."""

    database: Database
    catalog: Catalog
    clock: Clock
    data_dir: Path
    domains: Domains
    understandings: Understandings

    async def do(self, job: Job, project: str, desk: Desk, task: SupportTask) -> None:
        """Replay, count, and end the task with the report."""
        request = EvaluationCreate.model_validate(task.request)
        if desk.published is None:
            raise InvalidRequest(
                "The desk has nothing published yet, so there is nothing to evaluate. Publish it first."
            )
        dialogues = await self._held_out(desk, most=request.most)
        if not dialogues:
            raise InvalidRequest(
                "No matter is held out: of few dialogues, a share of 0.2 may be none. Import more, with a larger 'held_out'; "
                "dialogues that are learned from say nothing about others, and stay what they are."
            )
        domain = await self.domains.get(project, desk.published.domain)
        progress = Progress(self.database, job, task)
        began, matters = time.monotonic(), list[dict[str, Any]]()
        pairs = [pair for dialogue in dialogues for pair in dialogue]
        for dialogue in dialogues:
            state = DialogueState()
            for pair in dialogue:
                made = await self.understandings.understand(project, domain, pair["question"], state)
                matters.append(_matter(desk, domain, made))
                state = DialogueState(turn=state.turn + 1, intent=fold(made.changes, state).intent)
                await progress.note("replayed", len(matters))
        seconds = time.monotonic() - began
        result = await self._report(desk, domain, pairs, matters, request, seconds=seconds)
        result |= {"version": desk.published.version, "domain_version": desk.published.domain_version}
        await self.database.run(store.end, job, ended(task, self.clock, result=result))

    async def _held_out(self, desk: Desk, *, most: int) -> list[list[dict[str, Any]]]:
        """The matters of each dialogue, so many in all."""
        after, left, found = 0, most, list[list[dict[str, Any]]]()
        while left:
            rows = await self.database.run(store.dialogues, desk.id, after=after, most=_READ, held_out=True)
            if not rows:
                break
            after = rows[-1][0]
            for row in rows:
                some = orjson.loads(row[3])["pairs"][:left]
                left -= len(some)
                if some:
                    found.append(some)
        return found

    async def _report(
        self,
        desk: Desk,
        domain: Domain,
        pairs: list[dict[str, Any]],
        matters: list[dict[str, Any]],
        request: EvaluationCreate,
        *,
        seconds: float,
    ) -> dict[str, Any]:
        entry = vectors.embedder_of(self.catalog, desk)
        templates = sorted(set(answers_of(domain).values()))
        labelled = await self._labelled(desk, templates)
        texts = [_text(domain, name) for name in templates]

        async def told(count: int) -> None:
            """Vectors take no time beside the replay."""

        async with work_folder(self.data_dir) as folder:
            for name, some in (
                (child_folder.QUESTIONS, [pair["question"] for pair in pairs]),
                (child_folder.ANSWERS, [pair["answer"] for pair in pairs]),
                (child_folder.KNOWN, texts),
            ):
                await vectors.write(entry, some, folder / name, told)
            truths = [None if one.get("label") is None else labelled.get(one["label"], "") for one in pairs]
            given = {"matters": matters, "templates": templates, "texts": texts, "truths": truths}
            await asyncio.to_thread((folder / child_folder.PAIRS).write_bytes, orjson.dumps(given))
            asked = {"do": "replay", "cost_of_contact": request.cost_of_contact, "seconds": seconds}
            return dict(await work(folder, asked, program=child_folder.PROGRAM))

    async def _labelled(self, desk: Desk, templates: list[str]) -> dict[str, str]:
        """The template of each label of transcripts, where one was published."""
        found = await self.database.run(store.proposals, desk.id)
        return {
            label: one.content.answer
            for one in accepted(found, "intent")
            for label in one.content.labels
            if one.content.answer in templates
        }


def _matter(desk: Desk, domain: Domain, made: Understanding) -> dict[str, Any]:
    """What the child reads of a replayed matter."""
    given = reason_of(desk, made)
    assert made.decision is not None
    act = made.decision.act
    outcome = "handed_over" if given else "asked" if act in _ASKS else "searched" if act in _SEARCHES else "answered"
    of_intent = answers_of(domain)
    ranked = dict.fromkeys(of_intent[one.name] for one in made.ranking if one.name in of_intent)
    score = made.intent
    certainty = 0.0 if score is None else 1 - score.confidence if score.name == OUT_OF_SCOPE else score.confidence
    best = made.ranking[0].name if made.ranking else None
    free = (given is None or given[0] == "unsure") and best in of_intent
    return asdict(Outcome(made.text, outcome, tuple(ranked), certainty, free))


def _text(domain: Domain, name: str) -> str:
    wording = domain.responses[name]
    return wording if isinstance(wording, str) else next(iter(wording.values()))
