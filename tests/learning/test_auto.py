"""The rules behind "auto": what is chosen for which data and which base."""

from typing import Any

import pytest

from tests.harness.later import later
from zhuli.learning.training.batching.batches import batches, by_length, parts, steps
from zhuli.models.bases import BaseFacts
from zhuli.types.learning.example import Example
from zhuli.types.learning.hyperparameters import EarlyStopping, Hyperparameters

with later:
    from zhuli.learning.training.fitting.auto import resolved
    from zhuli.learning.training.fitting.optimizers import rate_factor

pytestmark = pytest.mark.usefixtures("precision")

ENCODER = BaseFacts("encoder", 22_700_000, 6, 512)
CHAT = BaseFacts("language_model", 135_000_000, 30, 8192)


def chosen(
    *, number: int, labels: int, base: BaseFacts = ENCODER, task: str = "text_classification", **given: Any
) -> Hyperparameters:
    examples = [Example(f"text {at}", f"class {at % labels}") for at in range(number)]
    counts = {f"class {label}": number // labels for label in range(labels)}
    return resolved(Hyperparameters.model_validate(given), task=task, base=base, examples=examples, labels=counts)


@pytest.mark.parametrize(
    ("number", "labels", "trainable"),
    [(100, 10, "few_shot"), (500, 10, "few_shot"), (510, 10, "all"), (3000, 100, "all")],
)
def test_few_examples_a_class_are_learned_by_comparing_them(number: int, labels: int, trainable: str) -> None:
    assert chosen(number=number, labels=labels).trainable == trainable


def test_only_single_labels_are_learned_by_comparing() -> None:
    assert chosen(number=100, labels=10, task="token_classification").trainable == "all"
    examples = [Example("text", ["a", "b"])] * 20
    found = resolved(
        Hyperparameters(), task="text_classification", base=ENCODER, examples=examples, labels={"a": 20, "b": 20}
    )
    assert (found.trainable, found.multi_label) == ("all", True)


def test_models_that_generate_get_adapters_small_batches_and_no_dropout() -> None:
    found = chosen(number=1000, labels=1, base=CHAT, task="dialogue")
    assert (found.trainable, found.batch_size, found.dropout, found.n_epochs) == ("lora", 8, 0.0, 3)
    assert found.freeze_embeddings is False
    assert found.max_length == 1024


def test_what_is_given_stays() -> None:
    found = chosen(number=5000, labels=10, trainable="head", learning_rate=0.3, n_epochs=2, early_stopping="none")
    assert (found.trainable, found.learning_rate, found.n_epochs) == ("head", 0.3, 2)
    assert found.early_stopping == "none"


def test_a_multiplier_is_of_the_rate_that_would_have_been_chosen() -> None:
    usual, twice = chosen(number=5000, labels=10), chosen(number=5000, labels=10, learning_rate_multiplier=2)
    assert twice.learning_rate == 2 * float(usual.learning_rate)


def test_more_data_is_read_fewer_times() -> None:
    assert [chosen(number=number, labels=2).n_epochs for number in (2000, 9000, 100_000)] == [10, 5, 3]


@pytest.mark.parametrize("trainable", ["head", "top", "all", "lora", "few_shot"])
@pytest.mark.parametrize("base", [ENCODER, CHAT])
def test_nothing_is_left_open_but_what_validation_data_decides(base: BaseFacts, trainable: str) -> None:
    found = chosen(number=300, labels=3, base=base, trainable=trainable)
    left = [name for name in Hyperparameters.model_fields if getattr(found, name) == "auto"]
    assert left == ["threshold"]
    assert isinstance(found.early_stopping, EarlyStopping)


def test_every_row_is_in_one_batch_of_an_epoch_and_epochs_differ() -> None:
    lengths = [at % 37 for at in range(1000)]
    for bucketing in (True, False):
        first, second = (batches(lengths, 16, bucketing=bucketing, seed=1, epoch=epoch) for epoch in (0, 1))
        assert sorted(row for batch in first for row in batch) == list(range(1000))
        assert len(first) == 63
        assert first != second
        assert first == batches(lengths, 16, bucketing=bucketing, seed=1, epoch=0)


def test_buckets_hold_rows_of_like_length() -> None:
    lengths = [(at * 7919) % 100 + 1 for at in range(2000)]

    def padding(bucketing: bool) -> float:
        made = batches(lengths, 16, bucketing=bucketing, seed=0, epoch=0)
        read = sum(len(batch) * max(lengths[row] for row in batch) for batch in made)
        return read / sum(lengths) - 1

    assert padding(True) < 0.1 < 0.5 < padding(False)
    assert lengths[by_length(lengths, 8)[0][0]] == 100


def test_a_batch_is_read_in_parts_that_fit_into_memory() -> None:
    lengths = [600, 500, 100, 90, 80, 2000]
    assert parts([0, 1, 2, 3, 4], lengths, most=1200) == [[0, 1], [2, 3, 4]]
    assert parts([5, 0], lengths, most=1200) == [[5], [0]]
    assert parts([5, 0, 1], lengths, most=None) == [[5, 0, 1]]
    assert parts([], lengths, most=1200) == []


def test_the_batches_of_a_step_are_cut_from_the_epoch() -> None:
    assert steps([[1], [2], [3]], 2) == [[[1], [2]], [[3]]]


def test_the_rate_rises_and_then_falls() -> None:
    options = Hyperparameters(warmup_ratio=0.1, schedule="linear")
    factors = [rate_factor(step, total=100, options=options) for step in range(1, 101)]
    assert factors[0] == 0.1
    assert max(factors) == factors[9] == factors[10] == 1.0
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert 0 < factors[-1] < 0.02
    constant = options.model_copy(update={"schedule": "constant"})
    assert rate_factor(100, total=100, options=constant) == 1.0
    cosine = options.model_copy(update={"schedule": "cosine", "warmup_ratio": 0.0})
    assert rate_factor(51, total=100, options=cosine) == pytest.approx(0.5)
