"""What an item is counted as: the series that it is of, each with its sentiment. Pure."""

import re

from zhuli.store.applications.opinion import HOUR, Counts
from zhuli.types.applications.opinion import ItemCreate, Language, Reading

_CHINESE = re.compile(r"[\u3400-\u9fff]")


def language_of(item: ItemCreate) -> Language:
    """As it was given; otherwise by the letters: Chinese where they are a fifth of the text."""
    if item.language is not None:
        return item.language
    text = item.whole[:1_000]
    return "zh" if len(_CHINESE.findall(text)) * 5 >= len(text) else "en"


def counts(item: ItemCreate, reading: Reading) -> Counts:
    """All, its source, its topic, and each company named, which has the sentiment towards itself."""
    whole = reading.sentiment.label if reading.sentiment else "unknown"
    labels = {"all": whole, f"source:{item.source}": whole}
    if reading.topic is not None:
        labels[f"topic:{reading.topic.label[:128]}"] = whole
    labels |= {f"company:{each.company}": each.label or "unknown" for each in reading.companies}
    return Counts(int(item.published_at // HOUR), labels, story=reading.story is None)
