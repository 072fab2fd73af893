"""/v1/opinion_monitors over HTTP, without tuned models: what is pushed is kept once, counted in its hour, listed and deleted."""

import json
import time
from typing import Any

import httpx2
import pytest

from tests.harness.refusals import assert_refused
from tests.harness.waiting import eventually

HOUR = 3_600
NOW = int(time.time()) // HOUR * HOUR
ACME = {"id": "acme", "name": "Acme Corp", "aliases": ["Acme"], "tickers": ["ACM"], "names_zh": ["艾克美"]}
HOOK = {"type": "webhook", "url": "https://example.com/hook", "secret": "s" * 20}

Body = dict[str, Any]


def made(http: httpx2.Client, **fields: Any) -> str:
    """A monitor's path."""
    answer = http.post("/v1/opinion_monitors", json={"name": "m", "companies": [ACME], **fields})
    assert answer.status_code == 200, answer.text
    return f"/v1/opinion_monitors/{answer.json()['id']}"


def item(id_: str, text: str, hours_ago: float = 1, **more: Any) -> Body:
    return {"id": id_, "text": text, "published_at": NOW - hours_ago * HOUR, "source": "wire", **more}


def push(http: httpx2.Client, path: str, *items: Body) -> list[str]:
    """What became of each; returns when they are read."""
    answer = http.post(f"{path}/items", json={"data": items})
    assert answer.status_code == 200, answer.text
    eventually(lambda: http.get(f"{path}/status").json()["waiting"] == 0, patience=60)
    return [each["state"] for each in answer.json()["data"]]


def test_items_are_kept_once_read_and_counted_in_their_hour(http: httpx2.Client) -> None:
    path = made(http, alerts={"deliver": [HOOK]})
    shown = http.get(path).json()
    assert shown["alerts"]["deliver"][0]["secret"] == "*" * 16
    first = item("a", "Acme opens a plant in the north of the country.", 3)
    second = item("b", "艾克美在北方开设了新的工厂，员工表示欢迎。", 2, title="工厂")
    assert push(http, path, first, second, first) == ["added", "added", "unchanged"]
    assert push(http, path, {**first, "source": "blog"}) == ["corrected"]
    listed = http.get(f"{path}/items", params={"limit": 1}).json()
    assert [(each["id"], each["reading"]["language"]) for each in listed["data"]] == [("b", "zh")]
    assert listed["data"][0]["reading"]["companies"][0]["mentions"] == [{"start": 3, "end": 6, "text": "艾克美"}]
    rest = http.get(f"{path}/items", params={"after": listed["next"]}).json()
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == (["a"], False)
    counted = http.get(f"{path}/aggregates", params={"series": "company:acme", "since": NOW - 5 * HOUR}).json()
    assert [(each["start"], each["unknown"], each["reach"]) for each in counted["data"]] == [
        (NOW - 3 * HOUR, 1, 1),
        (NOW - 2 * HOUR, 1, 1),
    ]
    series = {each["series"]: each["reach"] for each in http.get(f"{path}/series").json()["data"]}
    assert series == {"all": 2, "source:wire": 1, "source:blog": 1, "company:acme": 2}
    picture = http.get(f"{path}/chart", params={"hours": 1})
    assert picture.text.startswith("<svg") and picture.headers["content-type"] == "image/svg+xml"
    drawn = http.get(f"{path}/chart", params={"hours": 1, "format": "png"})
    assert drawn.content.startswith(b"\x89PNG") and drawn.headers["content-type"] == "image/png"
    changed = http.post(path, json={"companies": []}).json()
    assert changed["companies"] == [] and changed["name"] == "m"
    assert http.get(f"{path}/alerts").json()["data"] == []
    assert http.delete(path).json()["deleted"] is True
    assert_refused(http.get(path), 404)


def test_what_a_person_wrote_is_exported_and_deleted_with_what_others_said_of_it(http: httpx2.Client) -> None:
    path, user = made(http), "kai-of-opinion"
    push(http, path, item("c", "Acme is bad, says Kai.", user=user), item("b", "Nobody says so else."))
    item_id = http.get(f"{path}/items/c").json()["item_id"]
    said = {"source": "reviewer", "correction": {"label": "negative"}}
    for target in (item_id, f"{item_id}:acme"):
        given = http.post("/v1/feedback", json={"target": {"type": "opinion_item", "id": target}, **said})
        assert given.status_code == 200, given.text
    lines = [json.loads(line) for line in http.get(f"/v1/end_users/{user}/export").text.splitlines()]
    assert sorted(line["kind"] for line in lines) == ["feedback", "feedback", "opinion_item"]
    assert [line["data"]["text"] for line in lines if line["kind"] == "opinion_item"] == ["Acme is bad, says Kai."]
    gone = http.delete(f"/v1/end_users/{user}").json()
    assert gone["deleted"] and gone["counts"] == {"opinion_items": 1, "feedback": 2}
    assert_refused(http.get(f"{path}/items/c"), 404, param="item_id")
    assert_refused(http.get(f"/v1/end_users/{user}/export"), 404)
    assert http.get(f"{path}/items/b").json()["text"] == "Nobody says so else."


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"companies": [ACME, ACME]}, None),
        ({"companies": [{**ACME, "id": "a b"}]}, "companies[0].id"),
        (
            {"alerts": {"deliver": [{"type": "webhook", "url": "ftp://x.org", "secret": "s" * 20}]}},
            "alerts.deliver[0].url",
        ),
        ({"alerts": {"false_alarms_per_month": 0}}, "alerts.false_alarms_per_month"),
        ({"languages": []}, "languages"),
    ],
)
def test_a_monitor_that_can_t_be_is_refused(http: httpx2.Client, body: Body, param: str | None) -> None:
    answer = http.post("/v1/opinion_monitors", json={"name": "m", **body})
    assert answer.status_code == 400, answer.text
    if param is not None:
        assert answer.json()["error"]["param"].replace(".webhook", "") == param


def test_items_that_can_t_be_are_refused_with_their_places(http: httpx2.Client) -> None:
    path = made(http)
    good = item("a", "Fine.")
    for bad, param, code in (
        ({**good, "published_at": NOW * 1.5}, "data[1].published_at", "invalid_value"),
        ({"id": "x"}, "data[1].text", "missing_required_parameter"),
    ):
        assert_refused(http.post(f"{path}/items", json={"data": [good, bad]}), 400, param=param, code=code)
    assert_refused(http.post(f"{path}/items", json={"data": []}), 400, param="data", code="empty_array")
    assert_refused(http.get(f"{path}/items", params={"after": "x"}), 400, param="after", code="invalid_value")
    asked = {"series": "weather"}
    assert_refused(http.get(f"{path}/aggregates", params=asked), 400, param="series", code="invalid_value")
    assert_refused(http.post("/v1/opinion_monitors/opmon_none/items", json={"data": [good]}), 404)
    assert_refused(http.post(f"{path}/alerts/opal_none/acknowledge", json={"by": "ann"}), 404)
