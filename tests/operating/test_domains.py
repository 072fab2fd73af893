"""`zhuli domains`: checked, imported and exported without a server.

Each command is a process of its own once; what they say of files is asked in this one.
"""

import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.operating.zhuli import zhuli
from zhuli.core.errors import ConfigurationError
from zhuli.operating.domains import check, read, write

RASA = Path(__file__).parent.parent / "samples" / "dialogue" / "rasa"

GREETING = """
understander: llm
intents:
  greet:
    description: Says hello.
    action: {respond: welcome}
responses:
  welcome: Welcome!
"""


def test_a_domain_goes_into_the_database_and_comes_out_again(tmp_path: Path) -> None:
    (tmp_path / "greeting.yml").write_text(GREETING)
    done = zhuli("domains", "import", tmp_path / "greeting.yml", "--data-dir", tmp_path / "data")
    domain = done.stdout.strip()
    assert (done.returncode, domain[:4], done.stderr) == (0, "dom_", "")
    over = ("--over", domain, "--project", "default", "--data-dir", tmp_path / "data")
    (tmp_path / "greeting.yml").write_text(GREETING.replace("Welcome!", "Good day!"))
    assert zhuli("domains", "import", tmp_path / "greeting.yml", *over).stdout.strip() == domain
    exported = zhuli("domains", "export", domain, "--data-dir", tmp_path / "data", "--to", tmp_path / "again.yml")
    assert (exported.returncode, exported.stdout) == (0, "")
    assert read(tmp_path / "again.yml").fields == read(tmp_path / "greeting.yml").fields


def test_checking_names_the_lines_and_fails_where_the_domain_can_not_be_saved(tmp_path: Path) -> None:
    (tmp_path / "domain.yml").write_text(f"{GREETING}  bye: So long, {{friend}}.\n")
    done = zhuli("domains", "check", tmp_path / "domain.yml")
    assert done.returncode == 1
    assert "error: line 9, responses.bye: There is no slot 'friend'." in done.stdout
    assert "warning: line 9, responses.bye: Nothing says the response 'bye'." in done.stdout
    assert done.stdout.endswith("1 intents with 0 examples, 0 entities: it can not be saved like this.\n")


def test_a_rasa_project_becomes_yaml_that_can_be_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = read(RASA)
    assert "domain.yml:76" in [note.where for note in found.notes if "'utter_photo' has no text" in note.message]
    write(found.fields, tmp_path / "cars.yml")
    lines, sound = check(read(tmp_path / "cars.yml"))
    assert sound and lines[-1].endswith("it can be saved.")
    write(found.fields, None)
    assert capsys.readouterr().out == (tmp_path / "cars.yml").read_text()


AGENT = {
    "shop/agent.json": {"language": "en"},
    "shop/intents/hours.json": {"name": "hours", "responses": [{"messages": [{"type": 0, "speech": "From eight."}]}]},
    "shop/intents/hours_usersays_en.json": [{"data": [{"text": "when are you open"}]}],
}


def test_a_domain_with_rules_is_none_of_rasa(tmp_path: Path) -> None:
    rules = "rules:\n- when: {intents: [greet], after: [welcome]}\n  do: [{respond: welcome}]\n"
    (tmp_path / "greeting.yml").write_text(GREETING + rules)
    found = read(tmp_path / "greeting.yml")
    assert (len(found.fields.rules), found.fields.understander.type, found.notes) == (1, "llm", [])
    (tmp_path / "rules.yml").write_text(
        "intents: [greet]\nrules:\n  - rule: hello\n    steps: [{intent: greet}, {action: x}]\n"
    )
    assert [note.code for note in read(tmp_path / "rules.yml").notes] == ["becomes_function"]


def test_exports_are_read_from_folder_and_archive_alike(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive, tarfile.open(tmp_path / "shop.tgz", "w:gz") as tar:
        for name, content in AGENT.items():
            file = tmp_path / "folder" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(content))
            archive.write(file, name)
            tar.add(file, name)
    found = [read(tmp_path / name).fields for name in ("folder", "shop.zip", "shop.tgz")]
    assert found[0] == found[1] == found[2]
    assert found[0].responses == {"hours": "From eight."}
    done = zhuli("domains", "check", tmp_path / "shop.zip")
    assert done.returncode == 0 and "1 intents with 1 examples" in done.stdout


def test_an_archive_is_read_within_limits(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "large.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in AGENT.items():
            archive.writestr(name, json.dumps(content))
        archive.writestr("shop/intents/huge_usersays_en.json", " " * 5_000_000)
        for number in range(20):
            archive.writestr(f"shop/intents/{number}.json", " " * 3_900_000)
    with pytest.raises(ConfigurationError, match="unpacks to more than"):
        read(tmp_path / "large.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    with pytest.raises(ConfigurationError, match=r"broken\.zip can't be read"):
        read(tmp_path / "broken.zip")


def test_one_json_file_is_recognised_by_what_it_has(tmp_path: Path) -> None:
    app = {"luis_schema_version": "7.0.0", "intents": [{"name": "hi"}], "utterances": [{"text": "hi", "intent": "hi"}]}
    (tmp_path / "app.json").write_text(json.dumps(app))
    assert [intent.examples for intent in read(tmp_path / "app.json").fields.intents] == [["hi"]]
    (tmp_path / "ours.json").write_text(json.dumps({"intents": [{"name": "hi", "examples": ["hi", "hello"]}]}))
    assert [intent.examples for intent in read(tmp_path / "ours.json").fields.intents] == [["hi", "hello"]]


def test_what_can_not_be_read_or_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.yml can't be read"):
        read(tmp_path / "nothing.yml")
    (tmp_path / "binary.yml").write_bytes(b"name: \xff")
    with pytest.raises(ConfigurationError, match=r"binary\.yml can't be read"):
        read(tmp_path / "binary.yml")
    (tmp_path / "greeting.yml").write_text(GREETING)
    with pytest.raises(ConfigurationError, match="can't be written"):
        write(read(tmp_path / "greeting.yml").fields, tmp_path)
