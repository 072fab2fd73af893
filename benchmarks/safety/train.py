"""Makes the heads of moderation that zhuli ships, their card, and tables of docs/safety.md: `make moderation-heads`.

--data: a folder with hate_offensive_en, cold_offensive_zh, banking77 and crosswoz_zh in it. Learned from: the training parts of
the first two, sentences that name groups and say nothing bad (identities), and ordinary messages. Calibrated on the dev parts.
Measured on the test parts, which nothing is chosen by, on other sentences that name groups and on other messages; and the last
two once more by heads that did not learn from harmless sentences, to see what these do.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from threadpoolctl import threadpool_limits

from benchmarks import kept_results
from benchmarks.linear_heads import Mask, embedded, f1
from benchmarks.safety import fitting, identities
from benchmarks.safety.fitting import Inputs
from benchmarks.safety.sources import Labelled, ordinary, read_all
from benchmarks.understanding.services import KeptVectors
from zhuli.safety.moderation import groups
from zhuli.safety.moderation.features import Language
from zhuli.safety.moderation.heads import EMBEDDER, FILE, HEADS, Floats, Head

PAGE = Path(__file__).parents[2] / "docs" / "safety.md"
MARK = "<!-- moderation: {edge} of what make moderation-heads writes -->"

COUNTER_WEIGHT = 1.0

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="Where the data sets are, a folder each.", exists=True)],
    work: Annotated[Path, typer.Option(help="Where vectors are kept.")] = Path("build/bench-safety"),
    data_dir: Annotated[Path, typer.Option(help="Where the embedder is made ready.")] = Path("build/data"),
    language_only: Annotated[str | None, typer.Option(help="Make the heads of en or zh alone anew.")] = None,
    only_kept: Annotated[bool, typer.Option(help="Learn from what is embedded already.")] = False,
) -> None:
    """Write the heads, their card and the tables."""
    kept = KeptVectors(work / "vectors.db")
    examples = read_all(data)
    if only_kept:
        examples = [one for one in examples if kept.get(EMBEDDER, one.text) is not None]
    arrays: dict[str, Any] = {}
    card: dict[str, Any] = {}
    with threadpool_limits(1, "blas"):
        for language, categories in HEADS.items():
            if language_only not in (None, language):
                kept_arrays, kept_card = _shipped(language)
                arrays |= kept_arrays
                card |= kept_card
                continue
            own = [one for one in examples if one.language == language]
            tested = identities.tested(language)
            flat = [text for texts in tested.values() for text in texts]
            talk, other_talk = ordinary(data, language)
            beside = {"counter": [*identities.learned(language), *talk], "talk": other_talk, "groups": flat}
            texts = [*(one.text for one in own), *(text for part in beside.values() for text in part)]
            vectors = embedded(EMBEDDER, texts, kept, work=work, data_dir=data_dir)
            given = fitting.inputs(texts, vectors)
            kinds = [name for name, part in beside.items() for _ in part]
            for category in categories:
                head, told = _head(own, given, kinds, category)
                arrays |= head.arrays(f"{language}.{category}")
                card[f"{language} {category}"] = told | {"groups": _by_group(head, given, tested, language, category)}
                print(language, category, {key: told[key] for key in told if key != "groups"}, flush=True)
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FILE, **arrays)
    FILE.with_name("card.json").write_text(
        json.dumps(_card(card), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    kept_results.put(PAGE, _tables(card), begin=MARK.format(edge="begin"), end=MARK.format(edge="end"))


def _shipped(language: Language) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays and the part of the card that are there."""
    with np.load(FILE, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found if name.startswith(f"{language}.")}
    heads = json.loads(FILE.with_name("card.json").read_text(encoding="utf-8"))["heads"]
    return arrays, {name: told for name, told in heads.items() if name.startswith(language)}


def _head(own: Sequence[Labelled], given: Inputs, kinds: Sequence[str], category: str) -> tuple[Head, dict[str, Any]]:
    """The head, and what is known about it. given: of the sources' texts, then of harmless ones of these kinds."""
    parts = np.array([*(one.part for one in own), *kinds])
    truth = np.array([*(_is(one, category) for one in own), *[False] * len(kinds)])
    heads = {}
    for name, with_counter in (("plain", False), ("shipped", True)):
        known = (parts == "train") | ((parts == "counter") & with_counter)
        counts = np.where(parts == "counter", COUNTER_WEIGHT, 1.0).astype(np.float32)[known]
        head = fitting.fitted(given.part(known), truth[known], counts)
        heads[name] = fitting.calibrated(head, given.part(parts == "dev"), truth[parts == "dev"])
    test = parts == "test"
    told = {name: _scores(head, given.part(test), truth[test]) for name, head in heads.items()}
    for name, head in heads.items():
        told[name]["benign_flagged"] = _rate(head, given.part(parts == "groups"))
        told[name]["talk_flagged"] = _rate(head, given.part(parts == "talk"))
    told["shipped"]["examples"] = {name: int((parts == name).sum()) for name in ("train", "dev", "test", "counter")}
    if own[0].language == "zh":
        told["hate"] = _chinese_hate(heads["shipped"], own, given, parts)
    return heads["shipped"], told


def _is(one: Labelled, category: str) -> bool:
    return bool(one.hate) if category == "hate" else one.offensive


def _sure(head: Head, given: Inputs) -> Floats:
    made: Floats = 1 / (1 + np.exp(-np.clip(fitting.logits(head, given) * head.rest[1] + head.rest[2], -30, 30)))
    return made


def _scores(head: Head, given: Inputs, truth: Mask) -> dict[str, Any]:
    sure = _sure(head, given)
    return _measured(sure, sure >= head.threshold, truth) | {"threshold": round(float(head.threshold), 2)}


def _measured(sure: Floats, said: Mask, truth: Mask) -> dict[str, Any]:
    right = int((said & truth).sum())
    return {
        "of": len(truth),
        "positive": int(truth.sum()),
        "accuracy": round(100 * float((said == truth).mean()), 1),
        "precision": round(100 * right / max(int(said.sum()), 1), 1),
        "recall": round(100 * right / max(int(truth.sum()), 1), 1),
        "f1": round(100 * f1(said, truth), 1),
        "macro_f1": round(100 * fitting.macro_f1(said, truth), 1),
        "auroc": round(fitting.auroc(sure, truth), 3),
        "ece": round(100 * fitting.ece(sure, truth), 1),
    }


def _chinese_hate(head: Head, own: Sequence[Labelled], given: Inputs, parts: Any) -> dict[str, Any]:
    """Attacks on groups, by the fine labels of the test part: offence that names a group."""
    test = parts[: len(own)] == "test"
    texts = [one.text for one, inside in zip(own, test, strict=True) if inside]
    truth = np.array([bool(one.hate) for one, inside in zip(own, test, strict=True) if inside])
    sure = _sure(head, given.part(parts == "test")) * np.array([groups.named_in_chinese(text) for text in texts])
    return _measured(sure.astype(np.float32), sure >= head.threshold, truth)


def _rate(head: Head, given: Inputs) -> float:
    return round(100 * float((_sure(head, given) >= head.threshold).mean()), 1)


def _by_group(
    head: Head, given: Inputs, tested: dict[str, list[str]], language: Language, category: str
) -> dict[str, Any]:
    """Of each group's sentences, how many are flagged, and the highest score."""
    sure = _sure(head, given)[-sum(map(len, tested.values())) :]
    found, start = {}, 0
    for group, texts in tested.items():
        part = sure[start : start + len(texts)]
        found[group] = {
            "of": len(texts),
            "flagged": int((part >= head.threshold).sum()),
            "highest": round(float(part.max()), 2),
        }
        start += len(texts)
    return found


COLUMNS = ("accuracy", "precision", "recall", "f1", "macro_f1", "auroc", "ece")


def _tables(card: dict[str, Any]) -> str:
    rows = []
    for name, told in card.items():
        rows.append(_row(name, told["shipped"]))
        if "hate" in told:
            rows.append(_row("zh hate (offence that names a group)", told["hate"]))
    titles = ("head", "tested on", "positive", "accuracy", "precision", "recall", "F1", "macro F1", "AUROC", "ECE")
    measured = kept_results.markdown(titles, rows)
    benign = kept_results.markdown(
        (
            "head",
            "sentences",
            "flagged, %",
            "without",
            "ordinary talk flagged, %",
            "without",
            "groups with any flagged",
        ),
        [
            (
                name,
                str(sum(one["of"] for one in told["groups"].values())),
                str(told["shipped"]["benign_flagged"]),
                str(told["plain"]["benign_flagged"]),
                str(told["shipped"]["talk_flagged"]),
                str(told["plain"]["talk_flagged"]),
                _flagged(told["groups"]),
            )
            for name, told in card.items()
        ],
    )
    told = (
        f"Sentences that name a group and say nothing bad, eight for each of {_groups(card)},\nand 500 ordinary messages "
        "of banking77 and of CrossWOZ; beside each rate that of heads which learned from no such sentences:"
    )
    return f"{measured}\n\n{told}\n\n{benign}"


def _row(name: str, scores: dict[str, Any]) -> tuple[str, ...]:
    return name, f"{scores['of']:,}", f"{scores['positive']:,}", *(str(scores[column]) for column in COLUMNS)


def _flagged(groups_of: dict[str, Any]) -> str:
    named = [f"{group} {one['flagged']} of {one['of']}" for group, one in groups_of.items() if one["flagged"]]
    return ", ".join(named) or "none"


def _groups(card: dict[str, Any]) -> str:
    english, chinese = (len(card[f"{language} harassment"]["groups"]) for language in ("en", "zh"))
    return f"{english} groups in English and {chinese} in Chinese"


def _card(card: dict[str, Any]) -> dict[str, Any]:
    return {
        "what": "Linear heads for offensive and hateful language, on vectors of multilingual-e5-small and hashed words.",
        "made_by": 'make moderation-heads ARGS="--data DIR"',
        "learned_from": {
            "hate-speech-and-offensive-language": "MIT, t-davidson/hate-speech-and-offensive-language (Davidson et al. 2017)",
            "COLDataset": "Apache 2.0, thu-coai/COLDataset (Deng et al. 2022)",
            "banking77": "CC BY 4.0, PolyAI-LDN/task-specific-datasets (Casanueva et al. 2020): harmless messages",
            "CrossWOZ": "Apache 2.0, thu-coai/CrossWOZ (Zhu et al. 2020): harmless messages",
            "Tatoeba": "CC BY 2.0 FR, tatoeba.org by ManyThings.org: harmless Chinese sentences",
            "benchmarks/safety/identities": "CC0, our own: harmless sentences that name groups",
        },
        "labels": "en harassment: labelled hate or offensive; tweets found by words of a hate lexicon, so that most swear. "
        "en hate: labelled hate. zh harassment: labelled offensive; comments about race, gender and region.",
        "limits": "English and Chinese. Short informal texts. Swearing among friends is taken for offence; irony and offence "
        "without bad words are missed. Other languages are read by the English heads, and were not measured.",
        "heads": card,
    }


if __name__ == "__main__":
    app()
