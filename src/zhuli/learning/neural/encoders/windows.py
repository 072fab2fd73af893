"""Windows over a text that is too long for a model to read at once. Pure."""

from typing import NamedTuple


class Window(NamedTuple):
    """Pieces start … end are read; of those, first … last are decided here, where they have the most around them."""

    start: int
    end: int
    first: int
    last: int


def windows(number: int, *, size: int, overlap: int) -> list[Window]:
    """Over so many pieces; neighbours share `overlap` pieces, half of which each decides. One at least."""
    size = max(size, 1)
    step = max(size - overlap, 1)
    starts = [0]
    while starts[-1] + size < number:
        starts.append(min(starts[-1] + step, number - size))
    ends = [min(start + size, number) for start in starts]
    borders = [0, *((end + start) // 2 for end, start in zip(ends, starts[1:], strict=False)), number]
    return [
        Window(start, end, first, last)
        for start, end, first, last in zip(starts, ends, borders, borders[1:], strict=False)
    ]


def around(first: tuple[int, int], second: tuple[int, int], *, number: int, size: int) -> list[int]:
    """The `size` pieces of `number` that hold both stretches (start, end) with as much around them as fits.

    If the stretches are too far apart, what is between them is left out in the middle; if they are too long, their ends are.
    """
    if number <= size:
        return list(range(number))
    start, end = min(first[0], second[0]), max(first[1], second[1])
    if end - start <= size:
        begin = min(max(0, (start + end - size) // 2), number - size)
        return list(range(begin, begin + size))
    earlier, later = sorted([first, second])
    share = _share(earlier[1] - earlier[0], later[1] - later[0], size)
    begin = max(0, min(earlier[0], earlier[1] - share))
    again = min(later[0], number - (size - share))
    if again < begin + share:
        begin = min(begin, number - size)
        return list(range(begin, begin + size))
    return [*range(begin, begin + share), *range(again, again + size - share)]


def _share(one: int, other: int, size: int) -> int:
    """How much of `size` a stretch of `one` pieces gets beside one of `other`: half, unless one of them needs more."""
    half = size // 2
    if one + other <= size:
        return min(max(half, one), size - other)
    return min(one, max(half, size - other))
