"""`zhuli tune` and `zhuli predict`: a tuning in a folder, without a server."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from zhuli.commands.options import Config, DataDir

commands = typer.Typer()


@commands.command()
def tune(
    folder: Annotated[
        Path | None, typer.Argument(help="A tuning's folder: run it or go on.", show_default=False)
    ] = None,
    task: Annotated[str | None, typer.Option(help="A new tuning: text_classification, dialogue, …")] = None,
    base: Annotated[str | None, typer.Option(help="What is tuned: minilm, e5-small, smollm2, or a folder.")] = None,
    train: Annotated[Path | None, typer.Option(help="The data to learn from.")] = None,
    validation: Annotated[Path | None, typer.Option(help="Default: a tenth of the training data.")] = None,
    test: Annotated[Path | None, typer.Option(help="Default: a tenth of the training data.")] = None,
    into: Annotated[
        Path | None, typer.Option("--folder", help="Where; default: tunings/TASK-DATE in --data-dir.")
    ] = None,
    given: Annotated[list[str] | None, typer.Option("--set", help="A hyperparameter: learning_rate=3e-5.")] = None,
    search: Annotated[str | None, typer.Option(help="Search hyperparameters: trials=20,minutes=30.")] = None,
    space: Annotated[list[str] | None, typer.Option(help="What is searched: learning_rate=1e-5..1e-3.")] = None,
    workers: Annotated[str | None, typer.Option(help="Train on Ray: 2 on this machine, or NUMBER@ADDRESS.")] = None,
    data_format: Annotated[str, typer.Option("--format", help="Of the data: csv, jsonl, conll, squad, …")] = "auto",
    column: Annotated[list[str] | None, typer.Option(help="The task's field and the file's: text=sentence.")] = None,
    language: Annotated[str | None, typer.Option(help="Of the data; default: seen from it.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same model.")] = 0,
    threads: Annotated[int, typer.Option(help="Of the processor; 0: one for each core.")] = 0,
    check: Annotated[bool, typer.Option("--check", help="Only read the data and say what is in it.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Tune a model on labelled data, here, without a server. Ctrl-C pauses."""
    from zhuli.operating.tuning import tune_options as options
    from zhuli.settings import read_settings

    if folder is not None:
        raise typer.Exit(_tune(folder, check=check))
    asked = options.Asked(
        task=task,
        base=base,
        train=train,
        validation=validation,
        test=test,
        hyperparameters=options.settings_of(given or []),
        search=options.search_of(search, space or []),
        workers=options.workers_of(workers),
        format=data_format,
        columns=options.columns_of(column or []),
        language=language,
        seed=seed,
        threads=threads,
    )
    settings = read_settings(config, data_dir=data_dir)
    if not check:
        raise typer.Exit(_tune(options.new(asked, into, settings), check=False))
    with TemporaryDirectory() as scratch:
        raise typer.Exit(_tune(options.new(asked, Path(scratch, "check"), settings), check=True))


def _tune(folder: Path, *, check: bool) -> int:
    from zhuli.operating.tuning import tune as operating  # takes seconds, which mistakes in options need not

    if check:
        return operating.check(folder)
    print(f"The tuning is in {folder}", file=sys.stderr)
    return operating.run(folder)


@commands.command()
def predict(
    folder: Annotated[Path, typer.Argument(help="A tuning's folder, or a tuned model's.")],
    inputs: Annotated[list[str] | None, typer.Argument(help="Default: a line of standard input each.")] = None,
) -> None:
    """Ask a tuned model in its folder, without a server: a line of JSON for each input."""
    from zhuli.operating.tuning.tune import predict as answers

    for line in answers(folder, inputs or [line.rstrip("\n") for line in sys.stdin]):
        print(line)
