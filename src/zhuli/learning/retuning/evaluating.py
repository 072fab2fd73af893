"""What champion and candidate say to labelled records: read from files, asked in the prediction child."""

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import orjson

from zhuli.core.errors import InvalidRequest
from zhuli.learning.predicting.predictor import Predictor
from zhuli.learning.retuning.gating import Answered
from zhuli.models.catalog import Catalog
from zhuli.ports import BlobStore
from zhuli.store.learning.tuned_models import TunedModel

MOST_RECORDS = 20_000
"""Of a file that is read for the gate; a held-out part is rarely larger."""

MOST_BYTES = 64 * 1024 * 1024

_AT_ONCE = 256

Labelled = tuple[str, str]
"""A text and its label."""


class RecordAnswers:
    """Made once, by the wing."""

    def __init__(self, catalog: Catalog, blobs: BlobStore, predictor: Predictor) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._predictor = predictor

    async def records(self, file_id: str) -> list[Labelled]:
        """Texts with one label each, of a JSONL file of text_classification; InvalidRequest where it is none."""
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
        return [_labelled(line, file_id) for line in bytes(content).splitlines() if line.strip()][:MOST_RECORDS]

    async def answers(self, model: TunedModel, records: Sequence[Labelled]) -> list[Answered]:
        """What the model says to each."""
        folder = self._catalog.tuned.data_dir / model.folder
        found: list[Answered] = []
        for start in range(0, len(records), _AT_ONCE):
            part = records[start : start + _AT_ONCE]
            inputs = {f"record {start + place}": text for place, (text, _) in enumerate(part)}
            said = await self._predictor.predict(model.name, folder, inputs)
            for (text, label), answer in zip(part, said, strict=True):
                best: dict[str, Any] = answer.output[0]
                found.append(Answered(text, label, best["label"], best["score"]))
        return found

    async def labels(self, model: TunedModel) -> list[str]:
        """What the model can say."""
        folder = self._catalog.tuned.data_dir / model.folder
        (answer,) = await self._predictor.predict(model.name, folder, {"input": "."})
        return [entry["label"] for entry in answer.output]


def _labelled(line: bytes, file_id: str) -> Labelled:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = None
    text = record.get("text") if isinstance(record, dict) else None
    label = record.get("label") if isinstance(record, dict) else None
    if not isinstance(text, str) or not isinstance(label, str):
        raise InvalidRequest(
            f'The file \'{file_id}\' is not JSON Lines of {{"text", "label"}} with one label each, as a gate needs it.',
            code="invalid_file",
        )
    return text, label
