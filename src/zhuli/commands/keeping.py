"""What looks after a server: its schema, archives of all of it, what it lacks, its settings."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from zhuli.commands.options import Config, DataDir

commands = typer.Typer()


@commands.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is missing; exit code 1 if something is.")
    ] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Bring the database up to date. A server does so itself when it starts."""
    from zhuli.operating import migrations
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    found = asyncio.run(migrations.lacking(settings) if check else migrations.apply(settings))
    if not found:
        print("The database is up to date.")
        return
    print(f"{'The database lacks' if check else 'Applied'}: {', '.join(found)}.")
    if check:
        raise typer.Exit(1)


@commands.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The archive to make, like zhuli.tar or zhuli.tar.gz.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Keep everything in one archive: rows, files, tuned models. A server may go on meanwhile."""
    from zhuli.operating import backup as backups
    from zhuli.settings import read_settings

    made = asyncio.run(backups.backup(read_settings(config, data_dir=data_dir), target))
    print(f"{target}: {backups.counted(made)}.")


@commands.command()
def restore(
    source: Annotated[Path, typer.Argument(help="An archive of `zhuli backup`.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Put an archive back into an empty data directory or database, of either kind."""
    from zhuli.operating import backup as backups
    from zhuli.settings import read_settings

    put = asyncio.run(backups.restore(read_settings(config, data_dir=data_dir), source))
    print(f"Restored what zhuli {put.zhuli} kept at {put.made}: {backups.counted(put)}.")


@commands.command()
def usage(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Of how many days, today among them.")] = 7,
    by: Annotated[
        str, typer.Option(help="How it is told apart: project, key, model, joined by commas.")
    ] = "project,model",
    hourly: Annotated[bool, typer.Option("--hourly", help="By hour, not by day.")] = False,
    project: Annotated[str | None, typer.Option(help="Only of the project of this name.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show what models were asked for: requests and tokens, by day or hour (UTC)."""
    from zhuli.operating.access.usage import used
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    console().print(asyncio.run(used(settings, days=days, by=by, hourly=hourly, project=project)))


@commands.command("audit-log")
def audit_log(
    days: Annotated[int, typer.Option(min=1, max=36_500, help="Of how many days.")] = 30,
    project: Annotated[str | None, typer.Option(help="Only of the project of this name.")] = None,
    export: Annotated[Path | None, typer.Option(help="Write it as JSON Lines into this file, oldest first.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show who did what, when and from where: keys, deletions, promotions, limits, exports, restores."""
    from zhuli.operating.access.audit_log import export_to, shown
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    if export is not None:
        print(f"{export}: {asyncio.run(export_to(settings, export, days=days, project=project))} entries.")
    else:
        console().print(asyncio.run(shown(settings, days=days, project=project)))


@commands.command()
def doctor(data_dir: DataDir = None, config: Config = None) -> None:
    """Look at everything a server needs, and say how to get what is missing; exit code 1 if something is."""
    from zhuli.operating.doctor import report
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    if not asyncio.run(report(read_settings(config, data_dir=data_dir), console())):
        raise typer.Exit(1)


@commands.command()
def settings(data_dir: DataDir = None, config: Config = None) -> None:
    """Show every setting: its value, its default, and what it is."""
    from zhuli.operating.settings_table import settings_table
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    console().print(settings_table(read_settings(config, data_dir=data_dir)))
