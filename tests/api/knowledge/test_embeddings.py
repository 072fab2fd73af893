"""/v1/embeddings through the SDK: every form of input, both encodings, and what is said of mistakes."""

import base64
import math
import struct
from typing import Any

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import refused

MODEL = "text-embedding-3-small"


def lenient(client: openai.OpenAI) -> openai.OpenAI:
    """The SDK asks for base64, and would hold it against its own type before it decodes it."""
    return client.with_options(_extra_kwargs={"_strict_response_validation": False})


def embedded(client: openai.OpenAI, given: Any, **parameters: Any) -> list[list[float]]:
    answer = lenient(client).embeddings.create(model=MODEL, input=given, **parameters)
    assert [entry.index for entry in answer.data] == list(range(len(answer.data)))
    return [entry.embedding for entry in answer.data]


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_a_text_has_a_vector_of_unit_length(client: openai.OpenAI) -> None:
    answer = lenient(client).embeddings.create(model=MODEL, input="The red fox runs.")
    assert (answer.object, answer.model) == ("list", MODEL)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 4
    (entry,) = answer.data
    assert entry.object == "embedding"
    assert math.hypot(*entry.embedding) == pytest.approx(1, abs=1e-5)


def test_texts_have_vectors_in_their_order(client: openai.OpenAI) -> None:
    fox, whale, alike = embedded(client, ["the red fox", "blue whales sing", "a red fox"])
    assert cosine(fox, alike) > cosine(fox, whale)
    assert embedded(client, "blue whales sing") == [whale]


async def test_the_async_client_embeds_too(aclient: openai.AsyncOpenAI) -> None:
    answer = await aclient.embeddings.create(model=MODEL, input=["one", "two"], encoding_format="float")
    assert len(answer.data) == 2


def test_base64_and_numbers_are_the_same_vector(client: openai.OpenAI, http: httpx2.Client) -> None:
    """The SDK asks for base64 when it is not told otherwise, and decodes it."""
    body = {"model": MODEL, "input": "The red fox."}
    numbers = http.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
    raw = http.post("/v1/embeddings", json={**body, "encoding_format": "base64"}).json()["data"][0]["embedding"]
    assert isinstance(raw, str)
    decoded = base64.b64decode(raw)
    assert list(struct.unpack(f"<{len(decoded) // 4}f", decoded)) == numbers
    assert embedded(client, "The red fox.") == [pytest.approx(numbers)]
    assert embedded(client, "The red fox.", encoding_format="float") == [pytest.approx(numbers)]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([15339, 1917], "hello world"),
        ([57668, 53901, 11410, 236, 231], "你好 🎉"),
        ([57668, 53901, 11410, 236], "你好"),
    ],
)
def test_tokens_of_the_original_s_tokenizer_stand_for_their_text(
    client: openai.OpenAI, tokens: list[int], text: str
) -> None:
    """cl100k_base; a character that is cut off at the end is left out."""
    (vector,) = embedded(client, text)
    assert embedded(client, tokens) == [vector]
    assert embedded(client, [tokens, [15339]])[0] == vector


def test_fewer_numbers_may_be_asked_for(client: openai.OpenAI) -> None:
    (whole,) = embedded(client, "The red fox runs over the hill.")
    (short,) = embedded(client, "The red fox runs over the hill.", dimensions=16)
    assert len(short) == 16
    length = math.hypot(*whole[:16])
    assert short == pytest.approx([number / length for number in whole[:16]], abs=1e-6)


@pytest.mark.parametrize("encoding", [{"encoding_format": "float"}, {}])
def test_more_numbers_than_there_are_come_as_zeros(client: openai.OpenAI, encoding: Any) -> None:
    """A column of 1,536 numbers, as the original's smallest model fills it, takes them; cosines stay what they were.

    The SDK decodes base64, which it asks for when nothing is said.
    """
    texts = ["The red fox runs.", "A whale."]
    whole = embedded(client, texts)
    long = embedded(client, texts, dimensions=1536, **encoding)
    for vector, padded in zip(whole, long, strict=True):
        assert len(padded) == 1536
        assert padded[:128] == pytest.approx(vector, abs=1e-6)
        assert set(padded[128:]) == {0.0}


def test_a_vector_has_at_most_4096_numbers(client: openai.OpenAI) -> None:
    assert len(embedded(client, "x", dimensions=4096)[0]) == 4096
    with refused(400, param="dimensions", code="integer_above_max_value"):
        embedded(client, "x", dimensions=4097)


def test_an_alias_may_say_how_many_numbers_there_are(clients: Clients, start_server: StartServer) -> None:
    """For apps that made their column for the original's model, and never say `dimensions`."""
    alias = {"model": "hashed", "dimensions": 1536}
    client = clients.sdk(start_server(aliases={MODEL: alias}))
    (vector,) = embedded(client, "The red fox.")
    assert len(vector) == 1536
    assert len(embedded(client, "The red fox.", dimensions=16)[0]) == 16
    other = lenient(client).embeddings.create(model="hashed", input="The red fox.")
    assert other.data[0].embedding == vector[:128]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["x", ""]}, "input[1]"),
        ({"input": ["x"] * 2049}, "input"),
        ({"input": [1] * 2049}, "input"),
        ({"input": [[]]}, "input[0]"),
        ({"input": ["x", 1]}, "input[1]"),
        ({"input": [1, "x"]}, "input[1]"),
        ({"input": [100256]}, "input"),
        ({"input": [-1]}, "input[0]"),
        ({"input": [10**30]}, "input[0]"),
        ({"input": {"text": "x"}}, "input"),
        ({"input": None}, "input"),
        ({}, "input"),
        ({"input": "x", "dimensions": 0}, "dimensions"),
        ({"input": "x", "encoding_format": "int8"}, "encoding_format"),
        ({"input": "x", "inputs": "y"}, "inputs"),
    ],
)
def test_mistakes_name_the_parameter(http: httpx2.Client, body: dict[str, Any], param: str) -> None:
    response = http.post("/v1/embeddings", json={"model": MODEL, **body})
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)


def test_a_text_of_too_many_tokens_is_refused_with_the_original_s_words(client: openai.OpenAI) -> None:
    with refused(400, param="input") as caught:
        embedded(client, ["short", "word " * 8193])
    assert "maximum context length is 8192 tokens, however you requested 8193 tokens" in caught.value.message


def test_too_many_tokens_in_all_are_refused(client: openai.OpenAI) -> None:
    with refused(400, param="input", code="max_tokens_per_request"):
        embedded(client, ["word " * 8000] * 38)


def test_an_unknown_model_is_a_404_that_names_those_that_embed(client: openai.OpenAI) -> None:
    for name, what in (("no-such-model", "does not exist"), ("script", "does not embed")):
        with refused(404, param="model", code="model_not_found") as caught:
            client.embeddings.create(model=name, input="x")
        assert f"The model '{name}' {what}. Embedding models here: hashed, " in caught.value.message


def test_embedders_are_listed_among_the_models_and_can_be_asked_for(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert {"hashed", "e5-small", "minilm", MODEL, "text-embedding-3-large", "text-embedding-ada-002"} <= listed
    assert client.models.retrieve("e5-small").owned_by == "zhuli"
    assert client.models.retrieve(MODEL).id == MODEL


def test_an_assistant_can_not_use_an_embedder_as_its_model(client: openai.OpenAI) -> None:
    with refused(400, param="model", code="unsupported_model"):
        client.beta.assistants.create(model="e5-small")


def test_another_server_s_embeddings_can_be_used_by_this_one(clients: Clients, start_server: StartServer) -> None:
    upstream = start_server()
    far = {"plugin": "openai_compatible", "base_url": upstream.base_url, "model": "hashed", "dimensions": 128}
    client = clients.sdk(start_server(embedder="far", embedders={"far": far}))
    assert embedded(client, ["the red fox", "a whale"]) == [
        pytest.approx(vector, abs=1e-6) for vector in embedded(clients.sdk(upstream), ["the red fox", "a whale"])
    ]


def test_a_model_server_that_can_not_be_reached_is_said_to_be(clients: Clients, start_server: StartServer) -> None:
    far = {"plugin": "openai_compatible", "base_url": "http://127.0.0.1:1/v1", "dimensions": 8, "retries": 0}
    client = clients.sdk(start_server(embedder="far", embedders={"far": far}))
    with pytest.raises(openai.InternalServerError, match="model server of 'far' can't be reached"):
        embedded(client, "x")


def test_the_packaged_multilingual_model_embeds_through_the_api(clients: Clients, start_server: StartServer) -> None:
    client = clients.sdk(start_server(embedder="e5-small"))
    question, answer, other = embedded(client, ["植物怎样制造糖分?", "光合作用把光变成糖。", "中央银行提高了利率。"])
    assert len(question) == 384
    assert cosine(question, answer) > cosine(question, other)
