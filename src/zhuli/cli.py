"""The command line: all commands, and errors as sentences. What a command is called and takes is in commands/.

A command imports what it needs when it runs, so that `zhuli --help` does not load a web framework.
"""

import sys
from typing import Annotated

import typer

from zhuli.commands import (
    datasets,
    domains,
    end_users,
    feedback,
    keeping,
    keys,
    models,
    opinion,
    recommenders,
    serving,
    support,
    talking,
    tuning,
)
from zhuli.core.errors import ZhuliError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
for room in (serving, talking, tuning, keeping):
    app.add_typer(room.commands)
GROUPS = {
    "keys": keys,
    "models": models,
    "domains": domains,
    "feedback": feedback,
    "opinion": opinion,
    "recommenders": recommenders,
    "support": support,
    "datasets": datasets,
    "end-users": end_users,
}
for name, group in GROUPS.items():
    app.add_typer(group.commands, name=name)


def _version(wanted: bool) -> None:
    """Print the installed package's version, and leave."""
    if wanted:
        from importlib.metadata import version

        print(f"zhuli {version('zhuli')}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which zhuli this is.")
    ] = False,
) -> None:
    """A self-hosted assistant platform that speaks the Assistants API."""


def main() -> None:
    """The entry point: errors of ours are a sentence, not a stack trace."""
    try:
        app()
    except ZhuliError as error:
        print(f"zhuli: {error.message}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
