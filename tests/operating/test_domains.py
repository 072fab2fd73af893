"""`zhuli domains`: checked, imported and exported without a server.

Each command is a process of its own once; what they say of files is asked in this one.
"""

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


def test_what_can_not_be_read_or_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.yml can't be read"):
        read(tmp_path / "nothing.yml")
    (tmp_path / "binary.yml").write_bytes(b"name: \xff")
    with pytest.raises(ConfigurationError, match=r"binary\.yml can't be read"):
        read(tmp_path / "binary.yml")
    (tmp_path / "greeting.yml").write_text(GREETING)
    with pytest.raises(ConfigurationError, match="can't be written"):
        write(read(tmp_path / "greeting.yml").fields, tmp_path)
