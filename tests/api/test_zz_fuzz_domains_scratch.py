import pytest, schemathesis
from schemathesis import GenerationMode
import tests.api.test_schemathesis as base
from tests.harness import tunings
from tests.conftest import *

@pytest.mark.timeout(500)
@pytest.mark.parametrize("mode", GenerationMode)
def test_it(clients, start_server, storage, contract, mode, subtests):
    if storage != "sqlite": return
    server = start_server(name="searched")
    client = clients.sdk(server)
    for operation in base.operations(server):
        if "/domains" in operation.path and (mode == GenerationMode.POSITIVE or base.can_be_wrong(operation)):
            with subtests.test(operation=operation.label):
                made = client.post("/domains", body={"intents":[{"name":"a","examples":["x","y"]}], "understander":{"embedder":"hashed"}}, cast_to=object)
                base.search(operation, mode, base.Objects({"domain_id": made["id"]}), contract, examples=15)
