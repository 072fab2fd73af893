"""Train on several Ray workers: Ray Train starts them and joins them to a group, the same loop runs on each.

How they make a step together is distributed_workers' matter; the result is that of one worker. A worker that dies ends the
training, which then goes on from its checkpoint like any other.
"""

import shutil
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from zhuli.learning.training.control import Control, Stopped
from zhuli.learning.training.distributed.ray_cluster import cluster, control_of, parent
from zhuli.learning.training.event_log import EventLog
from zhuli.learning.training.failures import FailureCode, TuningFailed, known
from zhuli.types.learning.hyperparameters import Workers

from ray.train import RunConfig, ScalingConfig  # isort: skip  (behind ray_cluster, which sets Ray's environment)
from ray.train.torch import TorchConfig, TorchTrainer  # isort: skip
from ray.train.v2.api.exceptions import TrainingFailedError, WorkerGroupError  # isort: skip

T = TypeVar("T", covariant=True)
FOLDER = "workers"


class Raised(Exception):
    """What a worker raised, in a form that travels: an exception's own arguments do not always make it again."""

    def __init__(self, how: str, code: str = "", message: str = "", param: str | None = None) -> None:
        super().__init__(how, code, message, param)
        self.how, self.code, self.message, self.param = how, code, message, param

    def again(self) -> Exception:
        if self.how == "failed":
            return TuningFailed(cast(FailureCode, self.code), self.message, param=self.param)
        return Stopped("cancelled" if self.how == "cancelled" else "paused")


class Work(Protocol[T]):
    """What each worker does, inside the process group; picklable. The first one's result, without tensors, is handed back."""

    def __call__(self, *, event_log: EventLog, control: Control) -> T: ...


def train_on_workers(workers: Workers, work: Work[T], *, folder: Path, event_log: EventLog, control: Control) -> T:
    """Do `work` on every worker. Raises Stopped and TuningFailed as the workers did."""
    place = folder / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    with cluster(workers.address, processes=workers.number), parent(place, event_log=event_log, control=control):
        trainer = TorchTrainer(
            _on_a_worker,
            train_loop_config={"work": work, "folder": str(place)},
            torch_config=TorchConfig(backend="gloo"),
            scaling_config=ScalingConfig(num_workers=workers.number),
            run_config=RunConfig(name="ray", storage_path=str(place)),
        )
        try:
            result: Any = trainer.fit()
        except TrainingFailedError as error:
            raise _what_happened(error) from error
    returned: T = result.return_value
    return returned


def _on_a_worker(config: dict[str, Any]) -> Any:
    import ray.train

    rank = ray.train.get_context().get_world_rank()
    folder = Path(config["folder"])
    own = folder if rank == 0 else folder / f"worker-{rank}"
    own.mkdir(parents=True, exist_ok=True)
    with control_of(folder) as control:
        try:
            return config["work"](event_log=EventLog(own), control=control)
        except Stopped as stopped:
            raise Raised(stopped.how) from None
        except Exception as error:
            if (failure := known(error)) is None:
                raise
            raise Raised("failed", failure.code, failure.message, failure.param) from None


def _what_happened(error: TrainingFailedError) -> Exception:
    """What a worker raised, the first of ours; others may have failed only because it was gone."""
    failures = list(error.worker_failures.values()) if isinstance(error, WorkerGroupError) else []
    for failure in failures:
        for cause in (failure, getattr(failure, "cause", None), failure.__cause__):
            if isinstance(cause, Raised):
                return cause.again()
    return TuningFailed("server_error", f"A worker failed: {error}")
