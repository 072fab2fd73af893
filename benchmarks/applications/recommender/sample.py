"""A made-up sample: books that do not exist, and readers who were drawn by lot. It shows that things work, not how well.

Each reader likes two of ten subjects and goes through a few books in a row on one; some books are loved by all.
"""

import random
from collections.abc import Sequence
from typing import Any

SUBJECTS = (
    "beekeeping, chess, steam trains, sourdough bread, mountain huts, tide pools, letterpress printing, night skies, "
    "old maps, wild mushrooms"
).split(", ")
_KINDS = ("A first guide to", "The long history of", "Letters about", "A year with", "Mistakes in", "The quiet art of")
_MORE = ("for beginners", "in twelve chapters", "with drawings", "told by three sisters", "after the war", "by the sea")

_BEGAN = 1_750_000_000
_DAY = 86_400


def items(count: int = 600, *, seed: int = 0) -> list[dict[str, Any]]:
    """As POST …/items takes them."""
    rng = random.Random(seed)
    found = []
    for number in range(count):
        subject = SUBJECTS[number % len(SUBJECTS)]
        title = f"{rng.choice(_KINDS)} {subject}, {rng.choice(_MORE)} (no. {number})"
        found.append(
            {
                "id": f"book-{number}",
                "text": title,
                "categories": [subject],
                "price": round(rng.uniform(5, 40), 2),
                "published_at": float(_BEGAN - rng.randrange(3_650) * _DAY),
            }
        )
    return found


def events(
    books: Sequence[dict[str, Any]], readers: int = 400, each: int = 25, *, seed: int = 0
) -> list[dict[str, Any]]:
    """As POST …/events takes them, by reader and in the order of time."""
    rng = random.Random(seed)
    loved = [rng.paretovariate(1.2) for _ in books]
    found = []
    for reader in range(readers):
        likes = rng.sample(range(len(SUBJECTS)), 2)
        at, known, subject = _BEGAN + rng.randrange(300) * _DAY, set[int](), rng.choice(likes)
        for step in range(each):
            if rng.random() < 0.2:
                subject = rng.choice(likes)
            among = range(len(books)) if rng.random() < 0.1 else range(subject, len(books), len(SUBJECTS))
            book = rng.choices(among, [loved[place] for place in among])[0]
            at += rng.randrange(1, _DAY)
            if book in known:
                continue
            known.add(book)
            kind = rng.choice(("view", "click", "buy"))
            found.append(
                {
                    "id": f"r{reader}-{step}",
                    "user": f"reader-{reader}",
                    "item": f"book-{book}",
                    "kind": kind,
                    "at": float(at),
                }
            )
    return found
