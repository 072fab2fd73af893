"""A trained model's folder: weights, tokenizer, task.json, card, and what serves it faster. It stands whole or not at all."""

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zhuli.learning.neural import adapted, model_folder
from zhuli.learning.neural.adapted import ADAPTER
from zhuli.learning.neural.explaining.explanations import remember
from zhuli.learning.neural.model_folder import ModelFolder
from zhuli.learning.neural.onnx import onnx_export
from zhuli.learning.training.evaluating import evaluation
from zhuli.learning.training.plan import Plan
from zhuli.learning.training.reporting import card
from zhuli.models import bases
from zhuli.models.engines import tuned_gguf
from zhuli.models.engines.gguf_writing import Layout, opened
from zhuli.ports import Task
from zhuli.types.learning.hyperparameters import Hyperparameters

STAY_ADAPTERS = ("lora", "rslora")
GGUF, ADAPTER_GGUF = "model.gguf", "adapter.gguf"


def settle(model: Any, options: Hyperparameters) -> None:
    """Merge the adapters, if they are to be merged, in place. Variants that no engine reads as adapters always are."""
    if options.lora.merge or options.lora.variant not in STAY_ADAPTERS:
        adapted.merge(model)


def write_checkpoint(place: Path, todo: Plan, task: Task, model: Any, options: Hyperparameters) -> None:
    """A model that can be used, of a training that goes on with `model` as it is.

    Adapters of a language model stay adapters here, which takes a hundredth of the space. A whole one has its file for the
    embedded engine from serve_checkpoint() on.
    """
    scratch = _begun(place)
    if _stays_adapter(todo, task, model, options):
        _write_weights(scratch, todo, task, model, options)
        _write_gguf(scratch, todo, model)
    else:
        _write_weights(scratch, todo, task, _merged_copy(model), options)
    _put(scratch, place)


def serve_checkpoint(place: Path, todo: Plan, task: Task) -> None:
    """What the embedded engine reads of a checkpoint, if it is not there: written for those that are kept in the end."""
    if task.generates and not (place / ADAPTER).exists() and not (place / GGUF).exists():
        _write_gguf(place, todo, None)


def _stays_adapter(todo: Plan, task: Task, model: Any, options: Hyperparameters) -> bool:
    """Not if the base is an adapter itself that was merged for this training: its folder is not what was trained on."""
    plain = not options.lora.merge or not (todo.base / ADAPTER).exists()
    return task.generates and plain and adapted.is_adapted(model.backbone) and options.lora.variant in STAY_ADAPTERS


def _merged_copy(model: Any) -> Any:
    if not adapted.is_adapted(model.backbone):
        return model
    own = copy.deepcopy(model)
    adapted.merge(own)
    return own


def write(
    place: Path, todo: Plan, task: Task, model: Any, options: Hyperparameters, *, report: Mapping[str, Any]
) -> None:
    """The finished model, with its card and what explains and serves it."""
    scratch = _begun(place)
    _write_weights(scratch, todo, task, model, options)
    if task.generates:
        _write_gguf(scratch, todo, model)
    held_out = todo.data.test or todo.data.validation
    if not task.generates:
        remember(task, model, todo.data.train, scratch)
    onnx = onnx_export.export(task, model, scratch, held_out)
    text = json.dumps({**report, "onnx": onnx.why}, ensure_ascii=False, indent=1, default=str)
    (scratch / evaluation.REPORT).write_text(text + "\n", encoding="utf-8")
    card.write_card(scratch, todo.spec, options, report.get("data", {}), report)
    _put(scratch, place)


def _write_weights(folder: Path, todo: Plan, task: Task, model: Any, options: Hyperparameters) -> None:
    task.save(model, folder)
    spec = todo.spec
    base = spec.base.model_copy(update={"path": str(todo.base.resolve())})
    language = spec.language or todo.data.report.language
    model_folder.write(folder, ModelFolder(spec.task, base, options, task.state, language))


def _write_gguf(folder: Path, todo: Plan, model: Any) -> None:
    """For the embedded engine, where it knows the base: the whole model, or the adapter beside the base."""
    spec = todo.spec
    models_file = Path(spec.models_file) if spec.models_file else None
    template = bases.gguf(spec.base, data_dir=Path(spec.data_dir), models_file=models_file)
    if template is None:
        return
    if (folder / ADAPTER).exists():
        config = model.backbone.config
        tuned_gguf.write_adapter(
            folder,
            folder / ADAPTER_GGUF,
            heads=config.num_attention_heads,
            kv_heads=config.num_key_value_heads,
            architecture=Layout.of(opened(template)).architecture,
        )
    else:
        tuned_gguf.write_merged(template, folder, folder / GGUF)


def _begun(place: Path) -> Path:
    scratch = place.with_name(f"{place.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return scratch


def _put(scratch: Path, place: Path) -> None:
    """By renaming, which happens or does not."""
    shutil.rmtree(place, ignore_errors=True)
    scratch.rename(place)
