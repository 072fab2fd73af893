"""Which models an alias goes back to: one after the other, until it is moved forward again."""

import pytest

from zhuli.types.learning.model_alias import Alias, AliasMove


@pytest.mark.parametrize(
    ("moves", "versions"),
    [
        ("a", "a"),
        ("a b c", "c b a"),
        ("a b c <b", "b a"),
        ("a b c <b <a", "a"),
        ("a b c <b d", "d b a"),
        ("a b c <b d <b", "b a"),
        ("a b c <a", "a"),
        ("a b b", "b a"),
        ("a b a", "a b a"),
        ("a b a <b", "b a"),
    ],
)
def test_an_alias_goes_back_through_its_moves_forward(moves: str, versions: str) -> None:
    said = [AliasMove(model=move.removeprefix("<"), at=0, back=move.startswith("<")) for move in moves.split()]
    alias = Alias(id="support", model=said[-1].model, moves=said[::-1])
    assert alias.versions() == versions.split()
