"""Relation extraction with tiny encoders: marked entities, all pairs of a text, long texts, Chinese."""

from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from zhuli import registry
from zhuli.learning.neural.encoders.windows import around
from zhuli.types.learning.example import BadExample, Example, Record
from zhuli.types.learning.hyperparameters import Hyperparameters

with later:
    import torch

    from tests.learning.encoder_training import Trained, as_examples, encoder_for, examples_of
    from zhuli.learning.neural.encoders.entity_marks import MARKS
    from zhuli.learning.training.tuned import open_tuned

pytestmark = pytest.mark.usefixtures("precision")

TASK = "relation_extraction"
LIVES = {"text": "Anna lives in Rome", "head": {"start": 0, "end": 4}, "tail": {"start": 14, "end": 18}}


@pytest.fixture(scope="module")
def samples() -> list[Example]:
    return examples_of(TASK, "relation_extraction_en.jsonl")[:48]


@pytest.fixture(scope="module")
def base(samples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [example.input["text"] for example in samples]
    return encoder_for(tmp_path_factory.mktemp("base") / "encoder", texts)


@pytest.fixture(scope="module")
def relations(base: Path, samples: list[Example], precision: str, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(TASK, base, samples, tmp_path_factory.mktemp("relations"), n_epochs=10)


def test_the_loss_falls_and_relations_are_told_apart(relations: Trained) -> None:
    assert relations.losses[-1] < relations.losses[0] / 2
    assert relations.measured()["f1_macro"] > 0.8


def test_a_saved_model_gives_the_same_answers_when_it_is_opened(relations: Trained, tmp_path: Path) -> None:
    opened = open_tuned(relations.saved(tmp_path / "model"))
    assert opened.predict([LIVES]) == relations.tuned().predict([LIVES])


def test_head_and_tail_are_marked_and_told_apart(relations: Trained) -> None:
    task = relations.task
    marks = task.tokenizer.convert_tokens_to_ids([mark for pair in MARKS for mark in pair])
    there, back = ({**LIVES}, {**LIVES, "head": LIVES["tail"], "tail": LIVES["head"]})
    rows = [task.features(task.ask(given), learn=False)[0] for given in (there, back)]
    order = [[marks.index(piece) for piece in row["input_ids"] if piece in marks] for row in rows]
    assert order == [[0, 1, 2, 3], [2, 3, 0, 1]]
    assert [row["input_ids"][row["marks"][0]] for row in rows] == [marks[0]] * 2
    table = relations.model.backbone.get_input_embeddings().weight[marks]
    assert torch.pdist(table).min() > 0


def test_of_entities_every_pair_is_judged_in_both_directions(relations: Trained) -> None:
    entities = [{"start": 0, "end": 4, "entity_group": "PER"}, {"start": 5, "end": 10}, {"start": 14, "end": 18}]
    (said,) = relations.tuned().predict([{"text": LIVES["text"], "entities": entities}])
    assert [(pair["head"]["word"], pair["tail"]["word"]) for pair in said] == [
        ("Anna", "lives"),
        ("Anna", "Rome"),
        ("lives", "Anna"),
        ("lives", "Rome"),
        ("Rome", "Anna"),
        ("Rome", "lives"),
    ]
    assert said[0]["head"]["entity_group"] == "PER"
    (alone,) = relations.tuned().predict([LIVES])
    assert said[1]["label"] == alone[0]["label"]
    assert said[1]["score"] == pytest.approx(alone[0]["score"], abs=1e-5)
    assert relations.tuned().predict([{"text": "nobody", "entities": []}]) == [[]]


def test_entities_far_apart_in_a_long_text_are_both_read(relations: Trained) -> None:
    text = "Anna " + "and so on " * 300 + "Rome"
    given = {"text": text, "head": {"start": 0, "end": 4}, "tail": {"start": len(text) - 4, "end": len(text)}}
    (row,) = relations.task.features(relations.task.ask(given), learn=False)
    assert len(row["input_ids"]) == relations.task.length
    relations.tuned().predict([given])


def test_chinese_relations_are_learned(base: Path, tmp_path: Path) -> None:
    examples = examples_of(TASK, "relation_extraction_zh.tsv")[:32]
    trained = Trained(TASK, base, examples, tmp_path, n_epochs=8)
    assert trained.losses[-1] < trained.losses[0] / 2


def test_labels_can_be_added_and_the_marks_stay(relations: Trained, tmp_path: Path) -> None:
    task = registry.find("tasks", TASK)(Hyperparameters(), {})
    model = task.begin(relations.saved(tmp_path / "model"), as_examples(TASK, {**LIVES, "label": "lives_in"}))
    assert task.labels == [*relations.task.labels, "lives_in"]
    embeddings = [each.backbone.get_input_embeddings().weight for each in (model, relations.model)]
    assert torch.equal(*embeddings)


def test_entities_that_touch_or_overlap_are_marked_at_their_ends(relations: Trained) -> None:
    given = {"text": "欧洲银行", "head": {"start": 0, "end": 2}, "tail": {"start": 2, "end": 4}}
    (row,) = relations.task.features(relations.task.ask(given), learn=False)
    shown = relations.task.tokenizer.convert_ids_to_tokens(row["input_ids"])
    assert shown == ["[CLS]", "[E1]", "欧", "洲", "[/E1]", "[E2]", "银", "行", "[/E2]", "[SEP]"]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({**LIVES}, '"label"'),
        ({**LIVES, "label": "x", "tail": {"start": 14, "end": 99}}, "18 characters"),
        ({**LIVES, "label": "x", "head": None}, '"head"'),
        ({"text": "", "label": "x"}, '"text"'),
    ],
)
def test_what_is_no_example_is_said(fields: dict[str, Any], what: str) -> None:
    with pytest.raises(BadExample, match=what):
        registry.find("tasks", TASK)(Hyperparameters(), {}).read(Record(line=1, fields=fields))


def test_what_is_kept_of_a_long_text_holds_both_stretches() -> None:
    assert around((2, 4), (6, 8), number=20, size=20) == list(range(20))
    near = around((50, 52), (60, 62), number=100, size=20)
    assert near == list(range(46, 66))
    far = around((5, 7), (90, 92), number=100, size=20)
    assert len(far) == 20 and {5, 6, 90, 91} <= set(far)
    uneven = around((5, 7), (80, 95), number=100, size=20)
    assert {5, 6, *range(80, 95)} <= set(uneven)


@pytest.mark.parametrize(("head", "tail"), [((0, 60), (70, 75)), ((3, 5), (20, 90)), ((0, 90), (40, 44))])
def test_entities_longer_than_what_is_read_keep_their_beginnings(head: tuple[int, int], tail: tuple[int, int]) -> None:
    kept = around(head, tail, number=100, size=20)
    assert kept == sorted(set(kept)) and len(kept) == 20
    assert {head[0], tail[0]} <= set(kept)
