"""What all wire types share: strict requests, plain objects, metadata, and unions whose tags stay out of error paths."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field

TAG = "~"
"""Union tags begin with this, so that the edge can leave them out of the parameter path of an error."""


class Request(BaseModel):
    """A body that a client sends: JSON types are taken as they are, and unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, serialize_by_alias=True)


class Wire(BaseModel):
    """An object that we send. Every field is always present, null where the API says null."""


LARGEST = 2**63 - 1
"""The largest of the numbers of 64 bits that databases and other JSON libraries have."""


def whole(value: Any) -> Any:
    """256 for 256.0, for JSON knows one kind of number; everything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integer = Annotated[int, BeforeValidator(whole), Field(ge=-LARGEST - 1, le=LARGEST)]


def _whole_each(value: Any) -> Any:
    return list(map(whole, value)) if isinstance(value, list) and float in set(map(type, value)) else value


TokenNumber = Annotated[int, Field(ge=0, le=LARGEST)]
WHOLE_EACH = BeforeValidator(_whole_each)
"""Makes of a list of TokenNumber what Integer would: 300,000 tokens would be as many calls, a third of a second."""

MetadataValue = Annotated[str, Field(max_length=512)]
MetadataKey = Annotated[str, Field(max_length=64)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=16)]

EndUser = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""An app's name for a person. No control characters, which no path may have: to be forgotten they must be named in one."""

Name64 = Annotated[str, Field(max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]


def most(items: int, *, least: int = 0) -> Any:
    """A list of so many at most, whose first fault ends the looking: half a million are told by one sentence anyway."""
    return Field(max_length=items, min_length=least, fail_fast=True)


def optional(**constraints: Any) -> Any:
    """A field that is left out of the JSON when it is None, for the schema says "absent", not "null"."""
    return Field(default=None, exclude_if=lambda value: value is None, **constraints)


def by_type(*, otherwise: str | None = None, others: tuple[frozenset[str], str] | None = None) -> Discriminator:
    """Choose a member of a union by its "type"; `otherwise` is the tag for what is not an object.

    others: (types, tag) where every further type, which the union can't know, has the same tag.
    """

    def tagged(kind: str) -> str:
        return others[1] if others is not None and kind not in others[0] else f"{TAG}{kind}"

    def tag(value: Any) -> str | None:
        if isinstance(value, dict):
            kind = value.get("type")
            return tagged(kind) if isinstance(kind, str) else None
        if otherwise is not None and not isinstance(value, BaseModel):
            return otherwise
        return tagged(value.type) if hasattr(value, "type") else None

    return Discriminator(tag)


def by_shape(shapes: dict[type, str], *, otherwise: str) -> Discriminator:
    """Choose a member of a union by the Python type of the JSON value."""

    def tag(value: Any) -> str:
        return next((name for shape, name in shapes.items() if isinstance(value, shape)), otherwise)

    return Discriminator(tag)
