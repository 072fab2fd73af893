"""How well search finds: BM25 alone, vectors alone, fused, and fused and reranked, on question → passage sets, in one table.

    python benchmarks/knowledge/retrieval_quality.py --data ../shared/data

Each set's questions are split in two by the SHA-256 of their text: the table reports one half, `--fit` chooses the weights of
fusion and reranking on the other and prints them. Words, fusion and reranking are the server's own parts, embedders its
plugins; vectors are compared exactly, as the embedded index does with small stores. `--cache` keeps each text's vector by
embedder and digest, so that a run goes on where another was stopped, and other cutting only embeds what is new. `NAME/4`
takes every fourth article or passage of a set, and the questions about these.

recall@5 is the share of a question's relevant passages among the first five; in banking77, where about 130 texts have the
right intent, whether one of the first five has it. nDCG@10 counts each relevant passage as 1. Intervals are 95 %, by
bootstrap over questions.
"""

import argparse
import asyncio
import csv
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import log2
from pathlib import Path
from typing import Any

import numpy as np

from zhuli.knowledge.retrieval.chunking.chunker import cut
from zhuli.knowledge.retrieval.indexing.word_index import WordsIndex
from zhuli.knowledge.retrieval.searching.fusion import SEMANTIC, Candidate, fuse
from zhuli.knowledge.retrieval.searching.query_vectors import QueryVectors
from zhuli.knowledge.retrieval.searching.ranking import Asked, Features, features, relevance
from zhuli.knowledge.retrieval.searching.searcher import DEPTH, RERANKED
from zhuli.models.catalog import Catalog, EmbedderEntry
from zhuli.types.knowledge.document import Block
from zhuli.types.knowledge.vectors import Hit, IndexChange, IndexedChunk

MODELS = """
[models.none]
backend = "scripted"

[embedders.static]
plugin = "static"
"""
BATCH = 256
TRIED = (0.0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.18, 0.25, 0.35, 0.45)
"""Weights for what the reranker sees besides cosines; those of fusion sum to 1."""

WAYS = ("BM25", "vectors", "fused", "reranked")
PIECE_TOKENS = 200
"""Into which covid_qa's articles are cut, without overlap, so that a question has one right passage."""


@dataclass(frozen=True)
class Question:
    text: str
    relevant: frozenset[int]

    @property
    def reported(self) -> bool:
        return sha256(self.text.encode()).digest()[0] % 2 == 1


@dataclass(frozen=True)
class Set:
    name: str
    passages: list[str]
    questions: list[Question]
    groups: Sequence[int]
    """Of each passage, the number of its article, or its own."""


@dataclass(frozen=True)
class Answer:
    """One question's passages in the order of each way, and what the reranker saw."""

    question: Question
    orders: dict[str, list[int]]
    seen: list[tuple[Features, bool]]
    candidates: list[Candidate]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the data sets")
    parser.add_argument("--embedder", action="append", help="e5-small, minilm, static; default: all")
    parser.add_argument("--sets", default=",".join(DEFAULT), help="which sets, by comma")
    parser.add_argument(
        "--most", type=int, default=10**9, help="questions of a set at most, by the order of their digests"
    )
    parser.add_argument("--cache", type=Path, help="folder for vectors")
    parser.add_argument("--fit", action="store_true", help="choose the weights instead of reporting")
    asyncio.run(_run(parser.parse_args()))


async def _run(given: argparse.Namespace) -> None:
    sets = [_set(name, given.data) for name in given.sets.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models.toml"
        models.write_text(MODELS, "utf-8")
        catalog = Catalog.load(models, Path(given.cache or folder))
        for name in given.embedder or ["e5-small", "minilm", "static"]:
            entry = catalog.embedders[name]
            chosen = [each for each in sets if name != "minilm" or each.name.partition("/")[0] in ENGLISH]
            answers = {
                each.name: await _answers(each, entry, given, Path(folder) / name / each.name) for each in chosen
            }
            if given.fit:
                _fit(answers)
            else:
                _report(name, answers)
        await catalog.aclose()


async def _answers(data: Set, entry: EmbedderEntry, given: argparse.Namespace, folder: Path) -> list[Answer]:
    questions = [question for question in data.questions if question.reported is not given.fit and question.relevant]
    questions = sorted(questions, key=lambda question: sha256(question.text.encode()).digest())[: given.most]
    texts = [question.text for question in questions]
    passages = await _embedded(data.passages, "passage", entry, given.cache)
    cosines = await _embedded(texts, "query", entry, given.cache) @ passages.T
    background = await QueryVectors().background(entry)
    index = WordsIndex(folder)
    chunks = [IndexedChunk(number, text, "", b"") for number, text in enumerate(data.passages)]
    await index.apply("set", [IndexChange(1, 1, chunks)], 1)
    answers = []
    for question, row in zip(questions, cosines, strict=True):
        said = await index.search("set", question.text, most=DEPTH)
        nearest = np.argsort(-row)[:DEPTH]
        near = [Hit(int(chunk), float(row[chunk])) for chunk in nearest]
        fused = fuse(near, said.hits, background=background, ceiling=said.ceiling)
        asked = Asked.of(question.text, said.idf)
        seen = [features(asked, candidate, data.passages[candidate.chunk], "") for candidate in fused[:RERANKED]]
        order = sorted(range(len(seen)), key=lambda place: -relevance(seen[place]))
        orders = {
            "BM25": [hit.chunk for hit in said.hits],
            "vectors": [hit.chunk for hit in near],
            "fused": [candidate.chunk for candidate in fused],
            "reranked": [fused[place].chunk for place in order],
        }
        labels = [candidate.chunk in question.relevant for candidate in fused[:RERANKED]]
        answers.append(Answer(question, orders, list(zip(seen, labels, strict=True)), fused))
    await index.aclose()
    return answers


async def _embedded(texts: Sequence[str], purpose: Any, entry: EmbedderEntry, cache: Path | None) -> np.ndarray:
    """A row for each text; in the cache each text has its own vector."""
    kept: dict[bytes, np.ndarray] = {}
    file = cache / f"{entry.name}-{purpose}.npz" if cache else None
    if file and file.exists():
        with np.load(file) as stored:
            kept = dict(zip((bytes(key) for key in stored["keys"]), stored["vectors"], strict=True))
    keys = [sha256(text.encode()).digest() for text in texts]
    missing = sorted({key: text for key, text in zip(keys, texts, strict=True) if key not in kept}.items(), key=_length)
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        vectors = await entry.embedder.embed([text for _, text in batch], purpose)
        rows = np.frombuffer(vectors.data, "<f4").reshape(-1, vectors.dimensions)
        kept.update(zip((key for key, _ in batch), rows, strict=True))
        if file:
            _save(file, kept)
    return np.array([kept[key] for key in keys])


def _save(file: Path, kept: dict[bytes, np.ndarray]) -> None:
    """Whole or not at all: a run that is stopped leaves what was there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_suffix(".new.npz")
    np.savez(made, keys=np.array([list(key) for key in kept], np.uint8), vectors=np.array(list(kept.values())))
    made.replace(file)


def _length(item: tuple[bytes, str]) -> int:
    return len(item[1])


def _scores(answer: Answer, way: str, *, intents: bool) -> tuple[float, float]:
    relevant = answer.question.relevant
    early = sum(chunk in relevant for chunk in answer.orders[way][:5])
    recall = float(early > 0) if intents else early / len(relevant)
    return recall, _gain_of(relevant, answer.orders[way])


def _gain_of(relevant: frozenset[int], order: Sequence[int]) -> float:
    """nDCG@10."""
    hits = [place for place, chunk in enumerate(order[:10]) if chunk in relevant]
    return _gain(hits) / _gain(range(min(10, len(relevant))))


def _gain(places: Sequence[int]) -> float:
    return sum(1 / log2(place + 2) for place in places)


def _report(embedder: str, answers: dict[str, list[Answer]]) -> None:
    print(f"\n| {embedder}: recall@5 / nDCG@10 (±) | questions | {' | '.join(WAYS)} |")
    print(f"|---|--:|{'---|' * len(WAYS)}")
    means = []
    for name, found in answers.items():
        table = np.array([[_scores(each, way, intents=name == "banking77") for way in WAYS] for each in found])
        draws = np.random.default_rng(0).integers(0, len(found), (1000, len(found)))
        spread = np.percentile(table[draws].mean(1), [2.5, 97.5], axis=0)
        half = (spread[1] - spread[0]) / 2
        means.append(table.mean(0))
        cells = [f"{m[0]:.3f} / {m[1]:.3f} (±{h[1]:.3f})" for m, h in zip(table.mean(0), half, strict=True)]
        print(f"| {name} | {len(found)} | {' | '.join(cells)} |", flush=True)
    average = [f"**{recall:.3f} / {gain:.3f}**" for recall, gain in np.mean(means, 0)]
    print(f"| average | | {' | '.join(average)} |")


def _fit(answers: dict[str, list[Answer]]) -> None:
    """Prints what fusion.py and ranking.py have. Each set counts alike, however many questions it has.

    SEMANTIC has the highest mean nDCG@10 of those with which no set is below either part; where there is none, of those
    with which the worst set falls least. The reranker's order comes from one weight after the other (coordinate ascent,
    Metzler and Croft 2007), for the highest mean; run again with the new SEMANTIC before using it.
    A factor and a bias by logistic regression make it a probability.
    """
    parts = np.array([_gains(found, lambda each: each.orders["BM25"]) for found in answers.values()])
    parts = np.maximum(parts, [_gains(found, lambda each: each.orders["vectors"]) for found in answers.values()])
    grid = [step / 100 for step in range(40, 96)]
    print(f"SEMANTIC = {max(grid, key=lambda weight: _rank(_fused_gains(answers, weight), parts))}")
    weights = np.array([SEMANTIC, 1 - SEMANTIC, 0.0, 0.0, 0.0])
    for _ in range(2):
        for place in (1, 2, 3):
            tries = [np.where(np.arange(5) == place, tried, weights) for tried in TRIED]
            weights = max([weights, *tries], key=lambda each: float(_reranked_gains(answers, each).mean()))
    scores = [
        np.array([[weights @ seen.values(), right] for each in found for seen, right in each.seen])
        for found in answers.values()
    ]
    factor, bias = _calibrated(scores)
    print(f"WEIGHTS = ({', '.join(f'{factor * weight:.2f}' for weight in weights)})\nBIAS = {bias:.2f}")
    print(f"# questions: {', '.join(f'{name} {len(found)}' for name, found in answers.items())}")


def _rank(gains: np.ndarray, least: np.ndarray) -> tuple[float, float]:
    return min(0.0, float((gains - least).min())), float(gains.mean())


def _gains(answers: Sequence[Answer], order: Callable[[Answer], Sequence[int]]) -> float:
    """Mean nDCG@10 of a set."""
    return float(np.mean([_gain_of(each.question.relevant, order(each)) for each in answers]))


def _fused_gains(answers: dict[str, list[Answer]], weight: float) -> np.ndarray:
    def order(answer: Answer) -> list[int]:
        found = sorted(answer.candidates, key=lambda each: -weight * each.semantic - (1 - weight) * each.lexical)
        return [candidate.chunk for candidate in found[:10]]

    return np.array([_gains(found, order) for found in answers.values()])


def _reranked_gains(answers: dict[str, list[Answer]], weights: np.ndarray) -> np.ndarray:
    def order(answer: Answer) -> list[int]:
        scores = np.array([seen.values() for seen, _ in answer.seen]) @ weights
        return [answer.candidates[place].chunk for place in np.argsort(-scores, kind="stable")[:10]]

    return np.array([_gains(found, order) for found in answers.values()])


def _calibrated(sets: Sequence[np.ndarray]) -> tuple[float, float]:
    """Factor and bias of a logistic regression by Newton's method. A set's rows are a score and whether it was right."""
    found, share = np.concatenate(sets), np.concatenate([np.full(len(each), 1 / len(each)) for each in sets])
    rows, weights = np.stack([found[:, 0], np.ones(len(found))], 1), np.zeros(2)
    for _ in range(30):
        guess = 1 / (1 + np.exp(-rows @ weights))
        curve = (rows * (share * guess * (1 - guess))[:, None]).T @ rows + 1e-9 * np.eye(2)
        weights -= np.linalg.solve(curve, rows.T @ (share * (guess - found[:, 1])))
    return float(weights[0]), float(weights[1])


def _set(name: str, data: Path) -> Set:
    """A set by its name, or NAME/4."""
    base, _, every = name.partition("/")
    whole = SETS[base](data)
    kept = [number for number in range(len(whole.passages)) if whole.groups[number] % int(every or 1) == 0]
    places = {number: place for place, number in enumerate(kept)}
    asked: dict[str, frozenset[int]] = {}
    for question in whole.questions:
        if question.relevant <= places.keys():
            right = frozenset(places[number] for number in question.relevant)
            asked[question.text] = asked.get(question.text, frozenset()) | right
    questions = [Question(text, right) for text, right in asked.items()]
    return Set(name, [whole.passages[number] for number in kept], questions, list(range(len(kept))))


def _squad(name: str, path: str) -> Callable[[Path], Set]:
    def read(data: Path) -> Set:
        passages: list[str] = []
        questions: list[Question] = []
        for paragraph in _paragraphs(data / path):
            questions += [Question(each["question"], frozenset({len(passages)})) for each in paragraph["qas"]]
            passages.append(paragraph["context"])
        return Set(name, passages, questions, range(len(passages)))

    return read


def _paragraphs(path: Path) -> list[dict[str, Any]]:
    articles = json.loads(path.read_text("utf-8"))["data"]
    return [paragraph for article in articles for paragraph in article["paragraphs"]]


def _covid_qa(data: Path) -> Set:
    """A passage is relevant when at least half of the answer is in it."""
    passages: list[str] = []
    questions: list[Question] = []
    groups: list[int] = []
    for article, paragraph in enumerate(_paragraphs(data / "covid_qa" / "200423_covidQA.json")):
        pieces = cut([Block(paragraph["context"])], max_tokens=PIECE_TOKENS, overlap=0)
        for each in paragraph["qas"]:
            spans = [(answer["answer_start"], len(answer["text"])) for answer in each["answers"]]
            relevant = {
                len(passages) + number
                for number, piece in enumerate(pieces)
                for start, length in spans
                if min(start + length, piece.end) - max(start, piece.start)
                >= 0.5 * min(length, piece.end - piece.start)
            }
            questions.append(Question(each["question"], frozenset(relevant)))
        passages += [piece.text for piece in pieces]
        groups += [article] * len(pieces)
    return Set("covid_qa", passages, questions, groups)


def _covid_faq(data: Path) -> Set:
    """The FAQ's English part, German, Polish, Italian and Swedish: question → its answer."""
    csv.field_size_limit(10**9)
    places: dict[str, int] = {}
    questions: list[Question] = []
    with (data / "covid_qa" / "faq_200327.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if (row["answer"] or "").strip():
                place = places.setdefault(row["answer"], len(places))
                questions.append(Question(row["question"], frozenset({place})))
    return Set("covid_faq", list(places), questions, range(len(places)))


def _banking77(data: Path) -> Set:
    train, test = _rows(data / "banking77" / "train.csv"), _rows(data / "banking77" / "test.csv")
    places: dict[str, set[int]] = {}
    for number, row in enumerate(train):
        places.setdefault(row["category"], set()).add(number)
    questions = [Question(row["text"], frozenset(places[row["category"]])) for row in test]
    return Set("banking77", [row["text"] for row in train], questions, range(len(train)))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


SETS: dict[str, Callable[[Path], Set]] = {
    "covid_qa": _covid_qa,
    "covid_faq": _covid_faq,
    "xquad_en": _squad("xquad_en", "xquad/xquad.en.json"),
    "xquad_zh": _squad("xquad_zh", "xquad/xquad.zh.json"),
    "cmrc2018_zh": _squad("cmrc2018_zh", "cmrc2018_zh/cmrc2018_dev.json"),
    "banking77": _banking77,
}
DEFAULT = ("covid_qa", "xquad_en", "xquad_zh", "cmrc2018_zh", "banking77")
ENGLISH = ("covid_qa", "xquad_en", "banking77")


if __name__ == "__main__":
    main()
