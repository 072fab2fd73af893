"""Import RasaHQ's demo projects and walk their own test stories: `python -m benchmarks.understanding.rasa_projects DIR`.

DIR has a folder for each of PROJECTS, as `git clone https://github.com/RasaHQ/NAME` makes them. Printed: what an import takes and
how many things it could not, the share of turns with the expected actions, and the other turns one by one. A turn is right if all
its actions are the story's, in their order; it is judged as if the turns before it had gone as expected, as `rasa test` does.
"""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer

from zhuli.operating.domain_tests import lines_of, test
from zhuli.operating.domains import check, read
from zhuli.settings import read_settings

PROJECTS = ("financial-demo", "helpdesk-assistant", "retail-demo", "carbon-bot", "rasa-demo")


def main(
    folder: Annotated[Path, typer.Argument(help="Where the projects are, a folder each.", exists=True)],
    data_dir: Annotated[Path, typer.Option(help="Where embedders are made ready.")] = Path("data"),
    only: Annotated[str, typer.Option(help="Projects, separated by commas; default: all.")] = "",
) -> None:
    """Print a project at a time, then all of them as a table."""
    names = only.split(",") if only else PROJECTS
    rows: list[str] = []
    turns = right = 0
    for name in names:
        found = read(folder / name)
        _, sound = check(found)
        began = time.monotonic()
        result = asyncio.run(test(read_settings(None, data_dir=data_dir), folder / name, [], folds=0, holdout=None))
        print(f"== {name}", *lines_of(result), sep="\n", flush=True)
        turns, right = turns + result.turns, right + result.right
        kinds = len({note.code for note in found.notes})
        rows.append(
            f"| {name} | {'yes' if sound else 'no'} | {len(found.fields.intents)} | {len(found.fields.rules)} | "
            f"{len(found.notes)} of {kinds} kinds | {result.right} of {result.turns} | {result.right / result.turns:.1%} | "
            f"{time.monotonic() - began:.0f} s |"
        )
    print("| project | imported | intents | rules | notes | turns right | | took |", *rows, sep="\n")
    print(f"{right} of {turns} turns ({right / turns:.1%}).")


if __name__ == "__main__":
    typer.run(main)
