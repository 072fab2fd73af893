"""The published data sets as records of tunings: parts(name, place) gives train, validation and test, as the tasks read them.

    python -m benchmarks.learning.tuning.datasets ../shared/data    # how many examples each has

Published splits are kept where they are published; what else is held out is drawn with the seed, by label, and by article or
document where examples have one. What had to be left out or put right is said at each set.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.learning.tuning import class_sets, passage_sets, talk_sets, word_sets
from benchmarks.learning.tuning.drawing import Parts

Reader = Callable[[Path, int], Parts]

READERS: Mapping[str, Reader] = {
    "banking77": class_sets.banking77,
    "clinc150": class_sets.clinc150,
    "clinc150_oos": class_sets.clinc150_oos,
    "snips_intents": word_sets.snips_intents,
    "snips_slots": word_sets.snips_slots,
    "wnut17": word_sets.wnut17,
    "weibo_ner": word_sets.weibo_ner,
    "financial_phrasebank": class_sets.financial_phrasebank,
    "uci_sentiment": class_sets.uci_sentiment,
    "cold": class_sets.cold,
    "csl_classes": class_sets.csl_classes,
    "semeval": word_sets.semeval,
    "finre": word_sets.finre,
    "cmrc": passage_sets.cmrc,
    "xquad_zh": passage_sets.xquad_zh,
    "xquad_en": passage_sets.xquad_en,
    "covid_qa": passage_sets.covid_qa,
    "tatoeba": passage_sets.tatoeba,
    "csl_titles": passage_sets.csl_titles,
    "dialogsum": passage_sets.dialogsum,
    "crosswoz": talk_sets.crosswoz,
    "sgd": talk_sets.sgd,
    "preference": talk_sets.preference,
    "crosswoz_preference": talk_sets.crosswoz_preference,
}


def parts(name: str, data: Path, *, seed: int = 0) -> Parts:
    """Records by part: "train", "validation" and "test". data: where the data sets lie, a folder each."""
    return READERS[name](data, seed)


def main(place: str) -> None:
    for name in READERS:
        counts = {part: len(records) for part, records in parts(name, Path(place)).items()}
        print(f"{name:<22}" + "".join(f"{part} {count:<8}" for part, count in counts.items()))


if __name__ == "__main__":
    main(sys.argv[1])
