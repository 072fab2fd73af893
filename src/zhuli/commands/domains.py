"""`zhuli domains`: checked, tested and drawn without a server; in and out of a database."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from zhuli.commands.options import Config, DataDir, Project

commands = typer.Typer(no_args_is_help=True, help="Domains: what assistants understand.")


@commands.command("check")
def check_domain(
    path: Annotated[
        Path,
        typer.Argument(
            help="A domain in YAML; or of Rasa, Dialogflow ES, LUIS or Botpress 12 a folder, file or archive."
        ),
    ],
) -> None:
    """Say what is wrong with a domain, without a server; exit code 1 if it can't be saved like this."""
    from zhuli.operating.domains import check, read

    lines, sound = check(read(path))
    print("\n".join(lines))
    if not sound:
        raise typer.Exit(1)


@commands.command("import")
def import_domain(
    path: Annotated[
        Path,
        typer.Argument(
            help="A domain in YAML; or of Rasa, Dialogflow ES, LUIS or Botpress 12 a folder, file or archive."
        ),
    ],
    to: Annotated[Path | None, typer.Option(help="Only write it as YAML here, for looking it over.")] = None,
    over: Annotated[str | None, typer.Option(help="The id of the domain that it takes the place of.")] = None,
    notes: Annotated[Path | None, typer.Option(help="A file for all that is not taken over, a line each.")] = None,
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Save a domain for the assistants of a project; its id is printed."""
    from zhuli.operating.domains import read, save, write, write_notes
    from zhuli.settings import read_settings
    from zhuli.understanding.domains.checks.findings import summed_up

    found = read(path)
    for line in summed_up(found.notes):
        print(line, file=sys.stderr)
    if notes is not None:
        write_notes(found.notes, notes)
    if to is not None:
        write(found.fields, to)
        return
    print(asyncio.run(save(read_settings(config, data_dir=data_dir), found.fields, over=over, project=project)))


@commands.command("test")
def try_domain(
    path: Annotated[Path, typer.Argument(help="A domain in YAML, or a Rasa project's folder with its test stories.")],
    conversations: Annotated[
        list[Path] | None, typer.Option(help="Files or folders with conversations; may be given several times.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Parts of the examples that are read by what the others teach.")] = 0,
    holdout: Annotated[float | None, typer.Option(help="Or one share of the examples, such as 0.2.")] = None,
    report: Annotated[Path | None, typer.Option(help="A file for all that was found, as JSON.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Walk conversations through a domain and read its examples; exit code 1 if a turn goes otherwise than expected."""
    from zhuli.operating.domain_tests import lines_of, test
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    result = asyncio.run(test(settings, path, conversations or [], folds=folds, holdout=holdout))
    if report is not None:
        report.write_text(result.model_dump_json(indent=1), encoding="utf-8")
    print("\n".join(lines_of(result)))
    if result.differences:
        raise typer.Exit(1)


@commands.command("export")
def export_domain(
    domain_id: Annotated[str, typer.Argument(help="Its id, dom_…")],
    to: Annotated[Path | None, typer.Option(help="The file; default: print it.")] = None,
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write a domain as YAML."""
    from zhuli.operating.domains import load, write
    from zhuli.settings import read_settings

    write(asyncio.run(load(read_settings(config, data_dir=data_dir), domain_id, project=project)), to)


@commands.command("draw")
def draw_domain(
    path: Annotated[Path, typer.Argument(help="A domain in YAML; or another builder's folder, file or archive.")],
    to: Annotated[Path | None, typer.Option(help="The file, such as domain.mmd; default: print it.")] = None,
) -> None:
    """Draw a domain's topics, forms and actions as a flowchart in Mermaid, without a server."""
    from zhuli.operating.domains import read, write_text
    from zhuli.understanding.domains.drawing import draw

    write_text(draw(read(path).fields), to)
