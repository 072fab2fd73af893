"""Server-sent events out of bytes, as they arrive. It reads what is sent; it judges nothing."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its `event:` line, its `data:` lines, its `id:` line."""

    name: str | None
    data: str
    id: str | None


class EventParser:
    """Feed it pieces of a body of any size; it gives the events that are complete."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[ServerEvent]:
        *blocks, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
        return (event for block in blocks if (event := _parse(block)) is not None)


def _parse(block: bytes) -> ServerEvent | None:
    fields: dict[str, list[str]] = {}
    for line in block.decode().split("\n"):
        name, _, value = line.partition(":")
        fields.setdefault(name, []).append(value.removeprefix(" "))
    if "data" not in fields:
        return None
    return ServerEvent(fields.get("event", [None])[-1], "\n".join(fields["data"]), fields.get("id", [None])[-1])
