"""`zhuli opinion`: monitors of a server."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from zhuli.commands.options import HERE, ApiKey, BaseUrl

commands = typer.Typer(no_args_is_help=True, help="Opinion monitors: make one, feed one.")


@commands.command("create")
def create_opinion_monitor(
    path: Annotated[Path, typer.Argument(help="A JSON file as docs/opinion.md has it.")],
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Make a monitor, and print its id."""
    from zhuli.operating.asking.opinion import create

    print(asyncio.run(create(base_url, api_key, path)))


@commands.command("follow")
def follow_opinion_feed(
    monitor: Annotated[str, typer.Argument(help="The monitor's id.")],
    place: Annotated[str, typer.Argument(help="A file, a folder, an address; kafka://HOST:PORT/TOPIC.")],
    feed: Annotated[str, typer.Option(help="jsonl, directory, rss, kafka, or package.module:Class.")] = "jsonl",
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the feed: seconds=60.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Push what a feed brings to a monitor, until the feed ends or Ctrl-C; faults are told, and the rest goes on."""
    from rich.console import Console

    from zhuli.operating.asking.opinion import feed_of, follow

    console = Console(stderr=True)
    told = asyncio.run(follow(base_url, api_key, monitor, feed_of(feed, place, settings or []), console))
    print(f"{told.added} added, {told.corrected} corrected, {told.unchanged} unchanged, {len(told.faults)} faults")
