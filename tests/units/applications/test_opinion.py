"""Parts of the opinion monitor by themselves: names, reposts, the rule of alerts, signatures, letters, feeds."""

import asyncio
import base64
import hmac
import json
from collections.abc import Iterator
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiosmtpd.controller import Controller
from benchmarks.applications.opinion import measure, sets
from confluent_kafka import Producer

from tests.harness.sockets import free_port
from zhuli import registry
from zhuli.applications.opinion import denials, letters, surges, webhooks
from zhuli.applications.opinion.companies import CompanyFinder
from zhuli.applications.opinion.duplicates import StoryIndex, signatures
from zhuli.types.applications.feed import FeedFault
from zhuli.types.applications.opinion import Company, Mention

COMPANIES = [
    Company(id="gm", name="General Motors", aliases=["GM"], tickers=["GM.N"], names_zh=["通用汽车", "通用"]),
    Company(id="ge", name="General Electric", tickers=["GE"], names_zh=["通用电气"]),
    Company(id="apple", name="Apple", tickers=["AAPL"], names_zh=["苹果公司"]),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("general motors falls as GE gains", {"gm": ["general motors"], "ge": ["GE"]}),
        ("gm and Ge are no names here, pineapples neither", {}),
        ("AAPL, aapl; Apple's and $AAPL", {"apple": ["AAPL", "Apple", "AAPL"]}),
        ("通用电气上涨，通用汽车下跌，通用观望", {"ge": ["通用电气"], "gm": ["通用汽车", "通用"]}),
        ("İ GM <GM.N>", {"gm": ["GM", "GM.N"]}),
        ("", {}),
    ],
)
def test_companies_are_found_by_all_their_names(text: str, found: dict[str, list[str]]) -> None:
    named = CompanyFinder(COMPANIES).find(text)
    assert {company: [mention.text for mention in mentions] for company, mentions in named.items()} == found
    assert all(text[each.start : each.end] == each.text for mentions in named.values() for each in mentions)


@pytest.mark.parametrize(
    ("text", "affirmed"),
    [
        ("Kestrel hasn't grown, but Tarn has", "Kestrel has grown"),
        ("a rise was never expected at Kestrel; Tarn rose", "a rise was expected at Kestrel"),
        ("analysts say Kestrel will no longer borrow", "analysts say Kestrel will borrow"),
        ("Kestrel denied a fraud", "Kestrel confirmed a fraud"),
        ("Kestrel not only grew but paid", None),
        ("Kestrel fell while Tarn did not", None),
        ("Kestrel没有亏损，而塔恩亏损", "Kestrel亏损"),
        ("Kestrel不会裁员", "Kestrel会裁员"),
        ("Kestrel不仅盈利", None),
        ("Kestrel未来可期", None),
    ],
)
def test_a_clause_is_asked_about_without_what_denies(text: str, affirmed: str | None) -> None:
    at = Mention(start=text.index("Kestrel"), end=text.index("Kestrel") + 7, text="Kestrel")
    found = denials.denial(text, at)
    assert (found and found.affirmed) == affirmed
    if found is not None:
        for said, place in ((found.affirmed, found.affirmed_at), (found.without, found.without_at)):
            assert said[place.start : place.end] == "Kestrel"


def test_a_repost_is_of_its_story_and_another_text_is_not() -> None:
    texts = [
        "Profit at the northern mill rose to 12 million euros in the third quarter, the firm said on Monday.",
        "RT @desk: Profit at the northern mill rose to 12 million euros in the third quarter, the firm said on Monday",
        "The southern mill is to close in May, and 300 people will have to look for other work, unions say.",
    ]
    index = StoryIndex()
    found = []
    for number, signature in enumerate(signatures(texts)):
        found.append(index.story_of(str(number), signature))
        if found[-1] is None:
            index.add(str(number), signature)
    assert found == [None, "0", None]
    index.drop("0")
    assert index.story_of("9", signatures(texts[:1])[0]) is None


def test_alarms_are_as_rare_as_was_said_and_a_surge_is_found() -> None:
    """Ten quiet series with season and overdispersion, tested day by day; then one of them has five times as much."""
    dice = np.random.default_rng(1)
    hours = np.arange(28 * 168)
    season = (1 + 0.8 * np.sin((hours % 24 - 8) / 24 * 2 * np.pi)) * np.where((hours // 24 + 3) % 7 >= 5, 0.4, 1.2)
    means = np.exp(dice.normal(-1.0, 1.0, 10))[:, None] * season
    counts = dice.negative_binomial(3.0, 1 / (1 + means / 3)).astype(float)
    limit = surges.threshold(10, 1.0)
    history, quiet = 8 * 168, 0
    begin = np.zeros(10, dtype=int)
    for day in range(history + 96, counts.shape[1] - 24, 24):
        since, until = day - 96, day + 24
        past = slice(since - history, since)
        fitted = surges.baselines(counts.sum(axis=0)[past], counts[:, past], since - history, until - since)
        found = surges.surges(counts[:, since:until], fitted, limit, begin=np.maximum(0, begin - since), least=5)
        for each in found:
            begin[each.series] = since + each.hour + 1
        quiet += len(found)
    months = (counts.shape[1] - history) / 730.5
    assert quiet <= 3 * months
    largest = int(means.mean(axis=1).argmax())
    counts[largest, until - 12 : until] += dice.poisson(5 * means[largest, until - 12 : until])
    found = surges.surges(counts[:, since:until], fitted, limit, begin=[0] * 10, least=5)
    surge = next(each for each in found if each.series == largest)
    assert until - since - 14 <= surge.onset and surge.ratio > 2


def test_a_signature_is_that_of_standard_webhooks() -> None:
    made = webhooks.signature("a secret of sixteen", "msg_1", 1_700_000_000, b'{"a":1}')
    key = hmac.new(b"a secret of sixteen", b'msg_1.1700000000.{"a":1}', sha256)
    assert made == "v1," + base64.b64encode(key.digest()).decode()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "localhost"]
)
async def test_private_addresses_are_not_called(host: str) -> None:
    said = await webhooks.post(f"http://{host}:9/x", b"{}", id_="m", secret="s" * 16, now=1, private=False)
    assert said is not None and "private" in said


@pytest.fixture
def mail_server() -> Iterator[tuple[str, list[Any]]]:
    got: list[Any] = []

    class Box:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
            got.append(envelope)
            return "250 OK"

    port = free_port()
    server = Controller(Box(), hostname="127.0.0.1", port=port)
    server.start()
    yield f"smtp://127.0.0.1:{port}", got
    server.stop()


async def test_a_letter_arrives(mail_server: tuple[str, list[Any]]) -> None:
    url, got = mail_server
    assert await letters.send(url, "a@example.com", "b@example.com", title="Überschrift", text="Körper") is None
    assert got[0].rcpt_tos == ["b@example.com"] and "Körper".encode() in got[0].content
    assert "did not take it" in str(await letters.send("smtp://127.0.0.1:9", "a@x", "b@x", title="t", text="t"))


RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>
<item><guid>1</guid><title>Acme falls</title><description>&lt;b&gt;Acme&lt;/b&gt; fell &amp;amp; fell.</description>
<link>https://example.com/1</link><pubDate>Tue, 10 Jun 2025 12:00:00 GMT</pubDate></item></channel></rss>"""


async def items_of(kind: str, place: Path, **settings: Any) -> list[Any]:
    return [each async for each in registry.find("feeds", kind)(str(place), settings).items()]


async def test_feeds_bring_items_and_tell_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "news.xml").write_text(RSS)
    (entry,) = await items_of("rss", tmp_path / "news.xml", seconds=0)
    assert (entry["id"], entry["source"], entry["text"], entry["published_at"]) == (
        *("1", "Wire", "Acme fell & fell.", 1_749_556_800.0),
    )
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("A text.")
    (folder / "b.jsonl").write_text('{"id": "x", "text": "t", "published_at": 1}\nnot json\n')
    found = await items_of("directory", folder, seconds=0)
    assert [each["id"] for each in found if isinstance(each, dict)] == ["a.txt", "x"]
    assert [fault.place for fault in found if isinstance(fault, FeedFault)] == [f"{folder / 'b.jsonl'}:2"]


async def test_a_kafka_topic_goes_on_behind_what_was_taken() -> None:
    """A broker of librdkafka, which speaks Kafka's protocol, within this process."""
    producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = (await asyncio.to_thread(producer.list_topics, timeout=20)).brokers.values()
    for content in (b'{"id": "a", "text": "t", "published_at": 1}', b"not json", b'{"text": "no id"}'):
        producer.produce("news", content, partition=0)
    assert await asyncio.to_thread(producer.flush, 20) == 0

    async def read(number: int, *, taken: bool) -> list[Any]:
        feed = registry.find("feeds", "kafka")(f"kafka://{broker.host}:{broker.port}/news", {"group_id": "g"})
        async with asyncio.timeout(60), aclosing(feed.items()) as items:
            found = [await anext(items) for _ in range(number)]
            await feed.taken() if taken else None
        return found

    first, fault = await read(2, taken=True)
    (unnamed,) = await read(1, taken=False)  # by a consumer of the same group that comes after it
    assert (first["id"], fault.place, unnamed["id"]) == ("a", "news/0/1", "news/0/2")
    assert unnamed["published_at"] > 1.7e9


def test_what_a_model_is_tested_on_repeats_nothing_that_it_learned(tmp_path: Path) -> None:
    stories = [
        f"{name} told investors on {day} that its profit rose" for name in sets.NAMES for day in ("May 3", "June")
    ]
    content = [{"content": text, "annotations": [{"start": 0, "end": 4, "label": "Positive"}]} for text in stories]
    changed = [{**one, "content": one["content"].replace("rose", "fell")} for one in content]
    (tmp_path / "finentity").mkdir()
    (tmp_path / "finentity/FinEntity.json").write_text(json.dumps([*content, *content, *changed]))
    parts = sets.finentity(tmp_path, 0)
    learned = {paragraph[0]["text"] for paragraph in parts["train"]}
    assert len(learned) > 30 and not parts["validation"] and not parts["test"]

    apart = ["Kestrel wins an order", "The harbour of Tarn is closed", "Kestrel wins an order.", "Rowan employs 900"]
    assert sets.unlike(apart, ["Rowan employs 901"], str) == apart[:2]
    assert sets.unlike(["", "ab", ""], [""], str) == ["", "ab", ""]


def test_what_is_only_not_negative_is_right_either_way_and_in_no_f1() -> None:
    rows = [{"label": label} for label in ("negative", "neutral", "positive", "positive")]
    rows += [{"label": "not_negative", "kind": "not_bad"} for _ in range(3)]
    said = ["negative", "neutral", "positive", "negative", "neutral", "positive", "negative"]
    assert measure.told(rows, said).splitlines() == [
        "7 records: macro-F1 0.778, micro-F1 0.750",
        "  not_bad: 2 of 3 right",
    ]
