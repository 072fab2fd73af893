"""Identifiers in the API's form: a prefix and 24 letters or digits."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits

SEPARATORS = {"file": "-", "chatcmpl": "-", "sk": "-"}
"""Prefixes that are not followed by an underscore."""


def new_id(prefix: str) -> str:
    """A fresh id: "thread" → "thread_Xk3…"; 24 characters of 62 hold 142 bits."""
    number = int.from_bytes(secrets.token_bytes(18))
    letters = []
    for _ in range(24):
        number, index = divmod(number, 62)
        letters.append(_ALPHABET[index])
    return f"{prefix}{SEPARATORS.get(prefix, '_')}{''.join(letters)}"
