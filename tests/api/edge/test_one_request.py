"""One request must not stop the others: what a server is set up with for that. Its pieces have tests of their own."""

from tests.conftest import StartServer
from tests.harness.clients import Clients
from zhuli.server.garbage import MIDDLE, NEVER, YOUNG


def test_python_looks_at_all_objects_of_a_server_in_quiet_moments_only(
    clients: Clients, start_server: StartServer
) -> None:
    telling = {"plugin": "tests.api.edge.telling_embedder:Telling"}
    http = clients.http(start_server(embedders={"telling": telling}))
    answer = http.post("/v1/embeddings", json={"model": "telling", "input": "How?"})
    assert answer.json()["data"][0]["embedding"] == [
        YOUNG,
        MIDDLE,
        float(NEVER + 1),
    ]  # the nearest that four bytes can say
