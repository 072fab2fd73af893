"""What the bounded search of test_schemathesis does with one operation."""

import copy
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import openai
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from tests.api.edge.recorded import recorded
from tests.harness import tunings
from tests.harness.contract import EVENTS, Contract
from tests.harness.server import UNDERSTANDER, Server

MOST_EXAMPLES = 20
PATIENCE = 60.0
"""Seconds for the description, which a server makes when it is first asked: ten are too few beside much else."""

FRESH = bool(os.environ.get("ZHULI_TEST_FRESH_INPUTS"))
"""Inputs that nobody has tried, in place of those that are recorded (make fuzz)."""

CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    response_schema_conformance,
    content_type_conformance,
]
DOMAIN = {
    "understander": {"type": UNDERSTANDER, "script": {"[a-m]": "book", "[n-z]": "greet"}},
    "intents": [
        {"name": "book", "form": "booking"},
        {"name": "greet", "action": {"type": "respond", "response": "hi"}},
    ],
    "entities": [{"name": "people", "kind": "number"}],
    "slots": [{"name": "people", "type": "number"}],
    "forms": [{"name": "booking", "slots": ["people"], "action": {"type": "talk"}}],
    "responses": {"hi": "Hi!"},
}
EVAL: Any = {
    "data_source_config": {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True},
    "testing_criteria": [
        {
            "type": "string_check",
            "name": "same",
            "input": "{{sample.output_text}}",
            "reference": "{{item.text}}",
            "operation": "eq",
        }
    ],
}
OUTSIDE_THE_API = ("/metrics", "/healthz", "/readyz")


Case = schemathesis.Case[Any]
Operation = schemathesis.APIOperation[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Objects:
    """Parameters that name objects that exist."""

    ids: dict[str, str]

    def put_into(self, case: Case) -> None:
        """What the case had before is not changed, and can be put back."""
        case.path_parameters = copy.copy(case.path_parameters)
        for name in set(case.path_parameters or {}) & set(self.ids):
            case.path_parameters[name] = self.ids[name]
        if isinstance(case.body, dict):
            named = ("model", "assistant_id", "training_file", "domain")
            case.body = case.body | {name: self.ids[name] for name in named if name in case.body and name in self.ids}
            if isinstance(case.body.get("thread"), str):
                case.body["thread"] = self.ids["thread_id"]


class Inputs:
    """What the operations are tried with: what is recorded, or what is made once; servers are alike."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._session = requests.Session()  # one for each request takes as long as the answer
        self._session.trust_env = False
        self._made: dict[tuple[str, GenerationMode], list[tuple[Case, bool]]] = {}

    def operations(self, server: Server) -> list[Operation]:
        """All of them, as the first server that is asked describes them."""
        self._operations = self._operations or list(operations(server))
        return self._operations

    def search(
        self,
        operation: Operation,
        mode: GenerationMode,
        server: Server,
        objects: Objects,
        contract: Contract,
        *,
        examples: int,
    ) -> None:
        key = (operation.label, mode)
        if key not in self._made:
            self._made[key] = (None if FRESH else recorded(operation, mode)) or made(operation, mode)
        for case, real in self._made[key][:examples]:
            given = case.path_parameters, case.body
            if real:
                objects.put_into(case)
            assert_holds(case, server, contract, self._session)
            case.path_parameters, case.body = given


def made(operation: Operation, mode: GenerationMode) -> list[tuple[Case, bool]]:
    """Cases, and whether the objects that they name are to exist."""
    cases: list[tuple[Case, bool]] = []

    @settings(
        max_examples=MOST_EXAMPLES,
        derandomize=not FRESH,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), real=strategies.booleans())
    def make(case: Case, real: bool) -> None:
        cases.append((case, real))

    make()
    return cases


class Existing:
    """Objects for one operation after the other, on one server."""

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client
        self._to_read: dict[object, Objects] = {}

    def of(self, operation: Operation) -> Objects:
        """New ones for what may change or delete them; who only reads gets those that all have who only read."""
        make = _maker(operation.path)
        if operation.method.upper() != "GET" or make is objects_of_alias:  # whose name is always the same
            return make(self._client)
        if make not in self._to_read:
            self._to_read[make] = make(self._client)
        return self._to_read[make]


def _maker(path: str) -> Callable[[openai.OpenAI], Objects]:
    if "/fine_tuning/" in path:
        return objects_of_tuning
    if "/model_aliases" in path:
        return objects_of_alias
    return objects_of_evals if "/evals" in path else objects_of_threads


def objects_of_alias(client: openai.OpenAI) -> Objects:
    client.put("/model_aliases/found", body={"model": "script"}, cast_to=object)
    return Objects({"alias": "found", "model": "script"})


def objects_of_threads(client: openai.OpenAI) -> Objects:
    domain: Any = client.post("/domains", body=DOMAIN, cast_to=object)
    assistant = client.beta.assistants.create(model="gpt-4o")
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "hello"}])
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=20)
    response = client.responses.create(model="gpt-4o", input="hello")
    return Objects(
        {
            "response_id": response.id,
            "conversation_id": client.conversations.create(items=[{"role": "user", "content": "hello"}]).id,
            "assistant_id": assistant.id,
            "thread_id": thread.id,
            "run_id": run.id,
            "step_id": client.beta.threads.runs.steps.list(run.id, thread_id=thread.id).data[0].id,
            "message_id": client.beta.threads.messages.list(thread.id).data[0].id,
            "file_id": client.files.create(file=("a.txt", b"x"), purpose="user_data").id,
            "model": "gpt-4o",
            "domain_id": domain["id"],
            "domain": domain["id"],
        }
    )


def objects_of_tuning(client: openai.OpenAI) -> Objects:
    """What is learned from is wrong, which the child sees without any training."""
    file = tunings.plan(client, bad_line=1)
    job = client.fine_tuning.jobs.create(model="minilm", training_file=file)
    return Objects({"fine_tuning_job_id": job.id, "training_file": file, "model": "minilm"})


def objects_of_evals(client: openai.OpenAI) -> Objects:
    """An eval with a run of one item, which has its output soon."""
    made = client.evals.create(data_source_config=EVAL["data_source_config"], testing_criteria=EVAL["testing_criteria"])
    items: Any = {"type": "file_content", "content": [{"item": {"text": "a"}, "sample": {"output_text": "a"}}]}
    run = client.with_options(max_retries=0).post(
        f"/evals/{made.id}/runs", body={"data_source": {"type": "jsonl", "source": items}}, cast_to=object
    )
    assert isinstance(run, dict)
    path, outputs = f"/evals/{made.id}/runs/{run['id']}/output_items", list[Any]()
    while not outputs:
        found: Any = client.get(path, cast_to=object)
        outputs = found["data"]
    return Objects(
        {
            "eval_id": made.id,
            "run_id": run["id"],
            "output_item_id": outputs[0]["id"],
            "model": "script",
            "after": run["id"],
        }
    )


def operations(server: Server) -> Iterator[Operation]:
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json", timeout=PATIENCE)
    for result in schema.get_all_operations():
        assert not isinstance(result, Err), result.err()
        operation = result.ok()
        if operation.path not in OUTSIDE_THE_API:
            yield operation


def can_be_wrong(operation: Operation) -> bool:
    """Any string is a possible id, so only a body and a query can fail to fit the description."""
    return bool(operation.body) or bool(list(operation.query))


def assert_holds(case: Case, server: Server, contract: Contract, session: requests.Session) -> None:
    response = case.call(base_url=server.url, session=session)
    case.validate_response(response, checks=CHECKS)
    media_type = response.headers.get("content-type", [""])[0].partition(";")[0]
    if media_type == EVENTS:
        return
    path = response.request.path_url.partition("?")[0]
    broken = contract.check(case.method.upper(), path, response.status_code, media_type, response.content)
    assert not broken, "\n".join([*map(str, broken), case.as_curl_command()])
