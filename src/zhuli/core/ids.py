"""Identifiers in the API's form: a prefix and 24 letters or digits."""

import os
import string

_LETTERS = (string.ascii_letters + string.digits).encode()
_OF_BYTE = bytes(_LETTERS[byte % len(_LETTERS)] for byte in range(256))

SEPARATORS = {"file": "-", "chatcmpl": "-", "cmpl": "-", "sk": "-", "ftjob": "-", "ftevent": "-"}
"""Prefixes that are not followed by an underscore."""


def new_id(prefix: str) -> str:
    """A fresh id: "thread" → "thread_Xk3…". Its 24 characters hold 142 random bits, enough for keys too."""
    return f"{prefix}{SEPARATORS.get(prefix, '_')}{os.urandom(24).translate(_OF_BYTE).decode()}"
