"""Where a JSON object that comes in pieces ends. Pure; each letter is looked at once, however many pieces there are."""

import re

_SIGN = re.compile(r'[{}\[\]"\\]')


class JsonObject:
    """Feed it the pieces. It counts brackets outside strings and checks nothing else."""

    def __init__(self) -> None:
        self.complete = False
        """Whether the object's last bracket has come."""
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def feed(self, text: str) -> int | None:
        """The place in `text` behind the object's end; None while it is open."""
        at = 0
        if self._escaped and text:
            self._escaped, at = False, 1
        while sign := _SIGN.search(text, at):
            at = sign.end()
            if self._read(sign.group()):
                self.complete = True
                return at
            if sign.group() == "\\" and self._in_string:
                self._escaped = at == len(text)
                at += 1
        return None

    def _read(self, sign: str) -> bool:
        """Whether the sign ends the object."""
        if sign == '"':
            self._in_string = not self._in_string
        elif not self._in_string and sign in "{[":
            self._depth += 1
        elif not self._in_string and sign in "}]":
            self._depth -= 1
            return self._depth <= 0
        return False
