"""What a decision keeps of messages loses an end user's words, and nothing else."""

from zhuli.learning.retuning.forgetting import Redaction
from zhuli.types.learning.comparison import Said
from zhuli.types.learning.retuning import Decision, Kind


def decision(kind: Kind, numbers: dict[str, object], en: str = "It is so.") -> Decision:
    said = Said(en=en, zh=en)
    return Decision(
        id="dec_1", alias="a", candidate=None, kind=kind, by="policy", created_at=1, sentence=said, numbers=numbers
    )


def test_a_drift_loses_texts_examples_and_the_words_that_only_they_said() -> None:
    group = {
        "name": "zanzibar card",
        "words": ["zanzibar", "card"],
        "examples": ["My card in Zanzibar", "A card, please"],
    }
    messages = [{"id": "pred_1", "text": "My card in Zanzibar"}, {"id": "pred_2", "text": "A card, please"}]
    drifted = decision("drifted", {"groups": [group], "messages": messages}, "New: zanzibar card.")
    left = Redaction(["My card in Zanzibar"])(drifted)
    assert left.numbers["groups"] == [{"name": "card", "words": ["card"], "examples": ["A card, please"]}]
    assert [each["text"] for each in left.numbers["messages"]] == [None, "A card, please"]
    assert left.sentence.en == "New: card."
    assert "zanzibar" in drifted.model_dump_json(), "the one that was given is not changed"


def test_a_gate_loses_records_and_training_examples_and_keeps_its_numbers() -> None:
    near = [
        {"text": "Lost it", "label": "lost", "similarity": 0.9},
        {"text": "Mine is lost", "label": "lost", "similarity": 0.8},
    ]
    changed = [{"text": "x" * 1_000, "labels": ["lost"], "nearest_examples": near}]
    refused = decision("refused", {"p": 0.2, "changed": changed})
    left = Redaction(["x" * 1_200, "Lost it", "lost"])(refused)
    (record,) = left.numbers["changed"]
    assert record["text"] is None and record["labels"] == ["lost"] and left.numbers["p"] == 0.2
    assert [each["text"] for each in record["nearest_examples"]] == [None, "Mine is lost"]


def test_a_decision_without_their_words_is_the_same() -> None:
    passed = decision("passed", {"changed": [{"text": "Another's", "labels": ["a"]}], "share": 0.3})
    assert Redaction(["Mine"])(passed) is passed
