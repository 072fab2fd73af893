"""Frameworks of others work against this server as docs/frameworks.md says.

The three that install in seconds are tried here; all of them by `python -m tests.programs.frameworks all`.
"""

import re
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.programs.frameworks.table import FRAMEWORKS, LIGHT, PROGRAMS, SWITCHES
from tests.programs.frameworks.trying import SCRIPT, through_responses, tried

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+)\n([\s\S]*?)(?=^## |\Z)", PAGE, re.MULTILINE))
OTHERS = {"Azure": ["tests/programs/python/azure.py", "tests/programs/node/azure.mjs"]}
"""Sections whose programs are run by other tests."""


@pytest.mark.parametrize("storage", ["sqlite"])
@pytest.mark.parametrize("name", [name for name in FRAMEWORKS if FRAMEWORKS[name].requirements == LIGHT])
def test_a_framework_does_what_the_page_says(start_server: StartServer, name: str, tmp_path: Path) -> None:
    server = start_server(script=SCRIPT)
    assert tried(FRAMEWORKS[name], server.url, tmp_path) == FRAMEWORKS[name].expected


@pytest.mark.parametrize("storage", ["sqlite"])
@pytest.mark.parametrize("name", [name for name in SWITCHES if FRAMEWORKS[name].requirements == LIGHT])
def test_it_does_the_same_through_responses(start_server: StartServer, name: str, tmp_path: Path) -> None:
    """As a framework asks that is not told otherwise."""
    server = start_server(script=SCRIPT)
    before = server.log().count("POST /v1/responses")
    assert tried(through_responses(FRAMEWORKS[name], tmp_path), server.url, tmp_path) == FRAMEWORKS[name].expected
    assert server.log().count("POST /v1/responses") > before


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_page_names_what_was_tried(name: str) -> None:
    """Each package with its release, and the program; its name is what the command of the page takes."""
    section = SECTIONS[FRAMEWORKS[name].title]
    program = FRAMEWORKS[name].program.relative_to(ROOT)
    assert f"`{program}`" in section
    pins = [re.split(r"==|(?<=.)@", pin) for pin in FRAMEWORKS[name].requirements]
    tried_here = [(package.partition("[")[0], release) for package, release in pins]
    if FRAMEWORKS[name].requirements == LIGHT:
        tried_here = [pin for pin in tried_here if pin[0].partition("-")[0] in name.replace("_", "-")]
    assert [pin for pin in tried_here if f"{pin[0]} {pin[1]}" not in section] == []


@pytest.mark.parametrize("title", [title for title in SECTIONS if "```" in SECTIONS[title] and title != "Try one"])
def test_the_lines_of_the_page_are_lines_of_the_programs(title: str) -> None:
    """In the same order, so that what is shown is what was run."""
    programs = [framework.program for framework in FRAMEWORKS.values() if framework.title == title]
    programs += [ROOT / path for path in OTHERS.get(title, [])]
    for block in re.findall(r"^```(?:python|js|yaml)\n(.*?)^```", SECTIONS[title], re.DOTALL | re.MULTILINE):
        assert any(_runs_through(block, program) for program in programs), block


def _runs_through(block: str, program: Path) -> bool:
    left = iter(program.read_text(encoding="utf-8").splitlines())
    return all(any(line == other for other in left) for line in block.splitlines() if line)


def test_every_program_is_in_the_table() -> None:
    there = {path.stem for path in PROGRAMS.iterdir() if path.suffix in (".py", ".mjs", ".yaml")}
    assert there == set(FRAMEWORKS)
