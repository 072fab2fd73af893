"""POST /v1/understandings: what a domain understands of a text, where a dialogue stands; nothing is changed by it."""

from typing import Any

import httpx2
import openai
import pytest

from tests.harness.farm import Storage
from tests.harness.refusals import assert_refused, refused
from tests.harness.server import UNDERSTANDER

TABLES: dict[str, Any] = {
    "name": "tables",
    "understander": {
        "type": UNDERSTANDER,
        "script": {
            r"table(?:.* in (?P<city>[A-Z]\w+))?": "book",
            r"^(hi|hello)\b": "greet",
            r"seat": ["book", "greet"],
        },
    },
    "intents": [
        {"name": "book", "examples": ["a table in [Oslo](city)"], "form": "booking"},
        {"name": "greet", "examples": ["hi"], "action": {"type": "respond", "response": "welcome"}},
    ],
    "entities": [{"name": "city"}, {"name": "people", "kind": "number"}],
    "slots": [
        {"name": "city", "type": "text", "prompt": "In which city?"},
        {"name": "people", "type": "number", "prompt": "For how many?"},
    ],
    "forms": [{"name": "booking", "slots": ["city", "people"], "action": {"type": "respond", "response": "booked"}}],
    "responses": {"welcome": "Welcome!", "booked": "A table for {people} in {city}."},
}

OURS = {"id", "created_at"}
"""What two answers to the same question do not share."""


@pytest.fixture
def storage() -> Storage:
    """Nothing is written, and what is read is read as elsewhere."""
    return "sqlite"


def new_domain(client: openai.OpenAI, **changes: Any) -> str:
    made: Any = client.post("/domains", body={**TABLES, **changes}, cast_to=object)
    return str(made["id"])


@pytest.fixture
def domain(client: openai.OpenAI) -> str:
    return new_domain(client)


def understand(client: openai.OpenAI, domain: str, text: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/understandings", body={"domain": domain, "input": text, **more}, cast_to=object)
    assert isinstance(answer, dict)
    return answer


def slots(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: slot["value"] for name, slot in answer["state"]["slots"].items()}


def test_a_text_gives_intent_entities_slots_decision_and_the_new_state(client: openai.OpenAI, domain: str) -> None:
    text = "A table in Oslo, please"
    answer = understand(client, domain, text)
    assert (answer["object"], answer["domain"], answer["version"], answer["text"]) == ("understanding", domain, 1, text)
    assert answer["intent"]["name"] == "book" and 0.9 < answer["intent"]["confidence"] <= 1
    assert [score["name"] for score in answer["ranking"]] == ["book", "greet"]
    (city,) = answer["entities"]
    assert (city["entity"], city["value"], text[city["start"] : city["end"]]) == ("city", "Oslo", "Oslo")
    assert answer["slots"] == {"city": "Oslo"}
    assert (answer["decision"]["act"], answer["decision"]["slot"]) == ("ask", "people")
    assert "For how many?" in answer["decision"]["text"]
    assert answer["decision"]["why"]
    state = answer["state"]
    assert (state["object"], state["turn"], state["intent"], state["language"]) == ("thread.state", 1, "book", "en")
    assert [topic["form"] for topic in state["topics"]] == ["booking"]
    assert (state["asked"]["slot"], state["domain"], state["thread_id"]) == ("people", domain, None)
    assert answer["language"] == "en"
    assert answer["reasons"] != []


def test_the_state_of_an_answer_goes_on_with_the_next(client: openai.OpenAI, domain: str) -> None:
    first = understand(client, domain, "A table please")
    assert first["decision"]["slot"] == "city"
    second = understand(client, domain, "Oslo", state=first["state"])
    assert (slots(second), second["decision"]["slot"]) == ({"city": "Oslo"}, "people")
    third = understand(client, domain, "4", state=second["state"])
    assert third["decision"]["text"] == "A table for 4 in Oslo."
    assert (third["state"]["turn"], third["state"]["topics"]) == (3, [])


def test_the_same_question_has_the_same_answer_for_nothing_is_kept(client: openai.OpenAI, domain: str) -> None:
    thread = client.beta.threads.create().id
    one, two = (understand(client, domain, "A table in Oslo", thread=thread) for _ in range(2))
    assert one["id"] != two["id"]
    assert {name: value for name, value in one.items() if name not in OURS} == {
        name: value for name, value in two.items() if name not in OURS
    }
    assert (one["thread_id"], one["state"]["thread_id"], one["state"]["turn"]) == (thread, thread, 1)
    state: Any = client.get(f"/threads/{thread}/state", cast_to=object)
    assert (state["turn"], state["slots"]) == (0, {})
    assert client.beta.threads.messages.list(thread).data == []


def test_a_thread_s_state_is_where_the_message_is_met(client: openai.OpenAI, domain: str) -> None:
    thread = client.beta.threads.create()
    assistant = client.beta.assistants.create(model="gpt-4o", extra_body={"domain": domain})
    client.beta.threads.messages.create(thread.id, role="user", content="A table in Rome")
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    assert run.status == "completed"
    answer = understand(client, domain, "5", thread=thread.id)
    assert answer["decision"]["text"] == "A table for 5 in Rome."
    state: Any = client.get(f"/threads/{thread.id}/state", cast_to=object)
    assert state["slots"].keys() == {"city"}


def test_what_no_intent_covers_is_out_of_scope(client: openai.OpenAI, domain: str) -> None:
    answer = understand(client, domain, "e equals m c squared")
    assert answer["intent"]["name"] == "out_of_scope"
    assert answer["decision"]["act"] == "talk"
    assert {score["name"] for score in answer["ranking"]} == {"book", "greet"}


def test_two_intents_that_are_about_as_likely_are_asked_about(client: openai.OpenAI, domain: str) -> None:
    answer = understand(client, domain, "a seat")
    assert answer["decision"]["act"] == "clarify"
    assert answer["state"]["asked"]["intents"] == ["book", "greet"]


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_message_has_no_intent(client: openai.OpenAI, domain: str, text: str) -> None:
    answer = understand(client, domain, text)
    assert (answer["intent"], answer["entities"], answer["slots"]) == (None, [], {})
    assert answer["text"] == text


def test_of_a_long_message_the_beginning_is_read(client: openai.OpenAI, domain: str) -> None:
    begins = understand(client, domain, "A table in Oslo. " + "bla " * 30_000)
    assert (begins["intent"]["name"], begins["slots"]) == ("book", {"city": "Oslo"})
    assert begins["reasons"][-1] == "Of its 120017 characters the first 2000 were read."
    assert len(begins["text"]) == 120_017
    ends = understand(client, domain, "bla " * 30_000 + "A table in Oslo.")
    assert ends["intent"]["name"] == "out_of_scope"


@pytest.mark.parametrize(
    "text", ["👍", "\u202e\u0000x", "ｔａｂｌｅ", "'; --", "{city} {people}", "[x](city)", "１２３" * 300]
)
def test_any_text_is_understood_as_something(client: openai.OpenAI, domain: str, text: str) -> None:
    answer = understand(client, domain, text)
    assert answer["decision"]["act"]
    assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in answer["entities"])


def test_few_shot_understands_as_soon_as_the_domain_is_there(client: openai.OpenAI) -> None:
    intents = [
        {"name": "weather", "examples": ["will it rain today", "is it sunny outside", "weather forecast for tomorrow"]},
        {"name": "music", "examples": ["play some music", "put on a song", "play the next song please"]},
    ]
    settings = {"type": "few_shot", "embedder": "hashed"}
    made = new_domain(client, understander=settings, intents=intents, entities=[], slots=[], forms=[], responses={})
    ranking = understand(client, made, "play a song")["ranking"]
    assert ranking[0]["name"] == "music"
    assert sum(score["confidence"] for score in ranking) <= 1 + 1e-6


def test_llm_has_what_was_learned_stand_in_for_a_model_that_says_nothing_of_use(client: openai.OpenAI) -> None:
    made = new_domain(client, understander={"type": "llm", "model": "gpt-4o", "embedder": "hashed"})
    answer = understand(client, made, "A table in Oslo")
    assert answer["intent"]["name"] == "book"  # the scripted model writes no JSON
    assert any("could not be read" in reason for reason in answer["reasons"])


def test_a_changed_domain_is_understood_anew(client: openai.OpenAI, domain: str) -> None:
    assert understand(client, domain, "bring me to the moon")["intent"]["name"] == "out_of_scope"
    script = {**TABLES["understander"]["script"], "moon": "greet"}
    body = {**TABLES, "understander": {"type": UNDERSTANDER, "script": script}}
    client.post(f"/domains/{domain}", body=body, cast_to=object)
    answer = understand(client, domain, "bring me to the moon")
    assert (answer["intent"]["name"], answer["version"]) == ("greet", 2)


def test_unknown_domains_and_threads_are_not_found(client: openai.OpenAI, domain: str) -> None:
    with refused(404, "No domain found with id 'dom_nothing'.", param="domain"):
        understand(client, "dom_nothing", "hi")
    with refused(404, "No thread found with id 'thread_nothing'.", param="thread"):
        understand(client, domain, "hi", thread="thread_nothing")


def test_a_thread_and_a_state_together_are_refused(client: openai.OpenAI, domain: str) -> None:
    thread = client.beta.threads.create().id
    text = "Send 'thread', whose state is then meant, or 'state', but not both."
    with refused(400, text, param="state", code="invalid_value"):
        understand(client, domain, "hi", thread=thread, state={})


@pytest.mark.parametrize(
    ("state", "param"),
    [
        ({"turn": "many"}, "state.turn"),
        ({"slots": {"city": 4}}, "state.slots.city"),
        ({"topics": [{"form": "booking"}]}, "state.topics[0].intent"),
        ({"language": "xx"}, "state.language"),
    ],
)
def test_what_is_no_state_is_refused_by_its_place(
    http: httpx2.Client, client: openai.OpenAI, domain: str, state: dict[str, Any], param: str
) -> None:
    response = http.post("/v1/understandings", json={"domain": domain, "input": "hi", "state": state})
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


def test_a_state_of_another_domain_or_of_nobody_s_making_is_met_too(client: openai.OpenAI, domain: str) -> None:
    strange = {
        "turn": -3,
        "intent": "fly",
        "slots": {"wings": {"value": [{}], "history": []}, "people": {"value": "\u0000"}, "city": {"value": {"a": 1}}},
        "topics": [{"intent": "fly", "form": "flight"}] * 30,
        "asked": {"slot": "wings"},
        "handed_over": False,
    }
    for text in ("A table in Oslo", "4", "yes", "no", "hi", "the same", "cancel that"):
        answer = understand(client, domain, text, state=strange)
        assert answer["state"]["turn"] == -2


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"domain": "dom_x"}, "input", "missing_required_parameter"),
        ({"input": "hi"}, "domain", "missing_required_parameter"),
        ({"domain": "dom_x", "input": ["hi"]}, "input", "invalid_type"),
        ({"domain": "dom_x", "input": "hi", "text": "hi"}, "text", "unknown_parameter"),
        ({"domain": "dom_x", "input": "a" * 256_001}, "input", "string_above_max_length"),
    ],
)
def test_bodies_that_ask_nothing_are_refused(http: httpx2.Client, body: Any, param: str, code: str) -> None:
    assert_refused(http.post("/v1/understandings", json=body), 400, param=param, code=code)


def test_only_understanders_that_the_server_knows_are_loaded(client: openai.OpenAI) -> None:
    with refused(400, param="understander.type", code="invalid_domain") as caught:
        new_domain(client, understander={"type": "os:system"})
    assert "There is no understander 'os:system'." in caught.value.message
    assert "few_shot, in_context, llm, tuned, " in caught.value.message


def test_an_embedder_or_a_model_that_is_not_there_is_named(client: openai.OpenAI) -> None:
    for settings, name in (
        ({"type": "few_shot", "embedder": "gone"}, "'gone'"),
        ({"type": "llm", "model": "gone"}, "'gone'"),
        ({"type": "tuned", "model": "ft:gone"}, "'ft:gone'"),
    ):
        made = new_domain(client, understander=settings)
        with pytest.raises(openai.APIStatusError) as caught:
            understand(client, made, "hi")
        assert caught.value.status_code in (400, 404)
        assert name in caught.value.message


def test_how_long_understanding_takes_is_measured(client: openai.OpenAI, http: httpx2.Client, domain: str) -> None:
    understand(client, domain, "hi")
    assert f'zhuli_understanding_seconds_count{{understander="{UNDERSTANDER}"}}' in http.get("/metrics").text


def test_the_payload_of_a_button_is_its_intent_with_its_entities(client: openai.OpenAI, domain: str) -> None:
    answer = understand(client, domain, '/book{"city": "Oslo"}')
    assert answer["intent"]["name"] == "book"
    assert [(one["entity"], one["value"]) for one in answer["entities"]] == [("city", "Oslo")]
    assert answer["slots"] == {"city": "Oslo"}
    assert understand(client, domain, '/nothing{"city": "Oslo"}')["reasons"][0] != answer["reasons"][0]
