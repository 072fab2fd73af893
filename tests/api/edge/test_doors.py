"""Who comes in: where no key is asked for, only this machine's own programs; where there ever was one, nobody without."""

import json
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.api.edge.test_keys import refused_soon
from tests.conftest import StartServer
from tests.harness import keys
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused
from tests.harness.server import Server


def key_of(server: Server, *options: str) -> tuple[str, str]:
    """A new key, and its id."""
    secret = server.cli("keys", "create", *options).split()[-1]
    (line,) = [line for line in server.cli("keys", "list").splitlines() if secret[-4:] in line]
    return secret, next(word for word in line.split() if word.startswith("key_"))


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


Plain = Callable[[Server], httpx2.Client]


@pytest.fixture
def plain() -> Iterator[Plain]:
    """Clients without the inspector, whose contract knows no preflights and no paths of Azure's."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(httpx2.Client(base_url=server.url, verify=False))


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in which tables have room."""
    monkeypatch.setenv("COLUMNS", "250")


@pytest.mark.usefixtures("wide")
def test_revoking_the_last_key_closes_the_server_also_after_a_restart(start_server: StartServer) -> None:
    server = start_server(fresh=True)
    secret, key = key_of(server)
    refused_soon(server, headers={})
    said = server.cli("keys", "revoke", key)
    assert "lets nobody in" in said and "zhuli keys create" in said
    refused_soon(server, headers=bearer(secret))
    for headers in ({}, bearer(secret), bearer("sk-any")):
        assert httpx2.get(f"{server.base_url}/models", headers=headers, verify=False).status_code == 401
    server.restart()
    assert httpx2.get(f"{server.base_url}/models", verify=False).status_code == 401
    assert "revoked" in server.cli("keys", "list")
    another, _ = key_of(server)
    assert httpx2.get(f"{server.base_url}/models", headers=bearer(another), verify=False).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "anything.example",
        "anything.example:80",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "10.0.0.1",
        "",
        "evil",
        "[::1",
        "[::1]evil",
    ],
)
def test_without_keys_a_foreign_host_is_refused(http: httpx2.Client, host: str) -> None:
    """DNS rebinding: a page's own name is made to lead here, so that the browser takes us for its server."""
    for path in ("/v1/models", "/docs", "/openapi.json", "/metrics"):
        assert "names of this machine" in assert_refused(
            http.get(path, headers={"host": host}), 403, code="host_not_allowed"
        )
    assert http.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.8.9.1:80", "[::1]:8000", "app.localhost.", "localhost."]
)
def test_without_keys_names_of_this_machine_are_answered(http: httpx2.Client, host: str) -> None:
    assert http.get("/v1/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1", "file://", "http://[", "http://]"],
)
def test_without_keys_a_web_page_of_another_origin_is_refused(http: httpx2.Client, origin: str) -> None:
    """A POST as text/plain needs no preflight, so refusing to be read is not enough."""
    headers = {"origin": origin, "content-type": "text/plain"}
    before = len(http.get("/v1/threads", params={"limit": 100}).json()["data"])
    for answer in (http.post("/v1/threads", content=b"{}", headers=headers), http.get("/v1/models", headers=headers)):
        assert "web pages" in assert_refused(answer, 403, code="origin_not_allowed")
    assert len(http.get("/v1/threads", params={"limit": 100}).json()["data"]) == before


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("dest", ["image", "script", "iframe", "empty", ""])
def test_without_keys_a_page_of_another_origin_can_not_even_make_a_browser_look(
    http: httpx2.Client, site: str, dest: str
) -> None:
    """An image or a script that a page names is asked for without an Origin; browsers say what it is in headers of their own."""
    headers = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", **({"sec-fetch-dest": dest} if dest else {})}
    assert "web pages" in assert_refused(http.get("/v1/threads", headers=headers), 403, code="origin_not_allowed")
    assert http.get("/healthz", headers=headers).status_code == 200


@pytest.mark.parametrize(("site", "dest"), [("none", "document"), ("same-origin", "empty"), ("cross-site", "document")])
def test_a_link_may_lead_here(http: httpx2.Client, site: str, dest: str) -> None:
    headers = {"sec-fetch-site": site, "sec-fetch-dest": dest}
    assert http.get("/docs", headers=headers).status_code == 200


def test_the_servers_own_pages_may_use_it(server: Server, http: httpx2.Client) -> None:
    assert http.post("/v1/threads", headers={"origin": server.url}).status_code == 200


def test_a_host_may_be_named(start_server: StartServer, clients: Clients) -> None:
    http = clients.http(start_server(allowed_hosts=["Zhuli.LAN"]))
    assert http.get("/v1/models", headers={"host": "zhuli.lan:8000"}).status_code == 200
    assert http.get("/v1/models", headers={"host": "other.lan"}).status_code == 403


def test_a_target_in_absolute_form_does_not_pass_for_a_host(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"GET http://localhost/v1/models HTTP/1.1\r\nhost: evil.example\r\n\r\n")
        assert connection.recv(65536).split()[1] == b"403"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_without_keys_a_request_that_names_no_host_is_refused(server: Server, version: str) -> None:
    """Who watches a server may ask for its health as HTTP/1.0 had it."""
    for path in ("/v1/models", "/docs"):
        status, body = said_without_host(server, path, version)
        assert (status, json.loads(body)["error"]["code"]) == (403, "host_not_allowed")
    assert said_without_host(server, "/healthz", version)[0] == 200


def said_without_host(server: Server, path: str, version: str) -> tuple[int, bytes]:
    """The status and the body."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/{version}\r\nconnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("storage", ["sqlite"])
def test_at_a_public_address_nobody_comes_in_whatever_becomes_of_the_keys(start_server: StartServer) -> None:
    """Also when the database loses them all, as one does that is put back to how it was before the first."""
    server = start_server(fresh=True)
    secret = server.new_key("public")
    server.stop()
    server.host = "0.0.0.0"
    server.start()
    assert models(server, bearer(secret)) == 200 and models(server, {}) == 401
    with closing(sqlite3.connect(server.folder / "zhuli.db", timeout=30)) as database, database:
        database.execute("DELETE FROM api_keys")
    refused_soon(server, headers=bearer(secret))
    for _ in range(3):
        assert models(server, {}) == models(server, bearer(secret)) == 401


def models(server: Server, headers: dict[str, str]) -> int:
    return httpx2.get(f"{server.base_url}/models", headers=headers, verify=False).status_code


def test_with_keys_host_and_origin_are_free(start_server: StartServer, clients: Clients) -> None:
    server = start_server(name="doors with keys")
    headers = {**bearer(server.new_key("doors")), "host": "zhuli.example", "origin": "https://app.example"}
    assert clients.http(server).get("/v1/models", headers=headers).status_code == 200


def test_pages_of_named_origins_are_served_with_cors(start_server: StartServer, plain: Plain) -> None:
    http = plain(start_server(cors_origins=["https://app.example"]))
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,openai-beta,x-stainless-lang,content-type",
    }
    preflight = http.options("/v1/threads", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example"
    assert "x-stainless-lang" in preflight.headers["access-control-allow-headers"]
    mine = {"origin": "https://app.example"}
    for answer in (http.post("/v1/threads", headers=mine), http.get("/v1/threads/no", headers=mine)):
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert answer.headers["access-control-expose-headers"]
    foreign = http.options("/v1/threads", headers={**asked, "origin": "https://evil.example"})
    assert foreign.status_code == 400 and "access-control-allow-origin" not in foreign.headers
    assert "cors_origins" in assert_refused(foreign, 400, code="origin_not_allowed")
    assert http.post("/v1/threads", headers={"origin": "https://evil.example"}).status_code == 403


def test_a_stream_carries_the_headers_that_a_page_needs(start_server: StartServer, plain: Plain) -> None:
    """And what SDKs read of an answer is exposed by name: to a page that sends credentials a star is no wildcard."""
    http = plain(start_server(cors_origins=["https://app.example"]))
    assistant = http.post("/v1/assistants", json={"model": "gpt-4o"}).json()["id"]
    run = {"assistant_id": assistant, "stream": True, "thread": {"messages": [{"role": "user", "content": "hello"}]}}
    chat = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    for path, body in (("/v1/threads/runs", run), ("/v1/chat/completions", chat)):
        with http.stream("POST", path, json=body, headers={"origin": "https://app.example"}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["access-control-allow-origin"] == "https://app.example"
            assert "origin" in answer.headers["vary"].lower()
            exposed = answer.headers["access-control-expose-headers"].split(", ")
            assert {"*", "x-request-id", "retry-after", "retry-after-ms", "openai-poll-after-ms"} <= set(exposed)
            assert answer.read().endswith(b"data: [DONE]\n\n")


def test_a_page_of_a_named_origin_may_reach_a_private_address(start_server: StartServer, plain: Plain) -> None:
    """Browsers ask for that by a header of its own, of a page from outside that calls this machine."""
    http = plain(start_server(cors_origins=["https://app.example"]))
    asked = {"access-control-request-method": "POST", "access-control-request-private-network": "true"}
    preflight = http.options("/v1/threads", headers={**asked, "origin": "https://app.example"})
    assert preflight.headers["access-control-allow-private-network"] == "true"
    assert http.options("/v1/threads", headers={**asked, "origin": "https://evil.example"}).status_code == 400


def test_without_the_setting_no_page_is_served(http: httpx2.Client) -> None:
    asked = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answer = http.options("/v1/threads", headers=asked)
    assert answer.status_code >= 400 and "access-control-allow-origin" not in answer.headers


@pytest.mark.usefixtures("wide")
def test_a_preflight_needs_no_key_and_its_request_does(start_server: StartServer, plain: Plain) -> None:
    server = start_server(cors_origins=["https://app.example"], name="cors with keys")
    secret = server.new_key("cors")
    http = plain(server)
    asked = {"origin": "https://app.example", "access-control-request-method": "POST"}
    assert http.options("/v1/threads", headers=asked).status_code == 200
    refused_soon(server, headers={})
    refused = http.post("/v1/threads", headers={"origin": "https://app.example"})
    assert refused.status_code == 401 and refused.headers["access-control-allow-origin"] == "https://app.example"
    assert http.post("/v1/threads", headers={**bearer(secret), "origin": "https://app.example"}).status_code == 200


def test_a_401_says_how_and_repeats_no_key(start_server: StartServer, clients: Clients) -> None:
    server = start_server(name="doors with keys")
    server.new_key("doors")
    refused_soon(server, headers={})
    http = clients.http(server)
    for headers in (
        {},
        bearer("sk-0123456789abcdef"),
        {"api-key": "sk-0123456789abcdef"},
        {"authorization": "Basic c2s6"},
    ):
        answer = http.get("/v1/models", headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert "0123" not in answer.text and "cdef" not in answer.text
    assert "0123456789" not in server.log()


def test_the_description_asks_for_a_key_where_there_are_keys(start_server: StartServer, clients: Clients) -> None:
    server = start_server(name="doors with keys")
    secret = server.new_key("doors")
    refused_soon(server, headers={})
    http = clients.http(server)
    for path in ("/docs", "/openapi.json"):
        assert http.get(path).status_code == 401
        assert http.get(path, headers=bearer(secret)).status_code == 200
    shown = start_server(docs_without_key=True, name="docs without key")
    shown.new_key("doors")
    refused_soon(shown, headers={})
    assert clients.http(shown).get("/openapi.json").status_code == 200
    page = clients.http(shown).get("/docs")
    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert loaded and [place for place in loaded if clients.http(shown).get(place).status_code != 200] == []


@pytest.mark.usefixtures("wide")
def test_a_key_may_do_what_its_scope_says(start_server: StartServer, clients: Clients) -> None:
    server = start_server(fresh=True)
    http = clients.http(server)
    keys = {scope: bearer(key_of(server, "--scope", scope)[0]) for scope in ("read", "write", "admin")}
    requests: list[tuple[str, str, dict[str, Any] | None, str]] = [
        ("GET", "/v1/models", None, "read"),
        ("HEAD", "/v1/models", None, "read"),
        ("POST", "/v1/embeddings", {"model": "hashed", "input": "a"}, "read"),
        ("POST", "/v1/threads", {}, "write"),
        ("POST", "/v1/assistants", {"model": "gpt-4o"}, "write"),
        ("DELETE", "/v1/assistants/asst_x", None, "write"),
        ("POST", "/v1/chat/completions", {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}, "write"),
        ("DELETE", "/v1/models/ft:x", None, "admin"),
        ("POST", "/v1/model_aliases", {"name": "a", "model": "script"}, "admin"),
    ]
    order = ["read", "write", "admin"]
    for method, path, body, needed in requests:
        for scope, headers in keys.items():
            answer = http.request(method, path, json=body, headers=headers)
            if order.index(scope) >= order.index(needed):
                assert answer.status_code not in (401, 403), (method, path, scope)
            elif method != "HEAD":
                said = assert_refused(answer, 403, code="insufficient_permissions")
                assert f"Missing scopes: {needed}" in said and scope in said


@pytest.mark.usefixtures("wide")
def test_keys_have_a_name_an_expiry_and_a_last_use(start_server: StartServer) -> None:
    server = start_server(fresh=True)
    secret, _ = key_of(server, "--name", "nightly job", "--scope", "read", "--expires-days", "30")
    line = next(line for line in server.cli("keys", "list").splitlines() if "nightly job" in line)
    assert "read" in line and "until" in line and "never" in line
    assert httpx2.get(f"{server.base_url}/models", headers=bearer(secret), verify=False).status_code == 200
    deadline = time.monotonic() + 30
    while "never" in next(line for line in server.cli("keys", "list").splitlines() if "nightly job" in line):
        assert time.monotonic() < deadline
        assert httpx2.get(f"{server.base_url}/models", headers=bearer(secret), verify=False).status_code == 200


@pytest.mark.usefixtures("wide")
def test_a_key_may_have_several_scopes_and_a_day_on_which_it_expires(start_server: StartServer) -> None:
    server = start_server(fresh=True)
    several = ("--name", "app", "--scope", "read", "--scope", "write", "--expires", "2031-05-03")
    secret, _ = key_of(server, *several)
    (line,) = [line for line in server.cli("keys", "list").splitlines() if "app" in line]
    assert "read write" in line and "until 2031-05-03 00:00" in line
    http = {"headers": bearer(secret), "verify": False}
    assert httpx2.post(f"{server.base_url}/threads", **http).status_code == 200
    assert httpx2.delete(f"{server.base_url}/models/ft:x", **http).status_code == 403
    for text, until in (
        ("2031-05-03T18:30", "until 2031-05-03 18:30"),
        ("2031-05-03T18:30+08:00", "until 2031-05-03 10:30"),
    ):
        server.cli("keys", "create", "--name", "later", "--expires", text)
        assert until in server.cli("keys", "list")


@pytest.mark.usefixtures("wide")
def test_an_expired_key_opens_nothing(start_server: StartServer) -> None:
    server = start_server(fresh=True)
    secret, _ = key_of(server, "--expires-days", "0")
    refused_soon(server, headers=bearer(secret))
    assert "expired" in server.cli("keys", "list")


@pytest.mark.usefixtures("wide")
def test_a_rotated_key_has_a_follower_and_a_grace(start_server: StartServer) -> None:
    server = start_server(fresh=True)
    old, key = key_of(server, "--name", "app")
    new = server.cli("keys", "rotate", key, "--grace-hours", "1").split()[-1]
    for secret in (old, new):
        assert httpx2.get(f"{server.base_url}/models", headers=bearer(secret), verify=False).status_code == 200
    assert sum("app" in line for line in server.cli("keys", "list").splitlines()) == 2
    (line,) = [line for line in server.cli("keys", "list").splitlines() if new[-4:] in line]
    server.cli("keys", "rotate", next(word for word in line.split() if word.startswith("key_")), "--grace-hours", "0")
    refused_soon(server, headers=bearer(new))


def test_azures_client_works_as_it_is(start_server: StartServer) -> None:
    server = start_server(name="azure")
    secret = server.new_key("azure")
    client = openai.AzureOpenAI(azure_endpoint=server.url, api_key=secret, api_version="2024-05-01-preview")
    asked = [{"role": "user", "content": "hello"}]
    assert client.chat.completions.create(model="gpt-4o", messages=asked).choices[0].message.content  # type: ignore[arg-type]
    assert client.embeddings.create(model="hashed", input="a").data
    assistant = client.beta.assistants.create(model="gpt-4o")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "completed"
    with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        assert "".join(stream.text_deltas)
    assert client.files.create(file=("a.txt", b"hello"), purpose="assistants").id
    assert client.vector_stores.create(name="azure").id
    assert client.beta.threads.messages.list(thread.id, limit=1).data
    client.close()


def test_azures_deployment_is_the_model_whatever_the_body_says(server: Server, plain: Plain) -> None:
    http = plain(server)
    asked = {"messages": [{"role": "user", "content": "hello"}]}
    at = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    assert http.post(at, json=asked).json()["model"]
    for model in (None, "gpt-35-turbo", ""):  # LangChain sends null; to Azure a deployment's name is all that counts
        assert http.post(at, json={**asked, "model": model}).json()["model"] == "gpt-4o"
    stored = {"name": "gpt-4o", "model": "gpt-4o"}
    assert http.post("/openai/deployments/none/assistants", json=stored).json()["model"] == "gpt-4o"
    assert http.post("/openai/v1/chat/completions", json={**asked, "model": "gpt-4o"}).status_code == 200
    assert http.post("/openai/deployments/gpt-4o/threads", json={}).status_code == 200


@pytest.mark.parametrize("storage", ["sqlite"])
def test_what_goes_on_when_its_key_is_revoked_ends(start_server: StartServer, plain: Plain, tmp_path: Path) -> None:
    """A stream says why, as its last event; a download's connection is closed; an upload is refused, and nothing is kept."""
    script = tmp_path / "slow.json"
    script.write_text(json.dumps({"default": [{"text": "tick ", "repeat": 2000, "delay": 0.05}]}))
    server = start_server(fresh=True, models={"slow": {"backend": "scripted", "script": str(script)}})
    closed, kept = keys.make(server, "one", ["admin", "write"]).values()
    refused_soon(server, headers={})
    http, uploaded = plain(server), list[httpx2.Response]()
    uploading = threading.Thread(target=lambda: uploaded.append(_trickled(http, bearer(closed))))
    uploading.start()
    asked = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    with (
        http.stream("POST", "/v1/chat/completions", json=asked, headers=bearer(closed)) as ending,
        http.stream("POST", "/v1/chat/completions", json=asked, headers=bearer(kept)) as going_on,
    ):
        others = going_on.iter_lines()
        next(others)
        keys.revoke(server, closed)
        last = [line for line in ending.iter_lines() if line][-2:]
        assert last[0] == "event: error" and json.loads(last[1][6:])["error"]["code"] == "invalid_api_key"
        for _ in range(50):  # the other key's stream has pieces that were made behind that end
            assert "error" not in next(others)
    uploading.join()
    assert assert_refused(uploaded[0], 401, code="invalid_api_key")
    assert http.get("/v1/files", headers=bearer(kept)).json()["data"] == []


def _trickled(http: httpx2.Client, headers: dict[str, str]) -> httpx2.Response:
    """An upload that takes eight seconds, longer than a key is remembered."""

    def body() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(80):
            yield b"a" * 20_000
            time.sleep(0.1)
        yield b"\r\n--x--\r\n"

    return http.post(
        "/v1/files", content=body(), headers={**headers, "content-type": "multipart/form-data; boundary=x"}, timeout=90
    )


@pytest.mark.parametrize(
    "target", ["/v1/models%0A12:00:00.000%20INFO%20%20%20%20forged", "/v1/%1B[2J", "/v1/%E2%80%AEx"]
)
def test_a_path_writes_no_line_of_its_own_into_the_log(server: Server, http: httpx2.Client, target: str) -> None:
    """Nor does it turn or clear what somebody reads there."""
    request_id = http.get(target).headers["x-request-id"]
    (line,) = server.lines_with(request_id)
    assert line.isprintable() and " → 404 in " in line
    assert not any(line.endswith("forged") for line in server.log().splitlines())
