"""What is said of a domain before it is saved: each finding where there is reason for it, and none where there is not."""

from typing import Any

import pytest

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import DomainFields, Finding
from zhuli.understanding.domains.checks.checking import check, refuse_errors
from zhuli.understanding.domains.yaml.reading import parse
from zhuli.understanding.language.entity_extraction.patterns import SearchTime

SOUND = """
languages: [en, zh]
timezone: Asia/Shanghai
understander: llm
intents:
  greet: {examples: [hi, hello, 你好], action: {respond: welcome}}
  book: {examples: ['a table for [two](people) in [NYC](city:New York)'], form: booking}
  ok: {act: affirm}
out_of_scope: [what is love]
entities:
  people: number
  city: {values: {New York: [NYC], Paris: }}
slots:
  people: {type: number, prompt: {en: How many?, zh: 几位？}, validation: {minimum: 1, maximum: 12}}
  city: {type: category, values: {New York: , Paris: }, prompt: {en: Where?, zh: 哪里？}}
  late: {type: boolean, mappings: [{intents: [ok], value: true}]}
forms:
  booking:
    slots: [people, city]
    optional: [late]
    confirm: {en: "{people} in {city}?", zh: "{city}，{people}位？"}
    action: {call: book, arguments: {n: "{people}", more: [{late: "{late}"}]}, response: booked}
responses:
  welcome: {en: Welcome!, zh: 欢迎！}
  booked: {en: "Done: {result.code}.", zh: "好了：{result.code}。"}
"""


def found(**changes: Any) -> list[Finding]:
    """In the sound domain with these fields changed, in JSON."""
    return check(DomainFields.model_validate({**parse(SOUND).model_dump(), **changes})).findings


def test_nothing_is_said_about_a_sound_domain() -> None:
    report = check(parse(SOUND))
    assert report.findings == []
    assert (report.examples, report.learned, report.accuracy) == (4, False, None)
    refuse_errors(report)


def test_nothing_is_missing_where_everything_is_left_out() -> None:
    assert [finding.code for finding in check(DomainFields()).findings] == ["no_intents"]


YAML_FINDINGS = {
    "duplicate_name": ("error", "intents: [{name: a}, {name: a}]", "intents[1].name"),
    "reserved_name": ("error", "intents: {out_of_scope: [x]}", "intents[0].name"),
    "reserved_name of an entity": ("error", "entities: {'a:b': date}", "entities[0].name"),
    "reserved_name of a slot": ("error", "slots: {result: text}", "slots[0].name"),
    "undefined_entity": ("error", "intents: {a: ['in [Rome](town)']}", "intents[0].examples[0]"),
    "undefined_entity of a slot": ("error", "slots: {a: {mappings: [{entity: b}]}}", "slots[0].mappings[0].entity"),
    "undefined_intent": (
        "error",
        "slots: {a: {mappings: [{intents: [b], value: x}]}}",
        "slots[0].mappings[0].intents[0]",
    ),
    "undefined_slot": ("error", "forms: {a: {slots: [b], action: talk}}", "forms[0].slots[0]"),
    "undefined_slot of an argument": (
        "error",
        "intents: {a: {action: {call: f, arguments: {x: [{y: '{b}'}]}}}}",
        "intents[0].action.arguments.x[0].y",
    ),
    "undefined_slot of a response": ("error", "responses: {a: {zh: '{b}'}}", "responses.a.zh"),
    "undefined_slot of a query": ("error", "fallback: {out_of_scope: {search: '{b}'}}", "fallback.out_of_scope.query"),
    "undefined_form": ("error", "intents: {a: {form: b}}", "intents[0].form"),
    "undefined_response": ("error", "intents: {a: {action: {respond: b}}}", "intents[0].action.response"),
    "bad_mark": ("error", "out_of_scope: ['[a](b c)']", "out_of_scope[0]"),
    "unknown_timezone": ("error", "timezone: Mars/Olympus", "timezone"),
    "unknown_timezone that is a path": ("error", "timezone: ../UTC", "timezone"),
    "unknown_understander": ("error", "understander: telepathy", "understander.type"),
    "no_values": ("error", "entities: {a: lookup}", "entities[0].values"),
    "no_values of a category": ("error", "slots: {a: category}", "slots[0].values"),
    "no_patterns": ("error", "entities: {a: regex}", "entities[0].patterns"),
    "invalid_pattern": ("error", "entities: {a: {patterns: ['[a']}}", "entities[0].patterns[0]"),
    "invalid_pattern of a slot": ("error", "slots: {a: {validation: {pattern: '('}}}", "slots[0].validation.pattern"),
    "slow_pattern": ("warning", "entities: {a: {patterns: ['(a+)+b']}}", "entities[0].patterns[0]"),
    "too_many_examples": (
        "error",
        "intents: {a: [" + "x, " * 10_000 + "], b: [" + "y, " * 10_000 + "], c: [z]}",
        "intents",
    ),
    "too_many_patterns": (
        "error",
        f"entities: {{a: {{patterns: [{', '.join(f'a{number}' for number in range(501))}]}}}}",
        "entities",
    ),
    "empty_pattern": ("warning", "entities: {a: {patterns: ['a*']}}", "entities[0].patterns[0]"),
    "wrong_type": ("error", "slots: {a: {type: number, initial: five}}", "slots[0].initial"),
    "wrong_type of a date": ("error", "slots: {a: {type: date, initial: tomorrow}}", "slots[0].initial"),
    "wrong_type of a category": ("error", "slots: {a: {type: category, values: [x], initial: y}}", "slots[0].initial"),
    "wrong_type of a bound": (
        "error",
        "slots: {a: {type: time, validation: {minimum: 5}}}",
        "slots[0].validation.minimum",
    ),
    "wrong_bound": ("error", "slots: {a: {type: number, validation: {minimum: 5, maximum: 1}}}", "slots[0].validation"),
    "wrong_bound of a text": ("error", "slots: {a: {validation: {minimum: 5}}}", "slots[0].validation"),
    "form_and_action": (
        "error",
        "intents: {a: {form: f, action: talk}}\nforms: {f: {slots: [s], action: talk}}\nslots: {s: text}",
        "intents[0]",
    ),
    "no_prompt": ("warning", "forms: {f: {slots: [s], action: talk}}\nslots: {s: text}", "forms[0].slots[0]"),
    "duplicate_slot": ("warning", "forms: {f: {slots: [s, s], action: talk}}\nslots: {s: text}", "forms[0]"),
    "duplicate_example": ("warning", "intents: {a: [Hello there!, hello  there]}", "intents[0].examples[1]"),
    "contradicting_example": ("warning", "intents: {a: [你好！], b: [你好]}", "intents[1].examples[0]"),
    "contradicting_example out of scope": (
        "warning",
        "intents: {a: [Good day]}\nout_of_scope: [good day.]",
        "out_of_scope[0]",
    ),
    "similar_examples": (
        "warning",
        "intents: {a: [where is my new card], b: [where is my new cards]}",
        "intents[1].examples[0]",
    ),
    "empty_example": ("warning", "intents: {a: ['...']}", "intents[0].examples[0]"),
    "few_examples": ("warning", "understander: few_shot\nintents: {a: [x, y]}", "intents[0].examples"),
    "no_examples": ("warning", "understander: few_shot\nintents: {a: }", "intents[0].examples"),
    "few_marks": ("warning", "understander: few_shot\nentities: {a: learned}", "entities[0]"),
    "no_intents": ("warning", "name: a", "intents"),
    "unused_slot": ("warning", "slots: {a: number}", "slots[0]"),
    "unused_form": ("warning", "forms: {f: {slots: [s], action: talk}}\nslots: {s: text}", "forms[0]"),
    "unused_response": ("warning", "responses: {a: b}", "responses.a"),
    "unused_entity": ("warning", "slots: {a: text}\nentities: {b: date}", "entities[0]"),
    "unfillable_slot": ("warning", "slots: {a: text}", "slots[0]"),
    "ignored_field": ("warning", "entities: {a: {kind: date, values: [x]}}", "entities[0].values"),
    "ambiguous_value": ("warning", "entities: {a: {values: {x: [z], y: [Z]}}}", "entities[0].values[1]"),
    "unlisted_mark": ("warning", "entities: {a: [x]}\nintents: {i: ['[y](a)']}", "intents[0].examples[0]"),
    "unlisted_mark of another": (
        "warning",
        "entities: {a: {values: {x: [y], z: }}}\nintents: {i: ['[y](a:z)']}",
        "intents[0].examples[0]",
    ),
    "value_not_in_category": ("warning", "slots: {a: [x]}\nentities: {a: [x, y]}", "slots[0]"),
    "unreachable_value": ("warning", "slots: {a: [x, y]}\nentities: {a: [x]}", "slots[0].values[1]"),
    "missing_language": ("warning", "languages: [en, zh]\nresponses: {a: Hello}", "responses.a"),
    "missing_language of a prompt": (
        "warning",
        "languages: [en, zh]\nslots: {a: {prompt: {zh: 好}}}",
        "slots[0].prompt",
    ),
}


@pytest.mark.parametrize("name", YAML_FINDINGS)
def test_a_finding_says_what_where_and_how_bad(name: str) -> None:
    level, text, where = YAML_FINDINGS[name]
    text = text if "understander" in text else f"understander: llm\n{text}"
    report = check(parse(text))
    assert (level, name.split(" ")[0], where) in [
        (finding.level, finding.code, finding.where) for finding in report.findings
    ]


def test_examples_that_only_share_a_form_are_not_called_alike() -> None:
    text = (
        "understander: llm\nintents: {a: [how do I activate my card], b: [how do I block my card], c: [hi there you]}"
    )
    assert check(parse(text)).findings == []


def test_the_words_of_many_examples_are_compared_with_few_others() -> None:
    intents = [
        {"name": f"i{n}", "examples": [f"please show me thing {n * 100 + k} now" for k in range(50)]} for n in range(20)
    ]
    assert found(intents=intents, slots=[], forms=[], entities=[], responses={}) == []


def test_errors_come_first_and_the_same_is_not_said_a_hundred_times() -> None:
    intents = [{"name": "a", "examples": ["hi"] * 100, "form": "nowhere"}]
    report = check(DomainFields.model_validate({"intents": intents, "understander": {"type": "llm"}}))
    assert [finding.code for finding in report.findings] == ["undefined_form"] + ["duplicate_example"] * 20
    assert report.findings[-1].message.endswith("(79 more warnings like this.)")


def test_expressions_that_take_too_long_to_compile_are_an_error() -> None:
    domain = parse("entities: {a: {patterns: [b]}}")
    report = check(domain, search_time=SearchTime(0))
    assert ("error", "slow_patterns") in [(finding.level, finding.code) for finding in report.findings]


def test_a_refusal_names_the_first_errors() -> None:
    intents = [{"name": f"i{number}", "form": "nowhere"} for number in range(8)]
    with pytest.raises(InvalidRequest) as raised:
        refuse_errors(check(DomainFields.model_validate({"intents": intents})))
    assert (raised.value.param, raised.value.code) == ("intents[0].form", "invalid_domain")
    assert raised.value.message.startswith("intents[0].form: There is no form 'nowhere'.")
    assert raised.value.message.endswith("And 3 more.")


def test_an_understander_of_a_module_is_known_where_the_server_allows_it() -> None:
    domain = parse("understander: 'my.module:Mind'\nintents: {a: [x]}")
    assert check(domain).findings == check(domain, plugins=["my.module:Mind"]).findings == []
    assert [finding.code for finding in check(domain, plugins=[]).findings] == ["unknown_understander"]
