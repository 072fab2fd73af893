"""The tool of docs/howto/add-a-tool.md works as it stands there, and so do the page's test for it and its lines for a client."""

import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import openai
import pytest

from tests.harness.howto import FOLDER, blocks, installed, module
from zhuli.testing.app import app_in_memory
from zhuli.testing.plain_tool_services import PlainToolServices
from zhuli.testing.tool_contract import ToolContract

PLUGIN, CLIENT, TEST = blocks("add-a-tool.md")
TOML = (FOLDER / "add-a-tool.md").read_text().partition("```toml\n")[2].partition("```")[0]
SCRIPT: dict[str, Any] = {
    "rules": [{"when": {"role": "tool"}, "reply": [{"text": "{last}"}]}],
    "default": [{"tool_call": {"name": "reserve_table", "arguments": {"name": "Ada", "people": 2}}}],
}


@pytest.fixture
def my_package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's file, as if it were installed."""
    return installed(monkeypatch, "my_package.tables", PLUGIN)


class TestThePlugin(ToolContract):
    arguments = {"name": "Ada", "people": 2}
    wrong_arguments = {"people": "two"}
    wrong_settings = {"largest": "huge"}

    @pytest.fixture
    def tool(self, my_package: ModuleType, tmp_path: Path) -> Any:
        return my_package.Plugin("tables", {"seats": 10}, PlainToolServices(tmp_path))


def test_the_page_s_test_is_one_of_the_contract(my_package: ModuleType) -> None:
    made = module("test_tables", TEST).TestTables
    assert issubclass(made, ToolContract)
    assert (made.arguments, made.wrong_arguments, made.wrong_settings) == (
        TestThePlugin.arguments,
        TestThePlugin.wrong_arguments,
        TestThePlugin.wrong_settings,
    )


async def test_the_page_s_lines_give_an_assistant_that_reserves(my_package: ModuleType) -> None:
    async with app_in_memory(SCRIPT, **tomllib.loads(TOML)) as app:
        http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app.asgi))
        sdk = openai.AsyncOpenAI(base_url="http://localhost/v1", api_key="any", http_client=http)
        line = CLIENT.replace("client.beta", "await sdk.beta").replace('"default"', '"script"')
        made: dict[str, Any] = {}
        body = "".join(f"    {text}\n" for text in line.splitlines())
        exec(f"async def make(sdk):\n{body}    return assistant\n", made)
        assistant = await made["make"](sdk)
        thread = await sdk.beta.threads.create(messages=[{"role": "user", "content": "A table for two, please."}])
        run = await sdk.beta.threads.runs.create_and_poll(assistant_id=assistant.id, thread_id=thread.id)
        assert run.status == "completed"
        messages = await sdk.beta.threads.messages.list(thread.id)
        said: Any = messages.data[0].content[0]
        assert said.text.value == "Reserved: a table for 2, in the name of Ada."
        await sdk.close()
