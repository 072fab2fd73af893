"""/v1/domains: saved, changed, listed, deleted, in JSON and in YAML; checked before, learned after; imported and exported.

What is found in a domain is tests/units/understanding/domains/test_domain_checking.py; what it does in a run,
test_understood_runs.py.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused, refused
from tests.harness.server import UNDERSTANDER

RASA = Path(__file__).parents[2] / "samples" / "dialogue" / "rasa"

GREETING: dict[str, Any] = {
    "name": "Greeting",
    "understander": {"type": UNDERSTANDER, "script": {"hi": "greet"}},
    "intents": [{"name": "greet", "examples": ["hi", "hello"], "action": {"type": "respond", "response": "welcome"}}],
    "responses": {"welcome": "Welcome!"},
}

IN_YAML = f"""
name: Greeting
understander: {{type: "{UNDERSTANDER}", script: {{hi: greet}}}}
intents:
  greet: {{examples: [hi, hello], action: {{respond: welcome}}}}
responses:
  welcome: Welcome!
"""

OURS = {"id": None, "created_at": None}
"""What two domains with the same fields do not share."""

MISSING = "dom_missing0000000000000000"

YAML = {"content-type": "application/yaml"}


def create(client: openai.OpenAI, **changes: Any) -> dict[str, Any]:
    made = client.post("/domains", body={**GREETING, **changes}, cast_to=object)
    assert isinstance(made, dict)
    return made


def get(client: openai.OpenAI, path: str) -> dict[str, Any]:
    found = client.get(path, cast_to=object)
    assert isinstance(found, dict)
    return found


def codes(report: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in report["findings"]]


def test_a_domain_comes_back_as_it_was_saved_with_its_defaults(client: openai.OpenAI) -> None:
    made = create(client)
    assert made["id"].startswith("dom_")
    assert (made["object"], made["version"], made["languages"], made["timezone"]) == ("domain", 1, ["en"], "UTC")
    assert made["intents"][0]["examples"] == ["hi", "hello"]
    assert made["fallback"]["unclear"] == {"type": "clarify", "most": 2}
    assert get(client, f"/domains/{made['id']}") == made


def test_a_domain_is_learned_when_it_is_saved(client: openai.OpenAI) -> None:
    made = create(client)
    assert (made["report"]["object"], made["report"]["learned"], made["report"]["examples"]) == (
        "domain.report",
        True,
        2,
    )
    assert get(client, f"/domains/{made['id']}/report") == made["report"]


def test_the_few_shot_understander_learns_from_the_examples_at_once(client: openai.OpenAI) -> None:
    intents = [
        {"name": "greet", "examples": ["hi", "hello", "good morning", "hey there", "good evening"]},
        {
            "name": "pay",
            "examples": ["I want to pay", "take my money", "the bill please", "can I pay now", "check please"],
        },
    ]
    body = {"intents": intents, "understander": {"embedder": "hashed"}}
    made: Any = client.post("/domains", body=body, cast_to=object)
    assert made["understander"] == {"type": "few_shot", "embedder": "hashed"}
    assert made["report"]["learned"] and made["report"]["accuracy"] is not None
    assert not [finding for finding in made["report"]["findings"] if finding["level"] == "error"]


def test_changing_a_domain_overwrites_what_is_given_and_counts_its_versions(client: openai.OpenAI) -> None:
    made = create(client, metadata={"team": "blue"})
    changed: Any = client.post(f"/domains/{made['id']}", body={"responses": {"welcome": "Hello!"}}, cast_to=object)
    assert (changed["id"], changed["created_at"], changed["version"]) == (made["id"], made["created_at"], 2)
    assert changed["responses"] == {"welcome": "Hello!"}
    assert (changed["intents"], changed["metadata"]) == (made["intents"], {"team": "blue"})
    assert get(client, f"/domains/{made['id']}") == changed


def test_a_change_that_breaks_the_domain_changes_nothing(client: openai.OpenAI) -> None:
    made = create(client)
    with refused(400, param="intents[0].action.response", code="invalid_domain"):
        client.post(f"/domains/{made['id']}", body={"responses": {}}, cast_to=object)
    assert get(client, f"/domains/{made['id']}") == made


async def test_changes_at_the_same_time_are_all_there(aclient: openai.AsyncOpenAI) -> None:
    made: Any = await aclient.post("/domains", body=GREETING, cast_to=object)
    path = f"/domains/{made['id']}"
    changes: list[Any] = [
        {"name": "A"},
        {"description": "B"},
        {"timezone": "Asia/Tokyo"},
        {"out_of_scope": ["x"]},
        {"show": False},
    ]
    await asyncio.gather(*(aclient.post(path, body=change, cast_to=object) for change in changes))
    found: Any = await aclient.get(path, cast_to=object)
    assert (found["name"], found["description"], found["timezone"]) == ("A", "B", "Asia/Tokyo")
    assert (found["out_of_scope"], found["show"], found["version"]) == (["x"], False, 6)


def test_a_domain_in_yaml_is_the_same_domain(client: openai.OpenAI, http: httpx2.Client) -> None:
    made = http.post("/v1/domains", content=IN_YAML, headers=YAML)
    assert made.status_code == 200
    in_json = create(client)
    assert {**made.json(), **OURS} == {**in_json, **OURS}
    changed = http.post(f"/v1/domains/{made.json()['id']}", content="name: Other", headers=YAML).json()
    assert (changed["name"], changed["version"], changed["intents"]) == ("Other", 2, in_json["intents"])


def test_what_is_exported_can_be_saved_again(client: openai.OpenAI, http: httpx2.Client) -> None:
    made = create(client, name="再见", metadata={"a": "1"})
    exported = http.get(f"/v1/domains/{made['id']}/export")
    assert exported.headers["content-type"].startswith("application/yaml")
    assert "respond: welcome" in exported.text and "再见" in exported.text
    again = http.post("/v1/domains", content=exported.content, headers=YAML).json()
    assert {**again, **OURS} == {**made, **OURS}


def test_domains_are_listed_in_pages(client: openai.OpenAI) -> None:
    made = [create(client, name=str(number))["id"] for number in range(3)]
    newest: Any = client.get("/domains", options={"params": {"limit": 2}}, cast_to=object)
    assert ([item["id"] for item in newest["data"]], newest["has_more"]) == (made[:0:-1], True)
    older: Any = client.get("/domains", options={"params": {"after": made[1], "limit": 1}}, cast_to=object)
    assert [item["id"] for item in older["data"]] == made[:1]


def test_a_deleted_domain_is_gone(client: openai.OpenAI) -> None:
    made = create(client)
    gone = client.delete(f"/domains/{made['id']}", cast_to=object)
    assert gone == {"id": made["id"], "object": "domain.deleted", "deleted": True}
    with refused(404, f"No domain found with id '{made['id']}'."):
        get(client, f"/domains/{made['id']}")
    with refused(404, f"No domain found with id '{MISSING}'."):
        client.delete(f"/domains/{MISSING}", cast_to=object)


def test_a_domain_that_an_assistant_has_stays(client: openai.OpenAI) -> None:
    made = create(client)["id"]
    assistant = client.beta.assistants.create(model="gpt-4o", extra_body={"domain": made})
    with refused(400, param="domain_id", code="domain_in_use") as caught:
        client.delete(f"/domains/{made}", cast_to=object)
    assert assistant.id in str(caught.value)
    client.beta.assistants.update(assistant.id, extra_body={"domain": None}, metadata={"domain": made})
    client.delete(f"/domains/{made}", cast_to=object)


def test_a_domain_with_errors_is_not_saved_and_the_refusal_names_them(client: openai.OpenAI) -> None:
    name = "Never saved"
    intents = [{"name": "a", "form": "b"}, {"name": "out_of_scope"}]
    with refused(400, param="intents[1].name", code="invalid_domain") as caught:
        create(client, name=name, intents=intents)
    assert "There is no form 'b'" in str(caught.value) and "`out_of_scope`" in str(caught.value)
    assert name not in [item["name"] for item in get(client, "/domains?limit=100")["data"]]


def test_checking_finds_without_saving(client: openai.OpenAI, http: httpx2.Client) -> None:
    before = get(client, "/domains?limit=100")["data"]
    report: Any = client.post("/domains/check", body={**GREETING, "timezone": "Mars/Olympus"}, cast_to=object)
    assert (codes(report), report["learned"], report["examples"]) == (["unknown_timezone"], False, 2)
    in_yaml = http.post("/v1/domains/check", content=IN_YAML + "slots: {a: text}", headers=YAML).json()
    assert codes(in_yaml) == ["unused_slot", "unfillable_slot"]
    assert get(client, "/domains?limit=100")["data"] == before


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"intents": [{"examples": []}]}, "intents[0].name", "missing_required_parameter"),
        ({"intents": [{"name": "a", "action": {"type": "dance"}}]}, "intents[0].action.type", "invalid_value"),
        ({"intents": [{"name": "a b"}]}, "intents[0].name", "invalid_value"),
        ({"responses": {"a": {"fr": "x"}}}, "responses.a.fr", "invalid_value"),
        ({"languages": []}, "languages", "empty_array"),
        ({"fallback": {"threshold": 2}}, "fallback.threshold", "decimal_above_max_value"),
        ({"colour": "red"}, "colour", "unknown_parameter"),
        ({"understander": {"type": "os:system"}}, "understander.type", "invalid_domain"),
    ],
)
def test_a_mistake_in_json_is_told_with_its_path(http: httpx2.Client, body: Any, param: str, code: str) -> None:
    assert_refused(http.post("/v1/domains", json=body), 400, param=param, code=code)


@pytest.mark.parametrize(
    ("text", "param", "code", "said"),
    [
        ("intents:\n  a:\n    exampels: [x]", "intents[0].exampels", "unknown_parameter", "Line 3: Unknown parameter"),
        ("a: [", None, "invalid_yaml", "This is not YAML"),
        ("a: &b [*b]", None, "invalid_yaml", "Anchors"),
        (b"name: \xff", None, "invalid_yaml", "UTF-8"),
        ("- a", None, "invalid_yaml", "A domain is a mapping"),
    ],
)
def test_a_mistake_in_yaml_is_told_with_its_line(
    http: httpx2.Client, text: str | bytes, param: str | None, code: str, said: str
) -> None:
    assert said in assert_refused(http.post("/v1/domains", content=text, headers=YAML), 400, param=param, code=code)


def test_a_failure_to_learn_leaves_the_domain_and_is_told(client: openai.OpenAI) -> None:
    made = create(client, understander={"type": "tuned", "model": "ft:nobody:has:this"})
    assert (made["version"], made["report"]["learned"]) == (1, False)
    (finding,) = [finding for finding in made["report"]["findings"] if finding["level"] == "error"]
    assert (finding["code"], finding["where"]) == ("learning", "understander")
    again = get(client, f"/domains/{made['id']}/report")
    assert codes(again).count("learning") == 1


def test_a_rasa_project_becomes_a_domain_that_says_what_did_not_come_along(client: openai.OpenAI) -> None:
    files = {str(file.relative_to(RASA)): file.read_text() for file in RASA.rglob("*.yml")}
    made: Any = client.post("/domains/import", body={"format": "rasa", "files": files, "name": "Cars"}, cast_to=object)
    assert (made["name"], made["version"], len(made["intents"]), made["report"]["examples"]) == ("Cars", 1, 7, 56)
    assert {"no_text", "act_guessed", "becomes_function"} <= set(codes(made["report"]))
    assert get(client, f"/domains/{made['id']}") == made


def test_a_domain_is_drawn_as_a_flowchart(client: openai.OpenAI, http: httpx2.Client) -> None:
    made = create(client)
    answer = http.get(f"/v1/domains/{made['id']}/diagram")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("flowchart LR\n")
    assert '(["greet"])' in answer.text and '["says welcome"]' in answer.text
    assert_refused(http.get(f"/v1/domains/{MISSING}/diagram"), 404)


class TestAMessageThatWasMisread:
    """It becomes an example of what was meant, in one step."""

    @pytest.fixture
    def shop(self, client: openai.OpenAI) -> dict[str, Any]:
        intents = [
            {"name": "greet", "examples": ["hi", "hello"]},
            {"name": "order", "examples": ["I want a [hat](thing)", "Hello"]},
        ]
        lists = [{"name": "thing", "kind": "lookup", "values": [{"value": "hat", "synonyms": ["cap"]}]}]
        return create(client, intents=intents, entities=lists, out_of_scope=["what is the weather"])

    def example(self, client: openai.OpenAI, domain: dict[str, Any], **body: Any) -> dict[str, Any]:
        made: Any = client.post(f"/domains/{domain['id']}/examples", body=body, cast_to=object)
        assert isinstance(made, dict)
        return made

    def test_from_a_thread_with_the_entities_that_were_found(
        self, client: openai.OpenAI, http: httpx2.Client, shop: dict[str, Any]
    ) -> None:
        assistant = client.beta.assistants.create(model="script", extra_body={"domain": shop["id"]}).id
        thread = client.beta.threads.create(messages=[{"role": "user", "content": "hi, a cap for me"}]).id
        client.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant)
        understood = get(client, f"/threads/{thread}/understandings")["data"][0]
        after = self.example(client, shop, intent="order", understanding=understood["id"])
        assert after["version"] == shop["version"] + 1
        assert after["intents"][1]["examples"] == ["I want a [hat](thing)", "Hello", "hi, a [cap](thing:hat) for me"]
        assert self.example(client, shop, intent="order", understanding=understood["id"]) == after
        assert get(client, f"/domains/{shop['id']}") == after
        other = clientless(http, "/v1/domains/{}/examples", shop, intent="order", understanding="und_of_nobody")
        assert_refused(other, 404, param="understanding")

    def test_is_an_example_of_nothing_else_from_then_on(self, client: openai.OpenAI, shop: dict[str, Any]) -> None:
        after = self.example(client, shop, intent="greet", text="hello")
        assert [intent["examples"] for intent in after["intents"]] == [["hi", "hello"], ["I want a [hat](thing)"]]
        after = self.example(client, shop, intent="out_of_scope", text="HI")
        assert after["intents"][0]["examples"] == ["hello"]
        assert after["out_of_scope"] == ["what is the weather", "HI"]
        after = self.example(client, shop, intent="greet", text="what is the weather")
        assert after["out_of_scope"] == ["HI"]

    def test_with_entities_that_are_said(self, client: openai.OpenAI, shop: dict[str, Any]) -> None:
        named = [
            {"entity": "thing", "text": "cap", "value": "hat", "role": "first"},
            {"entity": "thing", "text": "hat"},
        ]
        after = self.example(client, shop, intent="order", text="a cap and a hat", entities=named)
        assert after["intents"][1]["examples"][-1] == "a [cap](thing#first:hat) and a [hat](thing)"

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({"intent": "nothing", "text": "x"}, "intent"),
            ({"intent": "greet"}, "text"),
            ({"intent": "greet", "text": "x", "understanding": "und_1"}, "text"),
            ({"intent": "greet", "text": "see [here](there"}, "text"),
            ({"intent": "greet", "text": " "}, "text"),
            (
                {"intent": "greet", "text": "a hat", "entities": [{"entity": "thing", "text": "cap"}]},
                "entities[0].text",
            ),
            (
                {"intent": "greet", "text": "a hat", "entities": [{"entity": "size", "text": "hat"}]},
                "entities[0].entity",
            ),
        ],
    )
    def test_or_is_refused_with_what_would_be_right(
        self, http: httpx2.Client, shop: dict[str, Any], body: dict[str, Any], param: str
    ) -> None:
        answer = clientless(http, "/v1/domains/{}/examples", shop, **body)
        assert_refused(answer, 400, param=param, code="invalid_value")
        assert http.get(f"/v1/domains/{shop['id']}").json() == shop


def clientless(http: httpx2.Client, path: str, domain: dict[str, Any], **body: Any) -> httpx2.Response:
    """The answer as it is, without the SDK."""
    return http.post(path.format(domain["id"]), json=body)


ELSEWHERE: dict[str, dict[str, Any]] = {
    "dialogflow": {
        "intents/hours.json": {"name": "hours", "responses": [{"messages": [{"type": 0, "speech": "From eight."}]}]},
        "intents/hours_usersays_en.json": [{"data": [{"text": "when are you open"}]}],
    },
    "luis": {
        "app.json": {
            "luis_schema_version": "7.0.0",
            "intents": [{"name": "hours"}],
            "utterances": [{"text": "when are you open", "intent": "hours", "entities": []}],
            "patterns": [{"pattern": "when [are] you open", "intent": "hours"}],
        }
    },
    "botpress": {
        "bot.config.json": {"defaultLanguage": "en"},
        "intents/hours.json": {"name": "hours", "utterances": {"en": ["when are you open"]}, "slots": []},
        "flows/main.flow.json": {"nodes": [{"name": "entry", "next": []}]},
    },
}


@pytest.mark.parametrize("format", ELSEWHERE)
def test_projects_of_other_builders_come_in_by_the_same_door(client: openai.OpenAI, format: str) -> None:
    files = {name: json.dumps(content) for name, content in ELSEWHERE[format].items()}
    made: Any = client.post("/domains/import", body={"format": format, "files": files, "name": "Shop"}, cast_to=object)
    assert (made["name"], made["intents"][0]["name"], made["intents"][0]["examples"]) == (
        "Shop",
        "hours",
        ["when are you open"],
    )
    assert {"dialogflow": "few_examples", "luis": "not_taken", "botpress": "flow"}[format] in codes(made["report"])
    assert get(client, f"/domains/{made['id']}") == made


def test_files_that_are_no_project_are_refused(http: httpx2.Client) -> None:
    answer = http.post("/v1/domains/import", json={"format": "rasa", "files": {"nlu.yml": "nlu: ["}})
    assert_refused(answer, 400, param="files.nlu.yml", code="invalid_yaml")
    answer = http.post("/v1/domains/import", json={"format": "luis", "files": {"app.json": "{"}})
    assert_refused(answer, 400, param="files.app.json", code="invalid_json")
    answer = http.post("/v1/domains/import", json={"format": "lex", "files": {"a": "b"}})
    assert_refused(answer, 400, param="format", code="invalid_value")


def test_ids_are_looked_at_under_strict_ids(clients: Clients, start_server: StartServer) -> None:
    http = clients.http(start_server(strict={"ids": True}))
    assert_refused(http.get("/v1/domains/asst_1"), 400, param="domain_id", code="invalid_value")
