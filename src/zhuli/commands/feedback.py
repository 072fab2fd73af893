"""`zhuli feedback`: what people said of answers, from files into a database."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from zhuli.commands.options import Config, DataDir, Project

commands = typer.Typer(no_args_is_help=True, help="Feedback: what people say of answers.")


@commands.callback()
def _feedback() -> None:
    """A group of commands, also while there is one alone."""


@commands.command("import")
def import_feedback(
    file: Annotated[Path, typer.Argument(help="CSV, or JSON Lines.")],
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Take the feedback of a file; lines that were here before are left out."""
    from zhuli.operating.feedback import take
    from zhuli.settings import read_settings

    report = asyncio.run(take(read_settings(config, data_dir=data_dir), file, project=project))
    for fault in report.faults:
        print(f"line {fault.line}: {fault.message}", file=sys.stderr)
    print(f"{report.added} added, {report.repeated} here before, {report.refused} refused.")
    if report.refused:
        raise typer.Exit(1)
