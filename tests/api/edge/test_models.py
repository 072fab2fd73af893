"""Models: what may be asked for, and what is said about a name that no model has."""

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.refusals import refused


def test_models_and_aliases_are_listed(client: openai.OpenAI) -> None:
    listed = client.models.list().data
    assert {"script", "gpt-4o", "gpt-4o-mini"} <= {model.id for model in listed}
    assert all(model.object == "model" and model.owned_by for model in listed)


@pytest.mark.parametrize("name", ["script", "gpt-4o"])
def test_a_model_is_described_under_the_name_asked_for(client: openai.OpenAI, name: str) -> None:
    assert client.models.retrieve(name).id == name


def test_an_unknown_model_is_a_404_that_names_it(client: openai.OpenAI) -> None:
    with refused(404, param="model", code="model_not_found") as caught:
        client.models.retrieve("gpt-9")
    assert "'gpt-9'" in caught.value.message


def test_an_assistant_can_not_use_an_unknown_model_and_learns_which_there_are(client: openai.OpenAI) -> None:
    with refused(400, param="model", code="unsupported_model") as caught:
        client.beta.assistants.create(model="gpt-9")
    message = caught.value.body["message"]  # type: ignore[index]
    assert message.startswith("The requested model 'gpt-9' cannot be used with the Assistants API.")
    assert "gpt-4o" in message and "script" in message


def test_an_alias_may_be_a_pattern(clients: Clients, start_server: StartServer) -> None:
    """The test servers have none by default, so that unknown names can be tried."""
    client = clients.sdk(start_server(aliases={"gpt-*": "script"}))
    made = client.beta.assistants.create(model="gpt-3.5-turbo-0125")
    assert made.model == "gpt-3.5-turbo-0125"
    assert client.models.retrieve("gpt-anything").id == "gpt-anything"


def test_models_of_the_models_file_can_not_be_deleted_or_made_here(http: httpx2.Client) -> None:
    assert http.post("/v1/models", json={"id": "x"}).status_code == 405
    assert http.delete("/v1/models/script").status_code == 400
