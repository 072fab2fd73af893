"""The rule behind each "auto". Pure, but for what the hardware can do.

The numbers are those that transformers' own examples, SetFit (Tunstall et al. 2022), LoRA (Hu et al. 2021) and DPO (Rafailov
et al. 2023) came to, corrected by what was measured here with small models (docs/fine-tuning-results.md).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from zhuli.learning.training.precision import usable
from zhuli.models.bases import BaseFacts
from zhuli.types.learning.example import Example
from zhuli.types.learning.hyperparameters import EarlyStopping, Hyperparameters, Trainable

FEW_PER_CLASS = 50
FEW_IN_ALL = 2000
MANY_CLASSES = 10
MANY_FOR_A_HEAD = 4000
SMALL_ENCODER_LAYERS = 6
LENGTHS = {
    "question_answering": 384,
    "text_classification": 256,
    "token_classification": 256,
    "relation_extraction": 256,
}
LANGUAGE_MODEL_LENGTH = 1024


def resolved(
    options: Hyperparameters, *, task: str, base: BaseFacts, examples: Sequence[Example], labels: Mapping[str, int]
) -> Hyperparameters:
    """The same with no "auto" left but the threshold.

    labels: how often each class occurs in `examples`; {} where there are no classes. The rules:

    trainable: few_shot for single-label text classification on an encoder with at most 50 examples a class and 2,000 in
      all; lora for models that generate; otherwise all.
    multi_label: whether any example has a list of labels. threshold: stays "auto"; training.calibrating finds it.
    learning_rate: see _learning_rate(); times learning_rate_multiplier, which is 1.
    n_epochs: see _epochs(). batch_size: 16; 8 for models that generate. A head on cached features: see for_a_head().
    freeze_embeddings: for encoders with at most 100,000 examples; not for relation extraction, whose markers are new words,
      nor for models that generate, whose output layer they are.
    weight_decay: 0.01, but 0 for a head or adapters. dropout: 0.1 for encoders, 0 for models that generate.
    label_smoothing: 0.1 for text classification with ten classes or more, one each; otherwise 0.
    early_stopping: on the task's metric (loss, where the task generates or only a head learns), patience 3.
    precision: bf16 where the hardware has it, else fp32; also in place of a precision that it does not have.
    max_length: 256 for classification, entities and relations, 384 for windows of question answering, 1,024 for models that
      generate; never more than the base reads.
    The rest: adamw, momentum 0.9, linear schedule with a warmup of 6 %, accumulation 1, top_layers 2,
      class_weights none, max_grad_norm 1, evaluations_per_epoch 1, bucketing on, beta 0.1.
    """
    chosen = _choices(options, task=task, base=base, examples=examples, labels=labels)
    given = {name: value for name in type(options).model_fields if (value := getattr(options, name)) != "auto"}
    return Hyperparameters.model_validate({**chosen, **given, "precision": usable(options)})


def _choices(
    options: Hyperparameters, *, task: str, base: BaseFacts, examples: Sequence[Example], labels: Mapping[str, int]
) -> dict[str, Any]:
    generates = base.kind != "encoder"
    multi_label = task == "text_classification" and any(isinstance(example.target, list) for example in examples)
    if options.multi_label != "auto":
        multi_label = options.multi_label
    few = task == "text_classification" and not multi_label and not generates and _are_few(examples, labels)
    trainable: Trainable = "lora" if generates else "few_shot" if few else "all"
    if options.trainable != "auto":
        trainable = options.trainable
    optimizer = "adamw" if options.optimizer == "auto" else options.optimizer
    multiplier = 1.0 if options.learning_rate_multiplier == "auto" else options.learning_rate_multiplier
    smooth = task == "text_classification" and not multi_label and len(labels) >= MANY_CLASSES
    of_head = for_a_head(len(examples)) if trainable == "head" else {}
    rate = of_head.get("learning_rate") or _learning_rate(trainable, task=task, base=base, variant=options.lora.variant)
    return {
        "trainable": trainable,
        "top_layers": 2,
        "freeze_embeddings": not generates and task != "relation_extraction" and len(examples) <= 100_000,
        "optimizer": optimizer,
        "learning_rate": rate * multiplier * (100.0 if optimizer == "sgd" else 1.0),
        "learning_rate_multiplier": multiplier,
        "momentum": 0.9,
        "schedule": "linear",
        "warmup_ratio": 0.06,
        "batch_size": 8 if generates else 16,
        "accumulation": 1,
        "n_epochs": _epochs(trainable, task=task, examples=len(examples), generates=generates),
        "weight_decay": 0.0 if trainable in ("head", "lora") else 0.01,
        "dropout": 0.0 if generates else 0.1,
        "label_smoothing": 0.1 if smooth else 0.0,
        "class_weights": "none",
        "max_grad_norm": 1.0,
        "early_stopping": EarlyStopping(patience=3),
        "evaluations_per_epoch": 1,
        "max_length": min(base.max_length, LANGUAGE_MODEL_LENGTH if generates else LENGTHS.get(task, 256)),
        "bucketing": True,
        "beta": 0.1,
        "multi_label": multi_label,
        **{name: value for name, value in of_head.items() if name != "learning_rate"},
    }


def for_a_head(examples: int) -> dict[str, Any]:
    """What suits a linear layer on features of deviation 1: found on banking77 (10,003 examples, 93.1 % in 20 epochs).

    Fewer examples are read in smaller batches and more often, so that there are enough steps.
    """
    many = examples >= MANY_FOR_A_HEAD
    return {"learning_rate": 2e-3, "batch_size": 128 if many else 32, "n_epochs": 20 if many else 50, "dropout": 0.3}


def _are_few(examples: Sequence[Example], labels: Mapping[str, int]) -> bool:
    return len(labels) > 1 and len(examples) <= min(FEW_IN_ALL, FEW_PER_CLASS * len(labels))


def _learning_rate(trainable: Trainable, *, task: str, base: BaseFacts, variant: str) -> float:
    """Of AdamW; SGD takes a hundred times as much.

    Encoders: 1e-4 with at most 6 layers, else 5e-5; few_shot half of that, near SetFit's 2e-5; adapters ten times the rate
    of their base (IA3, which has few weights, a hundred times). Models that generate: 5e-5, preferences a tenth of it.
    """
    rate = 1e-4 if base.kind == "encoder" and base.layers <= SMALL_ENCODER_LAYERS else 5e-5
    if task == "preference":
        rate /= 10
    if trainable == "few_shot":
        rate /= 2
    if trainable == "lora":
        rate *= 100 if variant == "ia3" else 10
    return rate


def _epochs(trainable: Trainable, *, task: str, examples: int, generates: bool) -> int:
    """few_shot: 1, over its pairs. Models that generate: 5, with 500 examples or more 3.

    Encoders: as many as make about 45,000 readings, from 3 to 10; 80,000 where every word is labelled.
    """
    if trainable == "few_shot":
        return 1
    if generates:
        return 3 if examples >= 500 else 5
    readings = 80_000 if task == "token_classification" else 45_000
    return max(3, min(10, round(readings / max(examples, 1))))
