"""Try frameworks against a server of this checkout: `python -m tests.programs.frameworks langchain mem0`, or `all`.

Each is installed from its package index into an environment of its own under .venvs, the first time that takes minutes.
"""

import argparse
import difflib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.server import Server
from tests.programs.frameworks.table import FRAMEWORKS, Framework
from tests.programs.frameworks.trying import SCRIPT, ProgramFailed, can_be_tried, tried


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
            return sum(not _as_the_page_says(framework, server, Path(folder)) for framework in chosen)
        finally:
            server.stop()


def _as_the_page_says(framework: Framework, server: Server, folder: Path) -> bool:
    if not can_be_tried(framework):
        print(f"{framework.name}: not tried, there is no npm here")
        return True
    place = folder / framework.name
    place.mkdir()
    try:
        printed = tried(framework, server.url, place)
    except ProgramFailed as failure:
        print(failure)
        return False
    if printed == framework.expected:
        print(f"{framework.name}: as the page says ({', '.join(framework.requirements)})")
        return True
    lines = difflib.unified_diff(
        framework.expected.splitlines(), printed.splitlines(), "expected", "printed", lineterm=""
    )
    print(f"{framework.name} printed something else:", *lines, sep="\n")
    return False


if __name__ == "__main__":
    sys.exit(main())
