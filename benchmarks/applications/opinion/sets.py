"""Sets for the opinion monitor's models, made from published data: sentiment towards each company named, and of whole texts.

    python -m benchmarks.applications.opinion.sets --data DIR --to FOLDER

finentity: FinEntity (ODC-BY), 80/10/10 by paragraph, each entity a record, and no paragraph of validation or test that repeats
one of another part; to learn from there are also pairs of its short paragraphs with different labels, joined, and comparisons and
negations from templates. contrast: the same two from other templates, other words and other names, to test with. finre: sentences
of FinRE (MIT) in which the relation between two companies says by itself whether it is good or bad for them (silver labels by a
rule, nobody has read them), and Chinese templates. phrasebank: financial_phrasebank (non-commercial: for measuring only, what is
tuned on it is not shipped), 80/10/10 by text; phrasebank_all: what all its annotators agree on.
"""

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

Record = dict[str, Any]

LABELS = ("negative", "neutral", "positive")

FINRE = {
    **dict.fromkeys(("合作", "签约", "订单", "被增持", "增持", "被注资", "被帮助", "合资", "被买资"), "positive"),
    **dict.fromkeys(("纠纷", "被减持", "减持", "欠款", "被欠款"), "negative"),
    **dict.fromkeys(("持股", "被持股", "拥有", "被拥有", "竞争", "分析"), "neutral"),
}
"""Relations whose name says how it stands with the head. Which of them is neutral is our choice; the others are left out."""

GAINS = (
    "shares of {} rose",
    "{} climbed 4%",
    "{} gains",
    "{} beat forecasts",
    "{} raised its outlook",
    "profit at {} grew",
)
LOSSES = (
    "shares of {} fell",
    "{} slid 3%",
    "{} falls",
    "{} missed forecasts",
    "{} cut its outlook",
    "{} lost a contract",
)
JOINS = ("{} as {}", "{} while {}", "{}, but {}", "{}; {}", "{} even though {}")
NOT_BAD = ("{} did not fall", "{} denied that it was in trouble", "{} is no longer losing money", "{} avoided a fine")
NOT_GOOD = ("{} did not gain", "{} failed to win the order", "{} is no longer growing", "{} never recovered")
FLAT = ("{} was unchanged", "{} will hold its annual meeting in May", "{} did not comment", "{} is based in Helsinki")
NAMES = (
    "Acme",
    "Borealis",
    "Cortland",
    "Dunmore",
    "Evergreen Foods",
    "Fabrikam",
    "Globex",
    "Harrow & Co",
    "Initech",
    "Juno Air",
)

GAINS_TEST = ("{} surged 7%", "{} advanced", "{} posts record profit", "{} wins market share", "analysts upgraded {}")
LOSSES_TEST = (
    "{} tumbled 8%",
    "{} declined",
    "{} posts a wider loss",
    "{} loses market share",
    "analysts downgraded {}",
)
JOINS_TEST = ("{} whereas {}", "{} after {}", "{}, unlike last week, when {}", "{} and {}")
NOT_BAD_TEST = ("{} has not defaulted", "{} will not close the plant", "{} dismissed talk of a loss")
NOT_GOOD_TEST = ("{} could not raise prices", "{} did not meet expectations", "no recovery is in sight at {}")
FLAT_TEST = ("{} neither gained nor lost", "{} publishes its report on Tuesday", "{} employs 900 people")
NAMES_TEST = (
    "Kestrel",
    "Lumen Works",
    "Meridian",
    "Northgate",
    "Orion Steel",
    "Pinnacle",
    "Quarry Bank",
    "Rowan",
    "Solace",
    "Tarn",
)

ZH_GAINS = ("{}股价大涨", "{}净利润增长", "{}获得大额订单", "{}上调业绩预期", "{}涨停")
ZH_LOSSES = ("{}股价大跌", "{}净利润下滑", "{}被监管处罚", "{}下调业绩预期", "{}跌停")
ZH_FLAT = ("{}召开股东大会", "{}总部位于深圳", "{}发布公告", "{}未予置评")
ZH_NOT_BAD = ("{}并未亏损", "{}否认资金链断裂", "{}没有裁员")
ZH_NOT_GOOD = ("{}未能扭亏", "{}没有拿到订单", "{}不再增长")
ZH_JOINS = ("{}，而{}", "{}，{}", "{}，但{}")
ZH_NAMES = ("华星科技", "远东钢铁", "蓝海银行", "中岳地产", "金禾药业", "东湖汽车", "天路物流", "南方乳业")

ZH_GAINS_TEST = ("{}业绩创新高", "{}股价拉升", "{}市场份额扩大")
ZH_LOSSES_TEST = ("{}业绩暴雷", "{}股价跳水", "{}市场份额萎缩")
ZH_FLAT_TEST = ("{}股价持平", "{}将于周二公布年报")
ZH_NOT_BAD_TEST = ("{}没有违约", "{}不会关闭工厂")
ZH_NOT_GOOD_TEST = ("{}不及预期", "{}未见好转")
ZH_JOINS_TEST = ("{}，相比之下{}", "虽然{}，不过{}")
ZH_NAMES_TEST = ("白云电器", "启明软件", "长风航空", "瑞丰证券", "永泰能源集团", "山海零售")


def record(text: str, start: int, end: int, label: str, **more: Any) -> Record:
    """A company in a text, as relation_extraction reads it with the company as head and tail."""
    place = {"start": start, "end": end}
    return {"text": text, "head": place, "tail": place, "label": label, **more}


def finentity(data: Path, seed: int) -> dict[str, list[list[Record]]]:
    """Paragraphs as records of their entities: train, validation, test."""
    content = json.loads((data / "finentity/FinEntity.json").read_bytes())
    paragraphs = [
        [record(one["content"], a["start"], a["end"], a["label"].lower()) for a in one["annotations"]]
        for one in content
    ]
    random.Random(seed).shuffle(paragraphs)
    held = len(paragraphs) // 10
    train, validation = paragraphs[2 * held :], paragraphs[held : 2 * held]
    validation = unlike(validation, [_text(one) for one in train], _text)
    test = unlike(paragraphs[:held], [_text(one) for one in (*train, *validation)], _text)
    return {"test": test, "validation": validation, "train": train}


def _text(paragraph: Sequence[Record]) -> str:
    return str(paragraph[0]["text"]) if paragraph else ""


def unlike(things: Sequence[T], seen: Sequence[str], text: Callable[[T], str]) -> list[T]:
    """Those of `things` whose text is no repeat, not even with some words changed, of one that is seen or of each other's.

    FinEntity has news twice. A repeat is a Jaccard similarity of at least 0.5 of the sets of five characters in a row.
    """
    known, kept = [pieces(each) for each in seen], []
    for thing in things:
        said = pieces(text(thing))
        if not any(alike(said, other) for other in known):
            kept.append(thing)
            known.append(said)
    return kept


def pieces(text: str) -> set[str]:
    """Every five characters in a row."""
    return {text[start : start + 5] for start in range(len(text) - 4)}


def alike(one: set[str], other: set[str]) -> bool:
    """Whether their Jaccard similarity is at least 0.5; nothing is like nothing."""
    return 2 * len(one & other) >= len(one | other) > 0


def joined(paragraphs: Sequence[Sequence[Record]], number: int, dice: random.Random) -> Iterator[Record]:
    """Two short paragraphs with different labels in one text: the sentiment is the company's, not the text's."""
    short = [one for one in paragraphs if len(one) == 1 and len(one[0]["text"]) < 160]
    for _ in range(number):
        (first,), (second,) = dice.sample(short, 2)
        if first["label"] == second["label"]:
            continue
        text = first["text"].strip() + dice.choice((" ", " Meanwhile, ", " But ")) + second["text"].strip()
        shift = len(first["text"]) - len(first["text"].lstrip())
        yield record(text, first["head"]["start"] - shift, first["head"]["end"] - shift, first["label"])
        place = text.rindex(second["text"].strip()) - (len(second["text"]) - len(second["text"].lstrip()))
        yield record(text, second["head"]["start"] + place, second["head"]["end"] + place, second["label"])


def contrasts(
    names: Sequence[str],
    says: dict[str, Sequence[str]],
    joins: Sequence[str],
    number: int,
    dice: random.Random,
) -> Iterator[Record]:
    """Comparisons of two companies and single negations from templates. says: "positive", "negative", "neutral", …"""
    kinds = {
        "positive": "positive",
        "negative": "negative",
        "neutral": "neutral",
        "not_bad": None,
        "not_good": "negative",
    }
    for _ in range(number):
        one, other = dice.sample(list(names), 2)
        first, second = dice.sample(("positive", "negative", "neutral"), 2)
        parts = [dice.choice(says[first]).format(one), dice.choice(says[second]).format(other)]
        text = dice.choice(joins).format(*parts)
        for name, label in ((one, first), (other, second)):
            yield record(text, text.index(name), text.index(name) + len(name), label, kind="comparison")
    for kind in ("not_bad", "not_good", "neutral"):
        for pattern in says[kind]:
            for name in dice.sample(list(names), 3):
                text = pattern.format(name)
                label = kinds[kind] or "not_negative"
                yield record(text, text.index(name), text.index(name) + len(name), label, kind=kind)


def english_contrasts(number: int, dice: random.Random, *, test: bool) -> list[Record]:
    """Those to learn from, or those to test with: other words, other names."""
    if test:
        says = _says(GAINS_TEST, LOSSES_TEST, FLAT_TEST, NOT_BAD_TEST, NOT_GOOD_TEST)
        return list(contrasts(NAMES_TEST, says, JOINS_TEST, number, dice))
    return list(contrasts(NAMES, _says(GAINS, LOSSES, FLAT, NOT_BAD, NOT_GOOD), JOINS, number, dice))


def chinese_contrasts(number: int, dice: random.Random, *, test: bool) -> list[Record]:
    """The same in Chinese."""
    if test:
        says = _says(ZH_GAINS_TEST, ZH_LOSSES_TEST, ZH_FLAT_TEST, ZH_NOT_BAD_TEST, ZH_NOT_GOOD_TEST)
        return list(contrasts(ZH_NAMES_TEST, says, ZH_JOINS_TEST, number, dice))
    says = _says(ZH_GAINS, ZH_LOSSES, ZH_FLAT, ZH_NOT_BAD, ZH_NOT_GOOD)
    return list(contrasts(ZH_NAMES, says, ZH_JOINS, number, dice))


def _says(
    good: Sequence[str], bad: Sequence[str], flat: Sequence[str], not_bad: Sequence[str], not_good: Sequence[str]
) -> dict[str, Sequence[str]]:
    return {"positive": good, "negative": bad, "neutral": flat, "not_bad": not_bad, "not_good": not_good}


def to_learn(records: Sequence[Record]) -> list[Record]:
    """What is not negative is neutral where something is learned from it; names of kinds stay behind."""
    kept = ({**one, "label": "neutral" if one["label"] == "not_negative" else one["label"]} for one in records)
    return [{name: value for name, value in one.items() if name != "kind"} for one in kept]


def is_right(label: str, said: str) -> bool:
    """Whether an answer is right; of what is not negative, either of the other two is."""
    return said != "negative" if label == "not_negative" else said == label


def finre(data: Path, part: str, most: int, dice: random.Random) -> list[Record]:
    """Sentences of a part of FinRE with a company in them, each sentence and company once, as many of each label."""
    found: dict[tuple[str, str], str | None] = {}
    for line in (data / f"finre_zh/FinRE_{part}.txt").read_text(encoding="utf-8").splitlines():
        head, _, relation, sentence = line.split("\t") if line.count("\t") == 3 else ("", "", "", "")
        if relation in FINRE and head in sentence and len(sentence) <= 200:
            label = FINRE[relation]
            key = sentence, head
            found[key] = label if found.get(key, label) == label else None  # two relations that disagree: neither
    of_label: dict[str, list[Record]] = {label: [] for label in LABELS}
    for (sentence, head), said in found.items():
        if said is not None:
            place = sentence.index(head)
            of_label[said].append(record(sentence, place, place + len(head), said))
    for records in of_label.values():
        dice.shuffle(records)
    return [one for records in of_label.values() for one in records[:most]]


def phrasebank(data: Path, seed: int, agree: str) -> dict[str, list[Record]]:
    """Sentences of financial_phrasebank, 80/10/10, equal texts on one side. agree: AllAgree, 75Agree, 66Agree or 50Agree."""
    text = (data / f"financial_phrasebank/Sentences_{agree}.txt").read_text(encoding="latin-1")
    pairs = dict(line.rsplit("@", 1) for line in text.splitlines() if "@" in line)
    rows = [{"text": said.strip(), "label": label.strip()} for said, label in sorted(pairs.items())]
    random.Random(seed).shuffle(rows)
    held = len(rows) // 10
    return {"test": rows[:held], "validation": rows[held : 2 * held], "train": rows[2 * held :]}


def write(to: Path, name: str, rows: Sequence[Record]) -> None:
    """A JSON Lines file."""
    to.mkdir(parents=True, exist_ok=True)
    (to / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def make(data: Path, to: Path, seed: int = 0) -> None:
    """Every set, as files of `to`."""
    dice = random.Random(seed)
    parts = finentity(data, seed)
    flat = {part: [one for paragraph in paragraphs for one in paragraph] for part, paragraphs in parts.items()}
    english = [*flat["train"], *joined(parts["train"], 250, dice), *to_learn(english_contrasts(100, dice, test=False))]
    dice.shuffle(english)
    write(to, "finentity_train", english)
    write(to, "finentity_validation", flat["validation"])
    write(to, "finentity_test", flat["test"])
    write(to, "contrast_test", english_contrasts(60, dice, test=True))
    chinese = [*finre(data, "train", 350, dice), *to_learn(chinese_contrasts(100, dice, test=False))]
    dice.shuffle(chinese)
    write(to, "finre_train", chinese)
    write(to, "finre_validation", finre(data, "valid", 100, dice))
    write(to, "finre_test", finre(data, "test", 200, dice))
    write(to, "contrast_zh_test", chinese_contrasts(60, dice, test=True))
    for name, agree in (("phrasebank", "50Agree"), ("phrasebank_all", "AllAgree")):
        for part, rows in phrasebank(data, seed, agree).items():
            write(to, f"{name}_{part}", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    asked = parser.parse_args()
    make(asked.data, asked.to)


if __name__ == "__main__":
    main()
