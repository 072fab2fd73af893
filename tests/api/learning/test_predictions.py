"""POST /v1/predictions: tuned models answer in the shapes of the Hugging Face pipelines, and every mistake is explained."""

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.harness.clients import Clients
from tests.harness.farm import Farm, Storage
from tests.harness.later import later
from tests.harness.refusals import assert_refused, refused
from tests.harness.server import Server
from tests.harness.tuned_records import RECORDS
from tests.harness.waiting import eventually
from zhuli.types.learning.hyperparameters import TaskName

with later:
    from tests.harness import tuned_models
    from tests.harness.tuned_models import predicting_child

Register = Callable[..., str]

FIRST_ANSWER_SECONDS = 120.0
"""A child imports torch before its first answer."""

INPUTS: dict[TaskName, Any] = {
    "text_classification": "Where is my card?",
    "token_classification": "Ann lives in Oslo",
    "relation_extraction": {
        "text": "Ann lives in Oslo",
        "head": {"start": 0, "end": 3},
        "tail": {"start": 13, "end": 17},
    },
    "question_answering": {"question": "Where does Ann live?", "context": "Ann lives in Oslo."},
}


@pytest.fixture
def storage() -> Storage:
    """What a child answers does not come from the database."""
    return "sqlite"


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[TaskName, Path]:
    place = tmp_path_factory.mktemp("tuned")
    for task in RECORDS:
        tuned_models.made(place / task, task)
    return {task: place / task for task in RECORDS}


@pytest.fixture
def register(server: Server, folders: dict[TaskName, Path]) -> Register:
    """The name of a model for the task, in the server that the test talks to."""

    def register(task: TaskName = "text_classification", *, suffix: str = "", **options: Any) -> str:
        name = f"ft:tiny:default:{suffix or task}:test"
        if not (server.folder / "tuning" / name.replace(":", "-")).exists():
            tuned_models.register(server, name, task, folders[task], **options)
        return name

    return register


def predict(client: openai.OpenAI, model: str, given: Any, **options: Any) -> dict[str, Any]:
    body = {"model": model, "input": given, **options}
    answer = client.post("/predictions", body=body, cast_to=object, options={"timeout": FIRST_ANSWER_SECONDS})
    assert isinstance(answer, dict)
    return answer


def test_a_text_is_classified(client: openai.OpenAI, register: Register) -> None:
    name = register()
    answer = predict(client, name, INPUTS["text_classification"])
    assert (answer["object"], answer["model"], answer["task"]) == ("list", name, "text_classification")
    (result,) = answer["data"]
    assert result.keys() == {"id", "index", "output"} and result["index"] == 0 and result["id"].startswith("pred_")
    scores = [entry["score"] for entry in result["output"]]
    assert {entry["label"] for entry in result["output"]} == {"card", "music", "weather"}
    assert scores == sorted(scores, reverse=True) and sum(scores) == pytest.approx(1)
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > 5


def test_entities_have_their_place_in_the_text(client: openai.OpenAI, register: Register) -> None:
    given = INPUTS["token_classification"]
    (result,) = predict(client, register("token_classification"), given)["data"]
    assert isinstance(result["output"], list)
    for entity in result["output"]:
        assert entity.keys() == {"entity_group", "score", "word", "start", "end"}
        assert given[entity["start"] : entity["end"]] == entity["word"]


def test_a_pair_of_entities_is_related_and_so_are_all_pairs_of_a_list(
    client: openai.OpenAI, register: Register
) -> None:
    pair = INPUTS["relation_extraction"]
    entities = {"text": pair["text"], "entities": [pair["head"], pair["tail"]]}
    one, several = predict(client, register("relation_extraction"), [pair, entities], top_k=1)["data"]
    assert [entry.keys() for entry in one["output"]] == [{"label", "score"}]
    assert [entry.keys() for entry in several["output"]] == [{"head", "tail", "label", "score"}] * 2


def test_a_question_is_answered_from_its_context(client: openai.OpenAI, register: Register) -> None:
    given = INPUTS["question_answering"]
    (result,) = predict(client, register("question_answering"), given)["data"]
    output = result["output"]
    assert output.keys() == {"score", "start", "end", "answer"}
    assert given["context"][output["start"] : output["end"]] == output["answer"]


def test_a_list_is_answered_in_order_and_as_each_input_alone(client: openai.OpenAI, register: Register) -> None:
    name = register()
    texts = [f"{'Play some music. ' * (number % 5)}Card {number}?" for number in range(40)]
    together = predict(client, name, texts)
    assert [result["index"] for result in together["data"]] == list(range(40))
    alone = [predict(client, name, text) for text in texts[::13]]
    for result, answer in zip(together["data"][::13], alone, strict=True):
        expected = {entry["label"]: entry["score"] for entry in answer["data"][0]["output"]}
        assert {entry["label"]: entry["score"] for entry in result["output"]} == pytest.approx(expected, abs=1e-4)
    assert together["usage"]["total_tokens"] > sum(answer["usage"]["total_tokens"] for answer in alone)


def test_a_domain_is_understood_by_tuned_models(client: openai.OpenAI, register: Register) -> None:
    body = {
        "understander": {
            "type": "tuned",
            "model": register(),
            "entity_model": register("token_classification"),
        },
        "intents": [{"name": name, "examples": [f"About {name}"]} for name in ("card", "music", "weather")],
        "entities": [{"name": "PER"}, {"name": "LOC"}],
    }
    options: Any = {"timeout": FIRST_ANSWER_SECONDS}
    domain: Any = client.post("/domains", body=body, cast_to=object, options=options)
    text = "Ann lives in Oslo"
    asked = {"domain": domain["id"], "input": text}
    answer: Any = client.post("/understandings", body=asked, cast_to=object, options=options)
    (result,) = predict(client, register(), text)["data"]
    assert {score["name"]: score["confidence"] for score in answer["ranking"]} == pytest.approx(
        {entry["label"]: entry["score"] for entry in result["output"]}, abs=1e-4
    )
    (spans,) = predict(client, register("token_classification"), text)["data"]
    assert [(entity["entity"], entity["start"], entity["end"]) for entity in answer["entities"]] == [
        (span["entity_group"], span["start"], span["end"]) for span in spans["output"]
    ]


def test_top_k_keeps_the_best_labels(client: openai.OpenAI, register: Register) -> None:
    name, text = register(), INPUTS["text_classification"]
    everything = predict(client, name, text)["data"][0]["output"]
    assert predict(client, name, text, top_k=2)["data"][0]["output"] == everything[:2]
    assert predict(client, name, text, top_k=20)["data"][0]["output"] == everything


def test_an_explanation_says_which_words_and_which_examples(client: openai.OpenAI, register: Register) -> None:
    text = INPUTS["text_classification"]
    (result,) = predict(client, register(), text, explain=True)["data"]
    explanation = result["explanation"]
    (attributed,) = explanation["attributions"]
    assert "".join(token["text"] for token in attributed["tokens"]) == text.replace(" ", "")
    assert explanation["completeness_error"] < 0.05
    assert explanation["nearest_examples"][0]["text"] == text
    assert explanation["confidence"] == pytest.approx(result["output"][0]["score"], abs=1e-4)


def test_requests_at_once_get_their_own_answers(clients: Clients, server: Server, register: Register) -> None:
    name, client = register(), clients.sdk(server)
    texts = [f"Card {number}, weather {number * 7}?" for number in range(12)]
    expected = [predict(client, name, text)["usage"] for text in texts]
    with ThreadPoolExecutor(len(texts)) as pool:
        answers = list(pool.map(lambda text: predict(client, name, text), texts))
    assert [answer["usage"] for answer in answers] == expected


@pytest.mark.parametrize(
    ("task", "given", "text"),
    [
        ("text_classification", 7, "text"),
        ("text_classification", "", "not empty"),
        ("text_classification", None, "text"),
        ("token_classification", {"words": []}, "list of its words"),
        ("relation_extraction", "Ann lives in Oslo", "head"),
        ("relation_extraction", {**INPUTS["relation_extraction"], "tail": {"start": 13, "end": 99}}, "tail"),
        ("question_answering", "Where does Ann live?", "context"),
        ("question_answering", {"question": "Where?"}, "context"),
    ],
)
def test_an_input_that_the_task_cannot_take_is_refused(
    client: openai.OpenAI, register: Register, task: TaskName, given: Any, text: str
) -> None:
    name = register(task)
    with refused(400, param="input", code="invalid_value") as alone:
        predict(client, name, given)
    assert text in alone.value.message and name in alone.value.message
    with refused(400, param="input[1]", code="invalid_value"):
        predict(client, name, [INPUTS[task], given])


def test_a_model_that_is_not_there_is_not_found(client: openai.OpenAI, register: Register) -> None:
    theirs = register(suffix="theirs", project="proj_other")
    for name in ("ft:tiny:default:none:12345678", theirs):
        with refused(404, param="model", code="model_not_found") as refusal:
            predict(client, name, "x")
        assert name in refusal.value.message


def test_models_of_another_kind_say_where_they_are_asked(client: openai.OpenAI) -> None:
    for name, route in (("gpt-4o", "/v1/chat/completions"), ("hashed", "/v1/embeddings")):
        with refused(400, param="model") as refusal:
            predict(client, name, "x")
        assert route in refusal.value.message


def test_what_a_task_does_not_do_is_refused(client: openai.OpenAI, register: Register) -> None:
    name = register("question_answering")
    for option in ({"explain": True}, {"top_k": 3}):
        with refused(400, param=next(iter(option))) as refusal:
            predict(client, name, INPUTS["question_answering"], **option)
        assert "text_classification" in refusal.value.message


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"model": None}, "model", "invalid_type"),
        ({"top_k": 0}, "top_k", "integer_below_min_value"),
        ({"top_k": "2"}, "top_k", "invalid_type"),
        ({"explain": "yes"}, "explain", "invalid_type"),
        ({"inputs": "x"}, "inputs", "unknown_parameter"),
        ({"input": []}, "input", "empty_array"),
        ({"input": ["x"] * 2049}, "input", "array_above_max_length"),
    ],
)
def test_a_request_that_is_wrong_is_refused(
    http: httpx2.Client, register: Register, change: dict[str, Any], param: str, code: str
) -> None:
    body = {"model": register(), "input": "x", **change}
    assert_refused(http.post("/v1/predictions", json=body), 400, param=param, code=code)


def test_a_request_without_model_or_input_is_refused(http: httpx2.Client) -> None:
    for body, param in (({"input": "x"}, "model"), ({"model": "x"}, "input")):
        assert_refused(http.post("/v1/predictions", json=body), 400, param=param, code="missing_required_parameter")


def test_an_alias_answers_for_the_model_it_leads_to(
    client: openai.OpenAI, http: httpx2.Client, register: Register
) -> None:
    name = register()
    assert http.put("/v1/model_aliases/intents", json={"model": name}).status_code == 200
    by_alias, by_name = predict(client, "intents", "Play!"), predict(client, name, "Play!")
    ids = {answer["data"][0].pop("id") for answer in (by_alias, by_name)}
    assert len(ids) == 2, "each answer has an id of its own"
    assert by_alias == {**by_name, "model": "intents"}


def test_a_deleted_model_is_not_found(client: openai.OpenAI, register: Register) -> None:
    name = register(suffix="deleted")
    predict(client, name, "x")
    client.models.delete(name)
    with refused(404, param="model", code="model_not_found"):
        predict(client, name, "x")


def test_a_model_whose_folder_is_gone_is_not_found(client: openai.OpenAI, register: Register, server: Server) -> None:
    name = register(suffix="gone")
    predict(client, name, "x")
    shutil.rmtree(server.folder / "tuning" / name.replace(":", "-"))
    with refused(404, param="model", code="model_not_found"):
        predict(client, name, "x")


def test_a_model_whose_files_are_broken_says_so_and_others_go_on(
    client: openai.OpenAI, register: Register, server: Server
) -> None:
    name = register(suffix="broken")
    (server.folder / "tuning" / name.replace(":", "-") / "model" / "head.safetensors").write_bytes(b"not tensors")
    with pytest.raises(openai.InternalServerError, match="could not answer") as caught:
        predict(client, name, "x")
    assert str(server.folder) not in caught.value.message
    predict(client, register(), "x")


def test_the_child_starts_with_the_first_prediction_is_replaced_when_killed_and_ends_with_its_server(
    farm: Farm, clients: Clients, folders: dict[TaskName, Path]
) -> None:
    server, name = farm.fresh("sqlite"), "ft:tiny:default::first"
    try:
        tuned_models.register(server, name, "text_classification", folders["text_classification"])
        assert predicting_child(server) is None
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(predict, clients.sdk(server), name, "Play some music")
            eventually(lambda: predicting_child(server) is not None)
            first = predicting_child(server)
            assert first is not None
            os.kill(first, signal.SIGKILL)
            assert len(answer.result()["data"][0]["output"]) == 3
        second = predicting_child(server)
        assert second not in (None, first)
        server.kill9()
        eventually(lambda: not Path(f"/proc/{second}").exists())
    finally:
        farm.retire(server)
