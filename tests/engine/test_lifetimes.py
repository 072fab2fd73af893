"""A run ends at its expires_at whatever its model server sends: the execution sees to it, without the sweeper."""

from pathlib import Path
from typing import Any

import pytest

from tests.engine.invariants import check
from zhuli.assistants.runs.handler import RunHandler
from zhuli.testing import upstream as say
from zhuli.testing.app import app_in_memory
from zhuli.testing.upstream import FaultyUpstream, Reply

STREAMS: dict[str, Reply] = {
    "says nothing": say.stall(),
    "stops in the middle": say.stall(after="Half of"),
    "speaks without a pause": say.endless({"content": "and so on "}, times=100_000_000),
    "reasons without a pause": say.endless({"reasoning_content": "hm "}, times=100_000_000),
    "calls without a pause": say.endless(
        {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "1"}}]}, times=100_000_000
    ),
    "trickles": Reply([b"data: "] + [b"x"] * 100_000, delay=0.01),
    "pings": Reply([b": ping\n\n"] * 100_000, delay=0.01),
    "sends empty pieces": Reply([say.chunk({"content": ""})] * 100_000, delay=0.01),
}
NO_PAUSE: dict[str, Any] = {"default": [{"text": "and so on ", "repeat": 100_000_000}]}


@pytest.fixture(autouse=True)
def no_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_: RunHandler) -> None:
        """Ends nothing."""

    monkeypatch.setattr(RunHandler, "expire_overdue", nothing)


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_run_expires_under_any_stream(stream: str, tmp_path: Path) -> None:
    async with FaultyUpstream([STREAMS[stream]]) as server:
        models = tmp_path / "up.toml"
        models.write_text(f'[models.up]\nbackend = "openai_compatible"\nbase_url = "{server.base_url}"\n')
        async with app_in_memory({}, models_file=models, run_lifetime_seconds=1) as app:
            run = await app.begin("Hi", model="up")
            await server.arrived.wait()
            app.clock.move(1)
            run = await app.rest(run)
            assert run.status == "expired"
            await check(app, run)
            await server.requests[0].gone.wait()


async def test_a_model_that_never_lets_go_of_the_loop_expires() -> None:
    async with app_in_memory(NO_PAUSE, run_lifetime_seconds=1) as app:
        run = await app.begin("Hi")
        await app.until(run, "thread.message.delta")
        app.clock.move(1)
        assert (await app.rest(run)).status == "expired"
