"""What a run reads of its thread: edits and deletions between runs, images, and the window that moves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, select

from tests.engine.invariants import check
from tests.engine.scripts import CALLS_THEN_ANSWERS, TOOLS, call, says
from zhuli.assistants.runs import images
from zhuli.store.schema import messages
from zhuli.testing.app import AppInMemory, app_in_memory
from zhuli.types.assistants.run import Run

PIXEL = b"\x89PNG\r\n\x1a\n not a whole image"


@asynccontextmanager
async def http(app: AppInMemory) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app.asgi), base_url="http://localhost/v1") as client:
        yield client


def last_prompt(app: AppInMemory) -> list[Any]:
    """Contents of the messages that the model was last asked with."""
    return [message["content"] for message in app.prompts()[-1]["messages"]]


class TestEdits:
    async def messages(self, client: httpx2.AsyncClient, run: Run) -> list[dict[str, Any]]:
        """The thread's messages, oldest first."""
        listed = await client.get(f"threads/{run.thread_id}/messages", params={"order": "asc"})
        data: list[dict[str, Any]] = listed.json()["data"]
        return data

    async def test_an_edited_message_is_read_as_it_is_now(self) -> None:
        async with app_in_memory(says("Hello.")) as app, http(app) as client:
            run = await app.run("Hi, I am Ann")
            asked, answered = await self.messages(client, run)
            for message, text in ((asked, "Hi, I am Bob"), (answered, "Hello, Bob.")):
                path = f"threads/{run.thread_id}/messages/{message['id']}"
                assert (await client.post(path, json={"content": text})).status_code == 200
            await app.run("Who am I?", thread=run.thread_id)
            assert last_prompt(app) == ["Hi, I am Bob", "Hello, Bob.", "Who am I?"]

    async def test_a_deleted_message_is_not_read(self) -> None:
        async with app_in_memory(says("Hello.")) as app, http(app) as client:
            run = await app.run("A secret")
            [asked, _] = await self.messages(client, run)
            await client.delete(f"threads/{run.thread_id}/messages/{asked['id']}")
            await app.run("And?", thread=run.thread_id)
            assert last_prompt(app) == ["Hello.", "And?"]

    async def test_changed_metadata_is_no_edit(self) -> None:
        async with app_in_memory(says("Hello.")) as app, http(app) as client:
            run = await app.run("Hi")
            [asked, _] = await self.messages(client, run)
            await client.post(f"threads/{run.thread_id}/messages/{asked['id']}", json={"metadata": {"k": "v"}})
            await app.run("And?", thread=run.thread_id)
            assert last_prompt(app) == ["Hi", "Hello.", "And?"]


class TestHistory:
    async def test_a_conversation_is_read_whole_by_who_was_there_and_by_who_starts_now(self) -> None:
        """Read turn by turn, or all at once: the prompt is the same."""
        async with app_in_memory(CALLS_THEN_ANSWERS) as app:
            run = await app.run("Weather and time?", tools=TOOLS)
            await app.submit(run, "sunny", "noon")
            await app.rest(run)
            again = await app.run("And now?", thread=run.thread_id, tools=TOOLS)
            warm = app.prompts()[-1]["messages"]
            await app.cancel(again)
            app.app.assistants.engine.history._threads.clear()
            await app.run("Still?", thread=run.thread_id, tools=TOOLS)
            cold = app.prompts()[-1]["messages"]
            assert cold[: len(warm)] == warm

    async def test_a_message_of_the_assistant_from_the_client_is_read_as_such(self) -> None:
        async with app_in_memory(says("Hello.")) as app:
            added = [{"role": "assistant", "content": "I am Ann."}, {"role": "user", "content": "Who are you?"}]
            await app.run(additional_messages=added)
            assert [message["role"] for message in app.prompts()[-1]["messages"]] == ["assistant", "user"]

    async def test_instructions_come_first_and_tools_and_format_along(self) -> None:
        async with app_in_memory(says("{}")) as app:
            schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
            await app.run(
                "Hi",
                instructions="Be brief.",
                additional_instructions="And kind.",
                tools=[TOOLS[0], {"type": "code_interpreter"}],
                response_format=schema,
                parallel_tool_calls=False,
                temperature=0.5,
            )
            prompt = app.prompts()[-1]
            assert prompt["messages"][0] == {"role": "system", "content": "Be brief.\nAnd kind."}
            assert [tool["function"]["name"] for tool in prompt["tools"]] == ["weather"]
            assert prompt["response_format"]["json_schema"]["schema"] == {"type": "object"}
            assert (prompt["parallel_tool_calls"], prompt["temperature"]) == (False, 0.5)

    async def test_counts_are_stored_with_their_messages(self) -> None:
        async with app_in_memory(says("Hello.")) as app:
            run = await app.run("Hi")
            await app.run("And?", thread=run.thread_id)
            counted = await app.app.database.run(_counts, run.thread_id)
            assert [tokenizer for _, tokenizer in counted] == ["script", "script", "script", None]
            assert all(tokens > 0 for tokens, tokenizer in counted if tokenizer)


class TestImages:
    async def ask(self, app: AppInMemory, client: httpx2.AsyncClient, name: str, data: bytes = b"") -> tuple[Run, str]:
        """A run on a message with this image, uploaded: the run, and the file's id."""
        form = {"file": (name, data or PIXEL)}
        uploaded = (await client.post("files", data={"purpose": "vision"}, files=form)).json()
        content = [
            {"type": "text", "text": "What is this?"},
            {"type": "image_file", "image_file": {"file_id": uploaded["id"], "detail": "low"}},
        ]
        run = await app.run(additional_messages=[{"role": "user", "content": content}])
        return run, uploaded["id"]

    @pytest.mark.parametrize("name", ["cat.png", "cat.jpg", "cat"])
    @pytest.mark.parametrize(
        ("begin", "kind"),
        [
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\x10\0\0\0WEBP", "image/webp"),
        ],
    )
    async def test_an_uploaded_one_reaches_the_model_as_a_data_url_of_the_kind_of_its_bytes(
        self, name: str, begin: bytes, kind: str
    ) -> None:
        async with app_in_memory(says("A cat.")) as app, http(app) as client:
            run, _ = await self.ask(app, client, name, begin)
            assert run.status == "completed"
            [[text, image]] = last_prompt(app)
            assert text == {"type": "text", "text": "What is this?"}
            assert image["image_url"]["url"].startswith(f"data:{kind};base64,")
            assert image["image_url"]["detail"] == "low"

    async def test_one_that_is_none_leaves_a_sentence_that_says_what_would_be_one(self) -> None:
        async with app_in_memory(says("A cat.")) as app, http(app) as client:
            run, file_id = await self.ask(app, client, "cat.png", b"<svg/>")
            assert run.status == "completed"
            [[_, said]] = last_prompt(app)
            assert said["text"] == f"(The file {file_id} is no image that can be shown; PNG, JPEG, GIF and WebP can.)"

    async def test_one_file_is_read_once_and_the_newest_have_the_room(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(images, "MOST_IMAGE_BYTES", 3 * len(PIXEL))
        async with app_in_memory(says("A cat.")) as app, http(app) as client:
            run, file_id = await self.ask(app, client, "cat.png")
            again = {"role": "user", "content": [{"type": "image_file", "image_file": {"file_id": file_id}}] * 3}
            reads: list[str] = []
            read = app.app.blobs.read
            monkeypatch.setattr(app.app.blobs, "read", lambda key: reads.append(key) or read(key))
            run = await app.run(thread=run.thread_id, additional_messages=[again])
            assert run.status == "completed"
            first, *_, last = last_prompt(app)
            assert [part["type"] for part in last] == ["image_url"] * 3
            assert first[1]["text"] == f"(The image {file_id} is left out: those after it are too many or too large.)"
            assert reads == [file_id]

    @pytest.mark.parametrize(
        ("name", "most", "says"), [("MOST_IMAGES", 2, "too many"), ("MOST_IMAGE_BYTES", 50, "too large")]
    )
    async def test_too_much_in_one_message_is_refused_when_it_is_made(
        self, name: str, most: int, says: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(images, name, most)
        async with app_in_memory({"default": [{"text": "A cat."}]}) as app, http(app) as client:
            form = {"file": ("cat.png", PIXEL)}
            file_id = (await client.post("files", data={"purpose": "vision"}, files=form)).json()["id"]
            block = {"type": "image_file", "image_file": {"file_id": file_id}}
            response = await client.post("threads", json={"messages": [{"role": "user", "content": [block] * 3}]})
            assert response.status_code == 400
            assert says in response.json()["error"]["message"]

    async def test_one_at_an_address_is_passed_on(self) -> None:
        async with app_in_memory(says("A cat.")) as app:
            image = {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}
            await app.run(additional_messages=[{"role": "user", "content": [image]}])
            [[part]] = last_prompt(app)
            assert part["image_url"]["url"] == "https://example.org/cat.png"

    async def test_one_that_was_deleted_leaves_a_sentence_and_the_thread_goes_on(self) -> None:
        async with app_in_memory(says("A cat.")) as app, http(app) as client:
            run, file_id = await self.ask(app, client, "cat.png")
            await client.delete(f"files/{file_id}")
            run = await app.run("Look again", thread=run.thread_id)
            assert run.status == "completed"
            first, *_ = last_prompt(app)
            assert first[1]["text"] == f"(The image {file_id} that was here has been deleted.)"
            await check(app, run)


class TestTheWindow:
    WINDOW = 1200

    async def test_prompts_grow_by_a_suffix_until_a_block_falls_out(self) -> None:
        """What a prefix cache lives on: over forty turns the beginning changes only a few times."""
        script = {"default": [{"text": "Answer to {last}: " + "word " * 12}]}
        async with app_in_memory(script, context_window=self.WINDOW) as app:
            thread = await app.thread()
            for number in range(40):
                await app.run(f"question {number}", thread=thread, instructions="Be brief.")
            prompts = [prompt["messages"] for prompt in app.prompts()]
            breaks = [n for n in range(1, 40) if prompts[n][: len(prompts[n - 1])] != prompts[n - 1]]
            assert 1 <= len(breaks) <= 4
            for n in breaks:
                assert prompts[n][:2] == prompts[0][:2], "instructions and the first message stay"
                assert prompts[n][-1]["content"] == f"question {n}"

    async def test_the_newest_messages_are_read_when_so_many_are_asked_for(self) -> None:
        async with app_in_memory(says("Hello.")) as app:
            run = await app.run("one")
            await app.run("two", thread=run.thread_id)
            strategy = {"type": "last_messages", "last_messages": 3}
            await app.run("three", thread=run.thread_id, truncation_strategy=strategy)
            assert last_prompt(app) == ["two", "Hello.", "three"]

    async def test_the_question_stays_while_its_run_calls_tools(self) -> None:
        script = {
            "rules": [{"when": {"role": "tool"}, "reply": [{"text": "Noon."}]}],
            "default": [{"text": "Let me look."}, call("time")],
        }
        async with app_in_memory(script) as app:
            strategy = {"type": "last_messages", "last_messages": 1}
            run = await app.run("Time?", tools=TOOLS, truncation_strategy=strategy)
            await app.submit(run, "noon")
            await app.rest(run)
            assert last_prompt(app) == ["Time?", "Let me look.", "noon"]


def _counts(connection: Connection, thread_id: str) -> list[tuple[int, str | None]]:
    query = select(messages.c.tokens, messages.c.tokenizer).where(messages.c.thread_id == thread_id)
    return [(row.tokens, row.tokenizer) for row in connection.execute(query.order_by(messages.c.seq))]
