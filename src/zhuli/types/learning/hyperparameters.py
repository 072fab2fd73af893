"""How a model is tuned: every knob, each "auto" unless given. training.auto has the rule behind each "auto"."""

from typing import Annotated, Any, Literal

from pydantic import Field

from zhuli.types.wire import Integer, Request

Auto = Literal["auto"]

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]

Trainable = Literal["head", "top", "all", "lora", "few_shot"]
"""What learns: the head on cached features, the top layers, everything, adapters, or encoder and head from few examples."""

TaskName = str
"""A plugin of the kind "tasks": a file under plugins/tasks, or another that the registry finds."""


class Lora(Request):
    """Adapters of peft. variant: its names. target_modules: "auto", "all-linear", or names of layers."""

    variant: Literal["lora", "rslora", "dora", "pissa", "ia3"] = "lora"
    rank: Integer = Field(8, ge=1, le=256)
    alpha: Integer = Field(16, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    target_modules: Literal["auto", "all-linear"] | list[str] = "auto"
    merge: bool = Field(True, description="Whether the tuned model has them merged; otherwise they stay an adapter.")


class EarlyStopping(Request):
    """Stop when `metric` (of the task's, or "loss") has not risen for `patience` evaluations; the best weights are kept."""

    metric: Literal["auto"] | str = "auto"
    patience: Integer = Field(2, ge=1)


class Hyperparameters(Request):
    """Everything of a tuning that is not data or model."""

    trainable: Trainable | Auto = "auto"
    top_layers: Integer | Auto = Field("auto", description="With trainable = top: how many.")
    freeze_embeddings: bool | Auto = "auto"
    optimizer: Literal["adamw", "sgd"] | Auto = "auto"
    learning_rate: Positive | Auto = "auto"
    learning_rate_multiplier: Positive | Auto = Field("auto", description="Times the learning rate that auto chooses.")
    momentum: Share | Auto = Field("auto", description="Of SGD.")
    schedule: Literal["constant", "linear", "cosine"] | Auto = "auto"
    warmup_ratio: Share | Auto = Field("auto", description="Share of all steps in which the rate rises.")
    batch_size: Annotated[Integer, Field(ge=1, le=256)] | Auto = "auto"
    accumulation: Annotated[Integer, Field(ge=1)] | Auto = Field("auto", description="Batches a step.")
    n_epochs: Annotated[Integer, Field(ge=1, le=50)] | Auto = "auto"
    max_steps: Annotated[Integer, Field(ge=1)] | None = Field(None, description="Ends sooner than n_epochs would.")
    weight_decay: Annotated[float, Field(ge=0)] | Auto = "auto"
    dropout: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] | Auto = "auto"
    class_weights: Literal["none", "balanced"] | dict[str, Positive] | Auto = "auto"
    max_grad_norm: Positive | Auto = "auto"
    early_stopping: EarlyStopping | Literal["none"] | Auto = "auto"
    evaluations_per_epoch: Annotated[Integer, Field(ge=1)] | Auto = "auto"
    max_length: Annotated[Integer, Field(ge=8)] | Auto = Field(
        "auto", description="Tokens that the model reads at once."
    )
    precision: Literal["fp32", "bf16", "fp16"] | Auto = "auto"
    bucketing: bool | Auto = Field("auto", description="Whether a batch's examples are of like length.")
    beta: Annotated[float, Field(gt=0, le=2)] | Auto = Field("auto", description="Of DPO.")
    threshold: Share | Auto = Field("auto", description="Of multi-label classification, and of having an answer.")
    multi_label: bool | Auto = "auto"
    lora: Lora = Field(default_factory=Lora)


class Search(Request):
    """A search for hyperparameters: `space` gives for each searched one its choices [a, b, …] or its range.

    A range is {"low": 1e-5, "high": 1e-3, "log": true}. Ends after `trials` or `minutes`, whichever comes first.
    """

    trials: Integer = Field(10, ge=1, le=1000)
    minutes: Positive = 60.0
    space: dict[str, Any] = Field(default_factory=dict, description="Empty: learning rate, batch size and epochs.")
    metric: Literal["auto"] | str = "auto"
    pruning: bool = True
    parallel: Integer = Field(1, ge=1, le=64, description="Trials at once; above 1 needs Ray.")


LOCAL_CLUSTER = "local"
"""The Ray cluster that RAY_ADDRESS names, or without that variable one that is started on this machine."""


class Workers(Request):
    """Train on several Ray workers. address: of a Ray cluster."""

    number: Integer = Field(2, ge=1, le=64)
    address: str = LOCAL_CLUSTER
