"""A tuned encoder's backbone as ONNX, kept where it gives the same answers as torch, sooner.

PyTorch's own exporter does the work (torch.onnx, through torch.export). What is exported is the backbone; how it is put
back into a module says neural.onnx_backbone. Language models are not exported: the embedded engine runs them. A `task` is
a ports.Task here.
"""

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.export import Dim

from zhuli.learning.neural.onnx.onnx_backbone import FILE, OnnxBackbone
from zhuli.types.learning.example import Example, Prediction

LEAST_PARAMETERS = 1_000_000
"""With fewer, there is nothing to win: most of an answer is spent outside the backbone, and exporting takes seconds."""
MOST_PARAMETERS = 400_000_000
"""A file of protocol buffers ends at 2 GB."""
MOST_EXAMPLES = 50
TOLERANCE = 1e-3
"""How far a probability may be from torch's."""


@dataclass(frozen=True, slots=True)
class OnnxOutcome:
    """What came of it. difference: the largest of all scores; the times are of one example alone, in milliseconds."""

    kept: bool
    why: str
    difference: float | None = None
    milliseconds: float | None = None
    torch_milliseconds: float | None = None


def export(task: Any, model: Any, folder: Path, examples: Sequence[Example]) -> OnnxOutcome:
    """Write model.onnx into the model's folder, or say why not. `examples`: held out ones, to compare on."""
    number = sum(weights.numel() for weights in model.backbone.parameters())
    if task.generates or not LEAST_PARAMETERS <= number <= MOST_PARAMETERS or not examples:
        return OnnxOutcome(
            False, "It is not tried: the model writes texts, is very small or large, or has no examples."
        )
    model.eval()
    draft = folder / f"{FILE}.draft"
    backbone = model.backbone
    try:
        write(task, model, examples[0], draft)
        outcome = _compared(task, model, draft, examples[:MOST_EXAMPLES])
        if outcome.kept:
            draft.replace(folder / FILE)
    except (ImportError, torch.onnx.errors.OnnxExporterError) as error:
        reason = error.__cause__ or error
        return OnnxOutcome(False, f"torch.onnx can't export it: {type(reason).__name__}: {reason}")
    finally:
        model.backbone = backbone
        draft.unlink(missing_ok=True)
    return outcome


def verdict(difference: float, *, milliseconds: float, torch_milliseconds: float) -> OnnxOutcome:
    """Whether ONNX is kept."""
    if difference > TOLERANCE:
        why = "Its answers are not torch's."
    elif milliseconds >= torch_milliseconds:
        why = "It is not faster than torch here."
    else:
        why = "It gives torch's answers, sooner."
    kept = difference <= TOLERANCE and milliseconds < torch_milliseconds
    return OnnxOutcome(kept, why, difference, milliseconds, torch_milliseconds)


def write(task: Any, model: Any, example: Example, path: Path) -> None:
    """The backbone as it is called for this example, for any number of rows and tokens."""
    given = _given(task, model, example)
    names = sorted(given)  # whatever order a dictionary is taken apart in
    any_size = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            _LastHidden(model.backbone).eval(),
            (),
            path,
            kwargs={"given": {name: given[name] for name in names}},
            input_names=names,
            output_names=["hidden"],
            dynamic_shapes={"given": dict.fromkeys(names, any_size)},
            external_data=False,
            verbose=False,
        )


def _given(task: Any, model: Any, example: Example) -> dict[str, torch.Tensor]:
    """What the task calls the backbone with: two rows, for a single one would count as a constant."""
    calls: list[dict[str, torch.Tensor]] = []

    def note(_: Any, __: Any, given: dict[str, Any]) -> None:
        calls.append({name: value for name, value in given.items() if isinstance(value, torch.Tensor)})

    hook = model.backbone.register_forward_pre_hook(note, with_kwargs=True)
    try:
        task.outputs(model, task.collate(task.features(example, learn=False)[:1] * 2))
    finally:
        hook.remove()
    given = calls[0]
    if getattr(model.backbone.config, "type_vocab_size", 0) > 1:
        given.setdefault("token_type_ids", torch.zeros_like(given["input_ids"]))
    return given


class _LastHidden(torch.nn.Module):
    def __init__(self, backbone: Any) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, given: dict[str, torch.Tensor]) -> torch.Tensor:
        hidden: torch.Tensor = self.backbone(**given).last_hidden_state
        return hidden


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of its own deprecations and of packages that it could support."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _compared(task: Any, model: Any, path: Path, examples: Sequence[Example]) -> OnnxOutcome:
    theirs, torch_ms = _answers(task, model, examples)
    model.backbone = OnnxBackbone(path, model.backbone.config)
    ours, ms = _answers(task, model, examples)
    difference = max(map(difference_of, theirs, ours))
    return verdict(difference, milliseconds=ms, torch_milliseconds=torch_ms)


def _answers(task: Any, model: Any, examples: Sequence[Example]) -> tuple[list[Prediction], float]:
    """Each alone, as they mostly come, and the median of the times it took."""
    found, times = [], []
    for example in [examples[0], *examples]:  # the first one warms up
        start = time.perf_counter()
        features = task.features(example, learn=False)
        outputs = task.outputs(model, task.collate(features))
        found += task.predict([example], [features], [outputs])
        times.append(1000 * (time.perf_counter() - start))
    return found[1:], sorted(times[1:])[len(examples) // 2]


def difference_of(one: Prediction, other: Prediction) -> float:
    """The largest difference of two predictions' numbers; infinite where anything else differs.

    Labels in order of their scores are compared label by label: two that are almost equal may change places.
    """
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = zip(_by_label(one), _by_label(other), strict=True)
        return max((difference_of(*pair) for pair in pairs), default=0.0)
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return max((difference_of(one[name], other[name]) for name in one), default=0.0)
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other)
    return 0.0 if one == other else float("inf")


def _by_label(items: list[Any]) -> list[Any]:
    if all(isinstance(item, dict) and item.keys() == {"label", "score"} for item in items):
        return sorted(items, key=lambda item: str(item["label"]))
    return items
