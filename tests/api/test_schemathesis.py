"""A bounded search with Schemathesis over the server's own description.

No input may bring a 5xx, an answer of another shape than described, or an error that is not in the error shape.

Each operation is tried with ids as they are generated, and with ids of objects that exist, so that bodies are reached.
The seed is fixed: a failure comes back.
"""

from dataclasses import dataclass
from typing import Any

import openai
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.harness.contract import EVENTS, Contract
from tests.harness.server import Server

EXAMPLES = 20
CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    response_schema_conformance,
    content_type_conformance,
]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

described = schemathesis.pytest.from_fixture("description")
bounded = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Objects:
    """Path parameters of objects that exist."""

    ids: dict[str, str]

    def put_into(self, case: schemathesis.Case[Any]) -> None:
        for name in case.path_parameters or {}:
            case.path_parameters[name] = self.ids.get(name, case.path_parameters[name])
        if isinstance(case.body, dict):
            case.body |= {name: self.ids[name] for name in ("model", "assistant_id") if name in case.body}


@pytest.fixture
def description(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.fixture
def objects(client: openai.OpenAI) -> Objects:
    assistant = client.beta.assistants.create(model="gpt-4o")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    return Objects(
        {
            "assistant_id": assistant.id,
            "thread_id": thread.id,
            "run_id": run.id,
            "step_id": client.beta.threads.runs.steps.list(run.id, thread_id=thread.id).data[0].id,
            "message_id": client.beta.threads.messages.list(thread.id).data[0].id,
            "file_id": client.files.create(file=("a.txt", b"x"), purpose="user_data").id,
            "model": "gpt-4o",
        }
    )


@described.parametrize()
@bounded
def test_no_input_breaks_an_operation(case: schemathesis.Case[Any], contract: Contract) -> None:
    assert_holds(case, contract)


@described.parametrize()
@bounded
def test_no_input_breaks_an_operation_on_objects_that_exist(
    case: schemathesis.Case[Any], contract: Contract, objects: Objects
) -> None:
    objects.put_into(case)
    assert_holds(case, contract)


def assert_holds(case: schemathesis.Case[Any], contract: Contract) -> None:
    response = case.call()
    case.validate_response(response, checks=CHECKS)
    media_type = response.headers.get("content-type", [""])[0].partition(";")[0]
    if media_type == EVENTS:
        return
    path = response.request.path_url.partition("?")[0]
    broken = contract.check(case.method.upper(), path, response.status_code, media_type, response.content)
    assert not broken, "\n".join(map(str, broken))
