"""What helps people label: wrong labels, suggestions, weak labels. Vectors and votes are had here, a child computes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.errors import InvalidRequest
from zhuli.learning.datasets.beside import work, work_folder
from zhuli.learning.datasets.examples import text_of
from zhuli.models.catalog import Catalog
from zhuli.ports import BlobStore
from zhuli.store.database import Database
from zhuli.store.learning import conversations, predictions
from zhuli.store.learning import datasets as store
from zhuli.types.learning.dataset import DataSet, LabelNoiseCreate, Suggestion, SuggestionList, WeakLabelsCreate
from zhuli.types.learning.prediction import PredictionCreate, PredictionList

MOST_LABELLED = 20_000
"""Examples that are looked at for wrong labels."""

_LABELLED = 1_000
"""Labelled examples that suggestions are made by, as many of each label as there are, in turn."""

_EMBEDDED_AT_ONCE = 64
_VOTED_AT_ONCE = 256

Predict = Callable[[str, PredictionCreate], Awaitable[PredictionList]]


class Labelling:
    """Made once. Each method gives plain results; InvalidRequest says what can't be told of this data set."""

    def __init__(
        self, database: Database, catalog: Catalog, blobs: BlobStore, predict: Predict, data_dir: Path
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._blobs = blobs
        self._predict = predict
        self._data_dir = data_dir

    async def noise(self, dataset: DataSet, request: LabelNoiseCreate, folder: Path) -> dict[str, Any]:
        """Labels in doubt of the version whose training part is in the folder."""
        _check(dataset)
        lines = (await asyncio.to_thread((folder / "examples.jsonl").read_bytes)).splitlines()
        records = [orjson.loads(line) for line in lines]
        if len(records) > MOST_LABELLED:
            raise InvalidRequest(
                f"The version has {len(records)} training examples; wrong labels are looked for in "
                f"{MOST_LABELLED} at most."
            )
        if any(not isinstance(record.get("label"), str) for record in records):
            raise InvalidRequest("Wrong labels are looked for where each example has one label.")
        texts = [text_of(dataset.task, record) for record in records]
        await self._embed(texts, folder / "vectors.bin", request.embedder)
        return dict(await work(folder, {"do": "noise", "folds": request.folds, "limit": request.limit}))

    async def weak(
        self, project: str, dataset: DataSet, request: WeakLabelsCreate, folder: Path, *, task_id: str
    ) -> dict[str, Any]:
        """What rules and models together say; prepared.tsv in the folder has what is sure, as of this task."""
        _check(dataset)
        texts = (
            list(request.texts) if request.texts is not None else await asyncio.to_thread(_lines, folder / "texts.txt")
        )
        votes = {model: await self._votes(project, model, texts) for model in request.models}
        await asyncio.to_thread((folder / "texts.json").write_bytes, orjson.dumps(texts))
        await asyncio.to_thread((folder / "model_votes.json").write_bytes, orjson.dumps(votes))
        asked = {
            "do": "weak",
            "rules": [rule.model_dump() for rule in request.rules],
            "min_probability": request.min_probability,
            "task_id": task_id,
        }
        return dict(await work(folder, asked))

    async def _votes(self, project: str, model: str, texts: Sequence[str]) -> list[str]:
        found: list[str] = []
        for start in range(0, len(texts), _VOTED_AT_ONCE):
            asked = PredictionCreate(
                model=model, input=list(texts[start : start + _VOTED_AT_ONCE]), top_k=1, store=False
            )
            answer = await self._predict(project, asked)
            if answer.task != "text_classification":
                raise InvalidRequest(f"The model '{model}' gives no labels to texts: its task is {answer.task}.")
            found += [result.output[0]["label"] for result in answer.data]
        return found

    async def suggest(
        self, project: str, dataset: DataSet, *, limit: int, pool: int, model: str | None
    ) -> SuggestionList:
        """Texts of the project's traffic that are most worth a label. pool: newest texts that are looked at."""
        _check(dataset)
        records = await self._labelled(dataset)
        known = {_plain(text_of(dataset.task, record)) for record in records}
        found = await self._pool(project, known, pool=pool, model=model)
        if not found:
            return SuggestionList(data=[], looked_at=0)
        chosen = _in_turn(records)
        async with work_folder(self._data_dir) as folder:
            await self._embed([text for text, _ in found], folder / "pool.bin", None)
            await self._embed([text_of(dataset.task, record) for record in chosen], folder / "labelled.bin", None)
            labels = orjson.dumps([record["label"] for record in chosen])
            await asyncio.to_thread((folder / "labels.json").write_bytes, labels)
            said = await work(folder, {"do": "suggest", "pool": len(found), "most": limit})
        data = [
            Suggestion(
                text=found[one["row"]][0],
                source=found[one["row"]][1],
                uncertainty=round(one["uncertainty"], 4),
                novelty=round(one["novelty"], 4),
                guess=one["guess"],
            )
            for one in said
        ]
        return SuggestionList(data=data, looked_at=len(found))

    async def _labelled(self, dataset: DataSet) -> list[dict[str, Any]]:
        """Examples of the newest version with one label each; none without a version."""
        version = await self._database.run(store.latest_version, dataset.id)
        if version is None:
            return []
        data = bytearray()
        async with aclosing(self._blobs.read(version.training_file)) as pieces:
            async for piece in pieces:
                data += piece
        records = await asyncio.to_thread(lambda: [orjson.loads(line) for line in data.splitlines()])
        return [record for record in records if isinstance(record.get("label"), str)]

    async def _pool(
        self, project: str, known: set[str], *, pool: int, model: str | None
    ) -> list[tuple[str, dict[str, Any]]]:
        """Texts that people sent, newest first, each once, none that is labelled; with where each stands."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for one in await self._database.run(predictions.newest, project, model=model, most=pool):
            text = one.input if isinstance(one.input, str) else (one.input or {}).get("text")
            if isinstance(text, str):
                found.setdefault(_plain(text), (text, {"type": "prediction", "id": one.id}))
        before: int | None = None
        while model is None and len(found) < pool:
            items, before = await self._database.run(
                conversations.understood, project, before=before, most=min(100, pool)
            )
            for item in items:
                found.setdefault(_plain(item.text), (item.text, {"type": "understanding", "id": item.id}))
            if before is None:
                break
        return [entry for key, entry in found.items() if key and key not in known][:pool]

    async def _embed(self, texts: Sequence[str], path: Path, name: str | None) -> None:
        """Write a vector for each text."""
        wanted = name or self._catalog.default_embedder
        entry = self._catalog.resolve_embedder(wanted)
        if entry is None:
            raise self._catalog.embedder_not_found(wanted)
        with await asyncio.to_thread(path.open, "wb") as out:
            for start in range(0, len(texts), _EMBEDDED_AT_ONCE):
                vectors = await entry.embedder.embed(texts[start : start + _EMBEDDED_AT_ONCE], "query")
                out.write(vectors.data)


def _check(dataset: DataSet) -> None:
    if dataset.task != "text_classification":
        raise InvalidRequest(
            f"This is for data sets of text_classification; '{dataset.id}' is of {dataset.task}.", param="dataset_id"
        )


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _lines(path: Path) -> list[str]:
    text = path.read_bytes().decode("utf-8-sig", "replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _in_turn(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """So many of each label as there is room for."""
    by_label: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_label.setdefault(record["label"], []).append(record)

    def rounds() -> Iterator[dict[str, Any]]:
        for turn in range(max(map(len, by_label.values()), default=0)):
            for having in by_label.values():
                if turn < len(having):
                    yield having[turn]

    return [record for record, _ in zip(rounds(), range(_LABELLED), strict=False)]
