"""A domain in responses: a form is filled over a chain or a conversation, its function called and answered."""

from typing import Any

import httpx2
import pytest
from openai import OpenAI

from tests.api.assistants.responses.test_responses import outputs
from tests.harness.refusals import assert_refused
from tests.harness.restaurant import RESTAURANT

BOOK: Any = {
    "type": "function",
    "name": "book_table",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}


@pytest.mark.parametrize("chained", [True, False])
def test_a_form_is_filled_and_its_function_answered(client: OpenAI, http: httpx2.Client, chained: bool) -> None:
    domain = http.post("/v1/domains", json=RESTAURANT).json()["id"]
    going_on: dict[str, Any] = {} if chained else {"conversation": client.conversations.create().id}
    asked: dict[str, Any] = {"model": "script", "tools": [BOOK], "extra_body": {"domain": domain}}
    said = []
    for text in ("a table", "4", "terrace"):
        response = client.responses.create(input=text, **asked, **going_on)
        going_on = {"previous_response_id": response.id} if chained else going_on
        said.append(response.output_text)
    assert said == ["For how many people?", "Where?", ""]
    assert response.output[0].type == "function_call" and response.output[0].name == "book_table"
    answered = client.responses.create(input=outputs(response, '{"number": 7}'), **asked, **going_on)
    assert answered.output_text == "Booked: number 7."
    assert answered.to_dict()["domain"] == domain


def test_a_domain_that_is_not_there_is_refused(http: httpx2.Client) -> None:
    asked = {"model": "script", "input": "hello", "domain": "dom_x"}
    assert "dom_x" in assert_refused(http.post("/v1/responses", json=asked), 404, param="domain")
