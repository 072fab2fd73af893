"""`zhuli end-users`: all that a server has of one person."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from zhuli.commands.options import HERE, ApiKey, BaseUrl

commands = typer.Typer(no_args_is_help=True, help="The people who talk to an app: all of one, deleted or exported.")


@commands.command("delete")
def delete_end_user(
    user: Annotated[str, typer.Argument(help="Your id of them.")], base_url: BaseUrl = HERE, api_key: ApiKey = None
) -> None:
    """Delete everything of one person, and wait until nothing is left; exit code 1 if a fine-tuning job must end first."""
    from zhuli.operating.asking.end_users import delete, told

    record = asyncio.run(delete(base_url, api_key, user))
    print(told(record))
    if record["status"] != "completed":
        raise typer.Exit(1)


@commands.command("export")
def export_end_user(
    user: Annotated[str, typer.Argument(help="Your id of them.")],
    to: Annotated[Path | None, typer.Option(help="The file; default: print it.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Write everything of one person as JSON Lines."""
    from zhuli.operating.asking.end_users import export

    async def run() -> None:
        async for piece in export(base_url, api_key, user, to):
            sys.stdout.buffer.write(piece)

    asyncio.run(run())
