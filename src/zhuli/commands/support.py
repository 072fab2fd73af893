"""`zhuli support`: support desks of a server."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from zhuli.commands.options import HERE, ApiKey, BaseUrl

commands = typer.Typer(
    no_args_is_help=True, help="Support desks: transcripts in, an assistant out, and how good it is."
)


@commands.command("import")
def import_transcripts(
    desk: Annotated[str, typer.Argument(help="The desk's id.")],
    path: Annotated[Path, typer.Argument(help="Transcripts, in any format that docs/support.md has.")],
    format: Annotated[str, typer.Option(help="Default: told by how the file begins.")] = "auto",
    held_out: Annotated[float, typer.Option(help="Share of the dialogues that is kept for evaluation.")] = 0.2,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Read past transcripts; what they teach is proposed."""
    from zhuli.operating.asking.support import imported

    report = asyncio.run(imported(base_url, api_key, desk, path, format=format, held_out=held_out))
    for fault in report["faults"]:
        print(f"line {fault['line']}: {fault['message']}", file=sys.stderr)
    proposed = ", ".join(f"{count} of kind {kind}" for kind, count in report["proposed"].items() if count)
    print(f"{report['added']} dialogues added, {report['here_before']} here before, {report['refused']} refused.")
    print(f"Proposed: {proposed or 'nothing new'}.")


@commands.command("publish")
def publish_desk(
    desk: Annotated[str, typer.Argument(help="The desk's id.")],
    accept: Annotated[int | None, typer.Option(help="Accept first what so many dialogues have.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Build what was accepted; the assistant's id is printed."""
    from zhuli.operating.asking.support import published

    print(asyncio.run(published(base_url, api_key, desk, accept))["assistant"])


@commands.command("evaluate")
def evaluate_desk(
    desk: Annotated[str, typer.Argument(help="The desk's id.")],
    most: Annotated[int, typer.Option(help="Matters that are replayed.")] = 500,
    cost: Annotated[float, typer.Option(help="Of a contact that a person answers.")] = 1.0,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Replay dialogues that were held out through what is published."""
    from zhuli.operating.asking.support import evaluated, told

    print("\n".join(told(asyncio.run(evaluated(base_url, api_key, desk, most, cost)))))
