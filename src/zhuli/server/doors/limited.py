"""Limits at the door: which requests are held to them, and the headers that say how they stand."""

import re
from collections.abc import Mapping

from zhuli.metering.meter import UNITS, Unit, said_shortly
from zhuli.metering.shares import Standing

_ASK_A_MODEL = re.compile(
    r"/v1/(?:chat/completions|completions|embeddings|moderations|predictions|responses|understandings"
    r"|threads/runs|threads/[^/]+/runs|threads/[^/]+/runs/[^/]+/submit_tool_outputs"
    r"|vector_stores/[^/]+/search|recommenders/[^/]+/recommendations)/?",
    re.ASCII,
)


def is_limited(method: str, path: str) -> bool:
    """Whether a request asks a model, and so counts towards limits. Looking, and keeping objects, does not."""
    return method == "POST" and _ASK_A_MODEL.fullmatch(path) is not None


def headers_of(standings: Mapping[Unit, Standing]) -> list[tuple[bytes, bytes]]:
    """x-ratelimit-* as the original has them: of requests and tokens, where there are such limits."""
    found: list[tuple[bytes, bytes]] = []
    for unit in UNITS:
        if (one := standings.get(unit)) is not None:
            found += [
                (f"x-ratelimit-limit-{unit}".encode(), b"%d" % one.limit),
                (f"x-ratelimit-remaining-{unit}".encode(), b"%d" % one.left),
                (f"x-ratelimit-reset-{unit}".encode(), said_shortly(one.reset).encode()),
            ]
    return found
