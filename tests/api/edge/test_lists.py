"""Lists: limit, order, cursors, ends, has_more: the same rules for every collection (contract §1.1).

Messages of a thread are where most rules are tried, since a thread is a test's own; the others follow the same steps.
"""

from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused
from tests.harness.texts import text_of


@pytest.fixture
def thread(client: openai.OpenAI) -> str:
    return client.beta.threads.create(messages=[{"role": "user", "content": str(n)} for n in range(25)]).id


@pytest.fixture
def path(thread: str) -> str:
    return f"/v1/threads/{thread}/messages"


def texts(page: Any) -> list[int]:
    return [int(message["content"][0]["text"]["value"]) for message in page["data"]]


def test_a_page_has_twenty_of_the_newest_unless_told_otherwise(http: httpx2.Client, path: str) -> None:
    page = http.get(path).json()
    assert page["object"] == "list"
    assert texts(page) == list(range(24, 4, -1))
    assert page["has_more"] is True
    assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])


def test_ascending_is_oldest_first(http: httpx2.Client, path: str) -> None:
    assert texts(http.get(path, params={"order": "asc"}).json()) == list(range(20))


def test_objects_of_one_second_keep_the_order_in_which_they_were_made(http: httpx2.Client, path: str) -> None:
    page = http.get(path, params={"order": "asc", "limit": 100}).json()
    assert len({message["created_at"] for message in page["data"]}) < 25
    assert texts(page) == list(range(25))


@pytest.mark.parametrize(("limit", "has_more"), [(1, True), (24, True), (25, False), (26, False), (100, False)])
def test_has_more_says_whether_something_is_left(http: httpx2.Client, path: str, limit: int, has_more: bool) -> None:
    page = http.get(path, params={"limit": limit}).json()
    assert len(page["data"]) == min(limit, 25)
    assert page["has_more"] is has_more


def test_after_goes_on_behind_an_object_in_the_order_asked_for(http: httpx2.Client, path: str) -> None:
    ids = [message["id"] for message in http.get(path, params={"order": "asc", "limit": 100}).json()["data"]]
    page = http.get(path, params={"order": "asc", "after": ids[9], "limit": 3}).json()
    assert (texts(page), page["has_more"]) == ([10, 11, 12], True)
    page = http.get(path, params={"order": "desc", "after": ids[2]}).json()
    assert (texts(page), page["has_more"]) == ([1, 0], False)


def test_before_gives_the_page_that_ends_at_an_object(http: httpx2.Client, path: str) -> None:
    ids = [message["id"] for message in http.get(path, params={"order": "asc", "limit": 100}).json()["data"]]
    page = http.get(path, params={"order": "asc", "before": ids[9], "limit": 3}).json()
    assert (texts(page), page["has_more"]) == ([6, 7, 8], True)
    page = http.get(path, params={"order": "desc", "before": ids[22]}).json()
    assert (texts(page), page["has_more"]) == ([24, 23], False)


def test_after_and_before_together_give_what_is_between(http: httpx2.Client, path: str) -> None:
    ids = [message["id"] for message in http.get(path, params={"order": "asc", "limit": 100}).json()["data"]]
    page = http.get(path, params={"order": "asc", "after": ids[3], "before": ids[7]}).json()
    assert (texts(page), page["has_more"]) == ([4, 5, 6], False)


def test_the_sdk_walks_through_all_pages(client: openai.OpenAI, thread: str) -> None:
    walked = [int(text_of(m)) for m in client.beta.threads.messages.list(thread, limit=4, order="asc")]
    assert walked == list(range(25))


async def test_the_async_sdk_walks_through_all_pages(aclient: openai.AsyncOpenAI) -> None:
    thread = await aclient.beta.threads.create(messages=[{"role": "user", "content": str(n)} for n in range(9)])
    pages = aclient.beta.threads.messages.list(thread.id, limit=2, order="desc")
    assert [int(text_of(m)) async for m in pages] == list(range(8, -1, -1))


def test_an_empty_list_has_null_ends(http: httpx2.Client, client: openai.OpenAI) -> None:
    thread = client.beta.threads.create().id
    empty: Any = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    for name in ("messages", "runs"):
        assert http.get(f"/v1/threads/{thread}/{name}").json() == empty


def test_a_cursor_that_was_deleted_is_refused_by_its_name(
    http: httpx2.Client, client: openai.OpenAI, thread: str
) -> None:
    message = client.beta.threads.messages.list(thread, limit=1).data[0].id
    client.beta.threads.messages.delete(message, thread_id=thread)
    response = http.get(f"/v1/threads/{thread}/messages", params={"after": message})
    assert_refused(response, 404, f"No message found with id '{message}'.")


def test_a_cursor_of_another_thread_is_refused(
    http: httpx2.Client, client: openai.OpenAI, thread: str, path: str
) -> None:
    other = client.beta.threads.create(messages=[{"role": "user", "content": "other"}]).id
    message = client.beta.threads.messages.list(other).data[0].id
    assert_refused(http.get(path, params={"before": message}), 404, f"No message found with id '{message}'.")


LISTS = ("/v1/assistants", "/v1/threads", "/v1/threads/{thread}/messages", "/v1/threads/{thread}/runs")


@pytest.mark.parametrize("template", LISTS)
@pytest.mark.parametrize(
    ("limit", "message", "code"),
    [
        ("0", "Invalid 'limit': integer below minimum value. Expected a value >= 1", "integer_below_min_value"),
        ("-1", "Invalid 'limit': integer below minimum value. Expected a value >= 1", "integer_below_min_value"),
        ("101", "Invalid 'limit': integer above maximum value. Expected a value <= 100", "integer_above_max_value"),
        ("many", "Invalid type for 'limit': expected an integer", "invalid_type"),
    ],
)
def test_a_limit_is_from_1_to_100(
    http: httpx2.Client, thread: str, template: str, limit: str, message: str, code: str
) -> None:
    response = http.get(template.format(thread=thread), params={"limit": limit})
    assert assert_refused(response, 400, param="limit", code=code).startswith(message)


@pytest.mark.parametrize("template", LISTS)
def test_an_order_is_asc_or_desc(http: httpx2.Client, thread: str, template: str) -> None:
    response = http.get(template.format(thread=thread), params={"order": "random"})
    message = assert_refused(response, 400, param="order", code="invalid_value")
    assert "'asc'" in message and "'desc'" in message


@pytest.mark.parametrize(("path", "noun"), [("/v1/assistants", "assistant"), ("/v1/threads", "thread")])
def test_an_unknown_cursor_is_refused_by_its_name(http: httpx2.Client, path: str, noun: str) -> None:
    for cursor in ("after", "before"):
        response = http.get(path, params={cursor: f"{noun}_x"})
        assert_refused(response, 404, f"No {noun} found with id '{noun}_x'.")


@pytest.fixture
def own_project(clients: Clients, start_server: StartServer, request: pytest.FixtureRequest) -> openai.OpenAI:
    """A client whose project has nothing but what the test makes."""
    server = start_server(name="with keys")
    return clients.sdk(server, key=server.new_key(request.node.name))


def test_assistants_are_listed_by_the_same_rules(own_project: openai.OpenAI) -> None:
    listed = own_project.beta.assistants.list()
    assert listed.to_dict() == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    made = [own_project.beta.assistants.create(model="gpt-4o", name=str(n)).id for n in range(5)]
    assert [a.id for a in own_project.beta.assistants.list().data] == made[::-1]
    assert [a.id for a in own_project.beta.assistants.list(limit=2, order="asc")] == made
    assert [a.id for a in own_project.beta.assistants.list(after=made[3], limit=2).data] == [made[2], made[1]]
    assert [a.id for a in own_project.beta.assistants.list(before=made[1], order="asc").data] == [made[0]]


def test_runs_are_listed_by_the_same_rules(client: openai.OpenAI) -> None:
    assistant = client.beta.assistants.create(model="gpt-4o").id
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}]).id
    runs = client.beta.threads.runs
    made = [runs.create_and_poll(thread_id=thread, assistant_id=assistant, poll_interval_ms=20).id for _ in range(3)]
    assert [run.id for run in runs.list(thread).data] == made[::-1]
    assert [run.id for run in runs.list(thread, limit=1, order="asc")] == made
    page = runs.list(thread, after=made[2], limit=1)
    assert ([run.id for run in page.data], page.has_more) == ([made[1]], True)


def test_files_are_listed_by_their_own_rules(own_project: openai.OpenAI) -> None:
    """Up to 10,000 on a page, and none of them is `before`."""
    assert own_project.files.list().to_dict()["data"] == []
    made = [own_project.files.create(file=(f"{n}.txt", b"x"), purpose="assistants").id for n in range(3)]
    made.append(own_project.files.create(file=("cat.png", b"x"), purpose="vision").id)
    assert [file.id for file in own_project.files.list().data] == made[::-1]
    assert [file.id for file in own_project.files.list(purpose="assistants", order="asc").data] == made[:3]
    page = own_project.files.list(limit=2, order="asc", after=made[0])
    assert ([file.id for file in page.data], page.has_more) == (made[1:3], True)
    assert len(own_project.files.list(limit=10_000).data) == 4


def test_the_limits_of_a_files_list(http: httpx2.Client) -> None:
    for limit, code in (("0", "integer_below_min_value"), ("10001", "integer_above_max_value")):
        assert_refused(http.get("/v1/files", params={"limit": limit}), 400, param="limit", code=code)
