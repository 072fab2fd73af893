"""Conversations written by somebody who had not read how messages are understood, walked with the packaged encoders.

outside/known.txt has those that go wrong: one that goes right has to leave it, and one that goes wrong may enter it only with the
reason on the page of results (docs/understanding-results.md).
"""

import pytest

from tests.stories.conversation import FOLDER, PARTS, Conversation, Difference, conversations
from tests.stories.walk import walk_all

TOLD = list(conversations(*PARTS))
KNOWN = set((FOLDER / "known.txt").read_text().splitlines())


@pytest.fixture(scope="module")
def walked() -> dict[str, Difference | None]:
    return walk_all(TOLD)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.id)
def test_what_a_clerk_would_understand_is_understood(told: Conversation, walked: dict[str, Difference | None]) -> None:
    difference = walked[told.id]
    if told.id in KNOWN:
        assert difference is not None, f"It goes right now: take {told.id!r} out of tests/stories/outside/known.txt."
        pytest.skip(f"known to go wrong at turn {difference.turn}")
    assert difference is None, str(difference)


def test_what_is_known_to_go_wrong_are_conversations() -> None:
    assert {told.id for told in TOLD} >= KNOWN
