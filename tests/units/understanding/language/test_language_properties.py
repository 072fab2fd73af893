"""What holds of every text: rules never fail, and what they find stands where they say it does."""

from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from zhuli.types.understanding.domain import Entity, EntityKind, EntityValue
from zhuli.understanding.language.acts.dialogue_acts import act_of, correction, only_greets
from zhuli.understanding.language.acts.negation import with_negation
from zhuli.understanding.language.acts.references import references
from zhuli.understanding.language.acts.wanting import wanted
from zhuli.understanding.language.entity_extraction.entity_extraction import find_entities
from zhuli.understanding.language.entity_extraction.merging import merged
from zhuli.understanding.language.languages import language_of
from zhuli.understanding.language.plain_text import plain

KINDS: tuple[EntityKind, ...] = ("number", "date", "time", "money", "phone", "email")
ENTITIES = [
    *(Entity(name=kind, kind=kind) for kind in KINDS),
    Entity(
        name="city",
        kind="lookup",
        values=[EntityValue(value="New York", synonyms=["纽约"]), EntityValue(value="清华大学")],
    ),
    Entity(name="code", kind="regex", patterns=[r"[A-Z]\d+", r"(?P<value>x)?y"]),
]
PIECES = [
    *"1 12 3/5 2026 -5 . , : / $ 元 块 点 半 号 月 日 周 一 二十 百 万 零 两 三 下 个 明天 晚上 差一刻 不 不是 要 取消".split(),
    *"no not at 7 pm march 5th the to from half past one twenty hundred and dozen same day there that new york".split(),
    *"那家 上次 清华大雪 @ a@b.co + ( ) 😀 é ﬁ İ ß ｅ １".split(),
    "\u200b",
    " ",
]
TEXTS = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=24).map("".join))
NOW = datetime(2026, 11, 23, 10, 5, tzinfo=UTC)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_what_is_found_stands_where_it_is_said_to_and_once(text: str) -> None:
    found = find_entities(text, ENTITIES, language=None, now=NOW)
    assert all(0 <= one.start < one.end <= len(text) and one.text == text[one.start : one.end] for one in found)
    for entity in ENTITIES:
        own = [one for one in found if one.entity == entity.name]
        assert all(before.end <= after.start for before, after in pairwise(own))
    assert merged(found, found) == merged(found, [])


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_whatever_is_said_is_taken(text: str) -> None:
    assert len(plain(text)) == len(text)
    assert plain(plain(text)) == plain(text)
    assert all(text[one.start : one.end] == one.text for one in references(text))
    assert language_of(text, ["en"], None) in ("en", None)
    act_of(text)
    correction(text)
    only_greets(text)
    wanted(text, 0, len(text))


@settings(max_examples=30, deadline=None)
@given(TEXTS)
def test_denying_is_a_matter_of_the_text_alone(text: str) -> None:
    found = find_entities(text, ENTITIES, language=None, now=NOW)
    once = with_negation(text, found)
    assert with_negation(text, once) == once
    assert [(one.entity, one.start, one.value) for one in once] == [(one.entity, one.start, one.value) for one in found]


def test_a_long_message_is_read_in_time_and_cut() -> None:
    for piece in ("not ", "1, ", "三月3", "一点", "不是a", "the same ", "$1 to ", "new "):
        text = piece * 50_000
        found = find_entities(text, ENTITIES, language=None, now=NOW)
        assert all(one.end <= 2000 for one in found)
        with_negation(text, found)
        act_of(text)
        references(text)
