"""Text classification: banking77, clinc150, financial_phrasebank, UCI's sentences, COLD, classes of CSL."""

import json
from pathlib import Path

from benchmarks.learning.tuning.drawing import Fields, Parts, drawn, of_label, of_text, only, read


def banking77(data: Path, seed: int) -> Parts:
    """Published train and test; one in twenty of train is held out."""
    whole = table(data / "banking77/train.csv")
    parts = drawn(whole, {"validation": 0.05}, text=of_text, labels=of_label, seed=seed)
    return {**parts, "test": table(data / "banking77/test.csv")}


def clinc150(data: Path, seed: int) -> Parts:
    """As published, without what is out of scope."""
    content = json.loads((data / "clinc150/data_full.json").read_bytes())
    return {"train": _pairs(content["train"]), "validation": _pairs(content["val"]), "test": _pairs(content["test"])}


def clinc150_oos(data: Path, seed: int) -> Parts:
    """As published, with what is out of scope as the class "oos", as in the paper's first way."""
    content = json.loads((data / "clinc150/data_full.json").read_bytes())
    return {
        "train": _pairs(content["train"] + content["oos_train"]),
        "validation": _pairs(content["val"] + content["oos_val"]),
        "test": _pairs(content["test"] + content["oos_test"]),
    }


def financial_phrasebank(data: Path, seed: int) -> Parts:
    """Sentences on whose label all agree, 80/10/10."""
    text = (data / "financial_phrasebank/Sentences_AllAgree.txt").read_text(encoding="latin-1")
    pairs = [line.rsplit("@", 1) for line in text.splitlines() if "@" in line]
    return _eighty(_pairs(pairs), seed)


def uci_sentiment(data: Path, seed: int) -> Parts:
    """The three sources together, 80/10/10."""
    sources = ("amazon_cells", "imdb", "yelp")
    whole = [one for source in sources for one in table(data / f"uci_sentiment/{source}_labelled.txt")]
    return _eighty(whole, seed)


def cold(data: Path, seed: int) -> Parts:
    """As published."""
    names = {"train": "train", "validation": "dev", "test": "test"}
    columns = {"text": "TEXT", "label": "label"}
    return {
        part: only(
            read(data / f"cold_offensive_zh/{names[part]}.csv", "text_classification", columns=columns), "text", "label"
        )
        for part in ("train", "validation", "test")
    }


def csl_classes(data: Path, seed: int) -> Parts:
    """As published: the field of a title, of 13."""
    names = {"train": "train", "validation": "dev", "test": "test"}
    columns = {"text": "2", "label": "3"}
    return {
        part: only(
            read(data / f"csl_zh/cls_ctg_{names[part]}.tsv", "text_classification", columns=columns), "text", "label"
        )
        for part in ("train", "validation", "test")
    }


def _eighty(whole: list[Fields], seed: int) -> Parts:
    return drawn(whole, {"validation": 0.1, "test": 0.1}, text=of_text, labels=of_label, seed=seed)


def table(path: Path) -> list[Fields]:
    """Texts with their labels, in the order of the file."""
    return only(read(path, "text_classification"), "text", "label")


def _pairs(pairs: list[list[str]]) -> list[Fields]:
    return [{"text": text.strip(), "label": label.strip()} for text, label in pairs]
