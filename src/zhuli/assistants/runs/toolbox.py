"""The tools of this server by name, and what assistants and runs may say of them.

Built-in tools are there; one of a package, or under another name, is there when the setting `tools` names it: which tools run
in a server is its operator's decision, and no client's.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zhuli import registry
from zhuli.core.errors import ConfigurationError, InvalidRequest, ZhuliError
from zhuli.ports import Tool, ToolServices
from zhuli.types.assistants.run import RunCreate, ThreadRunCreate
from zhuli.types.assistants.tools import API_TOOLS, AssistantTool, FunctionTool, NamedToolChoice, ServerTool
from zhuli.types.models.generation import ToolDefinition

log = logging.getLogger(__name__)

_TAKEN = API_TOOLS - {"file_search", "code_interpreter"} | {"id", "type", "index"}
"""No names for a tool: a function is the client's, and a call has fields that are called so."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a tool: as models are offered it, whose it is, and what the run says of the tool."""

    type: str
    tool: Tool[Any]
    definition: ToolDefinition
    settings: Mapping[str, Any]


class Toolbox(dict[str, Tool[Any]]):
    """Tools by their names, which are their types in an assistant's or run's list. seconds: what one has to say its functions."""

    def __init__(self, tools: Mapping[str, Tool[Any]], *, seconds: float) -> None:
        super().__init__(tools)
        self._seconds = seconds

    async def check(self, project: str, tools: Sequence[AssistantTool] | None) -> None:
        """These tools can be saved; InvalidRequest says which can't, and what would be right."""
        self.check_known(tools)
        await self.functions(project, tools or (), saving=True)

    async def check_run(self, project: str, body: RunCreate | ThreadRunCreate) -> None:
        """The tools of a new run, and the one that it names to be called first; InvalidRequest."""
        await self.check(project, body.tools)
        choice = body.tool_choice
        if isinstance(choice, NamedToolChoice) and choice.type not in API_TOOLS and choice.type not in self:
            raise self._unknown("tool_choice.type", choice.type)

    def check_known(self, tools: Sequence[AssistantTool] | None) -> None:
        """The server has these tools, which their types name; InvalidRequest."""
        for n, tool in enumerate(tools or ()):
            if not isinstance(tool, ServerTool):
                continue
            if tool.type not in self:
                raise self._unknown(f"tools[{n}].type", tool.type)
            for name, value in (tool.model_extra or {}).items():
                param = f"tools[{n}].{name}"
                if name != tool.type:
                    raise InvalidRequest(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
                if not isinstance(value, dict):
                    text = f"Invalid type for '{param}': expected an object with the tool's settings."
                    raise InvalidRequest(text, param=param, code="invalid_type")

    def _unknown(self, param: str, given: str) -> InvalidRequest:
        known = ", ".join(f"'{name}'" for name in [*sorted(API_TOOLS), *sorted(self.keys() - API_TOOLS)])
        text = f"Invalid value: '{given[:200]}'. Supported values are: {known}."
        return InvalidRequest(text, param=param, code="invalid_value")

    async def functions(
        self, project: str, tools: Sequence[AssistantTool], *, saving: bool = False
    ) -> dict[str, Function]:
        """The functions of these tools, by their names. InvalidRequest where two have one name: whose call would it be?

        saving: a tool that can't say its functions is refused; otherwise it is left out, and the log says why.
        """
        found: dict[str, Function] = {}
        clients = {tool.function.name for tool in tools if isinstance(tool, FunctionTool)}
        for n, tool in enumerate(tools):
            if isinstance(tool, ServerTool):
                for function in await self._functions(project, tool, f"tools[{n}]", saving=saving):
                    name = function.definition["function"]["name"]
                    if name in clients or name in found:
                        raise _taken(f"tools[{n}]", name, tool.type, found.get(name))
                    found[name] = function
        return found

    async def _functions(self, project: str, tool: ServerTool, param: str, *, saving: bool) -> list[Function]:
        kept = self.get(tool.type)
        if kept is None:
            raise InvalidRequest(f"This server has no tool '{tool.type}' any more.", param=f"{param}.type")
        try:
            async with asyncio.timeout(self._seconds):
                offered = await kept.functions(project, tool.settings)
        except InvalidRequest as error:
            raise InvalidRequest(error.message, param=f"{param}.{tool.type}", code="invalid_value") from error
        except Exception as error:  # whatever a plugin raises
            why = error.message if isinstance(error, ZhuliError) else f"It failed ({type(error).__name__})."
            log.warning("The tool '%s' can't be used: %s", tool.type, why, exc_info=error)
            if saving:
                text = f"The tool '{tool.type}' can't be used now. {why}"
                raise InvalidRequest(text, param=f"{param}.type", code="tool_unavailable") from error
            return []
        return [Function(tool.type, kept, definition, tool.settings) for definition in offered]

    async def aclose(self) -> None:
        """Close every tool, whatever becomes of one of them."""
        closed = await asyncio.gather(*(tool.aclose() for tool in self.values()), return_exceptions=True)
        for name, error in zip(self, closed, strict=True):
            if isinstance(error, Exception):
                log.warning("The tool '%s' can't be closed", name, exc_info=error)


def _taken(param: str, name: str, tool: str, other: Function | None) -> InvalidRequest:
    whose = "a function of yours" if other is None else f"a function of the tool '{other.type}'"
    return InvalidRequest(
        f"Invalid '{param}': the tool '{tool}' has a function '{name}', and so has {whose}. Nobody could tell whose call "
        "it is: rename yours, or leave out one of the two.",
        param=f"{param}.type",
        code="function_name_taken",
    )


def configured(given: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, plugin, settings) of each tool: those built in, then what the setting `tools` names."""
    for name in registry.built_in("tools"):
        if name not in given:
            yield name, name, {}
    for name, settings in given.items():
        if name in _TAKEN or not name.isidentifier() or len(name) > 64:
            raise ConfigurationError(
                f"[tools.{name}]: a tool can't be called '{name}'. Take letters, digits and underscores, at most 64, and "
                f"none of {', '.join(sorted(_TAKEN))}."
            )
        own = dict(settings)
        yield name, str(own.pop("plugin", name)), own


def made_tool(name: str, plugin: str, settings: dict[str, Any], services: ToolServices) -> Tool[Any]:
    """The tool; ConfigurationError says what is wrong with its plugin or its settings."""
    found: Tool[Any] = registry.find("tools", plugin)(name, settings, services)
    return found
