"""Marks of entities in examples: what they are read as, and that what is written reads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuli.types.understanding.understanding import EntityFound
from zhuli.understanding.language.marked_examples import BadMark, read_marks, write_marks


@pytest.mark.parametrize(
    ("example", "text", "found"),
    [
        ("book [tomorrow](date)", "book tomorrow", [("date", None, "tomorrow", "tomorrow", 5)]),
        ("to [NYC](city:New York)", "to NYC", [("city", None, "NYC", "New York", 3)]),
        ("[Paris](city#origin) now", "Paris now", [("city", "origin", "Paris", "Paris", 0)]),
        ("[NYC](city#to:New York)", "NYC", [("city", "to", "NYC", "New York", 0)]),
        ('[NYC]{"entity": "city", "value": "New York", "role": "to"}', "NYC", [("city", "to", "NYC", "New York", 0)]),
        ('[x][{"entity": "a"}, {"entity": "b"}]', "x", [("a", None, "x", "x", 0), ("b", None, "x", "x", 0)]),
        ('[2]{"entity": "n", "value": {"a": "}"}}', "2", [("n", None, "2", {"a": "}"}, 0)]),
        (
            "从[北京](城市#出发)到[上海](城市)",
            "从北京到上海",
            [("城市", "出发", "北京", "北京", 1), ("城市", None, "上海", "上海", 4)],
        ),
        ("[ two ](n)", " two ", [("n", None, "two", "two", 1)]),
        ("press [enter] and [a][b] or (c)", "press [enter] and [a][b] or (c)", []),
        ("", "", []),
    ],
)
def test_a_mark_is_an_entity_of_the_sentence(
    example: str, text: str, found: list[tuple[str, str | None, str, object, int]]
) -> None:
    marked = read_marks(example)
    assert marked.text == text
    assert [(mark.entity, mark.role, mark.text, mark.value, mark.start) for mark in marked.entities] == found
    assert all(text[mark.start : mark.end] == mark.text for mark in marked.entities)


@pytest.mark.parametrize(
    "example",
    [
        "[a](b c)",
        "[a]()",
        "[a](",
        "[a](b:)",
        '[a]{"value": "x"}',
        "[a]{entity: x}",
        '[a]{"entity": "x", "role": 1}',
        "[a]{",
    ],
)
def test_a_mark_that_names_no_entity_is_refused_with_what_would_be_right(example: str) -> None:
    with pytest.raises(BadMark, match=r"Write \[NYC\]\(city\)"):
        read_marks(example)


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]"), min_size=1, max_size=8)
names = st.text(st.characters(categories=["L", "N", "P"], exclude_characters="{}[]()"), min_size=1, max_size=5)
values = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.integers())


@given(st.lists(st.tuples(words, names, st.one_of(st.none(), names), values), max_size=4))
def test_what_is_written_with_marks_reads_back(parts: list[tuple[str, str, str | None, object]]) -> None:
    text, entities = "", []
    for word, name, role, value in parts:
        text += "、"
        stripped = word.strip() or "x"
        start, end = len(text), len(text) + len(stripped)
        said = stripped if value is None else value
        entities.append(
            EntityFound(entity=name, text=stripped, value=said, start=start, end=end, source="mark", role=role)
        )
        text += stripped
    assert read_marks(write_marks(text, entities)).entities == entities


def test_of_marks_that_overlap_the_first_and_longest_is_written() -> None:
    one = EntityFound(entity="a", text="New York", value="New York", start=0, end=8, source="mark")
    inner = one.model_copy(update={"entity": "b", "text": "York", "start": 4})
    assert write_marks("New York", [inner, one]) == "[New York](a)"
