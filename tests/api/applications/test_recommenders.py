"""/v1/recommenders: items and events go in, lists come out that follow the next event, say why, and forget who asks to be."""

import json
import random
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.harness.refusals import assert_refused
from tests.harness.server import Server
from tests.harness.waiting import eventually
from tests.operating.zhuli import zhuli

Body = dict[str, Any]

TOPICS = ("gardens", "chess", "trains", "bread")


def post(http: httpx2.Client, path: str, body: Body) -> Body:
    response = http.post(f"/v1{path}", json=body)
    assert response.status_code == 200, response.text
    answer: Body = response.json()
    return answer


def get(http: httpx2.Client, path: str) -> Body:
    response = http.get(f"/v1{path}")
    assert response.status_code == 200, response.text
    answer: Body = response.json()
    return answer


def item(number: int) -> Body:
    topic = TOPICS[number % 4]
    return {"id": f"i{number}", "text": f"Book {number} about {topic}", "categories": [topic], "price": 5.0 + number}


def event(user: str, number: int, at: float, **more: Any) -> Body:
    return {"id": f"{user}-{number}-{at}", "user": user, "item": f"i{number}", "kind": "buy", "at": at, **more}


@pytest.fixture
def recommender(http: httpx2.Client) -> str:
    """Forty books of four topics, and fifty readers who keep to one of these."""
    made = post(http, "/recommenders", {"name": "books", "embedder": "hashed"})
    path = f"/recommenders/{made['id']}"
    assert post(http, f"{path}/items", {"data": [item(number) for number in range(40)]})["added"] == 40
    drawn = random.Random(0)
    events = [
        event(f"u{user}", user % 4 + 4 * book, 1_000.0 + 100 * user + place)
        for user in range(50)
        for place, book in enumerate(drawn.sample(range(9), 6))
    ]
    assert post(http, f"{path}/events", {"data": events}) == {
        "object": "recommender.batch",
        "added": 300,
        "known": 0,
        "faults": [],
    }
    return path


def ended_training(http: httpx2.Client, path: str) -> Body:
    training = post(http, f"{path}/trainings", {})
    found = training

    def ended() -> bool:
        nonlocal found
        found = get(http, f"{path}/trainings/{training['id']}")
        return bool(found["status"] != "queued")

    eventually(ended, patience=400)
    return found


def trained(http: httpx2.Client, path: str) -> Body:
    found = ended_training(http, path)
    assert found["status"] == "completed", found
    return found


def topics(answer: Body) -> list[str]:
    return [TOPICS[int(one["item"][1:]) % 4] for one in answer["data"]]


def test_a_list_follows_the_next_event_says_why_and_keeps_to_its_controls(
    http: httpx2.Client, recommender: str
) -> None:
    first = post(http, f"{recommender}/recommendations", {"user": "u1", "limit": 5})
    taken = event("u1", int(first["data"][1]["item"][1:]), 8_000.0, list=first["id"])
    post(http, f"{recommender}/events", {"data": [taken]})
    training = trained(http, recommender)
    assert (training["report"]["lists"], training["report"]["clicks"]) == (1, 1)  # what was shown is learned of, too
    assert (training["progress"], training["doing"]) == (1.0, None) and training["started_at"] is not None
    assert training["report"]["items"] == 40 and training["report"]["users"] == 50
    assert get(http, recommender)["model"] == training["id"]

    asked: Body = {"user": "new", "limit": 3, "explain": True}
    cold = post(http, f"{recommender}/recommendations", asked)
    assert (cold["known"], len(cold["data"]), cold["data"][0]["because"]) == (0, 3, None)

    post(http, f"{recommender}/events", {"data": [event("new", 1, 9_000.0)]})
    chess = post(http, f"{recommender}/recommendations", asked)
    assert topics(chess) == ["chess"] * 3 and chess["known"] == 1
    assert all(one["because"]["item"] == "i1" and "bought" in one["why"] for one in chess["data"])
    assert "i1" not in [one["item"] for one in chess["data"]]

    post(http, f"{recommender}/events", {"data": [event("new", 2, 9_001.0), event("new", 6, 9_002.0)]})
    trains = post(http, f"{recommender}/recommendations", asked)
    assert topics(trains)[0] == "trains" and trains["data"][0]["because"]["item"] in {"i2", "i6"}

    only = post(
        http, f"{recommender}/recommendations", {**asked, "controls": {"categories": ["bread"], "max_price": 20.0}}
    )
    assert only["data"] and set(topics(only)) == {"bread"}
    assert all(int(one["item"][1:]) <= 15 for one in only["data"])
    for price in (8.0, 12.0, 16.0, 20.0):  # the dearest is as dear as it may be
        asked_of = {"categories": ["bread"], "max_price": price}
        dearest = post(http, f"{recommender}/recommendations", {"user": "new", "limit": 9, "controls": asked_of})
        assert f"i{price - 5:.0f}" in {one["item"] for one in dearest["data"]}
    without = post(http, f"{recommender}/recommendations", {**asked, "controls": {"without": ["trains", "chess"]}})
    assert not {"trains", "chess"} & set(topics(without))
    then = post(http, f"{recommender}/recommendations", {**asked, "at": 9_000.5})
    assert then["known"] == 1 and topics(then) == ["chess"] * 3  # as it was then
    again = post(http, f"{recommender}/recommendations", {"user": "new", "limit": 20, "controls": {"seen": True}})
    assert {"i2", "i6"} & {one["item"] for one in again["data"]}
    lot = post(http, f"{recommender}/recommendations", {**asked, "limit": 10, "controls": {"explore": 0.5}})
    assert all(0 < one["propensity"] <= 1 for one in lot["data"]) and {one["propensity"] for one in lot["data"]} != {
        1.0
    }

    # A new item is there at once, by its text; a removed one is gone.
    post(
        http,
        f"{recommender}/items",
        {"data": [{"id": "fresh", "text": "A new book about trains", "categories": ["trains"]}]},
    )
    fresh = {"text": "about trains", "limit": 41}

    def found() -> bool:
        return "fresh" in [one["item"] for one in post(http, f"{recommender}/similar", fresh)["data"]]

    eventually(found)
    assert http.delete(f"/v1{recommender}/items/fresh").status_code == 200
    assert not found()
    alike = post(http, f"{recommender}/similar", {"item": "i2", "limit": 3})
    assert alike["by"] == "behaviour" and set(topics(alike)) == {"trains"}


def test_events_of_items_that_are_gone_teach_nothing(http: httpx2.Client) -> None:
    path = f"/recommenders/{post(http, '/recommenders', {'name': 'gone', 'embedder': 'hashed'})['id']}"
    post(http, f"{path}/items", {"data": [item(1)]})
    post(http, f"{path}/events", {"data": [event("ann", 1, 1.0)]})
    assert http.delete(f"/v1{path}/items/i1").json()["deleted"]
    found = ended_training(http, path)
    assert found["status"] == "failed" and "no events to learn from" in found["error"]


def test_before_any_training_texts_decide(http: httpx2.Client, recommender: str) -> None:
    post(http, f"{recommender}/events", {"data": [event("new", 3, 9_000.0)]})

    def by_text() -> bool:
        answer = post(http, f"{recommender}/recommendations", {"user": "new", "limit": 3})
        assert answer["model"] is None
        return topics(answer) == ["bread"] * 3

    eventually(by_text)


def test_events_count_once_and_bad_ones_are_named_while_the_rest_goes_on(http: httpx2.Client, recommender: str) -> None:
    batch = [event("ann", 1, 1.0), event("ann", 99, 2.0), event("ann", 2, 3.0, list="rlist_no"), event("ann", 1, 1.0)]
    taken = post(http, f"{recommender}/events", {"data": batch})
    assert (taken["added"], [fault["index"] for fault in taken["faults"]]) == (1, [1, 2])
    assert "i99" in taken["faults"][0]["message"]
    assert post(http, f"{recommender}/events", {"data": batch[:1]})["known"] == 1
    log = get(http, f"{recommender}/events?user=ann")
    assert [(one["item"], one["at"]) for one in log["data"]] == [("i1", 1.0)]
    liked = {"data": [{**batch[0], "kind": "like"}]}
    refused = http.post(f"/v1{recommender}/events", json=liked)
    assert_refused(refused, 400, param="data[0].kind", code="invalid_value")
    assert_refused(http.post("/v1/recommenders/rec_no/events", json={"data": batch[:1]}), 404)
    assert_refused(
        http.post("/v1/recommenders", json={"name": "x", "embedder": "none"}),
        400,
        param="embedder",
        code="invalid_value",
    )


def test_interleaved_lists_say_which_way_an_item_came_from_and_are_credited(
    http: httpx2.Client, recommender: str
) -> None:
    compare = {"a": "item_to_item", "b": "popular"}
    for number in range(4):
        shown = post(http, f"{recommender}/recommendations", {"user": f"u{number}", "limit": 6, "compare": compare})
        assert {one["source"] for one in shown["data"]} == {"a", "b"}
        chosen = next(int(one["item"][1:]) for one in shown["data"] if one["source"] == "a")
        post(http, f"{recommender}/events", {"data": [event(f"u{number}", chosen, 9_000.0, list=shown["id"])]})
    place = shown["data"][2]
    said = {"target": {"type": "recommendation", "id": f"{shown['id']}:2"}, "verdict": "up", "user": "u3"}
    context = post(http, "/feedback", said)["context"]
    assert (context["input"], context["output"]["item"]) == ({"user": "u3"}, place["item"])
    said["target"] = {"type": "recommendation", "id": f"{shown['id']}:6"}
    assert_refused(http.post("/v1/feedback", json=said), 404, param="target.id")
    report = get(http, f"{recommender}/comparisons?a=item_to_item&b=popular")
    assert (report["lists"], report["won_by_a"], report["won_by_b"], report["p"]) == (4, 4, 0, 0.125)
    same = {"user": "u", "compare": {"a": "popular", "b": "popular"}}
    refused = http.post(f"/v1{recommender}/recommendations", json=same)
    assert "two different ways" in assert_refused(refused, 400, code="invalid_value")


def test_a_user_is_forgotten_and_a_recommender_is_deleted(http: httpx2.Client, recommender: str) -> None:
    own = recommender.rpartition("/")[2]  # others of the server have users of the same names
    post(http, f"{recommender}/events", {"data": [event(own, 1, 9_000.0)]})
    shown = post(http, f"{recommender}/recommendations", {"user": own})["id"]
    said = post(
        http, "/feedback", {"target": {"type": "recommendation", "id": f"{shown}:1"}, "verdict": "down"}
    )  # by somebody else
    exported = [json.loads(line) for line in http.get(f"/v1/end_users/{own}/export").text.splitlines()]
    assert sorted(line["kind"] for line in exported) == ["feedback", "recommender_event", "recommender_list"]
    assert {line["data"]["user"] for line in exported if line["kind"] != "feedback"} == {own}
    gone = http.delete(f"/v1/end_users/{own}").json()
    assert gone["deleted"]
    assert gone["counts"] == {"recommender_events": 1, "recommender_lists": 1, "feedback": 1}
    assert_refused(http.get(f"/v1/feedback/{said['id']}"), 404)
    assert get(http, f"/end_user_deletions/{gone['deletion']}")["found"]  # though nothing but these was theirs
    assert get(http, f"{recommender}/events?user={own}")["data"] == []
    assert post(http, f"{recommender}/recommendations", {"user": own})["known"] == 0
    pages = get(http, f"{recommender}/items?limit=30")
    rest = get(http, f"{recommender}/items?limit=30&after={pages['data'][-1]['id']}")
    assert len({one["id"] for one in pages["data"] + rest["data"]}) == 40 and not rest["has_more"]
    training = post(http, f"{recommender}/trainings", {})["id"]
    assert http.delete(f"/v1{recommender}").json()["deleted"]
    assert_refused(http.get(f"/v1{recommender}"), 404)
    assert_refused(http.get(f"/v1{recommender}/trainings/{training}"), 404)


def test_a_file_is_imported_and_its_bad_lines_are_told(
    http: httpx2.Client, server: Server, recommender: str, tmp_path: Path
) -> None:
    good = [event("cli", number, 5.0) for number in (1, 2)]
    lines = [*map(json.dumps, good), "{", json.dumps({**good[0], "kind": "like"}), json.dumps(event("cli", 99, 6.0))]
    (tmp_path / "events.jsonl").write_text("\n".join(lines))
    id_ = recommender.rpartition("/")[2]
    asked = ("recommenders", "import", id_, tmp_path / "events.jsonl", "--events", "--base-url", f"{server.url}/v1")
    done = zhuli(*asked)
    assert (done.returncode, done.stdout) == (1, "2 added, 0 here before, 3 refused.\n"), done.stderr
    assert [line.partition(":")[0] for line in done.stderr.splitlines() if line.startswith("line ")] == [
        "line 3",
        "line 4",
        "line 5",
    ]
    assert "2 here before" in zhuli(*asked).stdout
