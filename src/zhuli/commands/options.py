"""Options that many commands have."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[Path | None, typer.Option(help="Where the embedded defaults keep everything.")]
Project = Annotated[str, typer.Option(help="The project's name.")]
Config = Annotated[Path | None, typer.Option(help="A TOML file with settings.")]
BaseUrl = Annotated[str, typer.Option(envvar="OPENAI_BASE_URL", help="The server.")]
ApiKey = Annotated[str | None, typer.Option(envvar="OPENAI_API_KEY", help="If the server has keys.")]
DataSetName = Annotated[str, typer.Argument(metavar="DATASET", help="Its id, or its name.")]
HERE = "http://127.0.0.1:8000/v1"
