"""The pages say what there is: every setting, command, metric, hyperparameter and room; and what they lead to is there."""

import re
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from zhuli import registry
from zhuli.cli import app
from zhuli.core.telemetry import Telemetry
from zhuli.operating.settings_table import rows
from zhuli.settings import Settings
from zhuli.types.learning.fine_tuning import Tuning
from zhuli.types.learning.hyperparameters import Hyperparameters, Lora

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "zhuli"
OPERATING = (ROOT / "docs" / "operating.md").read_text()
TUNING = (ROOT / "docs" / "fine-tuning.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
WINGS = {
    "assistants": ["assistants"],
    "understanding": ["understanding"],
    "knowledge": ["knowledge"],
    "learning": ["learning"],
    "safety": ["safety"],
    "applications": ["applications"],
    "models": ["models"],
    "ground": ["store", "metering", "worker", "core", "types", "ports.py", "registry.py", "settings.py", "ground.py"],
    "edges": ["server", "operating", "testing", "cli.py", "commands", "app.py"],
}
"""The pages of docs/architecture, and the places under src/zhuli whose modules each names. Plugins and migrations: by folder."""

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_setting_is_there_with_its_default() -> None:
    section = OPERATING.partition("\n## Settings\n")[2].partition("\n## ")[0]
    table = dict(re.findall(r"^\| `([a-z_.]+)` \| ([^|]*) \|", section, re.MULTILINE))
    assert {name: default.strip() for name, default in table.items()} == {
        row.name: row.default for row in rows(Settings())
    }


def test_every_command_is_there() -> None:
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    names = list(program.commands)
    assert "serve" in names and "keys" in names
    assert [name for name in names if f"`zhuli {name}" not in OPERATING] == []


def test_every_metric_is_there() -> None:
    metrics = Telemetry().registry.collect()
    assert [metric.name for metric in metrics if f"`{metric.name}" not in OPERATING] == []


def test_every_hyperparameter_is_there_and_no_other() -> None:
    section = TUNING.partition("\n## Hyperparameters\n")[2].partition("\n## ")[0]
    table = set(re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE))
    assert table == set(Hyperparameters.model_fields)
    assert [name for name in Lora.model_fields if f"`{name}`" not in section] == []


def test_every_task_and_every_field_of_a_job_s_tuning_is_there() -> None:
    assert [name for name in registry.built_in("tasks") if f"`{name}`" not in TUNING] == []
    assert [name for name in Tuning.model_fields if f"`{name}`" not in TUNING] == []


def test_every_room_is_there() -> None:
    places = [place for place in (ROOT / "src" / "zhuli").iterdir() if place.suffix in ("", ".py")]
    names = [f"{place.name}/" if place.is_dir() else place.name for place in places if place.name[0] != "_"]
    assert [name for name in names if f"\n  {name} " not in ARCHITECTURE] == []


def test_every_room_is_on_a_wing_s_page() -> None:
    places = {place for places in WINGS.values() for place in places} | {"plugins"}
    found = {place.name for place in SOURCE.iterdir() if place.suffix in ("", ".py")}
    assert {name for name in found if not name.startswith("_")} == places


@pytest.mark.parametrize("wing", WINGS)
def test_every_module_is_named_on_its_wing_s_page_and_no_other(wing: str) -> None:
    """A row `| `module` | what it does |` under a heading `### `room/``; a new module needs a row, a renamed one another."""
    there = {str(path.relative_to(SOURCE).with_suffix("")) for place in WINGS[wing] for path in modules(SOURCE / place)}
    text = (ROOT / "docs" / "architecture" / f"{wing}.md").read_text()
    named = [
        f"{room}{name}" for room, part in rooms(text) for name in re.findall(r"^\| `(\w+)` \| \S", part, re.MULTILINE)
    ]
    assert sorted(named) == sorted(there)


def test_plugins_and_migrations_are_named_by_folder() -> None:
    text = (ROOT / "docs" / "architecture" / "ground.md").read_text()
    folders = {path.parent.name for path in (SOURCE / "plugins").glob("*/*.py")}
    assert set(re.findall(r"^\| `plugins/(\w+)/` \|", text, re.MULTILINE)) == folders
    assert "### `store/migrations/`" in text


@pytest.mark.parametrize(
    "page", [ROOT / "ARCHITECTURE.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs" / "architecture").glob("*.md"))]
)
def test_what_the_pages_of_the_house_name_is_there(page: Path) -> None:
    text = page.read_text()
    tests = re.findall(r"`((?:tests|benchmarks)/[\w/.*]+)`", text)
    assert [path for path in tests if not list(ROOT.glob(path))] == []
    rooms = "|".join(place for places in WINGS.values() for place in places if "." not in place)
    named = re.findall(rf"`((?:{rooms}|plugins)/[\w/]+)(?:\.(\w+))?`", text)
    files = [(SOURCE / path, SOURCE / f"{path}.py", member) for path, member in named]
    assert [str(file) for folder, file, member in files if not folder.is_dir() and not file.exists()] == []
    assert [
        f"{file}: {member}" for _, file, member in files if member and not re.search(rf"\b{member}\b", file.read_text())
    ] == []


def test_every_promise_of_security_names_its_tests_which_are_there() -> None:
    promised = (ROOT / "SECURITY.md").read_text().partition("| promise | how | tested by |\n")[2].partition("\n\n")[0]
    rows = [line.split(" | ") for line in promised.splitlines()[1:]]
    assert len(rows) > 20
    for promise, _, tested in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", tested)
        assert named, promise
        assert [f"{file}::{test}" for file, test in named if f"def {test}" not in (ROOT / file).read_text()] == [], (
            promise
        )


def test_every_shape_of_model_servers_names_its_tests_which_are_there() -> None:
    """In both tables: what comes from model servers, and what they are sent."""
    text = (ROOT / "docs" / "models.md").read_text().partition("### What model servers send")[2].partition("\n## ")[0]
    files = {letter: (ROOT / path).read_text() for path, letter in re.findall(r"`(tests/[\w/]+\.py)` \((\w)\)", text)}
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| what", "| ---"))]
    assert len(rows) > 30 and set(files) == set("SOMTR")
    for row in rows:
        letter, named = "", 0
        for file, test in re.findall(r"\b([A-Z])(?= `(?:test_|Test))|`(\w+)`", row.rpartition(" | ")[2]):
            letter, named = file or letter, named + bool(test)
            assert not test or re.search(rf"(?:def|class) {test}\b", files[letter]), (row, test)
        assert named, row


def modules(place: Path) -> list[Path]:
    """The modules in a place under src/zhuli: files that are not empty markers of a package, without the migrations."""
    found = [place] if place.suffix else [path for path in place.rglob("*.py") if path.name != "__init__.py"]
    return [path for path in found if "migrations" not in path.parts]


def rooms(text: str) -> list[tuple[str, str]]:
    """Each room's heading as a prefix of modules ("store/assistants/", "" for src/zhuli itself), and what is below it."""
    parts = re.split(r"^### `([\w/]+/)`$", text, flags=re.MULTILINE)
    below = [re.split(r"^## ", part, flags=re.MULTILINE)[0] for part in parts[2::2]]
    return [(room.removeprefix("src/zhuli/"), part) for room, part in zip(parts[1::2], below, strict=True)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not heading or heading in anchors(target), link


def anchors(page: Path) -> set[str]:
    """Of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
