"""Fixtures of tests that talk to a server: a real process, on SQLite and on PostgreSQL, through inspected clients.

A test takes `client` (the official SDK), `aclient` (async), `http` (plain HTTP), or `clients` and `start_server` for a
server with settings of its own. What the server sends against the contract fails the test that received it, even if
the test did not look. Servers are shared: a test makes its own objects, and a project of its own where it counts them.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest

from tests.harness.later import later, load

with later:
    import httpx2
    import openai
    from hypothesis import settings

    from tests.harness import spec
    from tests.harness.clients import Clients
    from tests.harness.contract import Contract
    from tests.harness.farm import Farm, Storage
    from tests.harness.inspector import Inspector
    from tests.harness.postgres import NoPostgres
    from tests.harness.server import Server

FARM = pytest.StashKey["Farm"]()
INSPECTOR = pytest.StashKey["Inspector"]()
LOG_TAIL = 8_000

StartServer = Callable[..., Server]


class ContractBroken(AssertionError):
    """The server sent what the contract does not allow."""


def pytest_configure() -> None:
    """A terminated test run stops its servers as an interrupted one does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What all those imports leave is here to stay: a million objects that the garbage collector need not look through."""
    if session.config.pluginmanager.hasplugin("dsession"):  # others run the tests, and need all that
        return (yield)
    gc.disable()
    try:
        load(sys.modules[__name__])
        # No example of a property has a time to keep.
        settings.register_profile("patient", settings.default, deadline=None)
        settings.load_profile("patient")
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Farm]:
    farm = Farm(tmp_path_factory.mktemp("servers"))
    pytestconfig.stash[FARM] = farm
    yield farm
    farm.close()


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    chosen: Storage = request.param
    return chosen


@pytest.fixture
def server(farm: Farm, storage: Storage) -> Server:
    """The server with default settings, shared by all tests."""
    return _or_skip(lambda: farm.shared(storage))


@pytest.fixture
def start_server(farm: Farm, storage: Storage) -> Iterator[StartServer]:
    """`start_server(strict={"ids": True})` is shared by those who ask for the same; with `fresh=True` it is one's own."""
    own: list[Server] = []

    def start(*, fresh: bool = False, **options: Any) -> Server:
        if not fresh:
            return _or_skip(lambda: farm.shared(storage, **options))
        own.append(_or_skip(lambda: farm.fresh(storage, **options)))
        return own[-1]

    yield start
    for server in own:
        farm.retire(server)


def _or_skip(start: Callable[[], Server]) -> Server:
    try:
        return start()
    except NoPostgres as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract(spec.load())


@pytest.fixture
def inspector(contract: Contract, request: pytest.FixtureRequest) -> Inspector:
    inspector = Inspector(contract)
    request.node.stash[INSPECTOR] = inspector
    return inspector


@pytest.fixture
def clients(inspector: Inspector) -> Iterator[Clients]:
    clients = Clients(inspector)
    yield clients
    clients.close()


@pytest.fixture
def client(clients: Clients, server: Server) -> openai.OpenAI:
    return clients.sdk(server)


@pytest.fixture
async def aclient(clients: Clients, server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    yield clients.async_sdk(server)
    await clients.aclose()


@pytest.fixture
def http(clients: Clients, server: Server) -> httpx2.Client:
    return clients.http(server)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """After a test's own verdict, the inspector's."""
    try:
        yield
    except BaseException as failure:
        for violation in _violations(item):
            failure.add_note(violation)
        raise
    if broken := _violations(item):
        raise ContractBroken("\n".join(broken))


def _violations(item: pytest.Item) -> list[str]:
    inspector = item.stash.get(INSPECTOR, None)
    return [str(violation) for violation in inspector.violations] if inspector else []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if (module := item.getparent(pytest.Module)) is not None:
        load(module.obj)
    farm = item.config.stash.get(FARM, None)
    if farm is not None:
        farm.mark_logs()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the servers wrote meanwhile."""
    report = yield
    farm = item.config.stash.get(FARM, None)
    if report.failed and farm is not None:
        report.sections += [(f"server log ({name})", text[-LOG_TAIL:]) for name, text in farm.logs()]
    return report
