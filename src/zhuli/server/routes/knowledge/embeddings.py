"""/v1/embeddings: texts to vectors, by the embedders of the models file."""

import asyncio
import base64
import math
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from zhuli.core.errors import InvalidRequest
from zhuli.core.origin import origin
from zhuli.knowledge.retrieval.searching import token_input
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import TheActor, TheApp
from zhuli.types.knowledge.embedding import EmbeddingList, EmbeddingRequest
from zhuli.types.knowledge.vectors import Vectors
from zhuli.types.models.generation import Usage

MOST_TOKENS = 8_192
"""In one text, as for the original's models. Embedders read longer ones in windows, or cut them off."""

MOST_TOKENS_IN_ALL = 300_000

router = APIRouter(prefix="/v1/embeddings", tags=["Embeddings"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=EmbeddingList)
async def create_embeddings(body: EmbeddingRequest, app: TheApp, actor: TheActor) -> Response:
    """Vectors for texts."""
    entry = app.catalog.resolve_embedder(body.model)
    if entry is None:
        raise app.catalog.embedder_not_found(body.model)
    embedder = entry.embedder
    texts = await asyncio.to_thread(_texts, body.input)
    counts = await embedder.count_tokens(texts)
    _check_length(counts)
    await app.meter.take(origin.get(), "tokens", sum(counts), least=sum(counts))
    app.meter.counting.add(origin.get(), "embeddings", entry.name, Usage(sum(counts), 0))
    # Apps embed questions and what answers them by the same call: one purpose for both lets them meet.
    vectors = await embedder.embed(texts, "query")
    dimensions = body.dimensions or app.catalog.dimensions.get(body.model) or vectors.dimensions
    content = await asyncio.to_thread(_written, vectors, body, dimensions=dimensions, tokens=sum(counts))
    return Response(content, media_type="application/json")


def _texts(given: Any) -> list[str]:
    """The texts of every form that `input` may have."""
    if isinstance(given, str):
        return [given]
    if isinstance(given[0], str):
        return list(given)
    return [token_input.text_of(tokens) for tokens in (given if isinstance(given[0], list) else [given])]


def _check_length(counts: Sequence[int]) -> None:
    longest, together = max(counts), sum(counts)
    if longest > MOST_TOKENS:
        raise InvalidRequest(
            f"This model's maximum context length is {MOST_TOKENS} tokens, however you requested {longest} tokens "
            f"({longest} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
            param="input",
        )
    if together > MOST_TOKENS_IN_ALL:
        raise InvalidRequest(
            f"Requested {together} tokens, max {MOST_TOKENS_IN_ALL} tokens per request. Send the texts in several.",
            param="input",
            code="max_tokens_per_request",
        )


def _written(vectors: Vectors, body: EmbeddingRequest, *, dimensions: int, tokens: int) -> bytes:
    """The JSON of an EmbeddingList; written by hand, for a list may have a million numbers."""
    more = max(0, dimensions - vectors.dimensions)
    written = _as_base64 if body.encoding_format == "base64" else _as_numbers
    data = [
        {"object": "embedding", "index": index, "embedding": written(row, more)}
        for index, row in enumerate(_rows(vectors, dimensions))
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return orjson.dumps({"object": "list", "data": data, "model": body.model, "usage": usage})


def _rows(vectors: Vectors, dimensions: int) -> Iterator["array[float]"]:
    """Each vector's first numbers, at unit length."""
    size = 4 * vectors.dimensions
    for start in range(0, len(vectors.data), size):
        row = array("f", vectors.data[start : start + 4 * min(dimensions, vectors.dimensions)])
        if sys.byteorder == "big":
            row.byteswap()
        if dimensions < vectors.dimensions:
            length = math.hypot(*row) or 1.0
            row = array("f", (number / length for number in row))
        yield row


def _as_numbers(row: "array[float]", more: int) -> orjson.Fragment:
    """With `more` zeros behind, which change neither lengths nor cosines; they are not worth a Python object each."""
    return orjson.Fragment(orjson.dumps(row.tolist())[:-1] + b",0.0" * more + b"]")


def _as_base64(row: "array[float]", more: int) -> str:
    if sys.byteorder == "big":
        row.byteswap()
    return base64.b64encode(row.tobytes() + bytes(4 * more)).decode()
