"""`zhuli chat` as a person uses it: in a terminal, driven through a pty; and as other programs do, through pipes."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pexpect
import pytest

from tests.harness.server import UNDERSTANDER, Server
from tests.harness.sockets import free_port
from tests.operating.zhuli import PATIENCE, command, environment, zhuli
from zhuli.understanding.domains.yaml.reading import parse

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.parametrize("storage", ["sqlite"]),
]

PROMPT = "› "


@contextmanager
def terminal(server: Server, folder: Path, *options: str) -> Iterator[Any]:
    """A terminal of 80 columns that shows `zhuli chat`, at its prompt."""
    surroundings = environment({"XDG_STATE_HOME": str(folder), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"})
    program, *arguments = command("chat", "--base-url", server.base_url, *options)
    child = pexpect.spawn(
        program, arguments, env=surroundings, encoding="utf-8", timeout=PATIENCE, dimensions=(24, 80), echo=False
    )
    try:
        child.expect(PROMPT)
        yield child
    finally:
        child.close(force=True)


def leave(child: Any) -> None:
    child.send("/quit\r")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0


def ask(child: Any, question: str, answer: str) -> None:
    child.send(f"{question}\r")
    child.expect_exact(answer)
    child.expect("tokens")
    child.expect(PROMPT)


def test_a_conversation_streams_goes_on_and_can_be_taken_up_later(server: Server, tmp_path: Path) -> None:
    with terminal(server, tmp_path) as child:
        ask(child, "tell a story", "Once upon a time.")
        ask(child, "how many messages", "I see 3.")
        child.send("/quit\r")
        child.expect(r"zhuli chat --thread (thread_\w{24})")
        thread = child.match[1]
    with terminal(server, tmp_path, "--thread", thread) as child:
        ask(child, "how many messages", "I see 5.")
        child.send("/history\r")
        child.expect_exact("Once upon a time.")
        leave(child)


def test_new_begins_another_conversation(server: Server, tmp_path: Path) -> None:
    with terminal(server, tmp_path) as child:
        ask(child, "echo: 你好，世界", "echo: 你好，世界")
        child.send("/new\r")
        child.expect_exact("A new conversation.")
        child.expect(PROMPT)
        ask(child, "how many messages", "I see 1.")
        leave(child)


def test_model_changes_who_answers_and_an_unknown_one_is_an_error_not_the_end(server: Server, tmp_path: Path) -> None:
    with terminal(server, tmp_path) as child:
        child.send("/model gpt-9\r")
        child.expect(PROMPT)
        child.send("hello\r")
        child.expect_exact("'gpt-9' cannot be used")
        child.expect(PROMPT)
        child.send("/model gpt-4o\r")
        child.expect_exact("gpt-4o answers from now on.")
        child.expect(PROMPT)
        ask(child, "echo: again", "echo: again")
        leave(child)


def test_ctrl_c_stops_the_answer_and_cancels_the_run(server: Server, tmp_path: Path) -> None:
    with terminal(server, tmp_path) as child:
        child.send("begin and stall\r")
        child.expect_exact("I begin")
        child.sendintr()
        child.expect_exact("Stopped.")
        child.expect(PROMPT)
        child.send("/quit\r")
        child.expect(r"zhuli chat --thread (thread_\w{24})")
        thread = child.match[1]
    client = openai.OpenAI(base_url=server.base_url, api_key="none")
    assert [run.status for run in client.beta.threads.runs.list(thread)] == ["cancelled"]


def test_a_failed_run_says_why_and_the_conversation_goes_on(server: Server, tmp_path: Path) -> None:
    with terminal(server, tmp_path) as child:
        child.send("fault server_error\r")
        child.expect_exact("The scripted model answered 500.")
        child.expect(PROMPT)
        ask(child, "echo: still here", "echo: still here")
        leave(child)


def test_ctrl_c_at_the_prompt_clears_the_line_and_ctrl_d_leaves(server: Server, tmp_path: Path) -> None:
    with terminal(server, tmp_path) as child:
        child.send("half a quest")
        child.sendintr()
        child.expect(PROMPT)
        ask(child, "echo: whole", "echo: whole")
        child.sendeof()
        child.expect(pexpect.EOF)


def test_alt_enter_begins_a_new_line(server: Server, tmp_path: Path) -> None:
    with terminal(server, tmp_path) as child:
        child.send("echo: one\x1b\rtwo\r")
        child.expect(r"echo: one\r\ntwo\r\n")
        leave(child)


def test_what_was_typed_is_remembered(server: Server, tmp_path: Path) -> None:
    with terminal(server, tmp_path) as child:
        ask(child, "echo: remember me", "echo: remember me")
        leave(child)
    assert "+echo: remember me" in (tmp_path / "zhuli" / "chat_history").read_text()


def test_a_question_on_the_command_line_is_answered_and_that_is_all(server: Server) -> None:
    done = zhuli("chat", "echo: 你好", "--base-url", server.base_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "echo: 你好\n", "")


def test_a_question_comes_through_a_pipe(server: Server) -> None:
    asked = command("chat", "--base-url", server.base_url)
    done = subprocess.run(asked, input="tell a story", capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout == "Once upon a time.\n"


def test_no_assistant_is_left_behind(server: Server) -> None:
    client = openai.OpenAI(base_url=server.base_url, api_key="none")
    before = [assistant.id for assistant in client.beta.assistants.list(limit=100)]
    zhuli("chat", "echo: hi", "--base-url", server.base_url)
    assert [assistant.id for assistant in client.beta.assistants.list(limit=100)] == before


def test_without_a_server_it_says_how_to_start_one(storage: str) -> None:
    done = zhuli("chat", "hello", "--base-url", f"http://127.0.0.1:{free_port()}/v1")
    assert done.returncode == 2
    assert "No server answers" in done.stderr
    assert "zhuli serve" in done.stderr
    assert "Traceback" not in done.stderr


SHOP = f"""
name: Shop that goes
understander: {{type: "{UNDERSTANDER}", script: {{hi: greet, open: hours}}}}
intents:
  greet: {{examples: [hi], action: {{respond: welcome}}}}
  hours: {{examples: [when are you open], action: {{call: find_hours, response: told}}}}
responses: {{welcome: Good day!, told: "From {{result.from}}."}}
"""


def test_a_domain_in_a_file_is_talked_to_its_functions_are_asked_for_and_it_goes_with_the_conversation(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "shop.yml").write_text(SHOP)
    with terminal(server, tmp_path, "--domain", str(tmp_path / "shop.yml")) as child:
        child.send("hi\r")
        child.expect_exact("Good day!")
        child.expect(r"greet \d\.\d\d · respond · und_")
        child.expect(PROMPT)
        child.send("open today\r")
        child.expect_exact("calls find_hours({})")
        child.expect_exact("its output › ")
        child.send('{"from": "eight"}\r')
        child.expect_exact("From eight.")
        child.expect_exact("call find_hours")
        child.expect(PROMPT)
        leave(child)
    client = openai.OpenAI(base_url=server.base_url, api_key="none")
    left: Any = client.get("/domains", cast_to=object)
    assert "Shop that goes" not in [domain["name"] for domain in left["data"]]


def test_a_domain_of_the_server_is_named_by_its_id_and_stays(server: Server) -> None:
    client = openai.OpenAI(base_url=server.base_url, api_key="none")
    fields = parse(SHOP.replace("goes", "stays")).model_dump(mode="json", exclude_defaults=True)
    made: Any = client.post("/domains", body=fields, cast_to=object)
    done = zhuli("chat", "hi", "--domain", made["id"], "--base-url", server.base_url)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Good day!")
    done = zhuli("chat", "open", "--domain", made["id"], "--base-url", server.base_url)
    assert "calls find_hours({})" in done.stdout
    done = zhuli("chat", "hi", "--domain", "dom_missing", "--base-url", server.base_url)
    assert done.returncode == 2 and "dom_missing" in done.stderr
    assert client.get(f"/domains/{made['id']}", cast_to=object) == made


@pytest.mark.parametrize("words", [("chat", "hello"), ("datasets", "list")])
def test_an_address_without_v1_is_one_sentence(server: Server, words: tuple[str, ...]) -> None:
    done = zhuli(*words, "--base-url", server.base_url.removesuffix("/v1"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("zhuli: ") and "the base URL must end with /v1" in done.stderr
