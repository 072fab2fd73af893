"""The way from a project's request for predictions to the answers: finds the model, checks what is asked, asks it.

The route of /v1/predictions and understanders that use tuned models go this same way.
"""

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest
from zhuli.core.ids import new_id
from zhuli.core.model_calls import ModelCalls
from zhuli.core.origin import origin
from zhuli.core.tokens import sevenths
from zhuli.learning.predicting import asking
from zhuli.learning.predicting.in_service import InService, served_to
from zhuli.metering.meter import Meter
from zhuli.models.catalog import Catalog
from zhuli.store.database import Database
from zhuli.store.learning import predictions
from zhuli.store.learning.predictions import StoredPrediction
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.types.learning.prediction import PredictionCreate, PredictionList, PredictionResult, PredictionUsage
from zhuli.types.models.generation import Usage


class Answering:
    """Answers requests for predictions, those of POST /v1/predictions and of understanders. Made once."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        service: InService,
        clock: Clock,
        meter: Meter,
        calls: ModelCalls,
        *,
        stores: bool = False,
    ) -> None:
        """stores: whether predictions are kept of which the request does not say it."""
        self._clock = clock
        self._stores = stores
        self._database = database
        self._catalog = catalog
        self._meter = meter
        self._calls = calls
        self._service = service

    async def answer(self, project: str, body: PredictionCreate) -> PredictionList:
        """The answers to `body`'s inputs, in order; errors say what is wrong with the model's name or the inputs."""
        inputs = asking.inputs_of(body.input)
        with served_to(body, shared=(project, body.model) in self._catalog.tuned.stages):
            model = await self._model(project, body.model)
        task = asking.check(model, body)
        ids = [new_id("pred") for _ in inputs]
        read = -(-sum(sevenths(str(given)) for given in inputs.values()) // 7)
        taken = await self._meter.take(origin.get(), "tokens", read, least=read)
        with self._calls.call("prediction", model.name, "zhuli") as call:
            call.given(len(inputs))
            model, answers = await self._service.answers(project, model, inputs, ids, body)
            call.used(sum(answer.tokens for answer in answers), 0)
        results = [
            PredictionResult(
                id=id_,
                index=index,
                output=asking.best(answer.output, body.top_k),
                explanation=answer.explanation,
            )
            for index, (id_, answer) in enumerate(zip(ids, answers, strict=True))
        ]
        if self._stores if body.store is None else body.store:
            kept = [
                StoredPrediction(
                    id=result.id,
                    created_at=int(self._clock.now()),
                    model=model.name,
                    task=task,
                    input=given,
                    output=result.output,
                )
                for result, given in zip(results, inputs.values(), strict=True)
            ]
            await self._database.run(predictions.add, project, kept, user=body.user)
        tokens = sum(answer.tokens for answer in answers)
        taken.settle(tokens)
        self._meter.counting.add(origin.get(), "predictions", model.name, Usage(tokens, 0))
        usage = PredictionUsage(prompt_tokens=tokens, total_tokens=tokens)
        return PredictionList(model=body.model, task=task, data=results, usage=usage)

    async def _model(self, project: str, name: str) -> TunedModel:
        """The project's tuned model, also of an alias; what is wrong with a name that leads to none."""
        catalog = self._catalog
        if found := catalog.tuned.model(name, project):
            return found
        await self._database.run(catalog.tuned.read)  # another process may just have made it
        if found := catalog.tuned.model(name, project):
            return found
        if catalog.resolve(name, project):
            raise asking.for_chat(name)
        if catalog.resolve_embedder(name):
            raise InvalidRequest(f"The model '{name}' embeds: ask it by POST /v1/embeddings.", param="model")
        raise catalog.not_found(name, project)
