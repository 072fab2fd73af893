"""Two models on the same examples, compared: all of them, and slices of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from zhuli.learning.comparing import chance, sentences
from zhuli.types.learning.comparison import Comparison

ALL = "all"


@dataclass(frozen=True, slots=True)
class Pair:
    """What two models got for one example: 1 and 0 for right and wrong, or scores of which more is better.

    slices: what the example belongs to, by dimension, such as {"language": "zh", "topic": "card"}; in a dimension it may belong
    to several. of: what each of the two is a part of; where these are not 1, several examples are the sum of parts over the
    sum of wholes, as the F1 of spans is.
    """

    before: float
    after: float
    slices: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    of: tuple[float, float] = (1.0, 1.0)


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
    if any(pair.of != (1.0, 1.0) for pair in pairs):
        return _compare_sums(pairs, name=name, seed=seed)
    return compare([pair.before for pair in pairs], [pair.after for pair in pairs], name=name, seed=seed)


def _compare_sums(pairs: Sequence[Pair], *, name: str, seed: int) -> Comparison:
    rows = [(pair.before, pair.of[0], pair.after, pair.of[1]) for pair in pairs]
    drawn = chance.ratios(rows, seed=seed)
    each = [(_ratio(pair.before, pair.of[0]), _ratio(pair.after, pair.of[1])) for pair in pairs]
    old, new = (_ratio(sum(row[at] for row in rows), sum(row[at + 1] for row in rows)) for at in (0, 2))
    return Comparison(
        name=name,
        number=len(pairs),
        before=old,
        after=new,
        difference=new - old,
        interval=drawn.interval,
        p=drawn.p,
        worse_p=drawn.worse_p,
        test="bootstrap",
        gained=sum(after > before for before, after in each),
        lost=sum(after < before for before, after in each),
        sentence=sentences.of_comparison(name, len(pairs), old, new, drawn.interval, drawn.p, shares=False),
    )


def _ratio(part: float, whole: float) -> float:
    """1 where there was nothing to find, and nothing was found."""
    return part / whole if whole else 1.0


def by_slice(pairs: Iterable[Pair], *, dimensions: Iterable[str] | None = None, seed: int = 0) -> list[Comparison]:
    """A comparison of each slice, named "dimension=value" and in that order; dimensions: only these, None for all."""
    wanted = None if dimensions is None else set(dimensions)
    found: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        for dimension, values in pair.slices.items():
            if wanted is None or dimension in wanted:
                for value in (values,) if isinstance(values, str) else values:
                    found.setdefault((dimension, value), []).append(pair)
    return [
        compare_pairs(members, name=f"{dimension}={value}", seed=seed)
        for (dimension, value), members in sorted(found.items())
    ]
