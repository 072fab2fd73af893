"""The parser of docs/howto/add-a-parser.md works as it stands there, and so do the tests that the page gives for it."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness.howto import blocks, installed, module
from zhuli.testing.parser_contract import ParserContract
from zhuli.types.knowledge.document import Block

PARSER, TESTS = blocks("add-a-parser.md")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What both pieces of the page define, the first being the module my_package.calendar."""
    calendar = installed(monkeypatch, "my_package.calendar", PARSER)
    return vars(calendar) | vars(module("test_calendar", TESTS))


@pytest.mark.parametrize("name", [name for name in vars(ParserContract) if name.startswith("test_")])
def test_the_example_keeps_the_contract(page: dict[str, Any], name: str, tmp_path: Path) -> None:
    case = page["TestCalendar"]()
    given = {"parser": page["Plugin"](), "good": _plain(page["TestCalendar"].good)(case), "tmp_path": tmp_path}
    test = getattr(case, name)
    wanted = test.__code__.co_varnames[1 : test.__code__.co_argcount]
    test(**{argument: given[argument] for argument in wanted})


def test_an_event_is_a_heading_and_what_is_known_of_it(page: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(_plain(page["TestCalendar"].good)(None))
    assert list(page["Plugin"]().parse(tmp_path / "blob"))[:2] == [
        Block("Spring fair", "heading", 2),
        Block("Start: 20260401T100000\nPlace: Market square, Oslo"),
    ]


def _plain(fixture: Any) -> Any:
    """The function under pytest's @fixture."""
    return fixture.__wrapped__
