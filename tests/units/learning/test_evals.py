"""Parts of evals that only take values and give values: templates, grades of texts, judges' answers, schemas of items."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhuli.core.errors import InvalidRequest
from zhuli.learning.evals import conversing, item_schema, templates
from zhuli.learning.evals.grading import judging, texts
from zhuli.learning.evals.grading.judging import NoVerdict
from zhuli.learning.evals.sources import digest_of
from zhuli.learning.evals.templates import TemplateError, render
from zhuli.types.learning.eval_messages import EvalMessage
from zhuli.types.learning.graders import LabelModel, ScoreModel, Similarity

NAMES: dict[str, Any] = {
    "item": {"question": "哪里?", "turns": [{"text": "a"}, {"text": "b"}], "n": 2, "a-b": None, "empty": ""},
    "sample": {"output_text": "x {{ item.n }}", "output_json": {"label": "card"}},
}
JUDGED = [{"role": "user", "content": "Judge."}]
LABELS = LabelModel.model_validate(
    {
        "type": "label_model",
        "name": "l",
        "model": "m",
        "input": JUDGED,
        "labels": ["good", "not good", "坏"],
        "passing_labels": ["good"],
    }
)
SCORES = ScoreModel.model_validate({"type": "score_model", "name": "s", "model": "m", "input": JUDGED, "range": [1, 5]})
METRICS: list[Similarity] = [
    "fuzzy_match",
    "bleu",
    "gleu",
    "meteor",
    "rouge_1",
    "rouge_2",
    "rouge_3",
    "rouge_4",
    "rouge_5",
    "rouge_l",
]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ item.question }}", "哪里?"),
        ("{{item.question}}{{ item.n }}", "哪里?2"),
        ("{{ item.turns[1].text }}", "b"),
        ("{{ item.turns }}", '[{"text":"a"},{"text":"b"}]'),
        ("{{ item.a-b }}{{ item.empty }}.", "null."),
        ("{{ sample.output_json.label }} { {x} }", "card { {x} }"),
        ("{{ sample.output_text }}", "x {{ item.n }}"),
        ("no reference", "no reference"),
    ],
)
def test_a_reference_becomes_what_it_leads_to_and_nothing_is_computed(template: str, text: str) -> None:
    templates.check(template, "x")
    assert render(template, NAMES) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ item.nothing }}", "There is no 'item.nothing': 'item' has 'question', 'turns', 'n', 'a-b', 'empty'."),
        ("{{ item.turns[2].text }}", "There is no 'item.turns[2].text': 'item.turns' has no parts of that name."),
        ("{{ item.question.x }}", "There is no 'item.question.x': 'item.question' has no parts of that name."),
    ],
)
def test_what_is_not_there_is_said_with_what_is(template: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        render(template, NAMES)
    assert str(error.value) == message
    with pytest.raises(TemplateError, match="There is no 'sample': there is item"):
        render("{{ sample }}", {"item": {}})


@pytest.mark.parametrize(
    "template",
    ["{{ 1 + 1 }}", "{{ item.__class__() }}", "{{ env.HOME }}", "{{ item.a | upper }}", "{{}}", "{{ items.a }}"],
)
def test_what_is_no_reference_is_refused(template: str) -> None:
    with pytest.raises(InvalidRequest, match="templates have no expressions"):
        templates.check(template, "testing_criteria[0].input")


@given(
    st.recursive(
        st.none() | st.text() | st.integers(-(2**63), 2**63 - 1),
        lambda inner: st.dictionaries(st.text(), inner) | st.lists(inner),
    )
)
def test_any_item_becomes_some_text(value: Any) -> None:
    assert isinstance(render("{{ item.x }}", {"item": {"x": value}}), str)


def test_a_template_can_not_become_endless() -> None:
    with pytest.raises(TemplateError, match="longer than"):
        render("{{ item.x }}" * 300, {"item": {"x": "y" * 10_000}})


def test_messages_become_those_of_chat_completions() -> None:
    given = [
        {"role": "system", "content": "Be {{ item.n }}."},
        {"role": "user", "content": {"type": "input_text", "text": "{{ item.question }}"}},
        {"role": "user", "content": ["see", {"type": "input_image", "image_url": "{{ item.empty }}", "detail": "low"}]},
        {"role": "user", "content": ["a", {"type": "input_text", "text": "b"}]},
    ]
    messages = templates.messages([EvalMessage.model_validate(each) for each in given], NAMES)
    assert [message["content"] for message in messages] == [
        "Be 2.",
        "哪里?",
        [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "", "detail": "low"}}],
        "a\nb",
    ]


@pytest.mark.parametrize("metric", METRICS)
def test_a_similarity_is_one_for_the_same_text_and_near_nothing_for_another(metric: Similarity) -> None:
    for text in ("the cat sat on the mat today", "我想改签明天早上的机票"):
        assert texts.similarity(metric, text, text) == pytest.approx(1, abs=0.01)
    assert 0 <= texts.similarity(metric, "completely different words here", "我想改签明天早上的机票") < 0.3
    assert 0 <= texts.similarity(metric, "", "something is there") < 0.1


def test_texts_that_are_too_long_are_not_compared() -> None:
    with pytest.raises(ValueError, match="at most 10,000 characters"):
        texts.similarity("rouge_l", "a " * 6000, "a")


@pytest.mark.parametrize(
    ("operation", "text", "reference", "passed"),
    [
        ("eq", "Paris", "Paris", True),
        ("eq", "paris", "Paris", False),
        ("ne", "paris", "Paris", True),
        ("like", "It is Paris.", "Paris", True),
        ("like", "it is paris.", "Paris", False),
        ("ilike", "it is PARIS.", "paris", True),
        ("ilike", "Paris", "it is paris", False),
    ],
)
def test_strings_are_checked(operation: Any, text: str, reference: str, passed: bool) -> None:
    assert texts.passes(operation, text, reference) is passed


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ('{"reason": "Fits.", "label": "not good"}', "not good"),
        ('```json\n{"label": "GOOD"}\n```', "good"),
        ("坏", "坏"),
        ("The answer is good.", "good"),
    ],
)
def test_a_judges_label_is_read(answer: str, label: str) -> None:
    assert judging.label(LABELS, answer) == label


@pytest.mark.parametrize("answer", ["", "fine", '{"label": "other"}', "good or 坏"])
def test_a_judge_that_names_no_label_gives_no_verdict(answer: str) -> None:
    with pytest.raises(NoVerdict, match="named none of its labels"):
        judging.label(LABELS, answer)


def test_a_judges_score_is_read_within_its_range() -> None:
    assert judging.score(SCORES, '{"reason": "3 faults", "score": 4.5}') == 4.5
    assert judging.score(SCORES, " 2 ") == 2
    assert judging.threshold(SCORES) == 3
    for answer in ("7", "3 of 5", "none", '{"score": "high"}'):
        with pytest.raises(NoVerdict):
            judging.score(SCORES, answer)


def test_a_judge_is_asked_for_a_reason_and_then_a_verdict_of_its_labels() -> None:
    request = judging.request(LABELS, [{"role": "developer", "content": "d"}, {"role": "user", "content": "Judge."}])
    assert [message["role"] for message in request.messages] == ["system", "user"]
    assert request.messages[-1]["content"].startswith("Judge.\n\nAnswer with JSON") and '"坏"' in str(request.messages)
    assert request.response_format is not None and request.temperature == 0
    schema = request.response_format["json_schema"]["schema"]
    assert list(schema["properties"]) == ["reason", "label"] and schema["properties"]["label"]["enum"] == LABELS.labels


def test_an_item_is_held_against_its_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "string", "pattern": "^(x+)+$"}}},
    }
    found = item_schema.validator(schema)
    assert item_schema.fault(found, {"a": ["xx"]}) is None
    assert item_schema.fault(found, {"a": ["x", 1]}) == 'item.a[1]: 1 is not of type "string"'
    assert item_schema.fault(found, {"a": ["x" * 40 + "y"]}) is not None


SAID = [
    {"role": "assistant", "content": "Welcome."},
    {"role": "user", "content": "a"},
    {"role": "assistant", "content": "b"},
    {"role": "assistant", "content": "c"},
    {"role": "user", "content": "d"},
    {"role": "user", "content": "e"},
    {"role": "assistant", "content": "f"},
    {"role": "user", "content": "unanswered"},
]


def test_each_answer_of_a_conversation_is_an_item_with_what_was_said_before() -> None:
    first, second = conversing.lines("thread_x", SAID, turns="all", replayed=False)
    assert (first["item"]["turn"], first["item"]["input"], first["item"]["reference"]) == (0, SAID[:2], "b\nc")
    assert (second["item"]["input"], second["sample"]["output_text"]) == (SAID[:6], "f")
    assert second["sample"]["turns"] == [*SAID[:6], {"role": "assistant", "content": "f"}]
    (last,) = conversing.lines("thread_x", SAID, turns="last", replayed=True)
    assert [turn["content"] for turn in last["item"]["input"]] == ["a", "d", "e"]
    assert conversing.lines("thread_x", SAID[:1], turns="all", replayed=False) == []


def test_equal_items_have_one_digest() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1}) != digest_of({"a": 1, "b": [3]})
