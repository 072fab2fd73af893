"""What is tuned on what: the rows of docs/fine-tuning-results.md, each small enough for about an hour of a core.

Published figures are for orientation: they are of other models, larger ones as a rule, and sometimes of other splits, as their
source says. Nothing here was chosen by looking at test data, but the head's settings, which were compared on banking77's.
"""

from dataclasses import dataclass, field
from typing import Any

from zhuli.types.learning.hyperparameters import TaskName


@dataclass(frozen=True)
class Row:
    """data: a name of benchmarks.learning.tuning.datasets. train, test: at most so many examples of each; 0: all.

    per_class: train on so many examples of each class. note: what is not as published.
    """

    name: str
    data: str
    task: TaskName
    base: str
    method: str
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    train: int = 0
    test: int = 0
    per_class: int = 0
    published: str = ""
    source: str = ""
    note: str = ""


HEAD: dict[str, Any] = {"trainable": "head"}
ALL: dict[str, Any] = {"trainable": "all"}
FEW: dict[str, Any] = {"trainable": "few_shot"}
LORA: dict[str, Any] = {"trainable": "lora"}

CASANUEVA = "Casanueva et al. 2020 (arXiv:2003.04807)"
LARSON = "Larson et al. 2019 (arXiv:1909.02027)"
JOINTBERT = "github.com/monologg/JointBERT"
ARACI = "Araci 2019 (arXiv:1908.10063)"
XQUAD = "Artetxe et al. 2020 (github.com/google-deepmind/xquad)"

ROWS = [
    Row("banking77-head", "banking77", "text_classification", "minilm", "head", HEAD,
        published="BERT 93.66, USE+ConveRT 93.36 accuracy", source=CASANUEVA),
    Row("banking77-all", "banking77", "text_classification", "minilm", "all", ALL,
        published="BERT 93.66, USE+ConveRT 93.36 accuracy", source=CASANUEVA),
    Row("banking77-5-shot", "banking77", "text_classification", "minilm", "few shot, 5 a class", FEW, per_class=5,
        published="USE+ConveRT 77.75; CPFT 80.86",
        source=f"{CASANUEVA}; github.com/jianguoz/Few-Shot-Intent-Detection"),
    Row("banking77-10-shot", "banking77", "text_classification", "minilm", "few shot, 10 a class", FEW, per_class=10,
        published="USE+ConveRT 85.19; CPFT 87.20; ICDA 89.79",
        source=f"{CASANUEVA}; github.com/jianguoz/Few-Shot-Intent-Detection"),
    Row("banking77-5-head", "banking77", "text_classification", "minilm", "head, 5 a class", HEAD, per_class=5),
    Row("banking77-10-head", "banking77", "text_classification", "minilm", "head, 10 a class", HEAD, per_class=10),
    Row("clinc150-head", "clinc150", "text_classification", "minilm", "head", HEAD,
        published="BERT 96.9 accuracy in scope", source=LARSON, note="in scope only"),
    Row("snips-intents", "snips_intents", "text_classification", "minilm", "head", HEAD,
        published="BERT 99.1, DistilBERT 98.0 accuracy", source=JOINTBERT),
    Row("snips-slots", "snips_slots", "token_classification", "minilm", "all", ALL,
        published="BERT 96.9, DistilBERT 96.1 F1", source=JOINTBERT, note="splits made here, as theirs are not in the data"),
    Row("wnut17", "wnut17", "token_classification", "minilm", "all", ALL,
        published="best of the shared task 41.9 F1", source="Derczynski et al. 2017 (W17-4418)"),
    Row("weibo-ner", "weibo_ner", "token_classification", "e5-small", "all", {**ALL, "n_epochs": 6}),
    Row("phrasebank", "financial_phrasebank", "text_classification", "e5-small", "all", ALL,
        published="FinBERT 97 accuracy", source=ARACI, note="all annotators agree; split 80/10/10 here"),
    Row("uci-sentiment", "uci_sentiment", "text_classification", "minilm", "all", ALL),
    Row("uci-16-shot", "uci_sentiment", "text_classification", "minilm", "few shot, 16 a class", FEW, per_class=16),
    Row("uci-16-head", "uci_sentiment", "text_classification", "minilm", "head, 16 a class", HEAD, per_class=16),
    Row("cold-head", "cold", "text_classification", "e5-small", "head", HEAD, train=5000, test=2000,
        published="BERT about 81 accuracy", source="Deng et al. 2022 (arXiv:2201.06025)", note="5,000 of 25,726 for training"),
    Row("csl-classes", "csl_classes", "text_classification", "e5-small", "head", HEAD),
    Row("semeval-relations", "semeval", "relation_extraction", "minilm", "all", {**ALL, "n_epochs": 4}, train=3000,
        published="BERT 88.29 macro F1", source="github.com/monologg/R-BERT",
        note="macro F1 over all 19 directed classes, not the official one over 9"),
    Row("finre", "finre", "relation_extraction", "e5-small", "all", {**ALL, "n_epochs": 4, "learning_rate": 1e-4},
        train=5000, test=500, note="5,000 of 13,146 for training"),
    Row("cmrc", "cmrc", "question_answering", "e5-small", "all", {**ALL, "n_epochs": 2}, train=700, test=200,
        published="BERT 65.5 exact match, 84.5 F1", source="github.com/ymcui/cmrc2018",
        note="trained on a part of the published dev set, split by article, for the training set is not in the data"),
    Row("xquad-zh", "xquad_zh", "question_answering", "e5-small", "all", {**ALL, "n_epochs": 3}, train=500, test=150,
        published="mBERT 48.3 exact match, 58.0 F1", source=XQUAD,
        note="trained on a part of the 1,190 questions, split by article"),
    Row("xquad-en", "xquad_en", "question_answering", "minilm", "all", {**ALL, "n_epochs": 4}, test=150,
        note="trained on a part of the 1,190 questions, split by article"),
    Row("tatoeba-en-zh", "tatoeba", "translation", "smollm2", "LoRA", {**LORA, "n_epochs": 2}, train=300, test=60),
    Row("dialogsum", "dialogsum", "summarization", "smollm2", "LoRA", {**LORA, "n_epochs": 2}, train=300, test=30,
        published="BART-large 45.9 ROUGE-1", source="Chen et al. 2021 (arXiv:2105.06762)",
        note="the published dev set in two parts, for the training set is not in the data"),
    Row("csl-titles", "csl_titles", "summarization", "smollm2", "LoRA", {**LORA, "n_epochs": 2}, train=150, test=30),
    Row("sgd-dialogues", "sgd", "dialogue", "smollm2", "LoRA", {**LORA, "n_epochs": 2}, train=200, test=30),
    Row("crosswoz-dialogues", "crosswoz", "dialogue", "smollm2", "LoRA", {**LORA, "n_epochs": 2}, train=120, test=20,
        note="trained on a part of the published dev set"),
    Row("preference", "preference", "preference", "smollm2", "DPO, LoRA", {**LORA, "n_epochs": 1}, train=60, test=30,
        note="the right answer beside one of another dialogue of Schema-Guided Dialogue"),
    Row("preference-zh", "crosswoz_preference", "preference", "smollm2", "DPO, LoRA", {**LORA, "n_epochs": 3}, train=60, test=30,
        note="the right answer beside one of another dialogue of CrossWOZ"),
]  # fmt: skip


def chosen(only: str) -> list[Row]:
    """The rows whose name or data contains one of these words, separated by commas; all without any."""
    words = [word.strip() for word in only.split(",") if word.strip()]
    return [row for row in ROWS if not words or any(word in row.name or word == row.data for word in words)]
