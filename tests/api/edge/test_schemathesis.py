"""A bounded search with Schemathesis over the server's own description.

No input may bring a 5xx, an answer of another shape than described, or an error that is not in the error shape. Each
operation is tried with inputs that fit its description and with inputs that do not, with generated ids and with ids of
objects that exist, so that bodies are reached. Inputs are recorded (recorded.py), those of an operation that takes something
new are made with a fixed seed: a failure comes back. `make fuzz` makes all anew. PostgreSQL gets fewer inputs: the
edge is the same, and what may differ is what it makes of values that passed it.
"""

import pytest

from tests.conftest import StartServer
from tests.harness import tunings
from tests.harness.clients import Clients
from tests.harness.contract import Contract
from tests.harness.farm import Storage
from tests.harness.later import later

with later:
    from schemathesis import GenerationMode

    from tests.api.edge.searching import MOST_EXAMPLES, Existing, Inputs, can_be_wrong

FEWER_EXAMPLES = 6


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return Inputs()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_no_input_breaks_an_operation(
    clients: Clients,
    start_server: StartServer,
    storage: Storage,
    contract: Contract,
    inputs: Inputs,
    mode: str,
    subtests: pytest.Subtests,
) -> None:
    # A server of its own, so that what the search leaves behind does not turn up in the lists of other tests.
    server = start_server(name="searched", tuning_command=tunings.command())
    existing = Existing(clients.sdk(server))
    for operation in inputs.operations(server):
        if mode == "positive" or can_be_wrong(operation):
            with subtests.test(operation=operation.label):
                objects = existing.of(operation)
                examples = MOST_EXAMPLES if storage == "sqlite" else FEWER_EXAMPLES
                inputs.search(operation, GenerationMode(mode), server, objects, contract, examples=examples)
