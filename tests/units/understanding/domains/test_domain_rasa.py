"""A Rasa project becomes a domain; what can't come along is named with its file and line."""

from pathlib import Path

import pytest

from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import Call, DomainFields, Finding, Respond, Slot, Talk
from zhuli.understanding.domains.checks.checking import check
from zhuli.understanding.domains.rasa import project
from zhuli.understanding.domains.yaml.reading import parse
from zhuli.understanding.domains.yaml.writing import dump

PROJECT = Path(__file__).parents[3] / "samples" / "dialogue" / "rasa"


@pytest.fixture(scope="module")
def imported() -> tuple[DomainFields, list[Finding]]:
    return project.read({str(file.relative_to(PROJECT)): file.read_text() for file in PROJECT.rglob("*.yml")})


@pytest.fixture
def domain(imported: tuple[DomainFields, list[Finding]]) -> DomainFields:
    return imported[0]


def slot(domain: DomainFields, name: str) -> Slot:
    return next(slot for slot in domain.slots if slot.name == name)


def test_the_domain_can_be_saved_and_written(domain: DomainFields) -> None:
    assert [finding for finding in check(domain).findings if finding.level == "error"] == []
    assert parse(dump(domain)) == domain


def test_examples_come_with_their_marks_and_the_values_of_synonyms(domain: DomainFields) -> None:
    examples = {intent.name: intent.examples for intent in domain.intents}
    assert sum(map(len, examples.values())) == 56
    assert "I'd like a [sport car](body), please" in examples["choose_car_type"]
    assert "I'd like a [recent](age:new) car for my family, please" in examples["choose_age_of_car"]
    assert "Drive me from [Rome](town#from) to [Turin](town#to)" in examples["ask_route"]
    assert examples["affirm"] == ["yes, please", "sure"]
    assert domain.out_of_scope == ["Who won the match yesterday?"]


def test_synonyms_give_values_to_marks_and_words_to_lists() -> None:
    nlu = """
nlu:
- synonym: New York
  examples: |
    - NYC
- intent: go
  examples: |
    - to [NYC](city) by [bus](vehicle)
- lookup: city
  examples: |
    - New York
    - Paris
"""
    domain, notes = project.read({"nlu.yml": nlu})
    assert domain.intents[0].examples == ["to [NYC](city:New York) by [bus](vehicle)"]
    assert [(value.value, value.synonyms) for value in domain.entities[0].values] == [
        ("New York", ["NYC"]),
        ("Paris", []),
    ]
    assert notes == []


def test_lists_and_patterns_and_names_say_of_which_kind_an_entity_is(domain: DomainFields) -> None:
    kinds = {entity.name: entity.kind for entity in domain.entities}
    assert kinds == {
        "body": "learned",
        "nationality": "lookup",
        "amount-of-money": "money",
        "town": "learned",
        "budget": "regex",
        "age": "learned",
    }
    listed = next(entity for entity in domain.entities if entity.name == "nationality")
    assert {"french", "swedish", "japanese"} <= {value.value for value in listed.values}


def test_slots_come_with_their_mappings_bounds_and_questions(domain: DomainFields) -> None:
    budget = slot(domain, "budget")
    assert (budget.type, budget.prompt) == ("number", "How much may it cost?")
    assert budget.validation is None  # min_value and max_value only scale a feature
    from_entity, from_intent = budget.mappings
    assert from_entity.type == "entity" and from_entity.entity == "amount-of-money"
    assert "ask_route" not in from_entity.intents and "choose_budget" in from_entity.intents
    assert from_intent.type == "intent" and (from_intent.value, from_intent.asked) == (10000, True)
    town = slot(domain, "town").mappings[0]
    assert town.type == "entity" and town.role == "to"
    age = slot(domain, "age")
    assert (age.type, [value.value for value in age.values], age.initial) == ("category", ["new", "used"], "new")


def test_rules_and_stories_say_what_follows(domain: DomainFields) -> None:
    intents = {intent.name: intent for intent in domain.intents}
    assert intents["choose_car_type"].form == "car_form"
    assert intents["choose_nationality_car"].action == Respond(type="respond", response="utter_nationality")
    assert intents["locate_car_dealer"].action == Call(type="call", function="action_find_dealer")
    assert intents["choose_budget"].action is None
    assert intents["affirm"].act == "affirm"
    (form,) = domain.forms
    assert (form.slots, form.action) == (["body", "budget"], Respond(type="respond", response="utter_noted"))
    assert domain.fallback.out_of_scope == Respond(type="respond", response="utter_default")


def test_what_is_said_under_a_condition_is_a_rule(domain: DomainFields) -> None:
    rules = {(*rule.when.intents, *rule.when.after): rule for rule in domain.rules}
    assert rules["choose_budget",].when.known == ["body"]
    assert rules["choose_nationality_car", "action_find_dealer"].do == [
        Respond(type="respond", response="utter_default")
    ]
    assert rules["choose_nationality_car",].when.slots == {"body": "suv"}
    assert rules["choose_nationality_car",].do == [Respond(type="respond", response="utter_nationality.1")]


def test_responses_are_their_text(domain: DomainFields) -> None:
    assert domain.responses == {
        "utter_noted": "A {body} for {budget}, noted.",
        "utter_nationality": "We have cars from many countries.",
        "utter_nationality.1": "SUVs come from everywhere.",
        "utter_default": "I only know about cars.",
    }


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("data/nlu.yml:79", "Groups of entities"),
        ("domain.yml:63", "not buttons"),
        ("domain.yml:76", "has no text"),
        ("domain.yml:83", "`ignored_intents`"),
        ("domain.yml:55", "of type any becomes a text"),
        ("domain.yml:58", "The mapping custom"),
        ("domain.yml:91", "`session_config`"),
        ("data/rules.yml:42", "action_restart"),
        ("data/rules.yml:47", "becomes a call of the client's function 'action_find_dealer'"),
        ("affirm", "`act: affirm`"),
        ("amount-of-money", "kind money"),
        ("estate", "left out"),
    ],
)
def test_what_is_not_taken_over_is_named(imported: tuple[DomainFields, list[Finding]], where: str, said: str) -> None:
    assert any(note.where == where and said in note.message for note in imported[1])


def test_a_chinese_project_makes_a_chinese_domain() -> None:
    domain, _ = project.read({"nlu.yml": "nlu:\n- intent: 问好\n  examples: |\n    - 你好\n    - 您好"})
    assert (domain.languages, domain.intents[0].examples) == (["zh"], ["你好", "您好"])


def test_names_that_a_domain_can_not_have_are_changed_everywhere() -> None:
    nlu = 'nlu:\n- intent: say (hi)\n  examples: |\n    - \'[x]{"entity": "a b:c"}\''
    domain, _ = project.read({"nlu.yml": nlu, "domain.yml": "entities: ['a b:c']"})
    assert domain.intents[0].name == "say_hi_"
    assert [entity.name for entity in domain.entities] == ["a_b_c"]


def test_an_example_whose_mark_can_not_be_read_is_left_out() -> None:
    domain, notes = project.read({"nlu.yml": "nlu:\n- intent: a\n  examples: |\n    - good\n    - bad [x](y z)"})
    assert domain.intents[0].examples == ["good"]
    assert [note.where for note in notes] == ["nlu.yml:5"]


def test_a_form_without_an_end_lets_the_model_talk() -> None:
    domain, _ = project.read(
        {"domain.yml": "intents: [a]\nforms:\n  f: {required_slots: [s]}\nslots:\n  s: {type: text}"}
    )
    assert domain.forms[0].action == Talk(type="talk")


@pytest.mark.parametrize(
    ("files", "param", "said"),
    [
        ({"a.yml": "version: '3.1'"}, "files", "None of the files has `nlu:`"),
        ({"nlu.yml": "nlu: [a"}, "files.nlu.yml", "nlu.yml: Line"),
        ({"README.md": "# A project\n* of nothing\n  - at all"}, "files", "None of the files has `nlu:`"),
        ({"tests/test_a.yml": "stories: []", "docker-compose.yml": "services: {}"}, "files", "None of the files has `nlu:`"),
    ],
)  # fmt: skip
def test_what_is_no_rasa_project_is_refused(files: dict[str, str], param: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        project.read(files)
    assert raised.value.param == param
    assert said in raised.value.message
