"""Tuned models for tests of what is done with them: made without training, put into a server's folder and its table.

Their encoder is tiny and random, and so is what they say; but their files are those that a tuning leaves.
"""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from tests.harness.server import Server
from tests.harness.tuned_records import RECORDS
from zhuli import registry
from zhuli.core.hints import Hints
from zhuli.learning.neural import model_folder
from zhuli.learning.neural.explaining.explanations import remember
from zhuli.learning.neural.model_folder import ModelFolder
from zhuli.store import projects
from zhuli.store.learning import tuned_models
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.store.opening import open_database
from zhuli.testing.tiny_models import tiny_encoder
from zhuli.types.learning.example import Example, Record
from zhuli.types.learning.hyperparameters import Hyperparameters, TaskName
from zhuli.types.learning.tuning import Base

OPTIONS = Hyperparameters(max_length=64)


def examples(task: TaskName) -> list[Example]:
    plugin = registry.find("tasks", task)(OPTIONS, {})
    return [plugin.read(Record(line, fields)) for line, fields in enumerate(RECORDS[task], start=1)]


def made(folder: Path, task: TaskName) -> tuple[Any, Any]:
    """The task and its model, whose files are in `folder` now."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    base = folder.with_name(f"{folder.name}-base")
    words = "card music weather play where what today ann lives live oslo norway lies new york".split()
    tiny_encoder(base, words=words)
    plugin = registry.find("tasks", task)(OPTIONS, {})
    model = plugin.begin(base, examples(task))
    plugin.save(model, folder)
    remember(plugin, model, examples(task), folder)
    model_folder.write(folder, ModelFolder(task, Base(name="tiny", path=str(base)), OPTIONS, plugin.state))
    return plugin, model


def register(
    server: Server, name: str, task: TaskName | None, folder: Path, *, project: str = projects.DEFAULT_PROJECT
) -> Path:
    """Give the server a copy of the model under this name; the copy's folder."""
    place = Path("tuning") / name.replace(":", "-") / "model"
    shutil.copytree(folder, server.folder / place)
    model = TunedModel(name=name, project=project, base="tiny", task=task, folder=str(place), created_at=1_700_000_000)
    asyncio.run(_add(server.database_url, model))
    return server.folder / place


async def _add(url: str, model: TunedModel) -> None:
    database = open_database(url, Hints())
    try:
        await database.run(tuned_models.add, model)
    finally:
        await database.aclose()


def predicting_child(server: Server) -> int | None:
    """The process id of the server's child that predicts, if there is one."""
    parent = server.pid
    return next(
        (pid for pid in _processes() if "zhuli.learning.predicting.child" in _command(pid) and _parent(pid) == parent),
        None,
    )


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
