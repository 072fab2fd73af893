"""Behind a real nginx, set up as docs/operating.md says: refusals arrive as they are, streams as they come."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.server import Server
from tests.harness.sockets import free_port
from tests.harness.waiting import eventually

pytestmark = [
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
    pytest.mark.parametrize("storage", ["sqlite"]),  # what is tried lies before the store
]

DOCS = Path(__file__).parents[2] / "docs" / "operating.md"
REQUESTS = 20


@pytest.fixture
def behind(start_server: StartServer, tmp_path: Path) -> Iterator[str]:
    """Where nginx answers for a server with small limits."""
    server = start_server(max_body_bytes=100_000)
    port = free_port()
    conf = tmp_path / "nginx.conf"
    conf.write_text(configuration(server, port, tmp_path))
    process = subprocess.Popen(["nginx", "-e", str(tmp_path / "early.log"), "-p", str(tmp_path), "-c", str(conf)])
    try:
        eventually(lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def sdk(behind: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{behind}/v1", api_key="none", max_retries=0) as client:
        yield client


def configuration(server: Server, port: int, folder: Path) -> str:
    """The block that the documentation prints, with our ports in it and none of the machine's folders."""
    printed = DOCS.read_text().split("```nginx\n", 1)[1].split("```", 1)[0]
    assert "127.0.0.1:8000" in printed and "listen 443" not in printed
    location = printed.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} "
        f"http {{ access_log off; {folders} server {{ listen 127.0.0.1:{port}; {location} }} }}"
    )


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.parametrize("told", [True, False])
def test_a_body_that_is_refused_is_refused_in_the_apis_words(behind: str, told: bool) -> None:
    """nginx turns an answer that it could not wait for into a 502 of its own."""
    body = b'{"messages": [{"role": "user", "content": "' + b"a" * 180_000 + b'"}]}'
    for _ in range(REQUESTS):
        content = body if told else iter([body[:90_000], body[90_000:]])
        answer = httpx2.post(f"{behind}/v1/threads", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 413 and "At most 100000 bytes" in answer.json()["error"]["message"]


def test_a_stream_arrives_as_it_comes(sdk: openai.OpenAI) -> None:
    began, first = time.monotonic(), None
    text = ""
    for chunk in sdk.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "count slowly"}], stream=True
    ):
        if said := chunk.choices and chunk.choices[0].delta.content:
            first = first or time.monotonic() - began
            text += said
    assert text == "tick " * 20
    assert first is not None and first < (time.monotonic() - began) / 2, "its end was not waited for"


def test_a_file_of_many_megabytes_goes_through_and_comes_back(sdk: openai.OpenAI) -> None:
    content = b"0123456789abcdef" * (5 * 65_536)
    file = sdk.files.create(file=("large.txt", content), purpose="assistants")
    assert sdk.files.content(file.id).read() == content
