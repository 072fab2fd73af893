"""docs/operating.md says what there is: every setting with its default, every command, every metric."""

import re
from pathlib import Path

from zhuli.cli import app
from zhuli.core.telemetry import Telemetry
from zhuli.operating.settings_table import rows
from zhuli.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()


def test_every_setting_is_there_with_its_default() -> None:
    section = PAGE.partition("\n## Settings\n")[2].partition("\n## ")[0]
    table = dict(re.findall(r"^\| `([a-z_.]+)` \| ([^|]*) \|", section, re.MULTILINE))
    assert {name: default.strip() for name, default in table.items()} == {
        row.name: row.default for row in rows(Settings())
    }


def test_every_command_is_there() -> None:
    names = [command.callback.__name__ for command in app.registered_commands if command.callback]
    groups = [group.name for group in app.registered_groups]
    assert [name for name in [*names, *groups] if f"`zhuli {name}" not in PAGE] == []


def test_every_metric_is_there() -> None:
    metrics = Telemetry().registry.collect()
    assert [metric.name for metric in metrics if f"`{metric.name}" not in PAGE] == []
