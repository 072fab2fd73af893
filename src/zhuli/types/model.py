"""A model that may be asked for."""

from typing import Literal

from zhuli.types.wire import Wire


class Model(Wire):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(Wire):
    object: Literal["list"] = "list"
    data: list[Model]
