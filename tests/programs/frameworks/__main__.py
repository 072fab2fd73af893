"""Try frameworks against a server of this checkout: `python -m tests.programs.frameworks langchain mem0`, or `all`.

Each is installed from its package index into an environment of its own under .venvs, the first time that takes minutes.
"""

import argparse
import difflib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.server import Server
from tests.programs.frameworks.table import FRAMEWORKS, SWITCHES, Framework
from tests.programs.frameworks.trying import SCRIPT, ProgramFailed, can_be_tried, through_responses, tried


def main() -> int:
    """How many did not do what the page says."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.frameworks", description="Try frameworks.")
    parser.add_argument("names", nargs="+", choices=[*FRAMEWORKS, "all"], metavar="NAME", help=", ".join(FRAMEWORKS))
    names = parser.parse_args().names
    chosen = [FRAMEWORKS[name] for name in FRAMEWORKS if name in names or "all" in names]
    with TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server", script=SCRIPT)
        server.start()
        try:
            both = [(one, way) for one in chosen for way in (False, True) if not way or one.name in SWITCHES]
            return sum(not _as_the_page_says(one, server, Path(folder), responses=way) for one, way in both)
        finally:
            server.stop()


def _as_the_page_says(framework: Framework, server: Server, folder: Path, *, responses: bool) -> bool:
    if not can_be_tried(framework):
        print(f"{framework.name}: not tried, there is no npm here")
        return True
    place = folder / f"{framework.name}{'-responses' if responses else ''}"
    place.mkdir()
    try:
        printed = tried(through_responses(framework, place) if responses else framework, server.url, place)
    except ProgramFailed as failure:
        print(failure)
        return False
    if printed == framework.expected:
        way = " through responses" if responses else ""
        print(f"{framework.name}{way}: as the page says ({', '.join(framework.requirements)})")
        return True
    lines = difflib.unified_diff(
        framework.expected.splitlines(), printed.splitlines(), "expected", "printed", lineterm=""
    )
    print(f"{framework.name} printed something else:", *lines, sep="\n")
    return False


if __name__ == "__main__":
    sys.exit(main())
