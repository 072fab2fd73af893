"""The tool recommend: a chat's model asks a recommender for the user, and is told with each item why it is on the list.

The reasons are the recommender's own, so that the model need not make some up. What a user does afterwards is the app's to say
(POST /v1/recommenders/{id}/events).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zhuli.core.errors import ConfigurationError, InvalidRequest
from zhuli.ports import ToolServices
from zhuli.types.applications.recommender import Recommendations, RecommendationsCreate
from zhuli.types.assistants.step import ServerToolCall
from zhuli.types.assistants.tool_task import ToolTask
from zhuli.types.models.generation import ToolDefinition

_MOST = 10

RECOMMEND: ToolDefinition = {
    "type": "function",
    "function": {
        "name": "recommend_items",
        "description": (
            "Recommends items to the user by what they liked before, and says of each why. Call it when the user asks what "
            "to take, read, watch or do next. Give the reasons as they are; do not invent others."
        ),
        "parameters": {
            "type": "object",
            "properties": {
                "count": {"type": "integer", "minimum": 1, "maximum": _MOST, "description": "How many items."},
                "categories": {"type": "array", "items": {"type": "string"}, "description": "Only items of these."},
                "without": {"type": "array", "items": {"type": "string"}, "description": "No items of these."},
                "max_price": {"type": "number", "minimum": 0},
                "surprising": {"type": "boolean", "description": "Whether the user wants something unlike before."},
            },
        },
    },
}


class Settings(BaseModel):
    """What an assistant or a run says of the tool: which recommender, and for whom."""

    model_config = ConfigDict(extra="forbid", strict=True)

    recommender: str = Field(min_length=1, max_length=64)
    user: str = Field(min_length=1, max_length=256)


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="ignore")

    count: int = Field(5, ge=1, le=_MOST)
    categories: list[str] | None = Field(None, max_length=100)
    without: list[str] = Field([], max_length=100)
    max_price: float | None = Field(None, ge=0)
    surprising: bool = False


class Plugin:
    """Its calls are made again after a crash: a list that nobody saw is one more in the log."""

    idempotent = True

    def __init__(self, name: str, settings: dict[str, Any], services: ToolServices) -> None:
        if settings:
            raise ConfigurationError(f"The tool '{name}' has no settings, but was given {', '.join(settings)}.")
        self._name = name
        self._services = services

    async def functions(self, project: str, settings: Mapping[str, Any]) -> Sequence[ToolDefinition]:
        self._settings(settings)
        return [RECOMMEND]

    def called(self, call_id: str, function: str, arguments: str) -> ServerToolCall:
        return ServerToolCall.asked(self._name, call_id, function, arguments)

    async def run(self, call: ServerToolCall, task: ToolTask) -> ServerToolCall:
        settings = self._settings(task.settings)
        try:
            given = _Arguments.model_validate(call.given)
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidRequest(f"recommend_items: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
        asked = RecommendationsCreate.model_validate(
            {
                "user": settings.user,
                "limit": given.count,
                "explain": True,
                "controls": {
                    "categories": given.categories or None,
                    "without": given.without,
                    "max_price": given.max_price,
                    "novelty": 0.5 if given.surprising else 0.0,
                },
            }
        )
        found = await self._services.recommend(task.project, settings.recommender, asked)
        return call.answered(told(found))

    async def aclose(self) -> None:
        """Nothing is open."""

    def _settings(self, given: Mapping[str, Any]) -> Settings:
        try:
            return Settings.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidRequest(
                f"Invalid '{self._name}': {'.'.join(map(str, first['loc']))}: {first['msg']}. "
                "It takes two settings: recommender, an id, and user, who the list is for."
            ) from error


def told(found: Recommendations) -> str:
    """A list for a model to read."""
    if not found.data:
        return "Nothing fits what was asked for."
    lines = [f"{one.position + 1}. {one.text[:300]} (id {one.item}). {one.why or ''}".strip() for one in found.data]
    return "\n".join([f"List {found.id}:", *lines])
