"""A candidate's way, a step a job: tuned, gated, signed, in the shadow, on a share, on all; or back. Any line may be the last.

Each step reads where the candidate stands, finds out what it must know, and decides in one transaction (store.retuning);
what was found out and not decided is found out again. The fine-tuning job is found by its metadata, should the process have died
between making it and saying so.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import orjson

from zhuli.core import sticky
from zhuli.core.clock import Clock
from zhuli.core.errors import LeaseLost, ZhuliError
from zhuli.core.ids import new_id
from zhuli.learning.jobs.commands import TuningCommands
from zhuli.learning.predicting.asking import EXPLAINED, WRITING
from zhuli.learning.retuning import gating, judging, sentences
from zhuli.learning.retuning.evaluating import Labelled, RecordAnswers
from zhuli.learning.retuning.judging import Fault
from zhuli.learning.retuning.serving import Serving
from zhuli.models.catalog import Catalog
from zhuli.safety.audits.asking import language_for
from zhuli.store.database import Database
from zhuli.store.jobs import Job
from zhuli.store.learning import fine_tuning, retuning, served, served_runs, tuned_models
from zhuli.store.learning.served import Served, Votes
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.types.learning.comparison import AuditGap, Reason, Said
from zhuli.types.learning.fine_tuning import FineTuningJobCreate, Tuning
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.retuning import Candidate, Decision, GateTerms, Kind, Policy
from zhuli.types.safety.audit import AuditTerms

log = logging.getLogger(__name__)

MADE_FOR = "retuning_candidate"
"""In the metadata of a fine-tuning job: the candidate that it makes."""

SHOWN = 3
"""Records that changed for the better, and as many for the worse, that a decision of the gate shows."""

NEAREST = 3
"""Training examples that are shown of each."""

LONGEST_TEXT = 1_000

COMPARED = 2_000
"""Answers of each model, the newest, that are held against each other."""


class Steps:
    """The handler of retune jobs; it has no child, and each of its steps can be done again."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        clock: Clock,
        tunings: TuningCommands,
        evaluating: RecordAnswers,
        serving: Serving,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._tunings = tunings
        self._evaluating = evaluating
        self._serving = serving

    async def handle(self, job: Job) -> None:
        """Take the candidate on as far as one decision."""
        with suppress(LeaseLost):  # whoever has it now goes on
            found = await self._database.run(retuning.stored, job.key)
            if found is None:
                return
            step = _Step(self, job, found.project, found.candidate)
            try:
                decided = await step.take(
                    await self._database.run(retuning.policy, found.project, found.candidate.alias)
                )
            except ZhuliError as error:
                if error.status >= 500:
                    raise
                await step.decide("failed", sentences.failed(error.message))
                return
            if not decided:
                await self._database.run(retuning.rest, job)

    async def give_up(self, job: Job, message: str) -> None:
        """The candidate has failed; a model that it served with is withdrawn."""
        with suppress(LeaseLost):
            found = await self._database.run(retuning.stored, job.key)
            if found is not None:
                await _Step(self, job, found.project, found.candidate).withdraw("failed", sentences.failed(message))

    async def stopped(self, keys: Sequence[str]) -> list[str]:
        """A step is short: none is stopped."""
        return []

    def interrupt(self, key: str) -> None:
        """The same."""


class _Step:
    """One job: a candidate as it was seen, and what is decided of it."""

    def __init__(self, steps: Steps, job: Job, project: str, candidate: Candidate) -> None:
        self._with = steps
        self._job = job
        self._project = project
        self._seen = candidate
        self._database = steps._database

    async def take(self, policy: Policy) -> bool:
        """Whether something was decided."""
        match self._seen.status:
            case "tuning":
                return await self._tune(policy)
            case "gating":
                return await self._gate(policy)
            case "ready":
                return await self._next_stage(policy)
            case "shadow" | "share" | "all":
                return await self._judge(policy)
        return False

    async def decide(
        self,
        kind: Kind,
        sentence: Said,
        numbers: dict[str, Any] | None = None,
        *,
        leads_to: str | None = None,
        back: bool = False,
        **changes: Any,
    ) -> bool:
        """Write it down, and what follows from it."""
        now = self._with._clock.now()
        decision = Decision(
            id=new_id("dec"),
            alias=self._seen.alias,
            candidate=self._seen.id,
            kind=kind,
            by="policy",
            created_at=int(now),
            sentence=sentence,
            numbers=numbers or {},
            changes=changes,
        )
        run = self._database.run
        await run(
            retuning.advance,
            self._project,
            self._seen,
            decision,
            now=now,
            leads_to=leads_to,
            back=back,
            job=self._job,
        )
        await run(self._with._catalog.tuned.read)
        log.info("Alias '%s': %s", self._seen.alias, sentence.en)
        return True

    async def withdraw(self, kind: Kind, sentence: Said, numbers: dict[str, Any] | None = None) -> bool:
        """End the candidate; if it serves all, the alias leads to the champion again."""
        seen = self._seen
        current = (await self._database.run(tuned_models.aliases)).get((self._project, seen.alias))
        back = seen.champion if seen.status == "all" and current == seen.model else None
        return await self.decide(kind, sentence, numbers, leads_to=back, back=back is not None)

    async def _tune(self, policy: Policy) -> bool:
        seen = self._seen
        if seen.model is not None:
            return await self.decide("tuned", sentences.tuned(seen.model))
        if seen.fine_tuning_job is None:
            job = await self._database.run(_job_for, self._project, seen.id) or await self._new_job(policy)
            return await self.decide("tuning_started", sentences.tuning_started(job), fine_tuning_job=job)
        made = await self._database.run(fine_tuning.get, self._project, seen.fine_tuning_job)
        if made.status in ("failed", "cancelled"):
            why = made.error.message if made.error else f"the fine-tuning job was {made.status}."
            return await self.decide("failed", sentences.failed(why))
        if made.status != "succeeded" or made.fine_tuned_model is None:
            return False
        numbers = {"report": made.report or {}}
        return await self.decide("tuned", sentences.tuned(made.fine_tuned_model), numbers, model=made.fine_tuned_model)

    async def _new_job(self, policy: Policy) -> str:
        seen = self._seen
        champion = self._model(seen.champion)
        base = seen.champion if policy.from_champion else policy.model or (champion.base if champion else None)
        body = FineTuningJobCreate(
            model=base or "",
            training_file=seen.training_file or "",
            validation_file=seen.validation_file,
            suffix=seen.alias[:40],
            task=champion.task if champion and champion.task else "auto",
            metadata={MADE_FOR: seen.id},
            tuning=Tuning(hyperparameters=policy.hyperparameters or Hyperparameters()),
        )
        return (await self._with._tunings.create(self._project, body)).id

    async def _gate(self, policy: Policy) -> bool:
        seen, asking = self._seen, self._with._evaluating
        champion, candidate = self._model(seen.champion), self._model(seen.model)
        if candidate is None:
            return await self.decide("failed", sentences.failed(f"the model '{seen.model}' is gone."))
        if champion is None or seen.validation_file is None:
            why = "there is no champion, or no held-out part, to hold it against."
            return await self.decide("failed", sentences.failed(why))
        if candidate.chat is not None and policy.sign:  # no numbers say whether: a person does
            return await self.decide("passed", sentences.to_be_signed(candidate.name), status="signing")
        if candidate.task in WRITING:
            why = f"answers of {candidate.task} can't be judged record by record; compare the two with /v1/evals."
            return await self.decide("failed", sentences.failed(why))
        held_out = await self._both(champion, candidate, await asking.records(seen.validation_file))
        fixed: tuple[list[gating.Answered], list[gating.Answered]] = [], []
        if policy.gate.regression_file is not None:
            fixed = await self._both(champion, candidate, await asking.records(policy.gate.regression_file))
        new = await self._new_records(champion)
        odd = await self._contradictions(policy.gate, champion, new, fixed[0] or held_out[0])
        report, gaps = await self._audited(policy.gate.audit, candidate)
        verdict = await asyncio.to_thread(gating.verdict, policy.gate, held_out, fixed, odd, gaps)
        numbers = {
            "verdict": verdict.model_dump(),
            "new_examples": len(new),
            "changed": await self._changed(
                candidate, [[*old, *more] for old, more in zip(held_out, fixed, strict=True)]
            ),
            "audit": report,
        }
        failed = [reason.sentence for reason in verdict.reasons if not reason.passed]
        said = Said(
            en=" ".join([verdict.sentence.en, *(each.en for each in failed[:5])]),
            zh="".join([verdict.sentence.zh, *(each.zh for each in failed[:5])]),
        )
        if not verdict.passed:
            return await self.decide("refused", said, numbers)
        if policy.sign:
            return await self.decide("passed", said, numbers, status="signing")
        return await self.decide("passed", said, numbers)

    async def _both(
        self, champion: TunedModel, candidate: TunedModel, records: Sequence[Labelled]
    ) -> tuple[list[gating.Answered], list[gating.Answered]]:
        asking = self._with._evaluating
        return await asking.answers(champion, records), await asking.answers(candidate, records)

    async def _contradictions(
        self, terms: GateTerms, champion: TunedModel, new: Sequence[Labelled], held_out: Sequence[gating.Answered]
    ) -> list[Reason]:
        """Of classifiers with one label a text; elsewhere nothing is asked."""
        if champion.task != "text_classification":
            return []
        asking = self._with._evaluating
        known = await asking.known(champion)
        said = [each for each in await asking.answers(champion, new) if len(each.labels) == 1]
        return gating.contradictions(said, held_out, known, terms)

    async def _audited(
        self, terms: AuditTerms | None, candidate: TunedModel
    ) -> tuple[dict[str, Any] | None, list[AuditGap]]:
        """The audit that the gate asks for: its report without the rates, which are many, and what is held against bounds."""
        if terms is None or terms.bounds is None:
            return None, []
        from zhuli.safety.audits import auditing  # numpy, which a server starts without

        predict = partial(self._with._evaluating.labels, candidate)
        report = await auditing.asked(predict, terms, language_for(terms))
        shown = report.model_dump(exclude={"axes": {"__all__": {"rates"}}})
        return shown, auditing.gaps(report, terms.bounds)

    async def _changed(
        self, candidate: TunedModel, answers: Sequence[Sequence[gating.Answered]]
    ) -> list[dict[str, Any]]:
        """Some records that the two judge otherwise, with the training examples that the candidate takes for most like each."""
        asking = self._with._evaluating
        explains = candidate.task in EXPLAINED
        return [
            {
                "text": old.text[:LONGEST_TEXT],
                "labels": list(old.labels),
                "champion": {"said": old.said, "score": old.score, "right": old.right},
                "candidate": {"said": new.said, "score": new.score, "right": new.right},
                "nearest_examples": (await asking.alike(candidate, old.text))[:NEAREST] if explains else [],
            }
            for old, new in gating.changed(answers[0], answers[1], most=SHOWN)
        ]

    async def _new_records(self, champion: TunedModel) -> list[Labelled]:
        """What the candidate was taught and the champion was not; all of it where nobody knows what that was taught."""
        if self._seen.training_file is None:
            return []
        taught = await self._with._evaluating.records(self._seen.training_file)
        if champion.job is None:
            return taught
        before: set[bytes] = set()
        with suppress(ZhuliError):  # its file may have been deleted
            record = await self._database.run(fine_tuning.get, self._project, champion.job)
            before = set(map(_canonical, await self._with._evaluating.records(record.training_file)))
        return [each for each in taught if _canonical(each) not in before]

    async def _next_stage(self, policy: Policy) -> bool:
        """The first that the policy has: shadow, share, all."""
        seen, stages = self._seen, policy.stages
        if await self._moved_by_hand():
            return await self.decide("failed", sentences.failed("the alias was moved by hand meanwhile."))
        assert seen.model is not None
        since = await self._database.run(served.newest, self._project, seen.alias)
        if seen.status == "ready" and stages.shadow_requests and not self._talks():
            return await self.decide("shadowed", sentences.shadowed(seen.model, stages.shadow_requests), since=since)
        if seen.status in ("ready", "shadow") and stages.share_requests and stages.share:
            said = sentences.shared(seen.model, stages.share)
            return await self.decide("shared", said, await self._numbers(policy), share=stages.share, since=since)
        said = sentences.promoted(seen.model, seen.champion)
        return await self.decide("promoted", said, await self._numbers(policy), leads_to=seen.model, since=since)

    async def _judge(self, policy: Policy) -> bool:
        seen = self._seen
        if await self._moved_by_hand():
            return await self.decide("failed", sentences.failed("the alias was moved by hand meanwhile."))
        faults, numbers = await self._compared(policy)
        if faults:
            why = Said(
                en=" ".join(each.sentence.en for each in faults), zh="".join(each.sentence.zh for each in faults)
            )
            return await self.withdraw("rolled_back", sentences.rolled_back(seen.model, seen.champion, why), numbers)
        stages = policy.stages
        wanted = {"shadow": stages.shadow_requests, "share": stages.share_requests, "all": policy.watch.requests}
        if numbers["candidate"]["requests"] < wanted[seen.status]:
            return False
        if seen.status == "all":
            said = sentences.settled(seen.model or "", numbers["candidate"]["requests"])
            return await self.decide("settled", said, numbers)
        return await self._next_stage(policy)

    async def _moved_by_hand(self) -> bool:
        seen = self._seen
        leads = (await self._database.run(tuned_models.aliases)).get((self._project, seen.alias))
        return leads != (seen.model if seen.status == "all" else seen.champion)

    async def _numbers(self, policy: Policy) -> dict[str, Any]:
        return (await self._compared(policy))[1] if self._seen.status != "ready" else {}

    async def _compared(self, policy: Policy) -> tuple[list[Fault], dict[str, Any]]:
        await self._with._serving.flush()
        if self._talks():
            return await self._compared_by_runs(policy)
        seen, run = self._seen, self._database.run
        new = await run(served.lately, self._project, seen.alias, seen.model or "", after=seen.since, most=COMPARED)
        old = await run(served.lately, self._project, seen.alias, seen.champion or "", after=0, most=COMPARED)
        votes = await run(served.votes, self._project, seen.champion or "", seen.model or "")
        return _judged(old, new, votes, policy)

    async def _compared_by_runs(self, policy: Policy) -> tuple[list[Fault], dict[str, Any]]:
        """Of a model for chats: runs of the stage that the candidate answered; those before it, and of other threads."""
        seen, run = self._seen, self._database.run
        decided = await run(retuning.decisions_of, seen.id)
        begun = max((one.created_at for one in decided if one.kind in ("shared", "promoted")), default=seen.created_at)
        found = await run(served_runs.lately, self._project, seen.alias, most=COMPARED)
        new = [one for one in found if one.at > begun and self._answered(one.thread)]
        old = [one for one in found if one.at <= begun or not self._answered(one.thread)]
        votes = [await run(served_runs.votes, self._project, [one.id for one in each]) for each in (old, new)]
        kept = [
            [
                Served(self._project, seen.alias, name or "", "champion", one.at, one.seconds, error=one.error)
                for one in each
            ]
            for each, name in ((old, seen.champion), (new, seen.model))
        ]
        return _judged(kept[0], kept[1], (votes[0], votes[1]), policy)

    def _answered(self, thread: str) -> bool:
        """Whether the candidate answers the thread at this stage."""
        seen = self._seen
        return seen.status == "all" or sticky.takes_part(thread, seen.id, seen.share)

    def _talks(self) -> bool:
        """Whether the candidate answers chats, of which runs tell, and predictions do not."""
        model = self._model(self._seen.model)
        return model is not None and model.chat is not None

    def _model(self, name: str | None) -> TunedModel | None:
        return None if name is None else self._with._catalog.tuned.models.get(name)


def _judged(
    old: Sequence[Served], new: Sequence[Served], votes: tuple[Votes, Votes], policy: Policy
) -> tuple[list[Fault], dict[str, Any]]:
    """What is worse of the candidate, and the numbers of both for the decision's row."""
    faults = judging.faults(old, new, votes, policy.watch)
    numbers = {
        "champion": judging.summary(old, votes[0]),
        "candidate": judging.summary(new, votes[1]),
        "faults": [{"metric": each.metric, "champion": each.champion, "candidate": each.candidate} for each in faults],
    }
    return faults, numbers


def _canonical(record: Labelled) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def _job_for(connection: Any, project: str, candidate: str) -> str | None:
    """The fine-tuning job that was made for the candidate."""
    found = fine_tuning.page(connection, project, limit=1, after=None, metadata={MADE_FOR: candidate})
    return found.data[0].id if found.data else None
