"""What a client can do to evals and their runs: create, modify, cancel, delete. Each is one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.core.ids import new_id
from zhuli.learning.evals import asking, item_schema
from zhuli.learning.evals.sources import Sources
from zhuli.learning.evals.targets import Targets
from zhuli.store.database import Database
from zhuli.store.learning import eval_runs, evals
from zhuli.store.learning.eval_runs import StoredRun
from zhuli.types.learning.eval_runs import CriterionCounts, EvalRunCreate, EvalRunRecord, ResultCounts
from zhuli.types.learning.eval_sources import CompletionsSource, FileContent, ResponsesSource
from zhuli.types.learning.evals import CustomConfigCreate, Eval, EvalCreate, EvalModify, shown_config


@dataclass(frozen=True, slots=True)
class EvalCommands:
    """Each method gives the object as it is after the command."""

    database: Database
    targets: Targets
    sources: Sources
    clock: Clock

    async def create(self, project: str, body: EvalCreate) -> Eval:
        """A new eval. InvalidRequest and NotFound name the parameter."""
        config = body.data_source_config
        if isinstance(config, CustomConfigCreate):
            item_schema.validator(config.item_schema)
        asking.check_criteria(body.testing_criteria)
        for param, model in asking.judges_of(body.testing_criteria):
            await self._check_judge(project, model, param)
        made = Eval(
            id=new_id("eval"),
            name=body.name or "",
            data_source_config=shown_config(config),
            testing_criteria=body.testing_criteria,
            created_at=self._now(),
            updated_at=self._now(),
            metadata=dict(body.metadata or {}),
        )
        await self.database.run(evals.create, project, made)
        return made

    async def _check_judge(self, project: str, model: str, param: str) -> None:
        try:
            await self.targets.entry(project, model)
        except (InvalidRequest, NotFound) as error:
            raise type(error)(error.message, param=param, code=error.code) from None

    async def modify(self, project: str, eval_id: str, body: EvalModify) -> Eval:
        """A new name, new metadata, or both."""
        metadata: Mapping[str, str] | None = body.metadata
        return await self.database.run(
            evals.modify, project, eval_id, name=body.name, metadata=metadata, now=self._now()
        )

    async def create_run(self, project: str, eval_id: str, body: EvalRunCreate) -> StoredRun:
        """A new run, which a worker does soon. InvalidRequest and NotFound name the parameter."""
        of = await self.database.run(evals.get, project, eval_id)
        source = body.data_source
        asking.check_source(of, source)
        assert not isinstance(source, ResponsesSource)
        model = source.model if isinstance(source, CompletionsSource) else None
        if model is not None:
            await self._check_target(project, model)
        await self.sources.check(project, of, source)
        run_id = new_id("evalrun")
        record = EvalRunRecord(
            id=run_id,
            eval_id=eval_id,
            status="queued",
            model=model or "",
            name=body.name or "",
            created_at=self._now(),
            report_url=f"/v1/evals/{eval_id}/runs/{run_id}/report",
            result_counts=_expected(source.source),
            per_model_usage=[],
            per_testing_criteria_results=[CriterionCounts(testing_criteria=each.name) for each in of.testing_criteria],
            metadata=dict(body.metadata or {}),
        )
        given = source.model_dump_json()
        await self.database.run(eval_runs.create, project, record, given)
        return StoredRun(record, project, given)

    async def _check_target(self, project: str, model: str) -> None:
        try:
            await self.targets.check(project, model)
        except (InvalidRequest, NotFound) as error:
            raise type(error)(error.message, param="data_source.model", code=error.code) from None

    async def cancel_run(self, project: str, eval_id: str, run_id: str) -> StoredRun:
        """End the run; InvalidRequest if it has ended."""
        return await self.database.run(eval_runs.cancel, project, eval_id, run_id, now=self._now())

    def _now(self) -> int:
        return int(self.clock.now())


def _expected(source: object) -> ResultCounts:
    """Items that are known before they are read."""
    return ResultCounts(total=len(source.content) if isinstance(source, FileContent) else 0)
