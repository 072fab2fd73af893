"""The walks of docs/architecture/walks.md go down: each step is imported by its caller, or marked as what it is."""

import re
from dataclasses import dataclass
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "zhuli"
LINE = re.compile(r"^( *)- `([\w/]+)`(?: \*(\w+)\*)?: .+$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A line of a walk. caller: the path of the step that it is indented under, None where a walk begins."""

    path: str
    mark: str | None
    caller: str | None

    def __str__(self) -> str:
        return f"{self.caller} calls {self.path}"


def steps() -> list[Step]:
    """Of all walks, in order."""
    found: list[Step] = []
    above: list[str] = []
    for indent, path, mark in LINE.findall((ROOT / "docs" / "architecture" / "walks.md").read_text()):
        del above[len(indent) // 2 :]
        found.append(Step(path, mark or None, above[-1] if above else None))
        above.append(path)
    return found


STEPS = steps()
HAS_CALLER = [step for step in STEPS if step.caller]


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("zhuli")


def name(path: str) -> str:
    return f"zhuli.{path.replace('/', '.')}"


def test_every_line_of_a_walk_is_a_step() -> None:
    text = (ROOT / "docs" / "architecture" / "walks.md").read_text().partition("\n## ")[2]
    assert len(STEPS) == len(re.findall(r"^ *- ", text, re.MULTILINE)) > 100


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_every_step_is_there(step: Step) -> None:
    assert (SOURCE / f"{step.path}.py").exists()


@pytest.mark.parametrize("step", HAS_CALLER, ids=str)
def test_every_step_is_below_its_caller(step: Step, imports: grimp.ImportGraph) -> None:
    assert step.caller
    assert not imports.chain_exists(name(step.path), name(step.caller)), "it climbs back up"
    text = (SOURCE / f"{step.path}.py").read_text()
    match step.mark:
        case None:
            assert imports.chain_exists(name(step.caller), name(step.path))
        case "job":
            assert step.caller == "worker/loop"
            assert "    async def handle(self, job: Job)" in text
            wing = step.path.partition("/")[0]
            assert imports.direct_import_exists(importer=f"zhuli.{wing}.wing", imported=name(step.path))
        case "given":
            assert not imports.direct_import_exists(importer=name(step.caller), imported=name(step.path)), "not marked"
            assert step.path.startswith("plugins/") or imports.chain_exists("zhuli.app", name(step.path))
        case "plugin":
            assert step.path.startswith("plugins/")
            assert "\nclass Plugin" in text
        case "child":
            assert '\nif __name__ == "__main__":' in text
        case mark:
            pytest.fail(f"No such mark: {mark}")
