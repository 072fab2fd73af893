"""POST /v1/vector_stores/{vector_store_id}/search"""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.app import App
from zhuli.core.errors import InvalidRequest
from zhuli.knowledge.retrieval.searching.query_rewriting import rewrite
from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp
from zhuli.types.knowledge.document import headings_and_header
from zhuli.types.knowledge.passages import Found
from zhuli.types.knowledge.vector_store import (
    FileContentPart,
    SearchRanking,
    SearchRequest,
    SearchResult,
    SearchResults,
)

MOST_QUERIES = 32
LONGEST_QUERY = 16_000
"""Characters: more than any embedder here reads."""

router = APIRouter(prefix="/v1/vector_stores", tags=["Vector stores"], route_class=JsonRoute, strict_content_type=False)


@router.post("/{vector_store_id}/search", response_model=SearchResults)
async def search_vector_store(vector_store_id: str, body: SearchRequest, app: TheApp, actor: TheActor) -> Response:
    """The best passages of the store for a query or several."""
    queries = await _queries(body, app)
    ranking = body.ranking_options or SearchRanking()
    found = await app.knowledge.searcher.search(
        actor.project,
        [vector_store_id],
        queries,
        most=body.max_num_results,
        filters=body.filters,
        ranker="none" if ranking.ranker == "none" else "auto",
        threshold=ranking.score_threshold,
    )
    return Json(SearchResults(search_query=queries, data=[_result(item) for item in found]))


async def _queries(body: SearchRequest, app: App) -> list[str]:
    """What will be searched for: the queries as given, or as the default model puts them."""
    given = [body.query] if isinstance(body.query, str) else body.query
    _check(given, alone=isinstance(body.query, str))
    if not body.rewrite_query:
        return given
    model = app.catalog.resolve(app.catalog.default)
    assert model is not None, "the catalog checks its default"
    rewritten = await asyncio.gather(*(rewrite(model.backend, query) for query in given))
    return list(dict.fromkeys(query for queries in rewritten for query in queries))


def _check(queries: Sequence[str], *, alone: bool) -> None:
    if not 1 <= len(queries) <= MOST_QUERIES:
        raise InvalidRequest(f"Search for 1 to {MOST_QUERIES} queries at once, not {len(queries)}.", param="query")
    for number, query in enumerate(queries):
        param = "query" if alone else f"query[{number}]"
        if not query.strip():
            raise InvalidRequest("A query can't be empty; say what to look for.", param=param)
        if len(query) > LONGEST_QUERY:
            raise InvalidRequest(
                f"A query can have at most {LONGEST_QUERY} characters; this one has {len(query)}.", param=param
            )


def _result(found: Found) -> SearchResult:
    headings, header = headings_and_header(found.section)
    return SearchResult(
        file_id=found.file_id,
        filename=found.filename,
        score=found.score,
        attributes=dict(found.attributes),
        content=[FileContentPart(text=found.text)],
        section=headings or None,
        page=found.page,
        table_header=header or None,
    )
