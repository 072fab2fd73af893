"""The recommender end to end, over HTTP, on a server of its own: `make demo-recommend ARGS="--data DIR"`.

DIR holds MovieLens' small data set (movies.csv, ratings.csv); without it a made-up sample is used. Each user's last fifth of
events is kept back. Prints what was measured on it, a list with its reasons before and after an event, a cold user, a new
item, and an interleaved list.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress, track

from benchmarks.applications.recommender import movielens, sample
from benchmarks.learning.circle.house import House

_AT_ONCE = 1_000
_ASKED = 150
"""Users whose lists are measured."""


def main() -> None:
    """The story, on a server that is gone afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--embedder", default="minilm")
    asked = parser.parse_args()
    items, events = _sample() if asked.data is None else _movies(asked.data)
    with tempfile.TemporaryDirectory(prefix="zhuli-recommend-") as place, House(Path(place)) as house:
        _story(house, items, events, asked.embedder)


def _sample() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    print('A made-up sample (ARGS="--data DIR" for MovieLens): its numbers say that it works, not how well.\n')
    books = sample.items()
    return books, sample.events(books)


def _movies(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    movies = movielens.read(folder)
    ids = [row["id"] for row in movies.rows]
    columns = (movies.events.users, movies.events.items, movies.events.at)
    events = [
        {"id": f"e{number}", "user": f"user-{user}", "item": ids[item], "kind": "rate", "at": float(at)}
        for number, (user, item, at) in enumerate(zip(*columns, strict=True))
    ]
    return movies.rows, events


def _pieces(rows: Sequence[Any], what: str) -> Iterator[Sequence[Any]]:
    for start in track(range(0, len(rows), _AT_ONCE), description=what):
        yield rows[start : start + _AT_ONCE]


def _story(house: House, items: list[dict[str, Any]], events: list[dict[str, Any]], embedder: str) -> None:
    of_user: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        of_user.setdefault(event["user"], []).append(event)
    kept_back = {user: {one["item"] for one in own[-max(1, len(own) // 5) :]} for user, own in of_user.items()}
    before = [one for own in of_user.values() for one in own[: -max(1, len(own) // 5)]]
    path = f"/recommenders/{house.post('/recommenders', {'name': 'demo', 'embedder': embedder})['id']}"
    for piece in _pieces(items, "items"):
        house.post(f"{path}/items", {"data": piece})
    for piece in _pieces(before, "events"):
        house.post(f"{path}/events", {"data": piece})
    report = _trained(house, path)
    print("The training measured on users whom the ranker did not see:", report)
    _measured(house, path, kept_back)
    user = max(of_user, key=lambda one: len(of_user[one]) if len(of_user[one]) < 40 else 0)
    texts = {item["id"]: item["text"] for item in items}
    _show(house, path, user, f"{user}, who last chose “{texts[of_user[user][-1]['item']]}”")
    other = next(item["id"] for item in items if item["id"] not in {one["item"] for one in of_user[user]})
    house.post(f"{path}/events", {"data": [{"id": "now", "user": user, "item": other, "kind": "buy"}]})
    _show(house, path, user, f"the same after buying “{texts[other]}”")
    _show(house, path, "nobody-yet", "somebody without a past")
    _new_item(house, path, user, {**items[0], "id": "brand-new", "text": f"New: {texts[other]}"})
    gone = house.delete(f"/end_users/{user}")
    print(f"\n{user} is forgotten: {gone['counts']}.")


def _trained(house: House, path: str) -> dict[str, Any]:
    training = house.post(f"{path}/trainings", {})
    with Progress() as bar:
        task = bar.add_task("training", total=1.0)
        while (found := house.get(f"{path}/trainings/{training['id']}"))["status"] == "queued":
            bar.update(task, completed=found["progress"], description=f"training: {found['doing'] or 'waits'}")
            time.sleep(1)
        bar.update(task, completed=1.0, description="training")
    if found["status"] != "completed":
        raise SystemExit(found["error"])
    report: dict[str, Any] = found["report"]
    return report


def _measured(house: House, path: str, kept_back: dict[str, set[str]]) -> None:
    by = 1 / np.log2(np.arange(2, 12))
    users = sorted(kept_back)[:: max(1, len(kept_back) // _ASKED)][:_ASKED]
    for way in ("ranked", "item_to_item", "interest", "popular"):
        found = []
        for user in track(users, description=way):
            list_ = house.post(f"{path}/recommendations", {"user": user, "way": way})["data"]
            hit = np.array([one["item"] in kept_back[user] for one in list_])
            found.append((hit * by[: len(hit)]).sum() / by[: min(10, len(kept_back[user]))].sum())
        print(f"{way}: NDCG@10 {np.mean(found):.4f} of {len(users)} users, over HTTP")


def _show(house: House, path: str, user: str, who: str) -> None:
    list_ = house.post(f"{path}/recommendations", {"user": user, "limit": 5, "explain": True})
    print(f"\nFor {who}:")
    for one in list_["data"]:
        print(f"  {one['position'] + 1}. {one['text'][:70]} — {one['why']}")


def _new_item(house: House, path: str, user: str, item: dict[str, Any]) -> None:
    house.post(f"{path}/items", {"data": [item]})
    for _ in range(100):
        alike = house.post(f"{path}/similar", {"text": item["text"], "limit": 3})["data"]
        if any(one["item"] == item["id"] for one in alike):
            break
        time.sleep(0.1)
    print(f"\nA new item, found by its text a moment later: {[one['item'] for one in alike]}")
    compared = {"user": user, "compare": {"a": "ranked", "b": "popular"}, "limit": 6}
    list_ = house.post(f"{path}/recommendations", compared)["data"]
    print("Interleaved:", ", ".join(f"{one['item']} ({one['source']})" for one in list_))


if __name__ == "__main__":
    main()
