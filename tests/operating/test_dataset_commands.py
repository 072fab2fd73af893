"""`zhuli datasets` and `zhuli end-users` against a server, from an empty data set to its deletion."""

import json
from pathlib import Path

import httpx2
import pytest

from tests.harness.farm import Storage
from tests.harness.server import Server
from tests.operating.zhuli import asked


@pytest.fixture
def storage() -> Storage:
    """What a command asks and prints does not come from the database."""
    return "sqlite"


def test_a_data_set_is_made_filled_versioned_looked_at_and_deleted(server: Server, tmp_path: Path) -> None:
    def zhuli(*words: str) -> str:
        return asked(server, *words)

    name = f"shop-{tmp_path.name}"
    made = zhuli("datasets", "create", name).strip()
    assert made in zhuli("datasets", "list")
    rows = tmp_path / "rows.jsonl"
    words = "one two three four five six seven eight nine ten".split()
    lines = [{"text": f"{word} {label * 6} {word * 3}", "label": label} for word in words for label in ("card", "loan")]
    rows.write_text("\n".join(map(json.dumps, lines)))
    assert zhuli("datasets", "import", name, str(rows)).startswith("20 added, 0 here before")
    assert "20 examples" in zhuli("datasets", "version", made, "--no-near")
    texts = tmp_path / "texts.txt"
    texts.write_text("my card is away\na loan of nine\nneither\n")
    rules = ("--keywords", "card=card", "--keywords", "loan=loan,borrow", "--add", "--min-probability", "0.5")
    assert "3 texts, 2 added" in zhuli("datasets", "weak-labels", name, str(texts), *rules)
    zhuli("datasets", "version", name, "--no-near", "--weak")
    assert "2 added" in zhuli("datasets", "diff", name)
    assert "labels are in doubt" in zhuli("datasets", "noise", name)
    assert "unsure" in zhuli("datasets", "suggestions", name)
    with pytest.raises(RuntimeError, match="Name one source"):
        zhuli("datasets", "import", name)
    with pytest.raises(RuntimeError, match="There is no data set 'nothing'"):
        zhuli("datasets", "diff", "nothing")
    assert "deleted" in zhuli("datasets", "delete", name)
    assert made not in zhuli("datasets", "list")


def test_a_person_is_exported_and_deleted(server: Server, http: httpx2.Client, tmp_path: Path) -> None:
    user, into = f"u-{tmp_path.name}", tmp_path / "person.jsonl"
    said = {"messages": [{"role": "user", "content": "It is me."}], "metadata": {"user": user}}
    assert http.post("/v1/threads", json=said).status_code == 200
    asked(server, "end-users", "export", user, "--to", str(into))
    kinds = [json.loads(line)["kind"] for line in into.read_text().splitlines()]
    assert kinds == ["thread", "message"]
    assert "1 threads" in asked(server, "end-users", "delete", user)
    with pytest.raises(RuntimeError, match="No end user found"):
        asked(server, "end-users", "export", user)
