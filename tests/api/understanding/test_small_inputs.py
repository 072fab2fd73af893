"""Small inputs that people say to every assistant, each in a domain where it is met: a row an input, and what must be so then.

The rows are the kinds that conversations from outside showed. What is understood is the packaged encoders' and heads'.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.api.understanding.test_dialogue_acts import (
    BANK,
    CLINIC,
    Domains,
    domains,
    on_the_page,
    saved,
    storage,
)

__all__ = ["domains", "saved", "storage"]

HOME = """
name: Home
languages: [en, zh]
intents:
  order:
    description: Buy furniture
    examples: [I want to order something, "I'd like two [chairs](item:chair)", "send me a [lamp](item)", can I buy a desk,
      我要下单, "买两把[椅子](item:chair)", "要一盏[台灯](item:lamp)"]
    form: order
  lights:
    description: Turn the lights off
    examples: [turn off the lights, lights out please, switch the lamps off, make it dark in here, 关灯, 把灯关掉]
    action: {call: lights_off}
  music:
    description: Play music
    examples: [play some music, put a song on, I want to hear jazz, start my playlist, 放音乐, 来首歌]
    action: {call: play}
  flight:
    description: Find a flight
    examples: [I need a flight, find me flights, I want to fly somewhere, book a plane ticket, 我要订机票, 查航班]
    form: flight
entities:
  item: {values: {chair: [chairs, 椅子], lamp: [lamps, 台灯], desk: [desks, 桌子]}}
slots:
  item: {type: list, keep: false, prompt: {en: What would you like?, zh: 要买什么？}}
  address: {type: text, keep: false, mappings: [text], prompt: {en: Where shall it go?, zh: 送到哪里？}}
  origin_city: {type: text, keep: false, prompt: {en: Where do you leave from?, zh: 从哪里出发？}}
forms:
  order: {slots: [item, address], confirm: {en: "{item} to {address}?", zh: "{item}送到{address}？"}, action: {call: order}}
  flight: {slots: [origin_city], confirm: {en: "From {origin_city}?", zh: "从{origin_city}？"}, action: {call: fly}}
"""

RESTAURANT = on_the_page("name: Restaurant")

TODAY = datetime.now(UTC).astimezone().date()


@dataclass(frozen=True)
class Row:
    """said: the turns, of which the last is the input. act, forms, slots, function: what must be so then; None: anything.

    unset: slots that must hold nothing. also: functions that are called beside.
    """

    domain: str
    said: tuple[str, ...]
    act: str | None = None
    forms: list[str] | None = None
    slots: dict[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    function: str | None = None
    also: tuple[str, ...] = ()
    text: str | None = None


def rows(domain: str, before: tuple[str, ...], *inputs: str, **expected: Any) -> list[Row]:
    return [Row(domain, (*before, one), **expected) for one in inputs]


_TABLE, _DINNER = ("a table please",), ("a table for two tomorrow",)
_PAYING, _VISIT = ("send money to somebody",), ("I need an appointment",)
_NO = {"act": "respond", "forms": []}

SMALL = [
    *(
        row
        for domain in (RESTAURANT, BANK, CLINIC, HOME)
        for row in rows(domain, (), "who are you", "one moment please", "can you help me?", "hello", "thanks", **_NO)
    ),
    *rows(RESTAURANT, _TABLE, "5 people", "五个人", forms=["booking"], slots={"people": 5}),
    *rows(RESTAURANT, _TABLE, "two persons", forms=["booking"], slots={"people": 2}),
    *rows(BANK, _PAYING, "my name is Ann", forms=["payment"], slots={"payee": "Ann"}),
    *rows(BANK, _PAYING, "John please", forms=["payment"], slots={"payee": "John"}),
    *rows(BANK, _PAYING, "my brother", forms=["payment"], slots={"payee": "my brother"}),
    *rows(CLINIC, _VISIT, "not my first visit", "it isn't", forms=["visit"], slots={"first": False}),
    *rows(CLINIC, _VISIT, "没来过", "first time here", "第一次来", forms=["visit"], slots={"first": True}),
    *rows(BANK, (), "please don't block my card", "别转账", **_NO),
    *rows(CLINIC, (), "不用续药", **_NO),
    *rows(RESTAURANT, (), "明天七点三个人", forms=["booking"], slots={"people": 3, "time": "19:00"}),
    *rows(RESTAURANT, (), "今晚8点6个人", forms=["booking"], slots={"people": 6, "time": "20:00"}),
    *rows(RESTAURANT, (), "晚上七点两位", forms=["booking"], slots={"people": 2, "time": "19:00"}),
    *rows(RESTAURANT, _DINNER, "7.30", "seven thirty", "half seven", slots={"people": 2, "time": "19:30"}),
    *rows(RESTAURANT, _DINNER, "10th anniversary", "I have 2 kids", slots={"people": 2}, unset=("time",)),
    *(
        row
        for said in ("I don't know", "不知道", "hold on a second", "I already told you")
        for row in rows(BANK, _PAYING, said, forms=["payment"], unset=("payee",))
    ),
    *rows(BANK, (*_PAYING, "Ann"), "two grand", slots={"payee": "Ann", "amount": 2000}),
    *rows(BANK, (*_PAYING, "Ann"), "1万2", slots={"payee": "Ann", "amount": 12000}),
    *rows(CLINIC, ("book a trip",), "from Rome to Oslo", slots={"from_city": "Rome", "to_city": "Oslo"}),
    *rows(CLINIC, ("book a trip",), "广州到上海", slots={"from_city": "广州", "to_city": "上海"}),
    *rows(
        RESTAURANT,
        ("a table for two",),
        *("I don't want a table anymore", "不想订了", "我改主意了", "下次吧", "I no longer need a table"),
        act="cancel",
        forms=[],
    ),
    *rows(BANK, _PAYING, "I no longer need a transfer", forms=[], unset=("payee",)),
    *rows(
        RESTAURANT,
        ("a table for two tomorrow at 8 pm",),
        *("place the order", "确认下单", "好的下单吧", "y"),
        act="call",
        function="book_table",
    ),
    *rows(
        BANK, ("send 50 pounds to somebody", "Ann", "yes"), "send him another 70", slots={"payee": "Ann", "amount": 70}
    ),
    *rows(HOME, (), "three chairs and one lamp", "买三把椅子和一盏台灯", slots={"item": ["chair", "lamp"]}),
    *rows(HOME, ("I want to order something",), "three chairs and one lamp", slots={"item": ["chair", "lamp"]}),
    *rows(HOME, (), "turn off the lights and play some music", act="call", function="lights_off", also=("play",)),
    *rows(HOME, (), "关灯，然后放音乐", act="call", function="lights_off", also=("play",)),
    *rows(BANK, ("转账三百给张三", "张三"), "说错了，是三百五", slots={"payee": "张三", "amount": 350}),
    *rows(RESTAURANT, (), "你好，我想订个位子", forms=["booking"], text="请问几位？"),
    *rows(RESTAURANT, _TABLE, "xmas eve", slots={"date": "12-24"}),
    *rows(RESTAURANT, _TABLE, "the first Monday in January", slots={"date": "01-"}),
    *rows(RESTAURANT, _TABLE, "any day but Monday", forms=["booking"], unset=("date",)),
    *rows(RESTAURANT, _TABLE, "除夕", slots={"date": "-"}),
    *rows(RESTAURANT, _TABLE, "月底", slots={"date": "-"}),
    *rows(HOME, ("find me a flight",), "I need flights from NYC.", slots={"origin_city": "NYC"}),
    *rows(HOME, ("find me a flight",), "New York", slots={"origin_city": "New York"}),
]


@pytest.mark.parametrize("row", SMALL, ids=lambda row: f"{row.domain.split()[1]}: {' / '.join(row.said)}")
def test_a_small_input_is_understood(domains: Domains, row: Row) -> None:
    talk = domains.talk(row.domain)
    for said in row.said:
        decision = talk.says(said)
    assert row.act in (None, decision["act"])
    assert row.forms in (None, talk.forms)
    held = {name: value for name, value in talk.slots.items() if name in row.slots}
    if "date" in row.slots:
        assert row.slots["date"] in held.pop("date")
    assert held == {name: value for name, value in row.slots.items() if name != "date"}
    assert not set(row.unset) & talk.slots.keys()
    assert row.function in (None, decision.get("function"))
    assert {one["function"] for one in decision.get("also") or []} >= set(row.also)
    assert row.text is None or row.text in (decision.get("text") or "")


@pytest.mark.parametrize(("said", "ends"), [("the first Monday in January", 7), ("月底", 31)])
def test_days_of_the_calendar_are_the_days_that_are_meant(domains: Domains, said: str, ends: int) -> None:
    talk = domains.talk(RESTAURANT)
    talk.says("a table please")
    talk.says(said)
    day = date.fromisoformat(talk.slots["date"])
    if ends == 7:
        assert day.month == 1 and day.day <= ends and day.weekday() == 0
    else:
        assert (day + timedelta(days=1)).day == 1
