"""What a tagger is told of each word of a text: itself, its form, its neighbours, and the lists that it stands in.

Nothing here is learned and nothing knows of tags; tagger.py says what follows from the features.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from zhuli.understanding.language.tokens import unspaced

LONGEST = 12
"""Words of a listed value; longer ones are told by their neighbours alone."""

UNKNOWN = "?"

Words = tuple[str, ...]


class Gazetteer:
    """Values that were seen of each entity, as lower-cased words, with how many texts have them."""

    def __init__(self, listed: Mapping[str, Iterable[Sequence[str]]]) -> None:
        self._count: dict[Words, dict[str, int]] = {}
        for entity, words in ((entity, words) for entity, values in listed.items() for words in values):
            if 0 < len(words) <= LONGEST:
                counts = self._count.setdefault(tuple(words), {})
                counts[entity] = counts.get(entity, 0) + 1
        self._longest = max(map(len, self._count), default=0)

    def features(self, words: Sequence[str], own: Mapping[Words, Collection[str]]) -> list[list[str]]:
        """For each word the values that it begins or goes on, longest first from the left.

        own: values that this very text gave to the lists. They count only if another text has them too: otherwise a tagger
        would learn that every value is listed.
        """
        found: list[list[str]] = [[] for _ in words]
        start = 0
        while start < len(words):
            start += self._mark(words, start, own, found)
        return found

    def _mark(
        self, words: Sequence[str], start: int, own: Mapping[Words, Collection[str]], found: list[list[str]]
    ) -> int:
        for length in range(min(self._longest, len(words) - start), 0, -1):
            value = tuple(words[start : start + length])
            mine = own.get(value, ())
            entities = sorted(
                entity for entity, count in self._count.get(value, {}).items() if count > (entity in mine)
            )
            if entities:
                for place in range(start, start + length):
                    found[place] += [f"{'in' if place > start else 'at'}:{entity}" for entity in entities]
                return length
        return 1


def features(
    words: Sequence[str], listed: Sequence[Sequence[str]], context: Sequence[str], known: Collection[str]
) -> list[list[str]]:
    """The features of each word. listed: from a Gazetteer. context: what is known of the whole text, such as its intent.

    known: lower-cased words that examples have; others are all alike but for their form.
    """
    low = ["<", "<", *(_known(word.lower(), known) for word in words), ">", ">"]
    forms = ["<", *(_form(word) for word in words), ">"]
    lists = [(), *listed, ()]
    made: list[list[str]] = []
    for place in range(len(words)):
        two_left, left, here, right, two_right = low[place : place + 5]
        row = [
            "always", f"w={here}", f"w-1={left}", f"w+1={right}", f"w-2={two_left}", f"w+2={two_right}",
            f"w-1,w+1={left} {right}",
            f"form={forms[place + 1]}", f"form-1={forms[place]}", f"form+1={forms[place + 2]}",
        ]  # fmt: skip
        row += _affixes(here) if here != UNKNOWN else []
        row += [f"list {name}" for name in lists[place + 1]]
        row += [f"list-1 {name}" for name in lists[place]] + [f"list+1 {name}" for name in lists[place + 2]]
        for fact in context:
            row += [fact, f"{fact} w-1={left}", f"{fact} w={here}"]
        made.append(row)
    return made


def _known(word: str, known: Collection[str]) -> str:
    return word if word in known or not word[0].isalnum() else UNKNOWN


@lru_cache(maxsize=20_000)
def _form(word: str) -> str:
    """The kind of word: Chinese, digits and how many, capital, capitals, lower case, or the sign itself."""
    if unspaced(word):
        return "han"
    if word[0].isdigit():
        return f"digits{min(len(word), 5)}" if word.isdigit() else "number"
    if not any(letter.isalpha() for letter in word):
        return word
    if word.islower():
        return "lower"
    return "upper" if word.isupper() and len(word) > 1 else "title" if word[0].isupper() else "mixed"


@lru_cache(maxsize=20_000)
def _affixes(word: str) -> list[str]:
    if len(word) < 4:
        return []
    return [f"begins={word[:2]}", f"begins={word[:3]}", f"ends={word[-2:]}", f"ends={word[-3:]}"]
