"""After how many messages a bad model goes back, and how often a good one does: by the thumbs that people give to its answers.

The bad model says what the one that serves says, but takes four intents for one another, as one does whose data was labelled so.
Judged is by the product's own judge (retuning.judging) after every ten messages, as it looks once a second.
"""

import random
from collections.abc import Callable, Sequence

from benchmarks.learning.circle.recorded import Recorded
from zhuli.learning.retuning import judging
from zhuli.store.learning.served import Served, Votes
from zhuli.types.learning.retuning import Watch

STEP = 10
WATCHED = 400
"""Messages after which a model is settled."""


def told(traffic: Sequence[Recorded], *, runs: int, votes: float) -> None:
    """Print it. votes: the share of messages on which somebody gives a thumb, up where the answer is right."""
    four = sorted({each.label for each in traffic})[:4]
    turned = dict(zip(four, [*four[1:], four[0]], strict=True))
    says: dict[str, Callable[[str], str]] = {
        "a model with four intents mistaken for one another": lambda said: turned.get(said, said),
        "a model that is no worse": lambda said: said,
    }
    for name, says_now in says.items():
        ended = [_until_back(traffic, says_now, random.Random(seed), votes) for seed in range(runs)]
        back = sorted(number for number in ended if number is not None)
        print(f"{name}: {len(back)} of {runs} went back within {WATCHED} messages", end="")
        print(f", half of these within {back[len(back) // 2]}, all within {back[-1]}" if back else "")


def _until_back(
    traffic: Sequence[Recorded], says: Callable[[str], str], dice: random.Random, share: float
) -> int | None:
    before = dice.choices(traffic, k=WATCHED)
    champion = _served(before), _votes(before, lambda said: said, dice, share)
    now = dice.choices(traffic, k=WATCHED)
    given = Votes()
    for end in range(STEP, WATCHED + 1, STEP):
        more = _votes(now[end - STEP : end], says, dice, share)
        given = Votes(given.up + more.up, given.down + more.down)
        terms = Watch(requests=WATCHED)
        if judging.faults(champion[0], _served(now[:end]), (champion[1], given), terms):
            return end
    return None


def _votes(answers: Sequence[Recorded], says: Callable[[str], str], dice: random.Random, share: float) -> Votes:
    rights = [says(each.said) == each.label for each in answers if dice.random() < share]
    return Votes(sum(rights), len(rights) - sum(rights))


def _served(answers: Sequence[Recorded]) -> list[Served]:
    return [Served("", "", "", "champion", 0.0, 0.01, each.said, each.score) for each in answers]
