"""A training child that trains nothing: it keeps the protocol of zhuli.learning.training.child, quickly, without torch.

    tuning_command = "python -m zhuli.testing.tuning_child"

The first line of the training file says how it goes, {"steps": 20, "pause": 0.05, "checkpoint_every": 10, "die_at": 7,
"die_times": 1, "die_every": 2, "fail": "…", "bad_line": 3, "check_pause": 1.0}; what is left out has these words' smallest
effect. It goes on where an earlier one left off: the last step that is in events.jsonl.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

from zhuli.learning.training.control import Control
from zhuli.learning.training.event_log import EventLog, events
from zhuli.types.learning.tuning import MODEL, TASK, EventKind, Spec


def main() -> None:
    phase, folder = sys.argv[1], Path(sys.argv[2])
    control = Control()
    Thread(target=_listen, args=[control], daemon=True).start()
    spec = Spec.model_validate_json((folder / "spec.json").read_bytes())
    plan = json.loads((folder / spec.train.path).read_bytes().splitlines()[0])
    event_log = EventLog(folder)
    if phase == "check":
        _check(event_log, plan)
    else:
        _tune(folder, spec, plan, event_log, control)


def _listen(control: Control) -> None:
    """What the server says; without a server there is no child."""
    for line in sys.stdin:
        control.ask("cancel" if line.strip() == "cancel" else "pause")
    os._exit(1)


def _check(event_log: EventLog, plan: dict[str, Any]) -> None:
    time.sleep(plan.get("check_pause", 0.0))
    if line := plan.get("bad_line"):
        message = f'Line {line}: there is no label. Give one: {{"text": …, "label": …}}.'
        event_log.write("failed", message, level="error", code="invalid_training_file", param="training_file")
    else:
        event_log.write("succeeded", "The data can be used.", report={"counts": {"train": 1}})


def _tune(folder: Path, spec: Spec, plan: dict[str, Any], event_log: EventLog, control: Control) -> None:
    steps = plan.get("steps", 3)
    done = max((event.data["step"] for event in events(folder) if event.kind == "metrics"), default=0)
    options = {"batch_size": 8, "n_epochs": 2, "learning_rate_multiplier": "auto"}
    event_log.write("message", "Hyperparameters are chosen.", hyperparameters=options)
    for step in range(done + 1, steps + 1):
        if control.wanted:
            how: EventKind = "cancelled" if control.wanted == "cancel" else "paused"
            event_log.write(how, f"The tuning is {how}.")
            return
        _die_if_told(folder, plan, step)
        time.sleep(plan.get("pause", 0.0))
        told = f"Step {step}/{steps}: training loss={1 / step:.2f}"
        event_log.write("metrics", told, step=step, total_steps=steps, train_loss=1 / step)
        if step % plan.get("die_every", steps + 1) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if step % plan.get("checkpoint_every", steps) == 0:
            _make_model(folder / f"checkpoints/{step}", spec, plan)
            metrics = {"valid_loss": 1 / step}
            event_log.write("checkpoint", "A checkpoint.", step=step, path=f"checkpoints/{step}", metrics=metrics)
    if why := plan.get("fail"):
        event_log.write("failed", why, level="error", code="diverged", param="hyperparameters")
        return
    (folder / "results.csv").write_text(
        "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.0,,,\n"
    )
    (folder / "report.json").write_text("{}")
    _make_model(folder / MODEL, spec, plan)
    event_log.write("report", "accuracy 0.50 → 0.90", report={"before": {"accuracy": 0.5}, "after": {"accuracy": 0.9}})
    event_log.write("succeeded", "The tuning has succeeded.", trained_tokens=100 * steps)


def _die_if_told(folder: Path, plan: dict[str, Any], step: int) -> None:
    died = folder / "died"
    times = len(died.read_text()) if died.exists() else 0
    if step == plan.get("die_at") and times < plan.get("die_times", 1):
        died.write_text("x" * (times + 1))
        os.kill(os.getpid(), signal.SIGKILL)


def _make_model(folder: Path, spec: Spec, plan: dict[str, Any]) -> None:
    """`files` of the plan are put into it as well, from where they say."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in plan.get("files", {}).items():
        (folder / name).write_bytes(Path(source).read_bytes() if source else b"{}")
    about = {"task": spec.task, "base": spec.base.model_dump(), "options": {}, "state": {}, "language": "en"}
    writes = spec.task in ("translation", "summarization", "dialogue", "preference")
    architecture = "LlamaForCausalLM" if writes else "BertModel"
    (folder / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    (folder / TASK).write_text(json.dumps(about))


if __name__ == "__main__":
    main()
