"""What champion and candidate say to labelled records: read from files, asked and judged in the prediction child."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import orjson

from zhuli.core.errors import InvalidRequest, ZhuliError
from zhuli.learning.predicting.predictor import Predictor
from zhuli.learning.retuning.gating import Answered
from zhuli.models.catalog import Catalog
from zhuli.ports import BlobStore
from zhuli.safety.audits.asking import best
from zhuli.safety.audits.said import Said
from zhuli.store.learning.tuned_models import TunedModel

MOST_RECORDS = 20_000
"""Of a file that is read for the gate; a held-out part is rarely larger."""

MOST_BYTES = 64 * 1024 * 1024

_AT_ONCE = 256

Labelled = dict[str, Any]
"""A record of a data file, as the task reads it."""


class RecordAnswers:
    """Made once, by the wing."""

    def __init__(self, catalog: Catalog, blobs: BlobStore, predictor: Predictor) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._predictor = predictor

    async def records(self, file_id: str) -> list[Labelled]:
        """Objects, one a line; InvalidRequest where the file is no JSON Lines."""
        content = bytearray()
        try:
            async with aclosing(self._blobs.read(file_id)) as pieces:
                async for piece in pieces:
                    content += piece
                    if len(content) > MOST_BYTES:
                        raise InvalidRequest(
                            f"The file '{file_id}' is larger than {MOST_BYTES} bytes; a sample will do."
                        )
        except KeyError:
            raise InvalidRequest(f"No such File object: {file_id}", code="file_not_found") from None
        return [_record(line, file_id) for line in bytes(content).splitlines() if line.strip()][:MOST_RECORDS]

    async def answers(self, model: TunedModel, records: Sequence[Labelled]) -> list[Answered]:
        """What the model says to each, and how right that is; InvalidRequest for what is no labelled record of its task."""
        found: list[Answered] = []
        for start in range(0, len(records), _AT_ONCE):
            part = records[start : start + _AT_ONCE]
            inputs = {f"record {start + place}": record for place, record in enumerate(part)}
            for answer in await self._predictor.predict(model.name, self._folder(model), inputs, judge=True):
                assert answer.judged is not None
                said, score = told(answer.output)
                judged = answer.judged
                found.append(Answered(judged.text, tuple(judged.labels), said, score, judged.part, judged.whole))
        return found

    async def labels(self, model: TunedModel, texts: Sequence[str]) -> list[Said]:
        """The label of each text, by a classifier, as an audit asks."""
        found: list[Said] = []
        for start in range(0, len(texts), _AT_ONCE):
            inputs = {f"text {start + place}": text for place, text in enumerate(texts[start : start + _AT_ONCE])}
            said = await self._predictor.predict(model.name, self._folder(model), inputs)
            found += [best(answer.output) for answer in said]
        return found

    async def known(self, model: TunedModel) -> list[str]:
        """The labels that a classifier can say."""
        (answer,) = await self._predictor.predict(model.name, self._folder(model), {"input": "."})
        return [entry["label"] for entry in answer.output]

    async def alike(self, model: TunedModel, text: str) -> list[dict[str, Any]]:
        """The training examples that the model takes for most like the text, the nearest first; none where it can't say."""
        try:
            (answer,) = await self._predictor.predict(model.name, self._folder(model), {"input": text}, explain=True)
        except ZhuliError:
            return []
        return list((answer.explanation or {}).get("nearest_examples", []))

    def _folder(self, model: TunedModel) -> Any:
        return self._catalog.tuned.data_dir / model.folder


def told(output: Any) -> tuple[str, float]:
    """What was answered in a few words, and how surely: the likeliest label, spans with their kinds, the answer's text."""
    if isinstance(output, dict):
        return str(output.get("answer", "")), float(output.get("score", 1.0))
    if output and "entity_group" in output[0]:
        spans = [f"{entity['word']} ({entity['entity_group']})" for entity in output]
        return ", ".join(spans), min(float(entity["score"]) for entity in output)
    return (str(output[0]["label"]), float(output[0]["score"])) if output else ("", 1.0)


def _record(line: bytes, file_id: str) -> Labelled:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = None
    if not isinstance(record, dict):
        raise InvalidRequest(
            f"The file '{file_id}' is not JSON Lines, an object a line, as a gate needs it.", code="invalid_file"
        )
    return record
