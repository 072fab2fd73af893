"""The pages say what there is: every setting, command, metric, hyperparameter and room; and what they lead to is there."""

import re
from pathlib import Path

import pytest

from zhuli import registry
from zhuli.cli import app
from zhuli.core.telemetry import Telemetry
from zhuli.operating.settings_table import rows
from zhuli.settings import Settings
from zhuli.types.learning.fine_tuning import Tuning
from zhuli.types.learning.hyperparameters import Hyperparameters, Lora

ROOT = Path(__file__).parents[2]
OPERATING = (ROOT / "docs" / "operating.md").read_text()
TUNING = (ROOT / "docs" / "fine-tuning.md").read_text()
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_setting_is_there_with_its_default() -> None:
    section = OPERATING.partition("\n## Settings\n")[2].partition("\n## ")[0]
    table = dict(re.findall(r"^\| `([a-z_.]+)` \| ([^|]*) \|", section, re.MULTILINE))
    assert {name: default.strip() for name, default in table.items()} == {
        row.name: row.default for row in rows(Settings())
    }


def test_every_command_is_there() -> None:
    names = [command.callback.__name__ for command in app.registered_commands if command.callback]
    groups = [group.name for group in app.registered_groups]
    assert [name for name in [*names, *groups] if f"`zhuli {name}" not in OPERATING] == []


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


def test_what_the_invariants_name_is_there() -> None:
    named = re.findall(r"`((?:tests|benchmarks)/[\w/.*]+)`", ARCHITECTURE)
    assert [path for path in named if not list(ROOT.glob(path))] == []


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
