"""Walks through conversations: each message is understood by POST /v1/understandings, with the state that the last answer gave.

The server is a whole app in memory, for its clock can be told what time it is; encoders and understander are the packaged ones.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import openai

from tests.stories.conversation import Conversation, Difference, domain_of
from tests.stories.meaning import differences
from zhuli.testing.app import app_in_memory
from zhuli.testing.clock import ManualClock
from zhuli.types.understanding.domain import Language
from zhuli.understanding.dialogue.responses.built_in_responses import BUILT_IN, SMALL_TALK

PATIENCE = 600.0
"""Seconds that a request may take: the first of a domain waits until it is learned."""


def walk_all(
    told: Sequence[Conversation], *, understander: Mapping[str, Any] | None = None, models: Path | None = None
) -> dict[str, Difference | None]:
    """The first difference of each, by its id; None for what went as it should.

    understander: of all domains, in place of what they say. models: a models file, for one that asks a model.
    """
    return asyncio.run(_walk_all(told, understander, models))


async def _walk_all(
    told: Sequence[Conversation], understander: Mapping[str, Any] | None, models: Path | None
) -> dict[str, Difference | None]:
    found: dict[str, Difference | None] = {}
    for name in dict.fromkeys(one.domain for one in told):
        text = domain_of(name)
        if understander is not None:
            text += f"\nunderstander: {json.dumps(understander)}\n"
        for one, difference in await _of_domain(text, [one for one in told if one.domain == name], models):
            found[one.id] = difference
    return found


async def _of_domain(
    text: str, told: Sequence[Conversation], models: Path | None
) -> list[tuple[Conversation, Difference | None]]:
    """An app of its own: the clock of one tells the time of these conversations. text: the domain."""
    async with AsyncExitStack() as stack:
        clock = ManualClock()
        app = await stack.enter_async_context(app_in_memory({}, clock=clock, models_file=models))
        transport = httpx2.ASGITransport(app.asgi)
        http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport, timeout=PATIENCE))
        client = openai.AsyncOpenAI(base_url="http://127.0.0.1/v1", api_key="any", http_client=http, max_retries=0)
        options: Any = {"headers": {"content-type": "application/yaml"}}
        made: Any = await client.post("/domains", content=text.encode(), options=options, cast_to=object)
        now = told[0].now.replace(tzinfo=ZoneInfo(made["timezone"])).timestamp()
        clock.move(now - clock.now())
        return [(one, await _walk(client, made["id"], one, _responses(made))) for one in told]


async def _walk(client: openai.AsyncOpenAI, domain: str, told: Conversation, responses: Any) -> Difference | None:
    state: Any = None
    for number, turn in enumerate(told.turns, start=1):
        body = {"domain": domain, "input": turn.user, **({"state": state} if state else {})}
        said: Any = await client.post("/understandings", body=body, cast_to=object)
        state = said["state"]
        if wrong := differences(turn.expect, said, responses):
            return Difference(turn=number, user=turn.user, why=[*wrong, *said["reasons"]])
    return None


def _responses(domain: Any) -> dict[str, str]:
    """What each response says up to its first value, by name; the built-in ones as well, in the domain's first language."""
    language: Language = domain["languages"][0]
    own = {name: text if isinstance(text, str) else text[language] for name, text in domain["responses"].items()}
    ours = {name: texts[language] for name, texts in (*SMALL_TALK.items(), *BUILT_IN.items())}
    return {name: text.partition("{")[0].strip() for name, text in {**ours, **own}.items()}
