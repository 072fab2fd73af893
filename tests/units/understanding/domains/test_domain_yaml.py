"""Domains in YAML: what may be written how, what is said of what may not, and that what is written out reads back the same."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import DomainFields
from zhuli.understanding.domains.checks.checking import check
from zhuli.understanding.domains.yaml.reading import line_of, parse, read
from zhuli.understanding.domains.yaml.writing import dump

RESTAURANT = """
name: Restaurant
languages: [en, zh]
understander: few_shot
intents:
  greet: [hi, 你好, 2, yes]
  book:
    description: Wants a table.
    examples: |
      - a table for [four](people)

      book - for [tomorrow](date)
    form: booking
  "no":
    act: deny
  thanks:
    examples: [thanks]
    action: {respond: welcome}
  human:
    action: hand_over
entities:
  date: date
  person:
  cuisine: [italian, thai]
  city: {values: {New York: [NYC, big apple], Paris: , Rome: Roma}}
  code: {patterns: ['[A-Z]{3}\\d+']}
slots:
  people: number
  seat: [inside, outside]
  date:
    type: date
    prompt: {en: When?, zh: 什么时候？}
    validation: {minimum: 2026-01-01}
  to:
    mappings: [{entity: city, role: to}, {intents: [no], value: false, asked: true}, text]
forms:
  booking:
    slots: [people, date]
    action: {call: book_table, arguments: {n: "{people}", late: 18:30}, response: booked}
responses:
  welcome: You're welcome.
  booked: {en: Done., zh: 好}
fallback:
  threshold: 0.5
  unclear: {clarify: 3}
  out_of_scope: {talk: Be kind.}
"""

IN_FULL: dict[str, Any] = {
    "name": "Restaurant",
    "languages": ["en", "zh"],
    "understander": {"type": "few_shot"},
    "intents": [
        {"name": "greet", "examples": ["hi", "你好", "2", "yes"]},
        {
            "name": "book",
            "description": "Wants a table.",
            "examples": ["a table for [four](people)", "book - for [tomorrow](date)"],
            "form": "booking",
        },
        {"name": "no", "act": "deny"},
        {"name": "thanks", "examples": ["thanks"], "action": {"type": "respond", "response": "welcome"}},
        {"name": "human", "action": {"type": "hand_over"}},
    ],
    "entities": [
        {"name": "date", "kind": "date"},
        {"name": "person"},
        {"name": "cuisine", "kind": "lookup", "values": [{"value": "italian"}, {"value": "thai"}]},
        {
            "name": "city",
            "kind": "lookup",
            "values": [
                {"value": "New York", "synonyms": ["NYC", "big apple"]},
                {"value": "Paris"},
                {"value": "Rome", "synonyms": ["Roma"]},
            ],
        },
        {"name": "code", "kind": "regex", "patterns": ["[A-Z]{3}\\d+"]},
    ],
    "slots": [
        {"name": "people", "type": "number"},
        {"name": "seat", "type": "category", "values": [{"value": "inside"}, {"value": "outside"}]},
        {
            "name": "date",
            "type": "date",
            "prompt": {"en": "When?", "zh": "什么时候？"},
            "validation": {"minimum": "2026-01-01"},
        },
        {
            "name": "to",
            "mappings": [
                {"type": "entity", "entity": "city", "role": "to"},
                {"type": "intent", "intents": ["no"], "value": False, "asked": True},
                {"type": "text"},
            ],
        },
    ],
    "forms": [
        {
            "name": "booking",
            "slots": ["people", "date"],
            "action": {
                "type": "call",
                "function": "book_table",
                "arguments": {"n": "{people}", "late": "18:30"},
                "response": "booked",
            },
        }
    ],
    "responses": {"welcome": "You're welcome.", "booked": {"en": "Done.", "zh": "好"}},
    "fallback": {
        "threshold": 0.5,
        "unclear": {"type": "clarify", "most": 3},
        "out_of_scope": {"type": "talk", "instructions": "Be kind."},
    },
}


def test_the_short_forms_say_what_the_json_says() -> None:
    assert parse(RESTAURANT) == DomainFields.model_validate(IN_FULL)


def test_what_json_has_may_be_written_in_yaml_as_it_is() -> None:
    whole = DomainFields.model_validate(IN_FULL)
    assert parse(whole.model_dump_json()) == whole


def test_every_place_of_the_domain_has_its_line() -> None:
    lines = read(RESTAURANT).lines
    numbered = RESTAURANT.split("\n")
    assert numbered[line_of(lines, "intents[1].examples[1]") - 1].strip() == "book - for [tomorrow](date)"  # type: ignore[operator]
    assert numbered[line_of(lines, "forms[0]") - 1].strip() == "booking:"  # type: ignore[operator]
    assert line_of(lines, "forms[0].slots[1].nothing") == line_of(lines, "forms[0].slots[1]")
    assert line_of({}, "forms[0]") is None


@pytest.mark.parametrize(
    ("text", "param", "said"),
    [
        ("- a", None, "Line 1: A domain is a mapping"),
        ("intents:\n  a:\n    exampels: x", "intents[0].exampels", "Line 3: Unknown parameter"),
        ("intents:\n  a:\n    form: 2", "intents[0].form", "Line 3: Invalid type for 'intents[0].form'"),
        ("intents:\n  a: x", "intents", "Line 2: 'a' is the name"),
        ("intents:\n  a: {name: b}", "intents", "Line 2: 'a' is the name"),
        ("intents:\n  a b: []", "intents[0].name", "Line 2: Invalid 'intents[0].name'"),
        ("forms:\n  a:\n    slots: [b]", "forms[0].action", "Line 2: Missing required parameter: 'forms[0].action'"),
        ("intents:\n  a: {action: {respond: }}", "intents[0].action.response", "Line 2: Missing"),
        ("intents:\n  a: {action: dance}", "intents[0].action.type", "Line 2: Invalid value: 'dance'. Supported"),
        ("languages: en", "languages", "Line 1: Invalid type for 'languages': expected an array"),
        ("languages: [en, fr]", "languages[1]", "Line 1: Invalid value: 'fr'. Supported values are: 'en' or 'zh'"),
        ("entities:\n  x: colour", "entities[0].kind", "Line 2: Invalid value: 'colour'. Supported values are"),
        ("entities:\n  a: {values: x}", "entities[0].values", "Line 2: Invalid type"),
        ("name: a\nname: b", None, "Line 2: 'name' is there twice; first in line 1"),
        ("name: [a", None, "This is not YAML"),
        ("intents:\n  pay:\n    - [50](amount) for Ann\n    - hi", None, "Line 3: This is not YAML: did not find"),
        ("intents:\n  pay:\n    - [50](amount) for Ann\n    - hi", None, 'needs quotes: "[50](amount) for Ann"'),
        ("intents:\n  pay: [send [50](amount), hi]", None, 'needs quotes: "[50](amount) for Ann"'),
        ("name: a\nb: !!python/object/apply:os.system [x]", None, "Line 2: The tag"),
        ("name: &a x", None, "Line 1: Anchors (&) and aliases (*) are not taken"),
        ("name: *a", None, "Line 1: Anchors (&) and aliases (*) are not taken"),
        ("{<<: {a: b}}", "<<", "Line 1: Unknown parameter"),
        ("metadata: " + "[" * 5000, None, "nested more than"),
        ("a: 1\n---\nb: 1", None, "A second document"),
        ("? [a]\n: b", None, "Line 1: A key must be a text"),
        ("name: \x01", None, "This is not YAML"),
        ("name: \ud800", None, "This is not YAML"),
        ("#" * 4_000_001, None, "At most 4000000 characters"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_path(text: str, param: str | None, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(text)
    assert said in raised.value.message
    assert raised.value.param == param


def test_an_empty_text_is_an_empty_domain() -> None:
    assert parse("") == parse("# only a remark\n") == DomainFields()


def test_words_that_look_like_something_else_stay_words() -> None:
    domain = parse("slots:\n  a: {initial: 12:30}\n  b: {initial: 12}\n  c: {initial: 1.5}\n  d: {initial: '12'}")
    assert [slot.initial for slot in domain.slots] == ["12:30", 12, 1.5, "12"]
    assert parse("out_of_scope: [no, ~, 1e3, 0x10, 2026-11-22]").out_of_scope == [
        "no",
        "~",
        "1e3",
        "0x10",
        "2026-11-22",
    ]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
odd_names = st.sampled_from("no ~ null 1 - ? << = #a 名字 a:b ' \" !x &x * 1.0".split())
plain_names = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="{}[]()"), min_size=1, max_size=6
)
names = st.one_of(odd_names, plain_names)
wordings = st.one_of(texts.filter(bool), st.dictionaries(st.sampled_from(["en", "zh"]), texts.filter(bool), min_size=1))
whole_numbers = st.integers(-(2**63), 2**63)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), whole_numbers, st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=4,
)


def some(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3)


def fields(required: dict[str, Any], **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these members; of `required`, what is no strategy is the value itself."""
    always = {
        name: given if isinstance(given, st.SearchStrategy) else st.just(given) for name, given in required.items()
    }
    return st.fixed_dictionaries(always, optional=more)


actions = st.one_of(
    fields({"type": "respond", "response": names}),
    fields(
        {"type": "call", "function": "book"}, arguments=st.dictionaries(texts, anything, max_size=2), response=names
    ),
    fields({"type": "search"}, query=texts),
    fields({"type": "hand_over"}, response=names),
    fields({"type": "talk"}, instructions=texts),
    fields({"type": "clarify"}, most=st.integers(2, 5)),
)
values = some(fields({"value": texts}, synonyms=some(texts)))
mappings = st.one_of(
    fields({"type": "entity", "entity": names}, role=names, intents=some(names)),
    fields(
        {"type": "intent", "intents": st.lists(names, min_size=1, max_size=2), "value": anything}, asked=st.booleans()
    ),
    fields({"type": "text"}),
)
domains = fields(
    {},
    name=texts,
    languages=st.sampled_from([["en"], ["zh"], ["zh", "en"]]),
    timezone=texts,
    understander=fields({"type": texts}, model=texts, script=st.dictionaries(texts, anything, max_size=2)),
    intents=some(
        fields(
            {"name": names},
            description=texts,
            examples=some(texts),
            act=st.sampled_from(["affirm", "deny"]),
            form=names,
            action=actions,
        )
    ),
    out_of_scope=some(texts),
    entities=some(
        fields(
            {"name": names},
            kind=st.sampled_from(["learned", "lookup", "regex", "date"]),
            values=values,
            patterns=some(texts),
        )
    ),
    slots=some(
        fields(
            {"name": names},
            type=st.sampled_from(["text", "number", "category"]),
            values=values,
            mappings=some(mappings),
            prompt=wordings,
            validation=fields({}, minimum=st.one_of(texts, st.floats(-1e6, 1e6)), pattern=texts, message=wordings),
            initial=anything,
            keep=st.booleans(),
        )
    ),
    forms=some(
        fields({"name": names, "slots": st.lists(names, min_size=1, max_size=2), "action": actions}, confirm=wordings)
    ),
    responses=st.dictionaries(names, wordings, max_size=2),
    fallback=fields({}, threshold=st.floats(0, 1), margin=st.floats(0, 1), out_of_scope=actions, unclear=actions),
    show=st.booleans(),
    metadata=st.dictionaries(texts, texts, max_size=2),
)


@settings(max_examples=100, deadline=None)
@given(domains)
def test_every_domain_reads_back_as_it_was_written_out(given: dict[str, Any]) -> None:
    domain = DomainFields.model_validate(given)
    assert parse(dump(domain)) == domain


def test_the_domain_of_the_documentation_is_sound() -> None:
    page = (Path(__file__).parents[4] / "docs" / "domains.md").read_text()
    domain = parse(page.partition("```yaml\n")[2].partition("```")[0])
    assert check(domain).findings == []


TOO_MUCH = {
    "lines": "intents:\n  a:\n" + "  - x\n" * 400_000,
    "a flow": "out_of_scope: [" + "x," * 900_000 + "x]",
    "empty lists": "intents: [" + "[]," * 900_000 + "[]]",
}


@pytest.mark.parametrize("text", TOO_MUCH.values(), ids=TOO_MUCH)
def test_more_values_than_any_domain_has_are_refused_while_they_are_read(text: str) -> None:
    with pytest.raises(InvalidRequest, match="at most 60000"):
        parse(text)


def test_of_many_faults_the_first_is_looked_at() -> None:
    with pytest.raises(ValidationError) as raised:
        DomainFields.model_validate({"intents": [{"name": "a", "examples": [1] * 10_000}]})
    assert raised.value.error_count() == 1
    with pytest.raises(InvalidRequest, match="examples"):
        parse("intents: {a: [" + "[]," * 10_000 + "]}")
