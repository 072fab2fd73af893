"""`zhuli domains`: checked, imported and exported without a server."""

from pathlib import Path

from tests.operating.zhuli import zhuli

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
    exported = zhuli("domains", "export", domain, "--data-dir", tmp_path / "data", "--to", tmp_path / "again.yml")
    assert (exported.returncode, exported.stdout) == (0, "")
    again = zhuli(
        "domains",
        "import",
        tmp_path / "again.yml",
        "--over",
        domain,
        "--data-dir",
        tmp_path / "data",
        "--project",
        "default",
    )
    assert again.stdout.strip() == domain
    shown = zhuli("domains", "export", domain, "--data-dir", tmp_path / "data")
    assert shown.stdout == (tmp_path / "again.yml").read_text()
    assert "respond: welcome" in shown.stdout


def test_checking_names_the_lines_and_fails_where_the_domain_can_not_be_saved(tmp_path: Path) -> None:
    (tmp_path / "domain.yml").write_text(f"{GREETING}  bye: So long, {{friend}}.\n")
    done = zhuli("domains", "check", tmp_path / "domain.yml")
    assert done.returncode == 1
    assert "error: line 9, responses.bye: There is no slot 'friend'." in done.stdout
    assert "warning: line 9, responses.bye: Nothing says the response 'bye'." in done.stdout
    assert done.stdout.endswith("1 intents with 0 examples, 0 entities: it can not be saved like this.\n")


def test_a_rasa_project_becomes_yaml_that_can_be_saved(tmp_path: Path) -> None:
    done = zhuli("domains", "import", RASA, "--to", tmp_path / "cars.yml")
    assert (done.returncode, done.stdout) == (0, "")
    assert "domain.yml:76: The response 'utter_photo' has no text" in done.stderr
    checked = zhuli("domains", "check", tmp_path / "cars.yml")
    assert (checked.returncode, "it can be saved" in checked.stdout) == (0, True)


def test_what_can_not_be_read_is_a_sentence(tmp_path: Path) -> None:
    done = zhuli("domains", "check", tmp_path / "nothing.yml")
    assert done.returncode == 2
    assert done.stderr.startswith(f"zhuli: {tmp_path / 'nothing.yml'} can't be read")
