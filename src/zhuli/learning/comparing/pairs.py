"""Two models on the same examples, compared: all of them, and slices of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from zhuli.learning.comparing import chance, sentences
from zhuli.types.learning.comparison import Comparison

ALL = "all"


@dataclass(frozen=True, slots=True)
class Pair:
    """What two models got for one example: 1 and 0 for right and wrong, or scores of which more is better.

    slices: what the example belongs to, by dimension, such as {"language": "zh", "topic": "card"}.
    """

    before: float
    after: float
    slices: Mapping[str, str] = field(default_factory=dict)


def compare(before: Sequence[float], after: Sequence[float], *, name: str = ALL, seed: int = 0) -> Comparison:
    """The comparison of two sequences of scores of the same examples, in the same order; ValueError where they don't fit."""
    if len(before) != len(after):
        raise ValueError(f"{len(before)} scores before and {len(after)} after are not of the same examples")
    if not before:
        raise ValueError("There is nothing to compare: no example has a score of both")
    differences = [float(new) - float(old) for old, new in zip(before, after, strict=True)]
    gained, lost = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    shares = all(value in (0, 1) for values in (before, after) for value in values)
    p, worse_p = chance.mcnemar(gained, lost) if shares else chance.sign_flips(differences, seed=seed)
    number = len(differences)
    old, new = sum(before) / number, sum(after) / number
    low, high = chance.mean_interval(differences, seed=seed)
    return Comparison(
        name=name,
        number=number,
        before=old,
        after=new,
        difference=new - old,
        interval=(low, high),
        p=p,
        worse_p=worse_p,
        test="mcnemar" if shares else "sign_flip",
        gained=gained,
        lost=lost,
        sentence=sentences.of_comparison(name, number, old, new, (low, high), p, shares=shares),
    )


def compare_pairs(pairs: Sequence[Pair], *, name: str = ALL, seed: int = 0) -> Comparison:
    """compare() of pairs."""
    return compare([pair.before for pair in pairs], [pair.after for pair in pairs], name=name, seed=seed)


def by_slice(pairs: Iterable[Pair], *, dimensions: Iterable[str] | None = None, seed: int = 0) -> list[Comparison]:
    """A comparison of each slice, named "dimension=value" and in that order; dimensions: only these, None for all."""
    wanted = None if dimensions is None else set(dimensions)
    found: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        for dimension, value in pair.slices.items():
            if wanted is None or dimension in wanted:
                found.setdefault((dimension, value), []).append(pair)
    return [
        compare_pairs(members, name=f"{dimension}={value}", seed=seed)
        for (dimension, value), members in sorted(found.items())
    ]
