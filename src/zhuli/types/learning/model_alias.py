"""Aliases of models: our addition to the API."""

from typing import Literal

from zhuli.types.wire import Request, Wire


class AliasMoveTo(Request):
    """model: its own name; an alias leads to no alias."""

    model: str


class AliasMove(Wire):
    """at: Unix seconds. back: whether it was rolled back to this model."""

    model: str
    at: int
    back: bool = False


class Alias(Wire):
    """id: the name that is asked for. moves: newest first; the first one is where it leads."""

    id: str
    object: Literal["model_alias"] = "model_alias"
    model: str
    moves: list[AliasMove]

    def versions(self) -> list[str]:
        """The models that rolling back leads through, the present one first: each move forward adds one before them."""
        found: list[str] = []
        for move in reversed(self.moves):
            if move.back:
                found = found[found.index(move.model) :] if move.model in found else [move.model]
            elif move.model not in found[:1]:
                found.insert(0, move.model)
        return found


class AliasList(Wire):
    """All aliases of the project."""

    object: Literal["list"] = "list"
    data: list[Alias]
