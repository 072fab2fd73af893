"""Addresses of electronic mail in a text, in lower case. Forms, not whether there is such an address."""

import re

from zhuli.understanding.language.spans import Span

_ADDRESS = re.compile(
    r"(?<![a-z0-9._%+-])[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![a-z0-9-])",
    re.ASCII,
)


def find_emails(text: str) -> list[Span]:
    """Addresses of a plain text, in order."""
    return [Span(match.start(), match.end(), match[0]) for match in _ADDRESS.finditer(text)]
