"""What is measured: the rows of docs/understanding-results.md.

Published figures are for orientation: they are of other and mostly larger models.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

CASANUEVA = "Casanueva et al. 2020, arXiv:2003.04807"
LARSON = "Larson et al. 2019, arXiv:1909.02027"
FEW = "github.com/jianguoz/Few-Shot-Intent-Detection"
JOINTBERT = "github.com/monologg/JointBERT"
SGD = "Rastogi et al. 2020, arXiv:1909.05855"
CROSSWOZ = "Zhu et al. 2020, arXiv:2002.11893"

SEEDS = (0, 1, 2)
"""Of rows that draw their examples; rows on all examples have the first only."""


@dataclass(frozen=True)
class Row:
    """each: examples of an intent that are learned from; 0: all; of labels the folds, of asked one in so many.
    test: at most so many messages, drawn with seed 0, or the first so many dialogues; 0: all.

    understander: a plugin, with its settings, or bm25.
    """

    name: str
    kind: Literal["messages", "outside", "noise", "dialogues", "speed", "labels", "asked"]
    data: str
    understander: str
    each: int = 0
    test: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    published: str = ""
    note: str = ""


def _few(
    name: str, kind: Any, data: str, understander: str, *, sizes: Sequence[int] = (5, 10, 0), **more: Any
) -> list[Row]:
    """At 5 and 10 examples, and on all; published: by number of examples. Models are tuned on one draw only."""
    published = more.pop("published", {})
    many = understander != "tuned"
    return [
        Row(
            f"{name}-{each or 'all'}",
            kind,
            data,
            understander,
            each,
            seeds=SEEDS if each and many else SEEDS[:1],
            published=published.get(each, ""),
            **more,
        )
        for each in sizes
    ]


BANKING = {
    5: f"USE+ConveRT 77.75 [{CASANUEVA}]; CPFT 80.86 [{FEW}]",
    10: f"USE+ConveRT 85.19 [{CASANUEVA}]; CPFT 87.20, ICDA 89.79 [{FEW}]",
    0: f"BERT 93.66, USE+ConveRT 93.36 [{CASANUEVA}]",
}
CLINC = {0: f"BERT 96.9 without threshold; with it 96.2, out of scope 52.3 [{LARSON}]"}
SNIPS = {0: f"intent · slots · frame: BERT 99.1 · 96.9 · 93.0, DistilBERT 98.0 · 96.1 · 91.0 [{JOINTBERT}]"}
COOPE = "Coope et al. 2020, arXiv:2005.08866"
CONVEX = "Henderson and Vulić 2021, arXiv:2010.11791"
RESTAURANT = {
    share: f"Span-ConveRT {ours} [{COOPE}]; ConVEx {theirs} [{CONVEX}]"
    for share, ours, theirs in ((1, 95.8, 96.0), (8, 88.5, 90.6), (32, 63.8, 81.8), (128, 40.5, 71.7))
}
GOALS = {
    "sgd": {0: f"joint goal 25.4 with all services and unseen ones [{SGD}]"},
    "crosswoz": {0: f"joint goal 36.08 (TRADE, ten times the training dialogues) [{CROSSWOZ}]"},
}

HEAD = "a head for intents, everything for entities"

MODELS = {
    "banking77-all": {"model": "banking77-all"},
    "banking77-head": {"model": "banking77-head"},
    "snips": {"model": "snips-intents", "entity_model": "snips-slots"},
    "clinc150": {"model": "clinc150-head"},
}
"""Rows of benchmarks.learning.tuning whose models rows of tuned need."""

ROWS = [
    *_few("banking77-few_shot", "messages", "banking77", "few_shot", published=BANKING),
    *_few("banking77-bm25", "messages", "banking77", "bm25"),
    *_few("banking77-tuned", "messages", "banking77", "tuned", sizes=(5, 10), note=HEAD),
    Row(
        "banking77-tuned-head",
        "messages",
        "banking77",
        "tuned",
        settings=MODELS["banking77-head"],
        published=BANKING[0],
    ),
    Row(
        "banking77-tuned-all", "messages", "banking77", "tuned", settings=MODELS["banking77-all"], published=BANKING[0]
    ),
    Row("banking77-part-few_shot", "messages", "banking77_part", "few_shot", 5, test=60, note="10 of the intents"),
    Row("banking77-part-bm25", "messages", "banking77_part", "bm25", 5, test=60, note="10 of the intents"),
    Row("banking77-part-llm", "messages", "banking77_part", "llm", 5, test=60, note="10 of the intents; SmolLM2 135M"),
    *_few("clinc150-few_shot", "outside", "clinc150", "few_shot", published=CLINC),
    *_few("clinc150-bm25", "outside", "clinc150", "bm25"),
    *_few("clinc150-tuned", "outside", "clinc150", "tuned", sizes=(5, 10), note=HEAD),
    Row("clinc150-tuned-head", "outside", "clinc150", "tuned", settings=MODELS["clinc150"], published=CLINC[0]),
    *_few("snips-few_shot", "messages", "snips", "few_shot", published=SNIPS),
    *_few("snips-bm25", "messages", "snips", "bm25", note="intents only"),
    *_few("snips-tuned", "messages", "snips", "tuned", sizes=(5, 10), note=HEAD),
    Row("snips-llm", "messages", "snips", "llm", 5, test=40, note="SmolLM2 135M"),
    Row("snips-tuned", "messages", "snips", "tuned", settings=MODELS["snips"], published=SNIPS[0]),
    *_few("sgd-few_shot", "dialogues", "sgd", "few_shot", published=GOALS["sgd"]),
    *_few("sgd-tuned", "dialogues", "sgd", "tuned", note=HEAD),
    Row("sgd-llm", "messages", "sgd", "llm", 5, test=40, note="messages by themselves; SmolLM2 135M"),
    *_few("sgd-bm25", "dialogues", "sgd", "bm25", note="intents only"),
    *_few("crosswoz-few_shot", "dialogues", "crosswoz", "few_shot", test=100, published=GOALS["crosswoz"]),
    *_few("crosswoz-tuned", "dialogues", "crosswoz", "tuned", test=100, note=HEAD),
    Row("crosswoz-llm", "messages", "crosswoz", "llm", 5, test=40, note="messages by themselves; SmolLM2 135M"),
    *_few("crosswoz-bm25", "dialogues", "crosswoz", "bm25", test=100, note="intents only"),
    Row("noise-banking77-few_shot", "noise", "banking77", "few_shot", 10, test=800),
    Row("noise-banking77-tuned", "noise", "banking77", "tuned", test=800, settings=MODELS["banking77-head"]),
    Row("noise-banking77-bm25", "noise", "banking77", "bm25", 10, test=800),
    Row("noise-snips-few_shot", "noise", "snips", "few_shot", 10, test=400),
    Row("noise-snips-tuned", "noise", "snips", "tuned", test=400, settings=MODELS["snips"]),
    Row("noise-snips-bm25", "noise", "snips", "bm25", 10, test=400),
    Row("noise-crosswoz-few_shot", "noise", "crosswoz", "few_shot", 10, test=400),
    Row("noise-crosswoz-bm25", "noise", "crosswoz", "bm25", 10, test=400),
    *(Row(f"nlupp-{20 // folds}-fold", "labels", "nlupp", "label_head", folds) for folds in (1, 2)),
    *(
        Row(f"restaurant8k-{share}", "asked", "restaurant8k", "span_tagger", share, published=RESTAURANT[share])
        for share in (1, 8, 32, 128)
    ),
    Row("speed", "speed", "banking77", "few_shot", 10, test=300),
]


def chosen(only: str) -> list[Row]:
    """The rows that have one of these words in their name or as their data or understander; all without any."""
    words = [word.strip() for word in only.split(",") if word.strip()]
    return [
        row
        for row in ROWS
        if not words or any(word in row.name or word in (row.data, row.kind, row.understander) for word in words)
    ]
