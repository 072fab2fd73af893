"""An opinion monitor from labelled news to an alert, over HTTP, on a server of its own: `make demo-opinion`.

    python -m benchmarks.applications.opinion.story [--data ../shared/data] [--tune head]

A model for the sentiment towards companies is tuned on FinEntity and put behind an alias; a monitor looks for the companies of
the data and for one more, Borealis Group, whose news are paragraphs about others with their name in the place of the other's.
Forty days are pushed, with a surge of bad news about it on the 37th; half-way the server is killed and everything is pushed
again. Printed is what was read of paragraphs that the model had not seen, when the alert came, and whether its webhook was
signed. Without --data: on 200 of the 979 paragraphs, which is to show the way, not a figure. --tune: what learns (head: minutes
and poor; top or all: better, and longer).
"""

import argparse
import base64
import hmac
import json
import os
import random
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from benchmarks.applications.opinion.sets import LABELS, record, unlike
from benchmarks.learning.circle.house import House, waiting

SAMPLE = Path(__file__).parent / "sample" / "finentity.json"
TARGET = "Borealis Group"
ALIAS = "company-sentiment"
SECRET = "a secret that only two know"
DAYS, SURGE_DAY, SURGE_HOURS = 40, 36, 10
HOUR = 3_600

Paragraph = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--tune", choices=("head", "top", "all"), default="head")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--chart", type=Path, default=Path("build/opinion.svg"))
    asked = parser.parse_args()
    source = asked.data / "finentity/FinEntity.json" if asked.data else SAMPLE
    paragraphs = json.loads(source.read_bytes())
    os.environ["ZHULI_PRIVATE_WEBHOOKS"] = "true"
    with (
        tempfile.TemporaryDirectory(prefix="zhuli-opinion-") as place,
        _webhook() as (url, got),
        House(Path(place)) as house,
    ):
        _story(house, paragraphs, asked, url, got)


def _story(house: House, paragraphs: list[Paragraph], asked: argparse.Namespace, url: str, got: list[Any]) -> None:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {text}", flush=True)

    dice = random.Random(0)
    dice.shuffle(paragraphs)
    surging, rest = _parted(paragraphs)
    held = rest[len(rest) * 2 // 3 :]
    learned = unlike(rest[: len(rest) * 2 // 3], [_content(one) for one in (*surging, *held)], _content)
    rows = [
        record(one["content"], a["start"], a["end"], a["label"].lower()) for one in learned for a in one["annotations"]
    ]
    options: dict[str, Any] = {"trainable": asked.tune, "max_length": 64}
    if asked.epochs:
        options["n_epochs"] = asked.epochs
    file = _upload(house, rows)
    body = {
        "model": "minilm",
        "task": "relation_extraction",
        "training_file": file,
        "tuning": {"hyperparameters": options},
    }
    model = house.tuned(body)
    house.put(f"/model_aliases/{ALIAS}", {"model": model})
    say(f"{model} has learned from {len(rows)} companies in {len(learned)} paragraphs, and serves as '{ALIAS}'.")

    monitor = house.post("/opinion_monitors", _monitor(paragraphs, url))["id"]
    now = int(time.time()) // HOUR * HOUR
    items = _items(rest, surging, now - (DAYS + 1) * 24 * HOUR, dice)
    say(
        f"{len(items)} items of {DAYS} days; {sum(item['id'].startswith('surge') for item in items)} are bad news of {TARGET}."
    )
    pushed = Counter(_push(house, monitor, items[: len(items) // 2]))
    house.kill()
    house.start()
    pushed += Counter(_push(house, monitor, items))
    say(f"Half were pushed, the server was killed, all were pushed again: {dict(pushed)}.")
    started = time.monotonic()
    for _ in waiting("reading"):
        status = house.get(f"/opinion_monitors/{monitor}/status")
        if status["failure"]:
            raise SystemExit(status["failure"])
        if not status["waiting"] and (status["looked_until"] or 0) > status["watermark"] - HOUR:
            break
    seconds = time.monotonic() - started
    total = house.get(f"/opinion_monitors/{monitor}/aggregates?series=all&hours=8784&since=0&until=4000000000")["data"]
    stories = sum(each["unknown"] + sum(each[label] for label in LABELS) for each in total)
    say(
        f"All is read, {seconds:.0f} s behind the last push: {stories} stories, reach {sum(each['reach'] for each in total)}."
    )
    _measure(house, monitor, held, say)
    _alerts(house, monitor, items, got, say)
    asked.chart.parent.mkdir(parents=True, exist_ok=True)
    drawn = house._http.get(
        f"/opinion_monitors/{monitor}/chart?series=company:borealis&hours=24&since={now - 42 * 86_400}"
    )
    asked.chart.write_bytes(drawn.content)
    say(f"The chart is {asked.chart}.")


def _parted(paragraphs: Sequence[Paragraph]) -> tuple[list[Paragraph], list[Paragraph]]:
    """Paragraphs with bad news of one company alone, for the surge; and the others."""
    bad = [one for one in paragraphs if [each["label"] for each in one["annotations"]] == ["Negative"]]
    surging = bad[: min(60, len(bad) * 2 // 3)]
    return surging, [one for one in paragraphs if not any(one is each for each in surging)]


def _content(paragraph: Paragraph) -> str:
    return str(paragraph["content"])


def _upload(house: House, rows: Sequence[Any]) -> str:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    answer = house._http.post("/files", files={"file": ("news.jsonl", content)}, data={"purpose": "fine-tune"})
    answer.raise_for_status()
    return str(answer.json()["id"])


def _monitor(paragraphs: Sequence[Paragraph], url: str) -> dict[str, Any]:
    names = Counter(
        each["value"].strip() for one in paragraphs for each in one["annotations"] if len(each["value"]) < 100
    )
    companies = [{"id": f"c{number}", "name": name} for number, name in enumerate(sorted(names)) if name]
    return {
        "name": "demo",
        "companies": [{"id": "borealis", "name": TARGET}, *companies],
        "models": {"en": {"company_sentiment": ALIAS}},
        "alerts": {"series": ["company"], "deliver": [{"type": "webhook", "url": url, "secret": SECRET}]},
    }


def _items(
    rest: Sequence[Paragraph], surging: Sequence[Paragraph], begin: int, dice: random.Random
) -> list[dict[str, Any]]:
    """Items in the order in which they are pushed: a tenth of them a day late."""
    items = []
    for number, one in enumerate(rest):
        at = begin + dice.random() * DAYS * 24 * HOUR
        content = one["content"] if number % 8 else _about(one)
        items.append(
            {"id": f"news-{number}", "text": content, "published_at": at, "source": dice.choice(["wire", "blog"])}
        )
    for number, one in enumerate(surging):
        at = begin + (SURGE_DAY * 24 + 6 + dice.random() * SURGE_HOURS) * HOUR
        items.append({"id": f"surge-{number}", "text": _about(one), "published_at": at, "source": "wire"})
    for each in list(items[::5]):
        items.append(
            {**each, "id": f"{each['id']}-again", "source": "repost", "published_at": each["published_at"] + HOUR}
        )
    return sorted(items, key=lambda item: item["published_at"] + (dice.random() < 0.1) * 24 * HOUR)


def _about(one: Paragraph) -> str:
    """The paragraph with the target's name in the place of its first company's."""
    first = one["annotations"][0]
    return f"{one['content'][: first['start']]}{TARGET}{one['content'][first['end'] :]}"


def _push(house: House, monitor: str, items: Sequence[Any]) -> Iterator[str]:
    for start in range(0, len(items), 200):
        answer = house.post(f"/opinion_monitors/{monitor}/items", {"data": items[start : start + 200]})
        yield from (each["state"] for each in answer["data"])


def _measure(house: House, monitor: str, held: Sequence[Paragraph], say: Any) -> None:
    """What was read of companies in paragraphs that nobody learned from, beside the labels."""
    known = {one["content"]: one for one in held}
    pairs: list[tuple[str, str]] = []
    missing, after = 0, ""
    while True:
        page = house.get(f"/opinion_monitors/{monitor}/items?limit=100{after}")
        for item in page["data"]:
            one = known.get(item["text"])
            if one is None or item["id"].endswith("-again"):
                continue
            read = {m["start"]: each["label"] for each in item["reading"]["companies"] for m in each["mentions"]}
            for entity in one["annotations"]:
                label = read.get(entity["start"])
                missing += label is None
                if label is not None:
                    pairs.append((entity["label"].lower(), label))
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    say(
        f"Sentiment towards companies in {len(held)} unseen paragraphs: macro-F1 {macro_f1(pairs):.3f}, accuracy "
        f"{sum(a == b for a, b in pairs) / max(1, len(pairs)):.3f} of {len(pairs)}; {missing} were not linked or not read."
    )


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """The mean of the three labels' F1. pairs: (true, said)."""
    found = []
    for label in LABELS:
        right = sum(true == said == label for true, said in pairs)
        told = sum((true == label) + (said == label) for true, said in pairs)
        found.append(2 * right / told if told else 0.0)
    return sum(found) / len(found)


def _alerts(house: House, monitor: str, items: Sequence[Any], got: list[Any], say: Any) -> None:
    alerts = house.get(f"/opinion_monitors/{monitor}/alerts?limit=100&order=asc")["data"]
    by_series: dict[str, list[Any]] = defaultdict(list)
    for alert in alerts:
        by_series[alert["series"]].append(alert)
    times = sorted(
        item["published_at"] for item in items if item["id"].startswith("surge") and "again" not in item["id"]
    )
    for alert in by_series.pop("company:borealis", []):
        told = alert["evidence"]
        end = alert["raised_for"] + HOUR
        say(
            f"Alert, {alert['severity']}: {told['observed']} bad stories of {TARGET} where {told['expected']:.1f} were expected. "
            f"{(end - times[0]) / HOUR:.1f} h and {sum(at < end for at in times)} items behind the first of the surge."
        )
        say(f"  new in it: {', '.join(alert['new_terms'][:6])}; an item: {alert['texts'][0]['text'][:90]}…")
        say(f"  words that spoke for it: {', '.join(word['word'] for word in alert['texts'][0]['attributions'] or [])}")
    say(f"Other alerts: {sum(map(len, by_series.values()))}.")
    time.sleep(3)
    right = [headers for headers, body in got if _signed(headers, body)]
    say(f"The webhook got {len(got)} alerts, {len(right)} of them rightly signed.")


def _signed(headers: Any, body: bytes) -> bool:
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
    return hmac.compare_digest(headers["webhook-signature"], f"v1,{made}")


@contextmanager
def _webhook() -> Iterator[tuple[str, list[Any]]]:
    """A receiver on this machine, and what it has got."""
    got: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers.items()), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/alerts", got
    server.shutdown()


if __name__ == "__main__":
    main()
