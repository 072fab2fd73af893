"""Which of two interleaved ways won a list, by the events that name it; and whether that is chance. Pure."""

import math
from collections.abc import Sequence

from zhuli.types.applications.recommender import ComparisonReport, Recommendations, Way


def credited(a: Way, b: Way, shown: Sequence[tuple[Recommendations, set[str]]]) -> ComparisonReport:
    """shown: lists with the items of each that events name. A list is won by the way that more of these came from."""
    won_a = won_b = 0
    for one, items in shown:
        of_a = sum(place.source == "a" and place.item in items for place in one.data)
        of_b = sum(place.source == "b" and place.item in items for place in one.data)
        won_a, won_b = won_a + (of_a > of_b), won_b + (of_b > of_a)
    return ComparisonReport(
        a=a,
        b=b,
        lists=len(shown),
        won_by_a=won_a,
        won_by_b=won_b,
        ties=len(shown) - won_a - won_b,
        p=sign_test(won_a, won_b),
    )


def sign_test(first: int, second: int) -> float:
    """How likely so uneven a count would be by chance, two-sided: of a fair coin thrown first + second times."""
    count, more = first + second, max(first, second)
    if count == 0:
        return 1.0
    tail = sum(math.comb(count, k) for k in range(more, count + 1))
    return min(1.0, 2 * tail / (1 << count))
