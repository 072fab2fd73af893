"""What the story is told on: messages with labels, dealt into the parts that it needs, in English and in Chinese.

    python -m benchmarks.learning.circle.corpora --data DIR

writes the samples beside this file anew. English: banking77 (Casanueva et al. 2020, CC BY 4.0). Chinese: CrossWOZ (Zhu et al.
2020, Apache 2.0), of which a message's label is the one thing that it asks for. `sample/NOTICE` has the sources.
"""

import argparse
import csv
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.learning.tuning.talk_sets import crosswoz_messages

Row = tuple[str, str]
"""A message and its label."""

Rows = Sequence[Row]

SAMPLE = Path(__file__).parent / "sample"


@dataclass(frozen=True)
class Sizes:
    """Messages of each label: what the first model learns, the regression set, traffic, what is for neither."""

    known: int
    fixed: int
    traffic: int
    unseen: int


@dataclass(frozen=True)
class Corpus:
    """language: also names the base. new: labels that the first model has never seen; they are in traffic and unseen only.

    Of the parts `known` and `traffic` are of a published training part, `fixed` and `unseen` of a test part.
    """

    name: str
    language: str
    new: list[str]
    known: list[Row]
    fixed: list[Row]
    traffic: list[Row]
    unseen: list[Row]

    @property
    def base(self) -> str:
        return "minilm" if self.language == "en" else "e5-small"

    @property
    def old(self) -> list[str]:
        return sorted({label for _, label in self.known})

    def part(self, rows: Rows, *, new: bool) -> list[Row]:
        """Of the new labels, or of the others."""
        return [row for row in rows if (row[1] in self.new) == new]


ENGLISH = {
    "old": "card_arrival activate_my_card age_limit apple_pay_or_google_pay atm_support beneficiary_not_allowed cancel_transfer "
    "change_pin contactless_not_working country_support exchange_rate getting_virtual_card",
    "new": "lost_or_stolen_phone passcode_forgotten top_up_failed terminate_account",
}
CHINESE = {
    "old": "周边餐馆 周边景点 周边酒店 地址 电话 营业时间 评分",
    "new": "酒店类型 酒店设施 价格",
}
LABELS = {"en": ENGLISH, "zh": CHINESE}

WHOLE = {
    "en": Sizes(known=40, fixed=20, traffic=80, unseen=20),
    "zh": Sizes(known=30, fixed=45, traffic=100, unseen=20),
}
SMALL = {"en": Sizes(known=25, fixed=10, traffic=45, unseen=10), "zh": Sizes(known=25, fixed=10, traffic=45, unseen=10)}


def corpus(language: str, data: Path | None) -> Corpus:
    """The whole data set of a folder with data sets, or else the sample."""
    if data is None:
        return _sample(language)
    return _dealt(language, _parts(language, data), WHOLE[language], *_names(language))


def _names(language: str) -> tuple[list[str], list[str]]:
    return LABELS[language]["old"].split(), LABELS[language]["new"].split()


def _parts(language: str, data: Path) -> tuple[list[Row], list[Row]]:
    """Everything that is there to learn from, and to test with; no text twice."""
    if language == "zh":
        train, test = (list(_asked(data, part)) for part in ("val", "test"))
    else:
        train, test = (_banking(data / "banking77" / f"{part}.csv") for part in ("train", "test"))
    first = dict(train)
    return list(first.items()), [(text, label) for text, label in dict(test).items() if text not in first]


def _banking(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def _asked(data: Path, part: str) -> Iterable[Row]:
    """Users' messages that ask for one thing."""
    for dialogue in crosswoz_messages(data, part):
        for message in dialogue:
            if message["role"] == "usr":
                things = {act[2].partition("-")[0] for act in message["dialog_act"] if act[0] == "Request"}
                if len(things) == 1:
                    yield message["content"], things.pop()


def _dealt(language: str, parts: tuple[list[Row], list[Row]], sizes: Sizes, old: list[str], new: list[str]) -> Corpus:
    train, test = ({label: [row for row in rows if row[1] == label] for label in [*old, *new]} for rows in parts)
    first = {label: sizes.known if label in old else 0 for label in train}
    held = {label: min(sizes.fixed, len(rows) - sizes.unseen) for label, rows in test.items()}
    dice = random.Random(0)
    traffic = [row for label, rows in train.items() for row in rows[first[label] : first[label] + sizes.traffic]]
    dice.shuffle(traffic)
    return Corpus(
        "banking77" if language == "en" else "CrossWOZ",
        language,
        new,
        known=[row for label in old for row in train[label][: sizes.known]],
        fixed=[row for label in old for row in test[label][: held[label]]],
        traffic=traffic,
        unseen=[row for label, rows in test.items() for row in rows[held[label] : held[label] + sizes.unseen]],
    )


def _sample(language: str) -> Corpus:
    found: dict[str, list[Row]] = defaultdict(list)
    with (SAMPLE / f"{language}.jsonl").open(encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            found[record["part"]].append((record["text"], record["label"]))
    learned = {label for _, label in found["known"]}
    new = sorted({label for _, label in found["traffic"]} - learned)
    name = f"a sample of {'banking77' if language == 'en' else 'CrossWOZ'}"
    return Corpus(name, language, new, found["known"], found["fixed"], found["traffic"], found["unseen"])


def _write_sample(language: str, data: Path) -> None:
    old, new = _names(language)
    dealt = _dealt(language, _parts(language, data), SMALL[language], old[:8], new[:3])
    parts = {"known": dealt.known, "fixed": dealt.fixed, "traffic": dealt.traffic, "unseen": dealt.unseen}
    lines = [
        json.dumps({"part": part, "text": text, "label": label}, ensure_ascii=False)
        for part, rows in parts.items()
        for text, label in rows
    ]
    (SAMPLE / f"{language}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{language}: {len(lines)} messages")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    for language in LABELS:
        _write_sample(language, data)


if __name__ == "__main__":
    main()
