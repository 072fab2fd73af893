"""How long a list takes over HTTP: `python -m benchmarks.applications.recommender.latency --items 100000 --events 1000000`.

Items and users are made up, their rows are written straight into the database, and the model is drawn by lot; then a server of
its own is asked. Wall time means something on a quiet machine only; the server's processor time a list is printed beside it.
After each twentieth list an event is sent, and the next list must count it.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import psutil
from rich.progress import track
from sqlalchemy import Connection, insert

from benchmarks.processes import free_port, started
from zhuli.applications.recommender import folders
from zhuli.applications.recommender.method import model, ranking
from zhuli.applications.recommender.method.fitting import Events, Options
from zhuli.applications.recommender.method.interest import WIDTH, Tower, unit
from zhuli.applications.recommender.method.item_to_item import Dense, Lists
from zhuli.applications.recommender.method.items import Items
from zhuli.applications.recommender.method.scoring import FEATURES, TREND_DAYS, Parts
from zhuli.core.hints import Hints
from zhuli.settings import Settings
from zhuli.store import migrate, projects
from zhuli.store.applications import recommender as store
from zhuli.store.opening import open_database
from zhuli.store.projects import DEFAULT_PROJECT
from zhuli.store.schema import recommender_events, recommender_items
from zhuli.types.applications.recommender import EventWeights, Item, Recommender

_DIMENSIONS, _SUBJECTS, _EACH = 128, 200, 20
ID, TRAINING = "rec_latency", "rtr_latency"


def made_up(items: int, events: int, *, seed: int = 0) -> tuple[Items, Events]:
    """Items of two hundred subjects, and users of twenty events each who keep to three subjects; some items are met often."""
    rng = np.random.default_rng(seed)
    subjects = np.arange(items) % _SUBJECTS
    centres = rng.standard_normal((_SUBJECTS, _DIMENSIONS)).astype(np.float32)
    texts = unit(centres[subjects] + rng.standard_normal((items, _DIMENSIONS)).astype(np.float32))
    categories = np.eye(_SUBJECTS, dtype=np.float32)[subjects]
    nothing = np.full(items, np.nan, np.float32)
    users = np.repeat(np.arange(events // _EACH), _EACH)
    likes = rng.integers(0, _SUBJECTS, (events // _EACH, 3))
    subject = likes[users, rng.integers(0, 3, len(users))]
    each = items // _SUBJECTS
    rank = np.minimum((rng.pareto(1.1, len(users)) * each / 50).astype(np.int64), each - 1)
    at = np.sort(rng.uniform(1.7e9, 1.76e9, (events // _EACH, _EACH)), axis=1).ravel()
    weights = np.ones(len(users), np.float32)
    return Items(texts, categories, nothing, nothing), Events(users, rank * _SUBJECTS + subject, weights, at)


def fill(connection: Connection, items: Items, events: Events) -> None:
    """The recommender's rows, as its routes would write them."""
    made = Recommender(id=ID, created_at=0, name="latency", embedder="hashed", weights=EventWeights(), model=TRAINING)
    store.create(connection, DEFAULT_PROJECT, made)
    rows = []
    for row in range(len(items)):
        text, subject = f"Thing {row} of subject {row % _SUBJECTS}", f"subject {row % _SUBJECTS}"
        body = Item(id=f"i{row}", text=text, categories=[subject]).model_dump_json()
        vector = items.texts[row].astype("<f2").tobytes()
        rows.append({"recommender_id": ID, "item_id": f"i{row}", "body": body, "vector": vector})
    connection.execute(insert(recommender_items), rows)
    step = 50_000
    for start in track(range(0, len(events), step), description="events"):
        piece = events.of(np.arange(len(events)) // step == start // step)
        connection.execute(
            insert(recommender_events),
            [
                {
                    "recommender_id": ID,
                    "event_id": f"e{start + place}",
                    "end_user": f"u{user}",
                    "item_id": f"i{item}",
                    "kind": "buy",
                    "at": float(at),
                }
                for place, (user, item, at) in enumerate(zip(piece.users, piece.items, piece.at, strict=True))
            ],
        )


def drawn_model(folder: Path, items: Items, *, seed: int = 0) -> None:
    """A model drawn by lot, as large as a training's of so many items: what a list takes does not hang on how good it is."""
    rng, count, options = np.random.default_rng(seed), len(items), Options()
    chosen = np.arange(min(options.most_dense, count))
    places = np.full(count, -1, np.int64)
    places[chosen] = chosen
    dense = Dense(chosen, places, rng.standard_normal((len(chosen), len(chosen)), dtype=np.float32))
    starts = np.arange(count + 1, dtype=np.int64) * options.kept
    columns = np.sort(rng.integers(0, count, (count, options.kept), dtype=np.int32), axis=1).ravel()
    lists = Lists(starts, columns, rng.random(len(columns), dtype=np.float32))
    past, coming = (unit(rng.standard_normal((count, WIDTH), dtype=np.float32)) for _ in range(2))
    trends = rng.random((count, len(TREND_DAYS)), dtype=np.float32)
    made = Parts(items, dense, lists, lists, past, coming, trends[:, 0], trends, np.full(count, 2024, np.float32))
    width = items.features.shape[1]
    tower = Tower(*(rng.standard_normal((width, WIDTH), dtype=np.float32) for _ in range(2)))
    folder.mkdir(parents=True)
    names = [f"subject {subject}" for subject in range(_SUBJECTS)]
    model.save(folder, made, tower, model.About([f"i{row}" for row in range(count)], names, 0))
    groups = [
        ranking.Group(0, rng.standard_normal((300, len(FEATURES)), dtype=np.float32), rng.integers(0, 2, 300))
        for _ in range(40)
    ]
    ranking.save(ranking.learn(groups, rounds=options.rounds, seed=0), folder / model.RANKER)


def ask(port: int, process: psutil.Process, users: int, asked: int) -> None:
    """Lists for users by lot, and what they took."""
    http = httpx2.Client(base_url=f"http://127.0.0.1:{port}/v1/recommenders/{ID}", timeout=600)
    began = time.perf_counter()
    http.post("/recommendations", json={"user": "u0"}).raise_for_status()
    print(f"the first list, with items and model read into memory: {time.perf_counter() - began:.1f} s")
    for explain in (False, True):
        rng, walls, counted = np.random.default_rng(1), list[float](), 0
        before = process.cpu_times()
        for number in range(asked):
            body: dict[str, Any] = {"user": f"u{rng.integers(users)}", "limit": 10, "explain": explain}
            began = time.perf_counter()
            answer = http.post("/recommendations", json=body)
            walls.append(time.perf_counter() - began)
            answer.raise_for_status()
            if number % 20 == 0:
                counted += _event_counts(http, answer.json(), f"{explain}-{number}")
        after = process.cpu_times()
        spent = (after.user + after.system - before.user - before.system) / asked
        p50, p95 = np.quantile(walls, [0.5, 0.95]) * 1000
        said = {"explain": explain, "lists": asked, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}
        said |= {"server_cpu_ms_a_list": round(spent * 1000, 1), "events_counted": f"{counted} of {-(-asked // 20)}"}
        print(json.dumps(said), flush=True)


def _event_counts(http: httpx2.Client, list_: dict[str, Any], id_: str) -> int:
    """Whether the next list knows one event more, and leaves the item out."""
    chosen = list_["data"][0]["item"]
    event = {"id": id_, "user": list_["user"], "item": chosen, "kind": "buy", "list": list_["id"]}
    http.post("/events", json={"data": [event]}).raise_for_status()
    after = http.post("/recommendations", json={"user": list_["user"]}).json()
    return int(after["known"] == list_["known"] + 1 and chosen not in [one["item"] for one in after["data"]])


async def _filled(place: Path, items: Items, events: Events) -> None:
    database = open_database(Settings(data_dir=place).database, Hints())
    await database.run(migrate.upgrade)
    await database.run(projects.ensure_default, now=0.0)
    await database.run(fill, items, events)
    await database.aclose()


def main() -> None:
    """Make, fit, serve, ask."""
    import asyncio

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--lists", type=int, default=500)
    given = parser.parse_args()
    items, events = made_up(given.items, given.events)
    with tempfile.TemporaryDirectory(prefix="zhuli-recommend-") as folder:
        place = Path(folder)
        asyncio.run(_filled(place, items, events))
        print("filled", flush=True)
        drawn_model(folders.of_training(place, ID, TRAINING), items)
        print("model made", flush=True)
        models = (
            '[models.script]\nbackend = "scripted"\nscript = "script.json"\n\n[embedders.hashed]\nplugin = "hashed"\n'
        )
        (place / "script.json").write_text('{"default": [{"text": "Hello."}]}')
        (place / "models.toml").write_text(models)
        port = free_port()
        arguments = ("serve", "--port", str(port), "--data-dir", str(place))
        log = place / "server.log"
        with started("zhuli.cli", *arguments, port=port, ready="/readyz", log=log) as server:
            ask(port, psutil.Process(server.pid), given.events // _EACH, given.lists)


if __name__ == "__main__":
    main()
