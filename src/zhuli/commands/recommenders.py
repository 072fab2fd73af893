"""`zhuli recommenders`: items and events for a server."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from zhuli.commands.options import HERE, ApiKey, BaseUrl

commands = typer.Typer(no_args_is_help=True, help="Recommenders: send one its items and events.")


@commands.callback()
def _recommenders() -> None:
    """A group of commands, also while there is one alone."""


@commands.command("import")
def import_into_recommender(
    recommender: Annotated[str, typer.Argument(help="The recommender's id.")],
    file: Annotated[
        Path, typer.Argument(help="JSON Lines: an item or an event a line, as docs/recommender.md has it.")
    ],
    events: Annotated[bool, typer.Option("--events/--items", help="What the file has.")] = False,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Send the items or events of a file to a recommender; lines that can't be taken are told, and the rest goes on."""
    from rich.console import Console

    from zhuli.operating.asking.recommenders import take

    what: Any = "events" if events else "items"
    done = asyncio.run(take(base_url, api_key, recommender, what, file, Console(stderr=True)))
    for fault in done.faults:
        print(fault, file=sys.stderr)
    print(f"{done.added} added, {done.known} here before, {len(done.faults)} refused.")
    if done.faults:
        raise typer.Exit(1)
