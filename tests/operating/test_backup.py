"""`zhuli backup` and `zhuli restore`: everything comes back, on either database, of a server that goes on, of an older one."""

import hashlib
import io
import json
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from sqlalchemy import create_engine, text

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.farm import Farm, Storage
from tests.harness.server import Server
from tests.harness.stories import answers, ask
from tests.operating.zhuli import scripted_models, zhuli
from zhuli.operating.backup import Manifest
from zhuli.store import migrate, snapshot

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def tables(archive: Path) -> dict[str, list[Any]]:
    """The rows of every table in an archive."""
    with tarfile.open(archive) as opened:
        found = {name: opened.extractfile(name) for name in opened.getnames() if name.startswith("tables/")}
        return {name: [json.loads(line) for line in file] for name, file in found.items() if file}


def blobs(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        found = {name: opened.extractfile(name) for name in opened.getnames() if not name.startswith("tables/")}
        return {name: file.read() for name, file in found.items() if file and name != "manifest.json"}


def fill(client: OpenAI) -> str:
    """A bit of everything; the thread."""
    file = client.files.create(
        file=("answers.md", b"# Returns\n\nThirty days, with the receipt."), purpose="assistants"
    )
    store = client.vector_stores.create(name="answers")
    client.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id)
    client.files.create(file=("empty.txt", b" "), purpose="user_data")
    run = ask(client, "hello")
    client.beta.threads.messages.create(run.thread_id, role="user", content="日本語と中文 \U0001f600")
    gone = client.beta.threads.create()
    client.beta.threads.delete(gone.id)
    return run.thread_id


@pytest.fixture
def full(start_server: StartServer, clients: Clients) -> tuple[Server, str]:
    server = start_server(fresh=True)
    return server, fill(clients.sdk(server))


def restored(farm: Farm, archive: Path, onto: Storage) -> Server:
    """A server of that kind on what the archive has; it is not started yet."""
    server = farm.fresh(onto)
    server.stop()
    server.cli("restore", str(archive))
    return server


@pytest.mark.parametrize("onto", ["sqlite", "postgres"])
def test_everything_comes_back_on_either_database(
    full: tuple[Server, str], farm: Farm, clients: Clients, tmp_path: Path, onto: Storage
) -> None:
    server, thread = full
    archive, again = tmp_path / "one.tar", tmp_path / "two.tar.gz"
    assert "rows of" in server.cli("backup", str(archive))
    server.stop()
    other = restored(farm, archive, onto)
    try:
        other.cli("backup", str(again))
        before, after = tables(archive), tables(again)
        *kept, restoring = after.pop("tables/audit_log")
        assert kept == before.pop("tables/audit_log")
        assert "server.restored" in restoring
        assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
        assert blobs(again) == blobs(archive)
        other.start()
        client = clients.sdk(other)
        newest = client.beta.threads.messages.list(thread).data[0]
        assert newest.content[0].text.value.startswith("日本")
        new = client.beta.threads.messages.create(thread, role="user", content="and one more")
        assert client.beta.threads.messages.list(thread).data[0].id == new.id
        assert answers(client, ask(client, "hello"))
        store = client.vector_stores.list().data[0]
        assert "Thirty days" in client.vector_stores.search(store.id, query="returns").data[0].content[0].text
    finally:
        farm.retire(other)


def test_a_server_goes_on_meanwhile_and_what_it_had_acknowledged_is_in(
    full: tuple[Server, str], clients: Clients, tmp_path: Path
) -> None:
    server, thread = full
    client = clients.sdk(server)
    said: list[str] = []
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            said.append(client.beta.threads.messages.create(thread, role="user", content="x").id)

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        while len(said) < 5:
            pass
        acknowledged = list(said)
        server.cli("backup", str(tmp_path / "live.tar"))
    finally:
        stop.set()
        talking.join()
    kept = {row[1] for row in tables(tmp_path / "live.tar")["tables/messages"]}
    assert set(acknowledged) <= kept
    assert len(said) > len(acknowledged)


def zhuli_at(folder: Path, *arguments: str | Path) -> str:
    done = zhuli(*arguments, "--data-dir", folder)
    assert done.returncode == 2, done
    return done.stderr


def test_mistakes_are_said_and_change_nothing(tmp_path: Path) -> None:
    folder = scripted_models(tmp_path / "data")
    assert zhuli("migrate", "--data-dir", folder).returncode == 0
    assert zhuli("keys", "create", "--project", "one", "--data-dir", folder).returncode == 0
    archive = tmp_path / "kept.tar"
    assert zhuli("backup", archive, "--data-dir", folder).returncode == 0
    assert "exists already" in zhuli_at(folder, "backup", archive)
    assert "There is no folder" in zhuli_at(folder, "backup", tmp_path / "nowhere" / "kept.tar")
    assert "not empty" in zhuli_at(folder, "restore", archive)
    assert "There is no archive" in zhuli_at(tmp_path / "new", "restore", tmp_path / "other.tar")
    (tmp_path / "text.tar").write_text("no tar")
    assert "can't be unpacked" in zhuli_at(tmp_path / "new", "restore", tmp_path / "text.tar")
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(archive.read_bytes().replace(b"one", b"two"))
    assert "is damaged" in zhuli_at(tmp_path / "new", "restore", damaged)
    (tmp_path / "other.tar").write_bytes(tar({"notes.txt": b"x"}))
    assert "is no archive of `zhuli backup`" in zhuli_at(tmp_path / "new", "restore", tmp_path / "other.tar")
    assert zhuli("restore", archive, "--data-dir", tmp_path / "new").returncode == 0
    assert "one" in zhuli("keys", "list", "--data-dir", tmp_path / "new").stdout
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def test_an_archive_that_leaves_its_folder_is_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "evil.tar").write_bytes(tar({"../outside.txt": b"x"}))
    assert "can't be unpacked" in zhuli_at(tmp_path / "new", "restore", tmp_path / "evil.tar")
    assert not (tmp_path / "outside.txt").exists() and not (tmp_path / "new" / "outside.txt").exists()


def test_an_archive_of_an_older_version_is_brought_up_to_this_one(tmp_path: Path) -> None:
    """Of the schema before the last revision."""
    old = migrate.revisions()[-2]
    engine = create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with engine.begin() as connection:
        migrate.upgrade(connection, old)
        connection.execute(text("INSERT INTO projects VALUES ('proj_old', 'old', 1.0)"))
        files, copies = {}, {}
        for table in snapshot.tables(connection):
            rows = snapshot.write_table(connection, table, tmp_path / "rows")
            content = files[f"tables/{table.name}"] = (tmp_path / "rows").read_bytes()
            copies[table.name] = {"rows": rows, "sha256": hashlib.sha256(content).hexdigest()}
    manifest = Manifest(zhuli="0.1.0", made="then", revision=old, tables=copies, counters={}, blobs=0)
    files["manifest.json"] = manifest.model_dump_json().encode()
    (tmp_path / "old.tar").write_bytes(tar(files))
    done = zhuli("restore", tmp_path / "old.tar", "--data-dir", tmp_path / "new")
    assert done.returncode == 0, done
    assert "up to date" in zhuli("migrate", "--check", "--data-dir", tmp_path / "new").stdout
    with create_engine(f"sqlite:///{tmp_path / 'new' / 'zhuli.db'}").connect() as connection:
        assert connection.execute(text("SELECT name FROM projects")).scalars().all() == ["old"]
