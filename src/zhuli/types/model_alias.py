"""Aliases of models: our addition to the API."""

from typing import Literal

from zhuli.types.wire import Request, Wire


class AliasMoveTo(Request):
    """model: its own name; an alias leads to no alias."""

    model: str


class AliasMove(Wire):
    """at: Unix seconds."""

    model: str
    at: int


class Alias(Wire):
    """id: the name that is asked for. moves: newest first; the first one is where it leads."""

    id: str
    object: Literal["model_alias"] = "model_alias"
    model: str
    moves: list[AliasMove]


class AliasList(Wire):
    object: Literal["list"] = "list"
    data: list[Alias]
