"""Wishes that the base, the task or the machine can't fulfil: refused with what would be right, or brought down and told.

Everything here is known before the first step, so that nothing of it ends a training in its middle.
"""

from collections.abc import Collection

from zhuli import registry
from zhuli.learning.training.failures import TuningFailed
from zhuli.models.bases import BaseFacts
from zhuli.types.learning.hyperparameters import Hyperparameters

_READ_WORD_BY_WORD = ("token_classification", "question_answering")
"""Tasks whose heads read every word, where learning which texts are alike teaches nothing."""

_SHOWN = 20


def check_base(task: str, base: BaseFacts) -> None:
    """TuningFailed if a base of this kind can't learn the task."""
    generates = registry.find("tasks", task).generates
    if base.kind == "encoder" and generates:
        raise _other_base(task, "an encoder writes no texts. Tune a language model, like smollm2")
    if base.kind == "seq2seq" and not generates:
        raise _other_base(
            task, "a sequence-to-sequence model gives no labels. Tune an encoder, like minilm or e5-small"
        )
    if base.kind == "seq2seq" and task == "preference":
        raise _other_base(task, "a sequence-to-sequence model does not chat. Tune a language model, like smollm2")


def check(given: Hyperparameters, *, task: str, labels: Collection[str]) -> None:
    """TuningFailed for what does not go with the task or its labels."""
    generates = registry.find("tasks", task).generates
    if given.trainable == "few_shot" and (generates or task in _READ_WORD_BY_WORD):
        raise _wrong("trainable", f"few_shot is for texts with a label each, not for {task}. Choose auto or all")
    if not labels and given.class_weights not in ("auto", "none"):
        raise _wrong("class_weights", f"{task} has no classes that could be weighted. Leave it out")
    if isinstance(given.class_weights, dict) and (unknown := sorted(set(given.class_weights) - set(labels))):
        known = ", ".join(sorted(labels)[:_SHOWN])
        raise _wrong("class_weights", f"there is no label '{unknown[0]}' in the training data. Labels: {known}")


def within(given: Hyperparameters, base: BaseFacts) -> Hyperparameters:
    """No more tokens at once than the base reads."""
    if given.max_length == "auto" or given.max_length <= base.max_length:
        return given
    return given.model_copy(update={"max_length": base.max_length})


def told(asked: Hyperparameters, options: Hyperparameters) -> list[str]:
    """What was brought down, in words."""
    said = []
    if asked.precision not in ("auto", options.precision):
        said.append(f"This machine has no {asked.precision}: it trains in {options.precision}.")
    if asked.max_length not in ("auto", options.max_length):
        said.append(
            f"The base reads {options.max_length} tokens at once, not {asked.max_length}: max_length is that now."
        )
    return said


def _other_base(task: str, why: str) -> TuningFailed:
    return TuningFailed("base_unusable", f"This base can't learn the task '{task}': {why}.", param="model")


def _wrong(name: str, why: str) -> TuningFailed:
    return TuningFailed("invalid_hyperparameters", f"'{name}': {why}.", param=f"hyperparameters.{name}")
