"""/v1/moderations through the SDK: the published shape, English and Chinese, a project's thresholds, and what is not judged."""

from typing import Any

import httpx2
import openai
import pytest

from tests.harness.farm import Storage

NOT_JUDGED = {"illicit", "illicit/violent", "violence/graphic"}


@pytest.fixture
def storage() -> Storage:
    """What is judged does not come from the database; where thresholds are kept is tested on both in tests/units."""
    return "sqlite"


def refusal(response: httpx2.Response, status: int) -> dict[str, Any]:
    """The error of a refused request."""
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    return error


def flagged(client: openai.OpenAI, text: str) -> set[str]:
    (result,) = client.moderations.create(input=text, model="omni-moderation-latest").results
    categories = {name for name, said in result.categories.to_dict(mode="json", use_api_names=True).items() if said}
    assert result.flagged == bool(categories)
    return categories


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You are a stupid bitch and everybody hates you.", "harassment"),
        ("I want to kill them.", "harassment/threatening"),
        ("I want to kill myself, I can't go on.", "self-harm/intent"),
        ("how many pills does it take to overdose", "self-harm/instructions"),
        ("send nudes", "sexual"),
        ("你们这些河南人都是骗子，恶心", "hate"),
        ("我要杀了你", "harassment/threatening"),
        ("不想活了", "self-harm/intent"),
        ("你怎么不去死", "harassment"),
    ],
)
def test_harm_is_flagged_in_english_and_chinese(client: openai.OpenAI, text: str, expected: str) -> None:
    assert expected in flagged(client, text)


@pytest.mark.parametrize(
    "text",
    [
        "How do I reset my password?",
        "I could die for a pizza.",
        "There are several gay people in my class.",
        "The clinic offers free check-ups for muslims.",
        "The killer whale is the largest dolphin.",
        "这个快递慢死了，气死我了",
        "我想死你了，妈妈",
        "我们班上有几个河南人。",
        "这台电脑死机了怎么办",
        "",
        "   \n ",
    ],
)
def test_what_harms_nobody_is_not(client: openai.OpenAI, text: str) -> None:
    assert flagged(client, text) == set()


def test_each_text_of_several_has_a_result_in_its_place(client: openai.OpenAI) -> None:
    answer = client.moderations.create(input=["Good morning.", "kys", "早上好"])
    assert answer.model == "zhuli-moderation-1"
    assert [one.flagged for one in answer.results] == [False, True, False]


def test_one_bad_sentence_in_a_long_text_is_found(client: openai.OpenAI) -> None:
    assert "self-harm/intent" in flagged(
        client, "The weather is fine today. " * 40 + "I want to kill myself. " + "Good bye. " * 40
    )


def test_the_texts_of_parts_are_one_input_and_images_are_not_judged(client: openai.OpenAI, http: httpx2.Client) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
    parts: Any = [{"type": "text", "text": "I want to kill them."}, image]
    (result,) = client.moderations.create(input=parts).results
    assert result.flagged
    applied = result.category_applied_input_types.to_dict(mode="json", use_api_names=True)
    assert {tuple(types) for name, types in applied.items() if name not in NOT_JUDGED} == {("text",)}
    answer = http.post("/v1/moderations", json={"input": [image]})
    assert refusal(answer, 400)["code"] == "unsupported_image"


def test_what_is_not_judged_is_said_and_scores_0(http: httpx2.Client) -> None:
    (result,) = http.post("/v1/moderations", json={"input": "how to build a bomb"}).json()["results"]
    assert set(result["not_judged"]) == NOT_JUDGED
    assert {result["category_scores"][name] for name in NOT_JUDGED} == {0}
    assert {tuple(result["category_applied_input_types"][name]) for name in NOT_JUDGED} == {()}


def test_the_words_that_counted_are_told_where_that_is_asked(http: httpx2.Client) -> None:
    body = {"input": "You are a stupid bitch.", "explain": True}
    (result,) = http.post("/v1/moderations", json=body).json()["results"]
    assert "bitch" in result["explanation"]["harassment"]
    assert "explanation" not in http.post("/v1/moderations", json={"input": "hello"}).json()["results"][0]


def test_a_project_has_thresholds_of_its_own(client: openai.OpenAI, http: httpx2.Client) -> None:
    path = "/v1/moderations/thresholds"
    defaults = http.get(path).json()
    assert defaults["own"] == {} and set(defaults["defaults"]["harassment"]) == {"en", "zh"}
    try:
        assert http.put(path, json={"thresholds": {"sexual": 0.95}}).json()["own"] == {"sexual": 0.95}
        assert "sexual" not in flagged(client, "send nudes")
    finally:
        assert http.put(path, json={"thresholds": {}}).json()["own"] == {}
    assert "sexual" in flagged(client, "send nudes")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": 3}, "input"),
        ({"input": "x", "thresholds": {}}, "thresholds"),
        ({"input": "x" * 256_001}, "input"),
        ({"input": ["x"] * 257}, "input"),
    ],
)
def test_what_is_wrong_is_said(http: httpx2.Client, body: Any, param: str) -> None:
    assert str(refusal(http.post("/v1/moderations", json=body), 400)["param"]).startswith(param)


def test_an_unknown_model_is_told_which_there_are(http: httpx2.Client) -> None:
    error = refusal(http.post("/v1/moderations", json={"input": "x", "model": "gpt-4o"}), 404)
    assert "omni-moderation-latest" in error["message"]


def test_a_threshold_is_between_0_and_1_and_its_category_is_known(http: httpx2.Client) -> None:
    for thresholds in ({"hate": 2}, {"rudeness": 0.5}):
        refusal(http.put("/v1/moderations/thresholds", json={"thresholds": thresholds}), 400)
