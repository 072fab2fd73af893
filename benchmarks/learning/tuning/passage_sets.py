"""Questions on passages, translation, summaries: CMRC2018, XQuAD, COVID-QA, Tatoeba, titles of CSL, DialogSum."""

import json
from collections import defaultdict
from pathlib import Path

from benchmarks.learning.tuning.drawing import Fields, Parts, drawn, only, read


def cmrc(data: Path, seed: int) -> Parts:
    """The published dev set by article, 80/10/10, for the training set is not in the data; see _questions."""
    return _questions(data / "cmrc2018_zh/cmrc2018_dev.json", seed)


def xquad_zh(data: Path, seed: int) -> Parts:
    """All there is, by article, 80/10/10."""
    return _questions(data / "xquad/xquad.zh.json", seed)


def xquad_en(data: Path, seed: int) -> Parts:
    """All there is, by article, 80/10/10."""
    return _questions(data / "xquad/xquad.en.json", seed)


def covid_qa(data: Path, seed: int) -> Parts:
    """All there is, by document, 80/10/10; see _questions."""
    return _questions(data / "covid_qa/200423_covidQA.json", seed)


def _questions(path: Path, seed: int) -> Parts:
    """Answers that don't stand where the file says are taken from the nearest place where they do, or left out."""
    whole = [
        {"question": asked["question"], "context": paragraph["context"], "answers": answers, "group": str(number)}
        for number, article in enumerate(json.loads(path.read_bytes())["data"])
        for paragraph in article["paragraphs"]
        for asked in paragraph["qas"]
        if (answers := _right(asked["answers"], paragraph["context"]))
    ]
    return drawn(whole, {"validation": 0.1, "test": 0.1}, text=_asked, group=lambda one: str(one["group"]), seed=seed)


def _asked(one: Fields) -> str:
    return f"{one['question']}\n{one['context']}"


def _right(answers: list[Fields], context: str) -> list[Fields]:
    """Each answer once, without white space around it, at the place nearest to the one given."""
    found: dict[tuple[str, int], Fields] = {}
    for answer in answers:
        text = answer["text"].strip()
        at, wanted = context.find(text), answer["answer_start"]
        while (later := context.find(text, at + 1)) >= 0 and abs(later - wanted) <= abs(at - wanted):
            at = later
        if text and at >= 0:
            found[text, at] = {"text": text, "start": at}
    return list(found.values())


def tatoeba(data: Path, seed: int) -> Parts:
    """English to Chinese; each sentence with all its translations, of which training sees the first. 90/5/5."""
    translations: dict[str, list[str]] = defaultdict(list)
    for one in read(data / "tatoeba_en_zh/cmn.txt", "translation", "tsv"):
        translations[one["source"]].append(one["target"])
    whole = [{"source": source, "target": targets} for source, targets in translations.items()]
    parts = drawn(whole, {"validation": 0.05, "test": 0.05}, text=_source, seed=seed)
    return {**parts, "train": [one | {"target": one["target"][0]} for one in parts["train"]]}


def csl_titles(data: Path, seed: int) -> Parts:
    """A title for an abstract: the published dev set is trained on, for the training set is not in the data."""
    train, test = (
        only(
            read(data / f"csl_zh/{name}.tsv", "summarization", "tsv", {"source": "2", "target": "3"}),
            "source",
            "target",
        )
        for name in ("dev", "test")
    )
    return {**drawn(train, {"validation": 0.1}, text=_source, seed=seed), "test": test}


def dialogsum(data: Path, seed: int) -> Parts:
    """The published dev set, 70/10/20, for the training set is not in the data."""
    whole = only(read(data / "dialogsum/dialogsum.dev.jsonl", "summarization", "jsonl"), "source", "target")
    return drawn(whole, {"validation": 0.1, "test": 0.2}, text=_source, seed=seed)


def _source(one: Fields) -> str:
    return str(one["source"])
