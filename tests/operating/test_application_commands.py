"""`zhuli opinion` and `zhuli recommenders` against a server: what is good goes in, what is not is told with its place."""

import json
from pathlib import Path

import pytest

from tests.harness.farm import Storage
from tests.harness.server import Server
from tests.harness.sockets import free_port
from tests.operating.zhuli import asked, zhuli


@pytest.fixture
def storage() -> Storage:
    """What a command asks and prints does not come from the database."""
    return "sqlite"


def lines(path: Path, *rows: object) -> str:
    path.write_text("".join(row if isinstance(row, str) else f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def item(id_: str, text: str) -> dict[str, object]:
    return {"id": id_, "text": text, "published_at": 1_770_000_000}


def test_a_feed_is_pushed_and_one_bad_item_keeps_no_other_back(server: Server, tmp_path: Path) -> None:
    monitor = asked(server, "opinion", "create", lines(tmp_path / "monitor.json", {"name": "m"})).strip()
    feed = lines(tmp_path / "news.jsonl", item("a", "Fine."), item("b", "x" * 200_000), "no json\n", item("c", "Well."))
    assert asked(server, "opinion", "follow", monitor, feed) == "2 added, 0 corrected, 0 unchanged, 2 faults\n"
    assert asked(server, "opinion", "follow", monitor, feed) == "0 added, 0 corrected, 2 unchanged, 2 faults\n"


def test_a_monitor_that_is_not_there_is_no_fault_of_the_feed(server: Server, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No opinion monitor found with id 'opmon_none'"):
        asked(server, "opinion", "follow", "opmon_none", lines(tmp_path / "news.jsonl", item("a", "Fine.")))


def test_a_file_is_sent_to_a_recommender_that_is_there(server: Server, tmp_path: Path) -> None:
    items = lines(tmp_path / "items.jsonl", {"id": "i1", "text": "A red bicycle"})
    with pytest.raises(RuntimeError, match="No recommender found with id 'rec_none'"):
        asked(server, "recommenders", "import", "rec_none", items)


def test_without_a_server_it_is_said(tmp_path: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    for words in (("opinion", "create"), ("recommenders", "import", "rec_none")):
        done = zhuli(*words, lines(tmp_path / "file.json", {"id": "i1", "text": "x"}), "--base-url", nowhere)
        assert done.returncode == 2 and f"zhuli: No server answers at {nowhere}" in done.stderr
