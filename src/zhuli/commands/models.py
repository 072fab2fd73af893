"""`zhuli models`: which there are, fetched, made ready, brought in and out, and names that lead to them."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhuli.commands.options import Config, DataDir, Project

if TYPE_CHECKING:
    from zhuli.settings import Settings

commands = typer.Typer(invoke_without_command=True, help="Which models may be asked for.")


@commands.callback()
def show_models(context: typer.Context, data_dir: DataDir = None, config: Config = None) -> None:
    """Show which models may be asked for, and what those that are not ready lack."""
    if context.invoked_subcommand is not None:
        return
    from zhuli.operating.models_table import models_table
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    console().print(models_table(read_settings(config, data_dir=data_dir)))


@commands.command("prepare")
def prepare_models(data_dir: DataDir = None, config: Config = None) -> None:
    """Start every model once: unpack or download what is needed, and see that it works."""
    from zhuli.operating.models_table import prepare
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    settle_first_model(settings)
    print(f"Ready: {', '.join(asyncio.run(prepare(settings)))}.")


def settle_first_model(settings: "Settings") -> None:
    """Without a models file: find a model, or fetch one."""
    if settings.models is not None or settings.first_model == "packaged":
        return
    from zhuli.operating.first_model import said, settle

    asyncio.run(settle(settings, said))


@commands.command("list")
def list_models(
    available: Annotated[bool, typer.Option("--available", help="Those that can be had from a hub.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show which models may be asked for, or which can be had."""
    from zhuli.operating.models_table import available_table, models_table
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    console().print(available_table() if available else models_table(read_settings(config, data_dir=data_dir)))


@commands.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="Of `zhuli models list --available`, or OWNER/REPOSITORY:FILE.gguf.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Fetch a model from a hub, and name it in the models file."""
    from zhuli.operating.first_model import add, said
    from zhuli.settings import read_settings

    print(asyncio.run(add(name, read_settings(config, data_dir=data_dir), said)))


@commands.command("import")
def import_model(
    folder: Annotated[Path, typer.Argument(help="A tuned model's folder, or a Hugging Face folder as a base.")],
    name: Annotated[str, typer.Option(help="Under which it is asked for.")],
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Offer a copy of a model's folder to the apps of a project."""
    from zhuli.operating.tuning.tuned_models import add
    from zhuli.settings import read_settings

    task = asyncio.run(add(read_settings(config, data_dir=data_dir), folder, name=name, project=project))
    print(f"{name} is there: {f'a model for {task}' if task else 'a base that can be tuned'}.")


@commands.command("export")
def export_model(
    name: Annotated[str, typer.Argument(help="A tuned model's, or an alias of one.")],
    to: Annotated[Path, typer.Option(help="The directory that it is copied into.")],
    form: Annotated[str, typer.Option("--format", help="folder, gguf or safetensors.")] = "folder",
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Copy a tuned model out."""
    from zhuli.operating.tuning.tuned_models import export, format_of
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    print(asyncio.run(export(settings, name, to=to, format=format_of(form), project=project)))


@commands.command("promote")
def promote_model(
    alias: Annotated[str, typer.Argument(help="The name that apps use; it is made if there is none.")],
    model: Annotated[str, typer.Argument(help="Where it leads from now on.")],
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Let an alias lead to a model."""
    from zhuli.operating.tuning.tuned_models import promote
    from zhuli.settings import read_settings

    asyncio.run(promote(read_settings(config, data_dir=data_dir), alias, model, project=project))
    print(f"{alias} leads to {model}.")


@commands.command("rollback")
def roll_model_back(
    alias: Annotated[str, typer.Argument(help="The name that apps use.")],
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Let an alias lead to where it led before."""
    from zhuli.operating.tuning.tuned_models import roll_back
    from zhuli.settings import read_settings

    found = asyncio.run(roll_back(read_settings(config, data_dir=data_dir), alias, project=project))
    print(f"{alias} leads to {found.model} again.")
