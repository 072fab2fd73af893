"""How well alignment cites: sentences that come from a retrieved passage, and sentences that don't.

    python -m benchmarks.knowledge.citing ../shared/data

From each data set, cases of 10 retrieved passages (a paragraph and its neighbours, as a search finds them). Supported
sentences are copied from one of them, shortened, reworded by rules, or reworded with foreign words in between (remote);
unsupported ones come from paragraphs of the same
article that were not retrieved (near), and from other articles (far). Half of the articles tune the threshold, the other
half are the table. A citation is right when the passage that it names has the sentence. Nothing here is a model's answer.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zhuli.assistants.runs.citations.alignment import THRESHOLD, Alignment, Support
from zhuli.assistants.runs.citations.sentences import has_substance, split

PASSAGES = 10
CASES = 120
"""Of each data set and half; one sentence of each kind each."""

SETS = {
    "covid_qa": "covid_qa/200423_covidQA.json",
    "xquad en": "xquad/xquad.en.json",
    "xquad zh": "xquad/xquad.zh.json",
    "cmrc zh": "cmrc2018_zh/cmrc2018_dev.json",
}

_REWORDED = {
    "because": "since", "however": "but", "although": "though", "many": "a lot of", "large": "big", "about": "around",
    "shown": "demonstrated", "showed": "demonstrated", "used": "employed", "important": "significant", "began": "started",
    "因为": "由于",
    "但是": "不过", "认为": "觉得", "开始": "起初", "主要": "大多", "可以": "能够", "成为": "变成", "进行": "开展",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sentence:
    """text: as an answer has it. source: the sentence it was made of, None for one that no passage supports."""

    kind: str
    text: str
    source: str | None


@dataclass(frozen=True, slots=True)
class Case:
    passages: list[str]
    sentences: list[Sentence]


def articles(path: Path) -> list[list[str]]:
    """The paragraphs of each article; a long text (covid_qa has whole papers) is cut into paragraphs of 2,500 letters.

    Where articles have one paragraph, 24 of them stand for one.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    groups = [
        [piece for paragraph in article["paragraphs"] for piece in _cut(paragraph["context"])]
        for article in content["data"]
    ]
    if any(len(group) > 1 for group in groups):
        return groups
    single = [piece for group in groups for piece in group]
    return [single[start : start + 24] for start in range(0, len(single), 24)]


def _cut(text: str) -> Iterator[str]:
    for start in range(0, len(text), 2500):
        yield text[start : start + 2500]


def cases(groups: list[list[str]], *, seed: int) -> Iterator[Case]:
    """`CASES` cases from these articles."""
    chance = random.Random(seed)
    readable = [[paragraph for paragraph in group if _sentences(paragraph)] for group in groups]
    usable = [group for group in readable if len(group) >= 3]
    for _ in range(CASES):
        group = chance.choice(usable)
        shown = min(PASSAGES, len(group) * 2 // 3)
        start = chance.randrange(len(group) - shown + 1)
        passages = group[start : start + shown]
        near = group[:start] + group[start + shown :]
        far = chance.choice([other for other in usable if other is not group])
        taken = _some(chance, passages)
        yield Case(
            passages,
            [
                Sentence("copied", taken, taken),
                Sentence("shortened", _shortened(taken, chance), taken),
                Sentence("reworded", _reworded(taken, chance), taken),
                Sentence("remote", _remote(taken, _some(chance, far), chance), taken),
                Sentence("near", _absent(chance, near, passages), None),
                Sentence("far", _absent(chance, far, passages), None),
            ],
        )


def _some(chance: random.Random, paragraphs: list[str]) -> str:
    return chance.choice(_sentences(chance.choice(paragraphs)))


def _absent(chance: random.Random, paragraphs: list[str], passages: list[str]) -> str:
    """A sentence that no passage has; papers repeat themselves."""
    for _ in range(100):
        sentence = _some(chance, paragraphs)
        if not any(sentence in passage for passage in passages):
            return sentence
    raise ValueError("Everything in these paragraphs is in the passages too.")


@cache
def _sentences(paragraph: str) -> list[str]:
    return [text for text in split(paragraph) if has_substance(text) and 20 <= len(text) <= 400]


def _is_chinese(text: str) -> bool:
    return sum(letter > "⺀" for letter in text) * 4 > len(text)


def _shortened(text: str, chance: random.Random) -> str:
    """The sentence without a third of its clauses or words at one end, as a summary leaves things out."""
    if _is_chinese(text):
        cut = max(8, len(text) * 2 // 3)
        return text[:cut] + "。" if chance.random() < 0.5 else text[-cut:]
    words = text.split()
    cut = max(5, len(words) * 2 // 3)
    return " ".join(words[:cut]) + "." if chance.random() < 0.5 else " ".join(words[-cut:])


def _reworded(text: str, chance: random.Random) -> str:
    """Words replaced by others of their meaning, a fifth of them dropped, clauses in another order."""
    for word, other in _REWORDED.items():
        text = text.replace(word, other)
    if _is_chinese(text):
        clauses = text.rstrip("。！？").split("，")
        chance.shuffle(clauses)
        pairs = [clause[n : n + 2] for clause in clauses for n in range(0, len(clause), 2)]
        return "".join(pair for pair in pairs if chance.random() > 0.2) + "。"
    clauses = text.rstrip(".").split(", ")
    chance.shuffle(clauses)
    words = [word for word in " and ".join(clauses).split() if chance.random() > 0.2]
    return "In short, " + " ".join(words) + "."


def _remote(text: str, other: str, chance: random.Random) -> str:
    """Reworded, and a fourth of what is left replaced by words of a sentence that has nothing to do with it."""
    if _is_chinese(text):
        reworded = _reworded(text, chance).rstrip("。")
        pairs = [reworded[n : n + 2] for n in range(0, len(reworded), 2)]
        foreign = [other[n : n + 2] for n in range(0, len(other), 2)]
        return "".join(chance.choice(foreign) if chance.random() < 0.25 else pair for pair in pairs) + "。"
    words, foreign = _reworded(text, chance).split(), other.split()
    return " ".join(chance.choice(foreign) if chance.random() < 0.25 else word for word in words)


def judge(case: Case) -> Iterator[tuple[Sentence, Support | None, bool]]:
    """Each sentence with what alignment says, and whether the passage that it names is one that has it."""
    alignment = Alignment(case.passages)
    for sentence in case.sentences:
        best = alignment.best(sentence.text)
        right = best is not None and sentence.source is not None and sentence.source in case.passages[best.passage]
        yield sentence, best, right


def table(judged: list[tuple[str, float, bool, bool]], threshold: float) -> dict[str, float]:
    """Precision and recall at a threshold, and the share that is cited of each kind."""
    counts: Counter[str] = Counter()
    for kind, score, right, supported in judged:
        cited = score >= threshold
        counts[f"all {kind}"] += 1
        counts[f"cited {kind}"] += cited
        counts["cited"] += cited
        counts["right"] += cited and right
        counts["supported"] += supported
    shares = {kind[4:]: counts[f"cited {kind[4:]}"] / counts[kind] for kind in counts if kind.startswith("all ")}
    return {
        "precision": counts["right"] / max(1, counts["cited"]),
        "recall": counts["right"] / max(1, counts["supported"]),
        **shares,
    }


def measured(groups: list[list[str]], *, seed: int) -> list[tuple[str, float, bool, bool]]:
    return [
        (sentence.kind, best.score if best else 0.0, right, sentence.source is not None)
        for case in cases(groups, seed=seed)
        for sentence, best, right in judge(case)
    ]


def main(folder: Path) -> None:
    tuning: list[tuple[str, float, bool, bool]] = []
    print(f"threshold {THRESHOLD}; {CASES} cases of up to {PASSAGES} passages each; held-out articles")
    heads = ("precision", "recall", "copied", "shortened", "reworded", "remote", "near", "far")
    print(f"{'':10}" + "".join(f"{head:>11}" for head in heads))
    everything: list[tuple[str, float, bool, bool]] = []
    for name, file in SETS.items():
        groups = articles(folder / file)
        tuning += measured(groups[::2], seed=1)
        held_out = measured(groups[1::2], seed=2)
        everything += held_out
        row = table(held_out, THRESHOLD)
        print(f"{name:10}" + "".join(f"{row[head]:11.3f}" for head in heads))
    row = table(everything, THRESHOLD)
    print(f"{'all':10}" + "".join(f"{row[head]:11.3f}" for head in heads))
    print("\ntuning half: threshold, precision, recall")
    for threshold in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
        row = table(tuning, threshold)
        print(f"{threshold:10.2f}{row['precision']:11.3f}{row['recall']:11.3f}")
    speed(articles(folder / SETS["covid_qa"]))


def speed(groups: list[list[str]]) -> None:
    passages = [piece for group in groups for piece in group][:20]
    began = time.perf_counter()
    alignment = Alignment(passages)
    made = time.perf_counter() - began
    sentences = [sentence for passage in passages for sentence in split(passage)][:200]
    began = time.perf_counter()
    for sentence in sentences:
        alignment.find(sentence)
    each = (time.perf_counter() - began) / len(sentences)
    print(f"\n20 passages of 2,500 letters: made in {made * 1000:.1f} ms, {each * 1000:.2f} ms a sentence")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
