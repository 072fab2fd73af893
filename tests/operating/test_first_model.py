"""Without a models file: a model server that runs here is found, else a small model fetched, else the packaged one serves."""

import asyncio
import hashlib
import json
import socket
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.operating.hub import hub
from tests.operating.zhuli import zhuli
from zhuli.models import found_servers
from zhuli.models import hub as hub_of_models
from zhuli.models.available import AVAILABLE, HubFile
from zhuli.models.catalog import Catalog
from zhuli.operating.first_model import settle
from zhuli.settings import Settings

BYTES = bytes(range(256)) * 40_000
PATH = "some/model-GGUF/resolve/abc/model-q4.gguf"
WANTED = HubFile("some/model-GGUF", "model-q4.gguf", "abc", hashlib.sha256(BYTES).hexdigest(), len(BYTES), "Apache-2.0")


@contextmanager
def listing(answer: Any) -> Iterator[int]:
    """A server on a free port that answers /v1/models."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200 if self.path == "/v1/models" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def models(*names: str, **more: Any) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "owned_by": "library", **more} for name in names],
    }


def settled(folder: Path, *, ports: dict[str, int] | None = None, **given: Any) -> list[str]:
    said: list[str] = []
    first_model = given.pop("first_model", "fetch")
    settings = Settings(data_dir=folder, first_model=first_model)
    asyncio.run(settle(settings, said.append, ports=ports or {}, first="some-model", wanted=WANTED))
    return said


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_server_that_runs_here_is_found_and_its_chat_models_are_served(tmp_path: Path) -> None:
    with (
        listing(models("qwen3:4b", "nomic-embed-text:latest", 'odd "name"')) as ollama,
        listing(models("phi", max_model_len=4096)) as vllm,
    ):
        said = settled(tmp_path, ports={"Ollama": ollama, "LM Studio": free_port(), "vLLM": vllm})
    catalog = Catalog.load(tmp_path / "models.toml", tmp_path)
    assert "Ollama and vLLM" in said[0] and str(tmp_path / "models.toml") in said[0]
    assert list(catalog.entries) == ["qwen3:4b", 'odd "name"', "phi", "smollm2"]
    assert catalog.default == "qwen3:4b" and not catalog.is_stand_in
    assert catalog.resolve("gpt-4o") is catalog.entries["qwen3:4b"] is catalog.resolve("gpt-4o-2024-08-06")
    assert catalog.entries["phi"].settings["base_url"] == f"http://127.0.0.1:{vllm}/v1"
    assert (catalog.entries["phi"].context_window, catalog.entries["qwen3:4b"].context_window) == (4096, 8192)
    catalog.check()


@pytest.mark.parametrize(
    "answer",
    [b"<html>not a model server</html>", b"[]", {"data": 1}, {"data": [1, {"id": 2}]}, models(), models("bge-m3"),
     models("smollm2", owned_by="zhuli")],
    ids=["html", "list", "number", "odd", "none", "embedder", "another zhuli"],
)  # fmt: skip
def test_other_programs_on_those_ports_are_no_model_servers(tmp_path: Path, answer: Any) -> None:
    with listing(answer) as port:
        assert settled(tmp_path, ports={"llama-server": port}, first_model="local") == []
    assert not (tmp_path / "models.toml").exists()


def test_a_program_that_listens_and_says_nothing_is_none(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert asyncio.run(found_servers.look({"vLLM": silent.getsockname()[1]})) == []


def test_the_own_port_is_not_asked() -> None:
    with listing(models("qwen3")) as port:
        assert asyncio.run(found_servers.look({"vLLM": port}, without=port)) == []


def test_a_model_is_fetched_where_a_hub_answers_and_goes_on_after_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub({PATH: BYTES}, break_after=1_000_000, breaks=2) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        said = settled(tmp_path)
    assert (tmp_path / "models" / "model-q4.gguf").read_bytes() == BYTES
    assert list((tmp_path / "models").iterdir()) == [tmp_path / "models" / "model-q4.gguf"]
    ranges = [asked for method, path, asked in there.asked if method == "GET" and path.startswith("/bytes")]
    assert len(ranges) == 3 and ranges[0] is None and ranges[1] is not None
    assert "Fetching model-q4.gguf" in said[0] and "Apache-2.0" in said[0]
    content = tomllib.loads((tmp_path / "models.toml").read_text())
    assert content["default"] == "some-model" == content["aliases"]["gpt-4o"]
    assert content["models"]["some-model"]["path"] == "models/model-q4.gguf"
    assert settled(tmp_path) != said  # the file is here: nothing is fetched again


def test_a_file_that_is_another_is_thrown_away_and_the_packaged_model_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub({PATH: b"x" * len(BYTES)}) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        said = settled(tmp_path)
    assert "is not the file that is expected" in said[-1] and "packaged model serves" in said[-1]
    assert list(tmp_path.rglob("*.gguf*")) == [] and not (tmp_path / "models.toml").exists()


def test_without_a_network_nothing_waits_and_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    assert settled(tmp_path, ports={"Ollama": free_port()}) == []
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a network that swallows everything
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert settled(tmp_path) == []
    assert found_servers._SECONDS + hub_of_models._ANSWERS_WITHIN <= 3


def test_what_can_be_had_has_a_pinned_revision_and_digest() -> None:
    for wanted in AVAILABLE.values():
        assert (
            len(wanted.revision) == 40 and len(wanted.sha256 or "") == 64 and wanted.licence and wanted.size > 1_000_000
        )


def test_pull_fetches_by_the_hub_s_own_digest_and_names_it_in_the_models_file(tmp_path: Path) -> None:
    with hub({"me/mine/resolve/main/Mine.gguf": BYTES, "me/mine/resolve/main/Two.gguf": BYTES}) as there:
        env = {"HF_ENDPOINT": there.url}
        done = zhuli("models", "pull", "me/mine:Mine.gguf", "--data-dir", tmp_path, env=env)
        assert done.returncode == 0 and "mine is the default now" in done.stdout
        done = zhuli("models", "pull", "me/mine:Two.gguf", "--data-dir", tmp_path, env=env)
        assert done.returncode == 0 and 'default = "two"' in done.stdout
        again = zhuli("models", "pull", "me/mine:Two.gguf", "--data-dir", tmp_path, env=env)
        assert "names it already" in again.stdout
        missing = zhuli("models", "pull", "me/other:Nothing.gguf", "--data-dir", tmp_path, env=env)
    catalog = Catalog.load(tmp_path / "models.toml", tmp_path)
    assert catalog.default == "mine" and {"mine", "two", "smollm2"} <= catalog.entries.keys()
    assert missing.returncode == 2 and "No hub that answers has me/other:Nothing.gguf" in missing.stderr


@pytest.mark.parametrize(
    "name", ["nothing", "owner/repo", "owner/repo:file.bin", "a/b/c:x.gguf", "o/../r:x.gguf", "o/r:../x.gguf"]
)
def test_a_name_that_is_none_is_told_what_would_be_one(tmp_path: Path, name: str) -> None:
    done = zhuli("models", "pull", name, "--data-dir", tmp_path)
    assert done.returncode == 2 and f"There is no model '{name}'" in done.stderr and "qwen2.5-0.5b" in done.stderr


def test_list_available_names_size_and_licence() -> None:
    done = zhuli("models", "list", "--available")
    assert "qwen2.5-0.5b" in done.stdout and "491 MB" in done.stdout and "Apache-2.0" in done.stdout


def test_a_hub_that_breaks_off_without_end_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub({PATH: BYTES}, break_after=10, breaks=100) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        monkeypatch.setattr("zhuli.models.hub._TRIES", 2)
        said = settled(tmp_path)
    assert "broke off" in said[-1] and "goes on from there" in said[-1]
    assert (tmp_path / "models" / "model-q4.gguf.part").exists()


def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model-q4.gguf.part").mkdir()
    with hub({PATH: BYTES}) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        said = settled(tmp_path)
    assert "can't be written" in said[-1]
