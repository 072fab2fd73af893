"""The command line: parse, build the app, start it. What a command does is elsewhere."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from zhuli.core.errors import ZhuliError
from zhuli.settings import Settings, read_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
keys = typer.Typer(no_args_is_help=True, help="API keys: each opens one project.")
app.add_typer(keys, name="keys")

DataDir = Annotated[Path | None, typer.Option(help="Where the embedded defaults keep everything.")]
Config = Annotated[Path | None, typer.Option(help="A TOML file with settings.")]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free one.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Serve the API, with workers in this process."""
    from zhuli.server.serve import serve as run_server

    run_server(read_settings(config, host=host, port=port, data_dir=data_dir))


@keys.command("create")
def create_key(
    project: Annotated[str, typer.Option(help="The project's name; it is made if there is none.")] = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a key; it is shown only now."""
    from zhuli.operating.keys import create

    print(asyncio.run(create(_settings(config, data_dir), project)))


def _settings(config: Path | None, data_dir: Path | None) -> Settings:
    return read_settings(config, data_dir=data_dir)


def main() -> None:
    """The entry point: errors of ours are a sentence, not a stack trace."""
    try:
        app()
    except ZhuliError as error:
        typer.echo(f"zhuli: {error.message}", err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
