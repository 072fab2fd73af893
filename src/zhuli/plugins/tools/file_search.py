"""The tool file_search: looks for passages in the run's vector stores, and keeps the best that fit into the prompt.

How the passages are put to the model, and cited, is the run's business (assistants/runs/citations).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from zhuli.core.errors import ConfigurationError
from zhuli.ports import ToolServices
from zhuli.types.assistants.step import FileSearchCall, FileSearchResult, FileSearchToolCall, ResultContent
from zhuli.types.assistants.tool_task import ToolTask
from zhuli.types.assistants.tools import FileSearchSettings, RankingOptions
from zhuli.types.knowledge.passages import Found
from zhuli.types.models.generation import ToolDefinition

_MOST_QUERIES = 5
_LONGEST_QUERY = 2000
"""Characters; more says nothing new to an embedder, and costs the search by words."""

_RANKING = RankingOptions(ranker="default_2024_08_21", score_threshold=0.0)
"""What a step shows where the assistant has no ranking options: the original's, as captured (contract §1.2)."""

_OVERHEAD = 24
"""Tokens beside a passage's text: its marker, file name, page and section."""


class Plugin:
    """Its calls are made again after a crash: a search changes nothing."""

    idempotent = True

    definition: ToolDefinition = {
        "type": "function",
        "function": {
            "name": "file_search",
            "description": (
                "Searches the user's files and returns the passages that fit best. Call it before answering anything "
                "that the files may know. Write each query as a short, complete question or a few key words, in the "
                "language of the files, with pronouns replaced by what they stand for. Split a question that asks for "
                "several things into one query for each."
            ),
            "parameters": {
                "type": "object",
                "properties": {
                    "queries": {
                        "type": "array",
                        "items": {"type": "string"},
                        "minItems": 1,
                        "maxItems": _MOST_QUERIES,
                        "description": "What to look for.",
                    }
                },
                "required": ["queries"],
            },
        },
    }

    def __init__(self, name: str, settings: dict[str, Any], services: ToolServices) -> None:
        if settings:
            raise ConfigurationError(f"The tool '{name}' has no settings, but was given {', '.join(settings)}.")
        self._services = services

    async def functions(self, project: str, settings: Mapping[str, Any]) -> Sequence[ToolDefinition]:
        return [self.definition]

    def called(self, call_id: str, function: str, arguments: str) -> FileSearchToolCall:
        return FileSearchToolCall(
            id=call_id, file_search=FileSearchCall(queries=queries_in(arguments), called_by="model")
        )

    async def run(self, call: FileSearchToolCall, task: ToolTask) -> FileSearchToolCall:
        given = call.file_search.queries or [task.words.strip()]
        queries = [query[:_LONGEST_QUERY] for query in given if query]
        settings = FileSearchSettings.model_validate(task.settings)
        ranking = settings.ranking_options or _RANKING
        found: list[Found] = []
        if queries and task.stores and task.room > 0:
            most = settings.max_num_results or task.most
            found = await self._services.search(
                task.project, task.stores, queries, most=most, threshold=ranking.score_threshold
            )
        results = await _fitting([_result(item) for item in found], task)
        done = call.file_search.model_copy(update={"queries": queries, "ranking_options": ranking, "results": results})
        return call.model_copy(update={"file_search": done})

    async def aclose(self) -> None:
        """Nothing of its own is open."""


def queries_in(arguments: str) -> list[str]:
    """The queries in what a model wrote: as asked for, or under another name, or one as a string; [] when there is none."""
    try:
        given: Any = json.loads(arguments)
    except ValueError:
        return []
    if isinstance(given, dict):
        given = next((given[key] for key in ("queries", "query", "q") if given.get(key)), [])
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list):
        return []
    queries = [text.strip()[:_LONGEST_QUERY] for text in texts if isinstance(text, str) and text.strip()]
    return list(dict.fromkeys(queries))[:_MOST_QUERIES]


def _result(found: Found) -> FileSearchResult:
    return FileSearchResult(
        file_id=found.file_id,
        file_name=found.filename,
        score=min(1.0, max(0.0, found.score)),
        content=[ResultContent(text=found.text)],
        section=found.section or None,
        page=found.page,
    )


async def _fitting(results: Sequence[FileSearchResult], task: ToolTask) -> list[FileSearchResult]:
    """The best results that fit into the room; the first is cut to fit rather than left out."""
    if not results:
        return []
    counts = await task.count([result.text for result in results])
    left = task.room
    kept: list[FileSearchResult] = []
    for result, tokens in zip(results, counts, strict=True):
        needed = tokens + _OVERHEAD
        if needed > left:
            if not kept:
                kept.append(_cut(result, max(0.0, (left - _OVERHEAD) / tokens)))
            break
        kept.append(result)
        left -= needed
    return [result for result in kept if result.text]


def _cut(result: FileSearchResult, share: float) -> FileSearchResult:
    text = result.text[: int(len(result.text) * share)]
    return result.model_copy(update={"content": [ResultContent(text=text)]})
