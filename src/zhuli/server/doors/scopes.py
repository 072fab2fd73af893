"""Which scope of a key a request needs, by its method and path: one rule for all routes, those that are added later too."""

import re

from zhuli.store.projects import Scope

_WRITE_NOTHING = re.compile(
    r"/v1/(?:embeddings|moderations|predictions|understandings|domains/check|vector_stores/[^/]+/search|evals/[^/]+/comparisons)/?",
    re.ASCII,
)
"""POSTs that ask and leave nothing behind."""

_FEEDBACK = re.compile(r"/v1/feedback(?:/batches)?/?", re.ASCII)
"""POSTs that apps in the hands of end users may send."""

_OPERATORS = re.compile(r"/v1/(?:models|model_aliases|moderations/thresholds)(?:/.*)?", re.ASCII | re.DOTALL)
"""What an operator does there: deletes and imports models, moves the names under which apps ask for them."""


def writes_nothing(path: str) -> bool:
    """Whether a POST there only asks."""
    return _WRITE_NOTHING.fullmatch(path) is not None


_ORGANIZATION = "/v1/organization/"
"""What an operator looks at there, too: usage, and who did what."""


def scope_of(method: str, path: str) -> Scope:
    if path.startswith(_ORGANIZATION):
        return "admin"
    if method in ("GET", "HEAD", "OPTIONS"):
        return "read"
    if method == "POST" and _FEEDBACK.fullmatch(path):
        return "feedback"
    if _OPERATORS.fullmatch(path):
        return "admin"
    return "read" if method == "POST" and writes_nothing(path) else "write"
