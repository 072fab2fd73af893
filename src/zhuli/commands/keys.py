"""`zhuli keys`: API keys of a database, beside its server or without one."""

import asyncio
import sys
from typing import Annotated

import typer

from zhuli.commands.options import Config, DataDir

commands = typer.Typer(no_args_is_help=True, help="API keys: each opens one project.")

_SCOPE_HELP = "read, write or admin; each may do what those before it may. Or feedback: to give that, and nothing else."
_EXPIRES_HELP = (
    "When it opens nothing any more: in so many days (30), or at a time in UTC (2031-05-03, 2031-05-03T18:00)."
)
_LIMIT_HELP = (
    "requests_per_minute=60, tokens_per_minute=, or quotas: requests_per_day=, tokens_per_day=, the same per_month."
)


@commands.command("create")
def create_key(
    project: Annotated[str, typer.Option(help="The project's name; it is made if there is none.")] = "default",
    name: Annotated[str | None, typer.Option(help="What the key is for, to tell it from others.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help=_SCOPE_HELP, show_default="admin")] = None,
    expires: Annotated[str | None, typer.Option("--expires", "--expires-days", help=_EXPIRES_HELP)] = None,
    limit: Annotated[list[str] | None, typer.Option(help=_LIMIT_HELP)] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a key; it is shown only now."""
    import time

    from zhuli.operating.access.keys import create, expiry, scopes_of
    from zhuli.operating.access.limits import limits_of
    from zhuli.settings import read_settings

    scopes, expires_at = scopes_of(scope or ["admin"]), expiry(expires, now=time.time())
    limits = {known: amount for known, amount in limits_of(limit or []).items() if amount is not None}
    settings = read_settings(config, data_dir=data_dir)
    secret = asyncio.run(create(settings, project, name=name, scopes=scopes, expires_at=expires_at, limits=limits))
    print(f"A key for the project '{project}'. Keep it: it is not shown again.", file=sys.stderr)
    print(secret)


@commands.command("limit")
def limit_key(
    whose: Annotated[str, typer.Argument(metavar="KEY|PROJECT", help="A key's id, key_…, or a project's name.")],
    limits: Annotated[list[str], typer.Argument(metavar="LIMIT=NUMBER…", help=_LIMIT_HELP)],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Say how much a key or a project may use; LIMIT=none takes one back. Servers notice within seconds."""
    from zhuli.operating.access.limits import limit, limits_of, told
    from zhuli.settings import read_settings

    wanted = limits_of(limits)
    found = asyncio.run(limit(read_settings(config, data_dir=data_dir), whose, wanted))
    print(f"{whose}: {told(found) or 'no limits of its own'}.")


@commands.command("list")
def list_keys(data_dir: DataDir = None, config: Config = None) -> None:
    """Show which keys there are and were."""
    import time

    from zhuli.operating.access.keys import listed
    from zhuli.operating.access.keys_table import keys_table
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    found, limits = asyncio.run(listed(settings))
    if found:
        console().print(keys_table(found, limits, settings, now=time.time()))
    else:
        print("There are no keys: everybody on this machine may use the server. Make one: zhuli keys create.")


@commands.command("rotate")
def rotate_key(
    key_id: Annotated[str, typer.Argument(help="Its id, key_…, as `zhuli keys list` shows it.")],
    grace_hours: Annotated[float, typer.Option(min=0, help="For how long the old one still opens.")] = 24,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a new key in the place of one, with its project, name, scopes and expiry."""
    from zhuli.operating.access.keys import rotate
    from zhuli.settings import read_settings

    secret = asyncio.run(rotate(read_settings(config, data_dir=data_dir), key_id, grace_hours=grace_hours))
    print(f"Keep the new key: it is not shown again. {key_id} opens for {grace_hours:g} hours more.", file=sys.stderr)
    print(secret)


@commands.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Its id, key_…, as `zhuli keys list` shows it.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Take a key back; servers notice within seconds."""
    from zhuli.operating.access.keys import revoke
    from zhuli.settings import read_settings

    left = asyncio.run(revoke(read_settings(config, data_dir=data_dir), key_id))
    print(f"{key_id} opens nothing any more.")
    if not left:
        print("It was the last one: now the server lets nobody in. Make another: zhuli keys create.")
