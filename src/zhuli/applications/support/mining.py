"""From pairs with vectors to proposals: intents with examples and names, answers, articles, slots. Pure; runs in a child.

Matters that are asked in like words and answered in like words are one intent: pairs are clustered by the vectors of both.
Where the transcripts label answers, those with the same label are one intent instead, whatever their words.
What an earlier import proposed is found again by its examples, and gets more of them; it is never overwritten.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zhuli.applications.support import asked_slots
from zhuli.applications.support.episodes import Pair
from zhuli.knowledge.retrieval.indexing.segmentation import words

Floats = NDArray[np.float32]

NEAR = 0.5
"""Cosine, around the middle of all, of two clusters that are one."""

SAME_INTENT = 0.75
"""Cosine, around the middle of all, of a cluster's questions to an earlier intent's examples, from which on it is that intent."""

ALIKE_ANSWERS = 0.45
"""Mean cosine of a cluster's answers to their best one, from which on that one is proposed as a template."""

SAMPLE = 3_000
"""Pairs that are clustered pair by pair; the others join the nearest cluster."""

OTHER = "other"
"""The intent without an answer: questions that no template answers, and by which it is learned where to stop."""

MOST_EXAMPLES = 400
"""Of an intent: on CrossWOZ's development part, 60 make 9.7 % wrong at 60 % answered, 400 make 6.1 %."""

MOST_OTHERS = 1_000
MOST_VARIANTS = 10
MOST_INTENTS = 1_000
MOST_ARTICLES = 2_000
ARTICLE = 60
"""Characters of an answer that nobody else got, from which on it is worth being found."""

_STOP: Final = frozenset(
    """
    a an the i i'm im you your my me we our it its it's is are was were be been am do does did don't dont can could
    will would to of for in on at by with from and or but if so as this that these those there here what when where
    who which why how hi hello hey please thanks thank need want like get got have has had not no yes just about up
    out any some know help tell more also one ok okay let us into then than should may might ll ve re s t d m yeah
    sure am pm im 的 了 吗 呢 吧 啊 是 我 你 您 他 她 它 们 在 有 和 也 都 就 这 那 哪 什么 怎么 请 帮 给 想 能 可以
    会 要 个 一个 一下 请问 好 好的 谢谢 你好 您好 麻烦 知道 告诉 推荐 家 多少 还 去 这个 那个 哪里 这家 那家 一家
    不 没有 为 里 吃 找 到 下 上 呀 嘛
    """.split()
)
_WORD = re.compile(r"[a-z][a-z'-]+|[\u4e00-\u9fff]+")
_UNFIT = re.compile(r"[\s\x00-\x1f{}\[\]()]+")
_MASKED = re.compile(r"\[[A-Z_]+\]")


@dataclass(frozen=True, slots=True)
class Known:
    """An intent of earlier imports: its name, the vectors of some of its examples, and the labels of its answers."""

    name: str
    vectors: Floats
    labels: tuple[str, ...] = ()


@dataclass(slots=True)
class Mined:
    """proposals: new ones, as kind, name, support and content. additions: more examples for intents that were there.

    largest: pairs of the largest cluster.
    """

    proposals: list[dict[str, Any]] = field(default_factory=list)
    additions: dict[str, list[str]] = field(default_factory=dict)
    pairs: int = 0
    clustered: int = 0
    largest: int = 0


def mine(
    pairs: Sequence[Pair],
    questions: Floats,
    answers: Floats,
    *,
    least: int,
    known: Sequence[Known] = (),
    taken: Mapping[str, Sequence[str]] | None = None,
) -> Mined:
    """questions, answers: a row of unit length a pair. least: pairs of an intent. taken: names that are there, by kind."""
    mined = Mined(pairs=len(pairs))
    if not pairs:
        return mined
    used = {kind: set(names) for kind, names in (taken or {}).items()}
    asked, said = _centred(questions), _centred(answers)
    by_label = {label: one.name for one in known for label in one.labels}
    groups = [*_labelled(pairs, by_label, mined, least=least), *_clustered(pairs, asked, said, mined, least=least)]
    texts = Counter(word for pair in pairs for word in set(_words(pair.question)))
    middle = questions.mean(axis=0)
    alone, apart = np.ones((2, len(pairs)), np.bool_)
    for label, rows in sorted(groups, key=lambda group: -len(group[1]))[:MOST_INTENTS]:
        mined.clustered += len(rows)
        apart[rows] = False
        some = [pairs[row] for row in rows]
        earlier = by_label.get(label) if label else _earlier(questions[rows] - middle, known, middle)
        if earlier is not None:
            alone[rows] = False
            mined.additions.setdefault(earlier, []).extend(_examples(some, asked[rows]))
            continue
        made, answered = _intent(some, asked[rows], said[rows], texts, len(pairs), used, least=least, label=label)
        mined.proposals += made
        if answered:
            alone[rows] = False
    mined.proposals += _articles([pair for pair, one in zip(pairs, alone, strict=True) if one], used)
    _others([pair for pair, one in zip(pairs, apart, strict=True) if one and len(pair.answer) < ARTICLE], mined, used)
    found = asked_slots.slots([ask for pair in pairs for ask in pair.asks])
    named = {name for one in mined.proposals for name in one["content"].get("slots", ())}
    for name, one in found.items():
        if (one["support"] >= least or name in named) and name not in used.setdefault("slot", set()):
            content = {"type": one["type"], "prompt": one["prompt"]}
            mined.proposals.append({"kind": "slot", "name": name, "support": one["support"], "content": content})
    return mined


def clusters(rows: Floats) -> NDArray[np.int64]:
    """A number of its cluster for each row, rows of unit length; average linkage of a sample, and the nearest for the rest."""
    from sklearn.cluster import AgglomerativeClustering

    if len(rows) == 1:
        return np.zeros(1, np.int64)
    drawn = np.sort(np.random.default_rng(0).permutation(len(rows))[:SAMPLE])
    sample = rows[drawn]
    model = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - NEAR)
    labels = model.fit_predict(sample)
    centres = np.zeros((labels.max() + 1, rows.shape[1]), np.float32)
    np.add.at(centres, labels, sample)
    sizes = np.bincount(labels)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-9)
    found = np.full(len(rows), -1, np.int64)
    kept = np.flatnonzero(sizes >= 2) if len(rows) > SAMPLE else np.arange(len(sizes))
    for start in range(0, len(rows), 4_096):
        near = rows[start : start + 4_096] @ centres[kept].T if len(kept) else np.zeros((0, 0))
        if near.size:
            best = near.argmax(axis=1)
            found[start : start + 4_096] = np.where(near.max(axis=1) >= NEAR, kept[best], -1)
    found[drawn] = labels
    return found


def _labelled(
    pairs: Sequence[Pair], known: Collection[str], mined: Mined, *, least: int
) -> list[tuple[str | None, NDArray[np.int64]]]:
    """Rows of each label that enough answers have, or that is known."""
    found: dict[str, list[int]] = {}
    for row, pair in enumerate(pairs):
        if pair.label is not None:
            found.setdefault(pair.label, []).append(row)
    mined.largest = max(map(len, found.values()), default=0)
    return [(label, np.array(rows, np.int64)) for label, rows in found.items() if len(rows) >= least or label in known]


def _clustered(
    pairs: Sequence[Pair], asked: Floats, said: Floats, mined: Mined, *, least: int
) -> list[tuple[str | None, NDArray[np.int64]]]:
    """Rows of each cluster of those without a label that is large enough."""
    plain = np.array([row for row, pair in enumerate(pairs) if pair.label is None], np.int64)
    if not len(plain):
        return []
    labels = clusters(np.hstack([asked[plain], said[plain]]) / np.float32(2**0.5))
    mined.largest = max(mined.largest, int(np.bincount(labels[labels >= 0]).max(initial=0)))
    return [(None, plain[rows]) for rows in _groups(labels, least=least)]


def _others(pairs: Sequence[Pair], mined: Mined, used: dict[str, set[str]]) -> None:
    """What no template and no article answers, as examples of the intent that hands over; none where there is no other intent."""
    if not pairs or not used.get("intent"):
        return
    examples = list(dict.fromkeys(marked_off(pair.question)[:2_000] for pair in pairs))[:MOST_OTHERS]
    if OTHER in used["intent"]:
        mined.additions.setdefault(OTHER, []).extend(examples)
        return
    used["intent"].add(OTHER)
    content = {"examples": examples, "description": "Questions that no template answers: they are handed over."}
    mined.proposals.append({"kind": "intent", "name": OTHER, "support": len(pairs), "content": content})


def _groups(labels: NDArray[np.int64], *, least: int) -> list[NDArray[np.int64]]:
    """Rows of each cluster that is large enough."""
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels[order])) + 1
    return [rows for rows in np.split(order, ends) if labels[rows[0]] >= 0 and len(rows) >= least]


def _earlier(centred: Floats, known: Sequence[Known], middle: Floats) -> str | None:
    """The intent that these questions are of already."""
    centre = centred.mean(axis=0)
    best, name = SAME_INTENT, None
    for one in known:
        theirs = (one.vectors - middle).mean(axis=0)
        near = float(centre @ theirs / max(float(np.linalg.norm(centre) * np.linalg.norm(theirs)), 1e-9))
        if near >= best and one.name != OTHER:
            best, name = near, one.name
    return name


def _intent(
    pairs: Sequence[Pair],
    asked: Floats,
    said: Floats,
    texts: Counter[str],
    count: int,
    used: dict[str, set[str]],
    *,
    least: int,
    label: str | None,
) -> tuple[list[dict[str, Any]], bool]:
    """The proposals of a cluster, or of all that have a label; whether an answer is among them."""
    own = _UNFIT.sub("_", label)[:100] if label else _name(pairs, texts, count)
    name = _free(own, used.setdefault("intent", set()))
    content: dict[str, Any] = {
        "examples": _examples(pairs, asked),
        "slots": asked_slots.needed([pair.asks for pair in pairs], least=least),
    }
    if label is not None:
        content["labels"] = [label]
    made = [{"kind": "intent", "name": name, "support": len(pairs), "content": content}]
    alike = said @ said.mean(axis=0)
    order = [int(row) for row in np.argsort(-alike, kind="stable")]
    best = next((row for row in order if not _MASKED.search(pairs[row].answer)), order[0])
    cohesion = float((said @ said[best]).mean())
    if label is None and cohesion < ALIKE_ANSWERS:
        content["description"] = f"Answers differ too much for one template (alike to {cohesion:.2f})."
        return made, False
    answer = _free(name, used.setdefault("answer", set()))
    content["answer"] = answer
    variants = list(dict.fromkeys(pairs[row].answer for row in order))[:MOST_VARIANTS]
    made.append(
        {
            "kind": "answer",
            "name": answer,
            "support": len(pairs),
            "content": {
                "text": _template(pairs[best].answer),
                "variants": [_template(text) for text in variants],
                "description": f"The answer that is most like all {len(pairs)} (alike to {cohesion:.2f}).",
            },
        }
    )
    return made, True


def _articles(pairs: Sequence[Pair], used: dict[str, set[str]]) -> list[dict[str, Any]]:
    """Answers that no template covers, to be found by search."""
    found: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        if len(pair.answer) < ARTICLE:
            continue
        name = f"article-{hashlib.sha256(pair.answer.encode()).hexdigest()[:10]}"
        if name not in used.setdefault("article", set()) and name not in found and len(found) < MOST_ARTICLES:
            content = {"title": pair.question[:256], "text": pair.answer[:8_192]}
            found[name] = {"kind": "article", "name": name, "support": 1, "content": content}
        elif name in found:
            found[name]["support"] += 1
    return list(found.values())


def _examples(pairs: Sequence[Pair], asked: Floats) -> list[str]:
    """Questions, those in the middle first, each once."""
    order = np.argsort(-(asked @ asked.mean(axis=0)), kind="stable")
    plain: dict[str, str] = {}
    for row in order:
        text = marked_off(pairs[int(row)].question)
        plain.setdefault(" ".join(text.split()).casefold(), text[:2_000])
    return list(plain.values())[:MOST_EXAMPLES]


def marked_off(text: str) -> str:
    """Without what a domain's examples would read as marks of entities."""
    return text.replace("[", "").replace("]", "").strip() or "-"


def _template(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")[:8_192]


def _name(pairs: Sequence[Pair], texts: Counter[str], count: int) -> str:
    """The words that are in these questions and seldom in others (class-based TF-IDF)."""
    own = Counter(word for pair in pairs for word in set(_words(pair.question)))
    weight = {
        word: seen / len(pairs) * float(np.log1p(count / texts[word]))
        for word, seen in own.items()
        if seen >= max(2, 0.15 * len(pairs)) or len(pairs) < 4
    }
    best = sorted(weight, key=lambda word: (-weight[word], word))[:3]
    return "_".join(best)[:100] or "matter"


def _words(text: str) -> list[str]:
    """Words for names: English as it stands, Chinese as it is segmented."""
    found: list[str] = []
    for run in _WORD.findall(text.casefold()):
        found += [run] if run[0] < "\u4e00" else words(run)
    return [word for word in found if word not in _STOP and len(word) > 1]


def _free(name: str, used: set[str]) -> str:
    number, free = 1, name
    while free in used:
        number += 1
        free = f"{name}_{number}"
    used.add(free)
    return free


def _centred(rows: Floats) -> Floats:
    """Around the middle of all, of unit length again."""
    if len(rows) < 2:
        return rows
    moved = rows - rows.mean(axis=0)
    made: Floats = (moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)).astype(np.float32)
    return made
