"""Exports of Dialogflow ES, LUIS and Botpress become domains that can be saved; what they have beside is named."""

import json
from typing import Any

import pytest

from tests.units.understanding.conversation import Conversation
from zhuli.core.errors import InvalidRequest
from zhuli.types.understanding.domain import Call, DomainFields, Finding, ImportFormat, Intent, Respond
from zhuli.understanding.domains.checks.checking import check
from zhuli.understanding.domains.importing import format_of, read_files
from zhuli.understanding.domains.yaml.reading import parse
from zhuli.understanding.domains.yaml.writing import dump


def files(**given: Any) -> dict[str, str]:
    return {name: text if isinstance(text, str) else json.dumps(text) for name, text in given.items()}


def imported(given: dict[str, str], format: ImportFormat) -> tuple[DomainFields, list[Finding]]:
    assert format_of(given) == format
    domain, notes = read_files(given, format)
    assert [finding for finding in check(domain).findings if finding.level == "error"] == []
    assert parse(dump(domain)) == domain
    return domain, notes


def codes(notes: list[Finding]) -> set[str]:
    return {note.code for note in notes}


def intent(domain: DomainFields, name: str) -> Intent:
    return next(one for one in domain.intents if one.name == name)


def phrase(*pieces: str | tuple[str, str, str]) -> dict[str, Any]:
    data = [
        {"text": piece, "userDefined": False}
        if isinstance(piece, str)
        else {"text": piece[0], "meta": f"@{piece[1]}", "alias": piece[2], "userDefined": True}
        for piece in pieces
    ]
    return {"id": "1", "data": data, "isTemplate": False, "count": 0}


def parameter(name: str, kind: str, prompt: str | None = None, **more: Any) -> dict[str, Any]:
    prompts = [{"lang": "en", "value": prompt}] if prompt else []
    return {
        "name": name,
        "dataType": f"@{kind}",
        "value": f"${name}",
        "required": bool(prompt),
        "prompts": prompts,
    } | more


def flow_intent(name: str, *said: str, **more: Any) -> dict[str, Any]:
    messages = [{"type": 0, "lang": "en", "speech": list(said)}] if said else []
    response = {key: more.pop(key) for key in ("parameters", "affectedContexts", "action") if key in more}
    made = {
        "name": name,
        "contexts": [],
        "webhookUsed": False,
        "fallbackIntent": False,
        "events": [],
        "priority": 500000,
    }
    return made | {"responses": [{"messages": messages} | response]} | more


CAKE = flow_intent(
    "order cake",
    "A $size cake for $date.original at $time. Candles?",
    action="cake.order",
    webhookUsed=True,
    parameters=[
        parameter("size", "cake-size", "How large?"),
        parameter("date", "sys.date", "For which day?"),
        parameter("time", "sys.time", "At what time?"),
        parameter("note", "sys.any"),
    ],
    affectedContexts=[{"name": "ordercake-followup", "lifespan": 2}],
)

AGENT: dict[str, Any] = {
    "bakery/agent.json": {"language": "en", "supportedLanguages": ["de"], "defaultTimezone": "Europe/Berlin"},
    "bakery/package.json": {"version": "1.0.0"},
    "bakery/entities/cake-size.json": {"name": "cake-size", "isEnum": False, "automatedExpansion": False},
    "bakery/entities/cake-size_entries_en.json": [
        {"value": "large", "synonyms": ["large", "big"]},
        {"value": "small", "synonyms": ["small", "little"]},
    ],
    "bakery/entities/code.json": {"name": "code", "isRegexp": True},
    "bakery/entities/code_entries_en.json": [{"value": "C-[0-9]{4}", "synonyms": ["C-[0-9]{4}"]}],
    "bakery/intents/order cake.json": CAKE,
    "bakery/intents/order cake_usersays_en.json": [
        phrase("I want a ", ("big", "cake-size", "size"), " cake"),
        phrase("a cake for ", ("Friday", "sys.date", "date"), " at ", ("noon", "sys.time", "time")),
    ],
    "bakery/intents/order cake_usersays_de.json": [phrase("eine Torte bitte")],
    "bakery/intents/order cake - yes.json": flow_intent(
        "order cake - yes", "With candles.", contexts=["ordercake-followup"]
    ),
    "bakery/intents/order cake - yes_usersays_en.json": [phrase("yes"), phrase("sure")],
    "bakery/intents/hours.json": flow_intent(
        "hours", "From eight.", "Eight to six.", affectedContexts=[{"name": "hours-followup", "lifespan": 1}]
    ),
    "bakery/intents/hours_usersays_en.json": [phrase("when are you open")],
    "bakery/intents/hours - yes.json": flow_intent("hours - yes", "On Sundays too.", contexts=["hours-followup"]),
    "bakery/intents/hours - yes_usersays_en.json": [phrase("yes"), phrase("yep")],
    "bakery/intents/track.json": flow_intent("track", webhookUsed=True, parameters=[parameter("code", "code")]),
    "bakery/intents/track_usersays_en.json": [phrase("where is ", ("C-1234", "code", "code"))],
    "bakery/intents/welcome.json": flow_intent("welcome", "Good day!", events=[{"name": "WELCOME"}]),
    "bakery/intents/welcome_usersays_en.json": [phrase("hello")],
    "bakery/intents/unknown.json": flow_intent("unknown", "I only know cakes.", fallbackIntent=True, webhookUsed=True),
    "bakery/intents/unknown_usersays_en.json": [phrase("who won the match")],
    "bakery/intents/old.json": flow_intent("old", "Gone.", priority=-1),
}


@pytest.fixture(scope="module")
def bakery() -> tuple[DomainFields, list[Finding]]:
    return imported(files(**AGENT), "dialogflow")


def test_dialogflow_s_intents_entities_and_parameters_become_a_form_with_prompts(
    bakery: tuple[DomainFields, list[Finding]],
) -> None:
    domain, _ = bakery
    assert intent(domain, "order_cake").examples == [
        "I want a [big](cake-size) cake",
        "a cake for [Friday](sys.date) at [noon](sys.time)",
    ]
    assert domain.timezone == "Europe/Berlin"
    kinds = {entity.name: entity.kind for entity in domain.entities}
    assert kinds == {
        "cake-size": "lookup",
        "code": "regex",
        "sys.date": "date",
        "sys.time": "time",
        "sys.any": "learned",
    }
    (form,) = domain.forms
    assert (form.name, form.slots, form.optional) == ("order_cake", ["size", "date", "time"], ["note"])
    assert {slot.name: slot.prompt for slot in domain.slots}["date"] == "For which day?"
    assert isinstance(form.action, Call)
    assert (form.action.function, form.action.response) == ("cake_order", "order_cake")
    assert domain.responses["order_cake"] == "A {size} cake for {date} at {time}. Candles?"
    tracking = intent(domain, "track").action
    assert isinstance(tracking, Call) and tracking.arguments == {"code": "{code}"}
    assert domain.out_of_scope == ["who won the match"]
    assert domain.fallback.out_of_scope == Respond(type="respond", response="unknown")


def test_dialogflow_s_contexts_are_conditions_and_follow_ups_in_the_same_words_are_one_intent(
    bakery: tuple[DomainFields, list[Finding]],
) -> None:
    domain, _ = bakery
    assert (intent(domain, "yes").examples, intent(domain, "yes").act) == (["yes", "sure", "yep"], "affirm")
    talk = Conversation(domain)
    talk.says("when are you open", "hours")
    assert talk.says("yes", "yes").text == "On Sundays too."
    assert talk.says("a big cake", "order_cake").text == "For which day?"
    talk.says("tomorrow", "order_cake")
    decision = talk.says("noon", "order_cake")
    assert (decision.act, decision.function) == ("call", "cake_order")
    assert decision.arguments == {"size": "large", "date": "2026-11-24", "time": "12:00"}
    assert talk.says("yes", "yes").text == "With candles."


def test_what_of_an_agent_is_not_taken_is_named(bakery: tuple[DomainFields, list[Finding]]) -> None:
    _, notes = bakery
    named = {
        "language_left_out",
        "becomes_function",
        "variations",
        "no_events",
        "ignored",
        "merged",
        "context_lifespan",
    }
    assert named <= codes(notes)
    assert "bakery/intents/old.json" in [note.where for note in notes if note.code == "ignored"]


def test_two_parameters_of_one_type_have_roles_and_a_date_time_is_two_slots() -> None:
    trip = flow_intent(
        "trip",
        "Done.",
        parameters=[
            parameter("from", "sys.geo-city", "Where from?"),
            parameter("to", "sys.geo-city", "Where to?"),
            parameter("when", "sys.date-time", "When?"),
            parameter("kind", "sys.any", value="single"),
        ],
    )
    said = [phrase("from ", ("Oslo", "sys.geo-city", "from"), " to ", ("Rome", "sys.geo-city", "to"), " [now](x")]
    domain, notes = imported(files(**{"intents/trip.json": trip, "intents/trip_usersays_en.json": said}), "dialogflow")
    assert intent(domain, "trip").examples == ["from [Oslo](sys.geo-city#from) to [Rome](sys.geo-city#to)  now (x"]
    slots = {slot.name: slot for slot in domain.slots}
    assert [mapping.type for mapping in slots["to"].mappings] == ["entity", "text"]
    assert (slots["when"].type, slots["when_time"].type) == ("date", "time")
    assert [mapping.type for mapping in slots["kind"].mappings] == ["entity", "intent", "text"]
    assert {"kind_not_taken", "date_and_time"} <= codes(notes)


LUIS: dict[str, Any] = {
    "luis_schema_version": "7.0.0",
    "name": "Lamps",
    "culture": "en-us",
    "intents": [{"name": "Switch"}, {"name": "Travel"}, {"name": "None"}],
    "entities": [{"name": "room", "roles": []}, {"name": "city", "roles": ["to"]}],
    "closedLists": [{"name": "state", "subLists": [{"canonicalForm": "on", "list": ["lit", "bright"]}], "roles": []}],
    "regex_entities": [{"name": "lamp", "regexPattern": "L[0-9]{3}", "roles": []}],
    "prebuiltEntities": [{"name": "number"}, {"name": "datetimeV2"}, {"name": "personName"}],
    "patterns": [{"pattern": "turn {state} the {room} lamp [please]", "intent": "Switch"}],
    "phraselists": [{"name": "Rooms", "words": "kitchen,hall", "activated": True}],
    "utterances": [
        {
            "text": "lights in the kitchen",
            "intent": "Switch",
            "entities": [{"entity": "room", "startPos": 14, "endPos": 20}],
        },
        {
            "text": "a train to Rome",
            "intent": "Travel",
            "entities": [
                {
                    "entity": "leg",
                    "startPos": 8,
                    "endPos": 14,
                    "children": [{"entity": "city", "startPos": 11, "endPos": 14, "role": "to"}],
                }
            ],
        },
        {"text": "sing me a song", "intent": "None", "entities": []},
    ],
}


def test_a_luis_app_comes_with_labels_lists_patterns_and_prebuilt_entities() -> None:
    domain, notes = imported(files(**{"lamps.json": LUIS}), "luis")
    assert domain.name == "Lamps"
    assert intent(domain, "Switch").examples == ["lights in the [kitchen](room)"]
    assert intent(domain, "Travel").examples == ["a train to [Rome](leg.city#to)"]
    assert domain.out_of_scope == ["sing me a song"]
    kinds = {entity.name: entity.kind for entity in domain.entities}
    assert (kinds["state"], kinds["lamp"], kinds["number"]) == ("lookup", "regex", "number")
    assert (kinds["datetimeV2"], kinds["datetimeV2_time"]) == ("date", "time")
    assert {"not_taken", "no_dialogue", "nested_entity", "kind_not_taken"} <= codes(notes)
    assert "turn {state} the {room} lamp [please]" in next(note.message for note in notes if note.code == "not_taken")


def test_a_luis_app_of_the_first_schemas_counts_words() -> None:
    label = {"entity": "place", "startPos": 2, "endPos": 3}
    said = [
        {"text": "find hotels near city-hall", "intent": "Find", "entities": [label | {"endPos": 5, "startPos": 3}]}
    ]
    app = {"luis_schema_version": "1.3.0", "culture": "en-us", "intents": [{"name": "Find"}], "utterances": said}
    domain, _ = imported(files(**{"app.json": app | {"bing_entities": ["datetime"]}}), "luis")
    assert intent(domain, "Find").examples == ["find hotels near [city-hall](place)"]


BOT: dict[str, Any] = {
    "bot.config.json": {"name": "Shop", "defaultLanguage": "en", "languages": ["en", "fr"], "version": "12.26.0"},
    "entities/colour.json": {
        "name": "colour",
        "type": "list",
        "occurrences": [{"name": "red", "synonyms": ["crimson"]}, {"name": "blue", "synonyms": []}],
    },
    "entities/sku.json": {"name": "sku", "type": "pattern", "pattern": "[a-z]{2}[0-9]{3}", "matchCase": False},
    "intents/buy.json": {
        "name": "buy",
        "utterances": {"en": ["a [crimson](tint) hat", "I want a hat on [Friday](day)"], "fr": ["un chapeau"]},
        "slots": [{"name": "tint", "entities": ["colour"]}, {"name": "day", "entities": ["time"]}],
        "contexts": ["shop"],
    },
    "intents/greet.json": {"name": "greet", "utterances": {"en": ["hi", "hello"]}, "slots": [], "contexts": ["global"]},
    "intents/__qna__1.json": {"name": "__qna__1", "utterances": {"en": ["where are you"]}, "slots": []},
    "qna/1.json": {
        "id": "1",
        "data": {
            "enabled": True,
            "action": "text_redirect",
            "redirectFlow": "main.flow.json",
            "questions": {"en": ["where are you", "your address"]},
            "answers": {"en": ["At the market.", "At the square."]},
        },
    },
    "qna/2.json": {"id": "2", "data": {"enabled": False, "questions": {"en": ["old"]}, "answers": {"en": ["x"]}}},
    "content-elements/builtin_text.json": [
        {"id": "builtin_text-hi", "formData": {"text$en": "Welcome!"}},
        {"id": "builtin_text-day", "formData": {"text$en": "On which day?"}},
    ],
    "flows/main.flow.json": {
        "startNode": "entry",
        "nodes": [
            {
                "name": "entry",
                "onEnter": [],
                "next": [
                    {"condition": "event.nlu.intent.name === 'greet'", "node": "hi"},
                    {"condition": "event.nlu.intent.name === 'buy'", "node": "sell"},
                ],
            },
            {"name": "hi", "onEnter": ["say #!builtin_text-hi"], "next": [{"condition": "true", "node": "END"}]},
            {"name": "sell", "onEnter": ['shop/sell {"what": "hat"}'], "next": []},
        ],
    },
    "flows/main.ui.json": {"nodes": []},
    "flows/skills/Slot-1.flow.json": {
        "skillData": {"intent": "buy", "slotName": "day", "contentElement": "builtin_text-day"},
        "nodes": [],
    },
}


def test_a_botpress_bot_comes_with_intents_questions_and_what_its_flows_begin() -> None:
    domain, notes = imported(files(**BOT), "botpress")
    assert intent(domain, "buy").examples == ["a [crimson](colour) hat", "I want a hat on [Friday](time)"]
    assert intent(domain, "greet").action == Respond(type="respond", response="greet")
    assert domain.responses["greet"] == "Welcome!"
    assert [one.name for one in domain.intents] == ["buy", "greet", "qna/1"]
    assert domain.responses["qna/1"] == "At the market."
    (form,) = domain.forms
    assert (form.slots, form.optional, form.prompts) == (["day"], ["tint"], {"day": "On which day?"})
    assert isinstance(form.action, Call) and form.action.function == "shop_sell"
    kinds = {entity.name: entity.kind for entity in domain.entities}
    assert kinds == {"colour": "lookup", "sku": "regex", "time": "date"}
    left = {"language_left_out", "contexts", "redirect", "switched_off", "variations", "flow", "becomes_function"}
    assert left <= codes(notes)


def test_questions_alone_as_botpress_exports_them_are_taken() -> None:
    asked = {
        "id": "a",
        "data": {"questions": {"en": ["why"]}, "answers": {"en": ["#!builtin_text-x"]}, "enabled": True},
    }
    contents = [{"id": "builtin_text-x", "formData": {"text": "Because."}}]
    domain, _ = imported(files(**{"qna.json": {"qnas": [asked], "contentElements": contents}}), "botpress")
    assert domain.responses == {"qna/a": "Because."}


@pytest.mark.parametrize(
    ("format", "given"),
    [
        ("dialogflow", {"agent.json": "{}"}),
        ("dialogflow", {"intents/a.json": "["}),
        ("luis", {"app.json": "[1]"}),
        ("luis", {"app.json": '{"intents": ' + "[" * 100_000}),
        ("botpress", {"bot.config.json": "{}"}),
        ("botpress", {"qna/a.json": "{"}),
    ],
)
def test_only_what_is_no_project_is_refused(format: ImportFormat, given: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_files(given, format)
    assert (refused.value.param or "").startswith("files")


@pytest.mark.parametrize(
    "wrong", [None, 7, "text", [], [None, [1]], {"a": [{}]}, {"name": 3, "responses": [{"messages": [{"speech": 4}]}]}]
)
def test_nothing_in_an_export_is_trusted_to_have_its_type(wrong: Any) -> None:
    text = json.dumps(wrong)
    for name in [*AGENT, "x.json"]:
        read_files(files(**AGENT) | {name: text}, "dialogflow")
    for name in BOT:
        read_files(files(**BOT) | {name: text}, "botpress")
    for key in LUIS:
        if key not in ("intents", "utterances"):
            read_files(files(**{"a.json": LUIS | {key: wrong}}), "luis")
