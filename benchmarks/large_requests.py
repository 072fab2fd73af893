"""The largest requests that are taken, and what must be there before: the load of loop_health."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import Connection, insert

from zhuli.core.hints import Hints
from zhuli.core.ids import new_id
from zhuli.store import collections, migrate, projects, schema
from zhuli.store.opening import open_database
from zhuli.types.assistants.message import Message, TextBlock
from zhuli.types.assistants.thread import Thread

PROJECT = projects.DEFAULT_PROJECT
NOW = 1_700_000_000
MANY = 100_000
WORDS = "please could you show my last order from the shop in town and say when it comes".split()


@dataclass(frozen=True, slots=True)
class Prepared:
    """Ids of what is there. threads: with MANY messages each, to be deleted and to be run. big: of 100 messages of 200 kB."""

    threads: list[str]
    big: str


class Server:
    """The server that is asked; each call gives the status and how it began."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def post(self, path: str, body: Any, **more: Any) -> str:
        """JSON, unless it is bytes."""
        return _said(self.client.post(f"/v1{path}", **_as(body), **more))

    def get(self, path: str) -> str:
        return _said(self.client.get(f"/v1{path}"))

    def delete(self, path: str) -> str:
        return _said(self.client.delete(f"/v1{path}"))

    def made(self, path: str, body: Any, **more: Any) -> str:
        """The id of what this makes."""
        answer = self.client.post(f"/v1{path}", **_as(body), **more)
        answer.raise_for_status()
        return str(answer.json()["id"])

    def uploaded(self, content: bytes, purpose: str = "assistants") -> str:
        answer = self.client.post("/v1/files", files={"file": ("a.txt", content)}, data={"purpose": purpose})
        answer.raise_for_status()
        return str(answer.json()["id"])


def _as(body: Any) -> dict[str, Any]:
    return {"content": body} if isinstance(body, bytes) else {"json": body}


def _said(answer: httpx.Response) -> str:
    if answer.is_success:
        return f"{answer.status_code}, {len(answer.content) / 1e6:.1f} MB"
    error = answer.json().get("error") or {}
    return f"{answer.status_code} {error.get('code') or error.get('message', '')[:40]}"


def prepare(url: str) -> Prepared:
    """Write what is needed into the database, as the server would have."""
    return asyncio.run(_prepare(url))


async def _prepare(url: str) -> Prepared:
    database = open_database(url, Hints())
    await database.run(migrate.upgrade)
    await database.run(projects.ensure_default, now=NOW)
    threads = [await database.run(_thread, MANY, "What is new? " * 4) for _ in range(2)]
    big = await database.run(_thread, 100, "word " * 40_000)
    await database.aclose()
    return Prepared(threads, big)


def _thread(connection: Connection, count: int, text: str) -> str:
    thread = Thread(id=new_id("thread"), created_at=NOW)
    collections.insert(connection, schema.threads, PROJECT, thread)
    block = TextBlock.model_validate({"type": "text", "text": {"value": text, "annotations": []}})
    message = Message(id="msg_0", created_at=NOW, completed_at=NOW, thread_id=thread.id, role="user", content=[block])
    body = message.model_dump_json()
    rows = []
    for number in range(count):
        id_ = new_id("msg")
        columns = {"thread_id": thread.id, "status": "completed"}
        rows.append({"id": id_, "project_id": PROJECT, "body": body.replace('"msg_0"', f'"{id_}"'), **columns})
        if len(rows) == 5000 or number == count - 1:
            connection.execute(insert(schema.messages), rows)
            rows = []
    return thread.id


def sentences(count: int, *, length: int = 8, seed: int = 1) -> list[str]:
    drawn = random.Random(seed)
    return [" ".join(drawn.choices(WORDS, k=length)) + f" {number}" for number in range(count)]


def domain(examples: int, intents: int = 20) -> dict[str, Any]:
    """Intents with examples that mark an entity, a form and a lookup of ten thousand values."""
    said = sentences(examples)
    each = examples // intents
    return {
        "name": "large",
        "intents": [
            {
                "name": f"intent_{number}",
                "examples": [
                    f"{text} in [Oslo{at % 50}](city)" for at, text in enumerate(said[number * each :][:each])
                ],
            }
            for number in range(intents)
        ],
        "entities": [
            {"name": "city"},
            {"name": "street", "kind": "lookup", "values": [{"value": f"Street {n}"} for n in range(10_000)]},
        ],
        "slots": [{"name": "city", "type": "text", "prompt": "Where?"}],
    }


Request = Callable[[Server, Prepared], Callable[[], str]]


def _plain(call: Callable[[Server, Prepared], str]) -> Request:
    return lambda server, prepared: lambda: call(server, prepared)


def _run(server: Server, prepared: Prepared) -> Callable[[], str]:
    assistant = server.made("/assistants", {"model": "none"})
    body = {"assistant_id": assistant, "stream": True}
    return lambda: server.post(f"/threads/{prepared.threads[1]}/runs", body)


def _understand(server: Server, prepared: Prepared) -> Callable[[], str]:
    name = server.made("/domains", domain(4_000))
    while not server.client.get(f"/v1/domains/{name}/report").json()["learned"]:
        pass
    text = " ".join(sentences(1, length=300))[:2000]
    return lambda: server.post("/understandings", {"domain": name, "input": text})


def _of_domain(then: Callable[[Server, str], str]) -> Request:
    def request(server: Server, prepared: Prepared) -> Callable[[], str]:
        name = server.made("/domains", domain(4_000) | {"understander": {"type": "llm", "model": "none"}})
        return lambda: then(server, name)

    return request


def _search(server: Server, prepared: Prepared) -> Callable[[], str]:
    text = "\n\n".join(sentences(6_000, length=12)).encode()
    file = server.uploaded(text)
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    store = server.made("/vector_stores", {"file_ids": [file], "chunking_strategy": chunking})
    while server.client.get(f"/v1/vector_stores/{store}").json()["status"] != "completed":
        pass
    queries = [" ".join(sentences(200, length=14, seed=seed))[:16_000] for seed in range(32)]
    server.post(f"/vector_stores/{store}/search", {"query": "order"})
    return lambda: server.post(f"/vector_stores/{store}/search", {"query": queries, "max_num_results": 50})


def _batch(server: Server, prepared: Prepared) -> Callable[[], str]:
    files = [server.uploaded(b"A text.") for _ in range(2_000)]
    store = server.made("/vector_stores", {})
    return lambda: server.post(f"/vector_stores/{store}/file_batches", {"file_ids": files})


def _delete_store(server: Server, prepared: Prepared) -> Callable[[], str]:
    stores = server.client.get("/v1/vector_stores").json()["data"]
    store = max(stores, key=lambda one: one["file_counts"]["total"])["id"]
    return lambda: server.delete(f"/vector_stores/{store}")


def _rasa() -> dict[str, Any]:
    files = {f"nlu{number}.yml": _nlu(number) for number in range(255)}
    return {"format": "rasa", "files": {"domain.yml": "intents: []\n"} | files}


def _nlu(number: int) -> str:
    lines = ["nlu:"]
    for intent in range(5):
        lines += [f"- intent: i{number}_{intent}", "  examples: |"]
        lines += [f"    - {text}" for text in sentences(20, seed=number * 10 + intent)]
    return "\n".join(lines) + "\n"


CHAT = {"model": "none", "messages": [{"role": "user", "content": "word " * 10}] * 2_048}

REQUESTS: dict[str, Request] = {
    "POST /threads, 1,000 messages": _plain(
        lambda server, _: server.post("/threads", {"messages": [{"role": "user", "content": "word " * 600}] * 1_000})
    ),
    "POST /threads, 100,000 messages": _plain(
        lambda server, _: server.post("/threads", {"messages": [{"role": "user", "content": "Hi"}] * 100_000})
    ),
    "GET messages, 100 of 200 kB": _plain(
        lambda server, prepared: server.get(f"/threads/{prepared.big}/messages?limit=100")
    ),
    "run on a thread of 100,000 messages": _run,
    "DELETE a thread of 100,000 messages": _plain(
        lambda server, prepared: server.delete(f"/threads/{prepared.threads[0]}")
    ),
    "4 MiB of JSON, 499,000 wrong values": _plain(
        lambda server, _: server.post("/domains/check", {"intents": [{"name": "a", "examples": [1] * 499_000}]})
    ),
    "4 MiB of JSON, 100,000 examples": _plain(
        lambda server, _: server.post("/domains/check", {"intents": [{"name": "a", "examples": sentences(60_000)}]})
    ),
    "4 MiB of JSON, metadata of 499,000 values": _plain(
        lambda server, _: server.post("/threads", {"metadata": {str(n): n for n in range(300_000)}})
    ),
    "4 MiB of JSON, 40,000 brackets": _plain(lambda server, _: server.post("/threads", b"[" * 4_000_000)),
    "yaml of 900,000 items": _plain(
        lambda server, _: server.post(
            "/domains/check", b"intents:\n  a:\n" + b"  - x\n" * 690_000, headers={"content-type": "application/yaml"}
        )
    ),
    "yaml of 900,000 items in a flow": _plain(
        lambda server, _: server.post(
            "/domains/check", b"out_of_scope: [" + b"x," * 900_000 + b"x]", headers={"content-type": "application/yaml"}
        )
    ),
    "yaml that is no domain": _plain(
        lambda server, _: server.post(
            "/domains/check", b"intents: [" + b"[]," * 900_000 + b"[]]", headers={"content-type": "application/yaml"}
        )
    ),
    "domain check, 10,000 examples": _plain(lambda server, _: server.post("/domains/check", domain(10_000))),
    "domain save and learn, 4,000 examples": _plain(lambda server, _: server.post("/domains", domain(4_000))),
    "understanding by a domain of 4,000 examples": _understand,
    "domain export": _of_domain(lambda server, name: server.get(f"/domains/{name}/export")),
    "domain modify": _of_domain(lambda server, name: server.post(f"/domains/{name}", {"show": False})),
    "domains list": _plain(lambda server, _: server.get("/domains?limit=100")),
    "domain import, 256 files": _plain(lambda server, _: server.post("/domains/import", _rasa())),
    "embeddings, 2,048 texts": _plain(
        lambda server, _: server.post("/embeddings", {"model": "e5-small", "input": sentences(2_048, length=12)})
    ),
    "embeddings, 2,048 texts, static": _plain(
        lambda server, _: server.post("/embeddings", {"model": "static", "input": sentences(2_048, length=100)})
    ),
    "embeddings, 2,048 times 4,096 numbers": _plain(
        lambda server, _: server.post(
            "/embeddings", {"model": "static", "input": sentences(2_048, length=12), "dimensions": 4096}
        )
    ),
    "embeddings, 298,000 tokens": _plain(
        lambda server, _: server.post("/embeddings", {"model": "static", "input": [[1000] * 2_000] * 149})
    ),
    "search, 32 queries of 16,000 characters": _search,
    "chat, 2,048 messages": _plain(lambda server, _: server.post("/chat/completions", CHAT)),
    "chat, 2,048 messages, stored": _plain(
        lambda server, _: server.post("/chat/completions", {**CHAT, "messages": CHAT["messages"], "store": True})
    ),
    "chat, a message of 4 MB": _plain(
        lambda server, _: server.post(
            "/chat/completions", {"model": "none", "messages": [{"role": "user", "content": "word " * 800_000}]}
        )
    ),
    "completions, 128 prompts": _plain(
        lambda server, _: server.post("/completions", {"model": "none", "prompt": ["word " * 5_000] * 128})
    ),
    "file of 64 MB": _plain(lambda server, _: f"{server.uploaded(b'x' * 64_000_000, 'fine-tune')[:5]}"),
    "file batch of 2,000": _batch,
    "GET /files, 10,000": _plain(lambda server, _: server.get("/files")),
    "DELETE a vector store of 2,000 files": _delete_store,
}
