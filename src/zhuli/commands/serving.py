"""`zhuli serve` and `zhuli worker`: the API with its workers, and workers alone."""

import gc
from typing import Annotated

import typer

from zhuli.commands.models import settle_first_model
from zhuli.commands.options import Config, DataDir

commands = typer.Typer()


@commands.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free one.")] = None,
    processes: Annotated[
        int | None, typer.Option(help="How many serve together; more than one needs PostgreSQL.")
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Serve the API, with workers in this process."""
    gc.disable()  # loading makes much and drops little; server.serve turns it on again
    from zhuli.server.serve import serve as run_server
    from zhuli.settings import read_settings

    settings = read_settings(config, host=host, port=port, processes=processes, data_dir=data_dir)
    settle_first_model(settings)
    run_server(settings)


@commands.command()
def worker(
    slots: Annotated[int | None, typer.Option(help="Runs at once; default: worker_slots.")] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Serve Prometheus metrics here.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Execute runs of a PostgreSQL database beside the servers on it."""
    from zhuli.operating.worker import work
    from zhuli.settings import read_settings

    work(read_settings(config, data_dir=data_dir, worker_slots=slots), metrics_port=metrics_port)
