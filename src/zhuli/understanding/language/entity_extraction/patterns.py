"""Regular expressions of users: found in texts within limits of time, so that bad ones cost a second and not the server.

Searched with the library `regex`, which reads what `re` does and can stop; `re` cannot. An expression that is stopped finds
nothing in that text. Between two expressions, and within one, other threads have their turn: the library gives up Python's lock.
How large an expression may be, says pattern_size: neither compiling nor the first search can be stopped.
"""

import functools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time
from typing import Any

from zhuli.understanding.language.entity_extraction.pattern_size import BadPattern, refuse_large
from zhuli.understanding.language.plain_text import half_width
from zhuli.understanding.language.spans import Span

SECONDS = 0.05
"""For one expression on one text."""

MESSAGE_SECONDS = 1.0
"""For all expressions of a message together; of this thread's processor time, so that a busy machine takes nothing from it."""

CHECK_SECONDS = 5.0
"""In which all expressions of a domain must be compiled when it is checked."""


_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,4}[ -][0-9]{2,12}(?![A-Za-z0-9])")


class SearchTime:
    """What the expressions of one message have left. stop() ends them from any thread, within the one that is searched.

    unsearched: those that were not searched to the end.
    """

    def __init__(self, seconds: float = MESSAGE_SECONDS) -> None:
        self.unsearched: dict[str, None] = {}
        self._left = seconds
        self._stopped = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing more is searched."""
        return self._left <= 0 or self._stopped.is_set()

    def stop(self) -> None:
        """Search nothing more."""
        self._stopped.set()

    @contextmanager
    def spent_on(self, pattern: str) -> Iterator[float]:
        """The seconds that this expression has; TimeoutError where there are none, or they are over."""
        if self.is_over:
            self.unsearched[pattern] = None
            raise TimeoutError
        began = thread_time()
        try:
            yield min(SECONDS, self._left)
        except TimeoutError:
            self.unsearched[pattern] = None
            raise
        finally:
            self._left -= thread_time() - began

    @contextmanager
    def of_all_here(self) -> Iterator[None]:
        """Whatever is searched in here, by this thread, spends it."""
        token = _time.set(self)
        try:
            yield
        finally:
            _time.reset(token)


_time: ContextVar[SearchTime | None] = ContextVar("search_time", default=None)


@functools.lru_cache(maxsize=4096)
def compiled(pattern: str) -> Any:
    """The expression, ready to be searched; BadPattern if it is none, or too large."""
    import regex

    refuse_large(pattern)
    try:
        return regex.compile(pattern, cache_pattern=False)
    except (regex.error, OverflowError, RecursionError) as error:
        raise BadPattern(str(error)) from error


def find_matches(text: str, pattern: str) -> list[Span]:
    """Where the expression matches; a group "value" is the value, and its place the place. Empty matches are none.

    Where it matches nothing it is tried as codes are typed in a hurry: in figures of full width, in small letters, in capitals.
    """
    try:
        readings = dict.fromkeys(
            (text, half := half_width(text), _of_length(half, half.upper()), _of_length(half, half.lower()))
        )
        whole = next((found for read in readings if (found := _searched(read, pattern))), [])
        return whole or _spaced(half_width(text), pattern)
    except (BadPattern, TimeoutError):
        return []


def _spaced(text: str, pattern: str) -> list[Span]:
    """Codes with a blank or a stroke where the expression has none: "r 8810" for R8810."""
    found: list[Span] = []
    for match in _CODE.finditer(text):
        code = re.sub(r"[ -]", "", match[0])
        written = next((one for one in (code.upper(), code, code.lower()) if fits(pattern, one)), None)
        if written is not None:
            found.append(Span(match.start(), match.end(), written))
    return found


def _of_length(text: str, written: str) -> str:
    """The text in other letters, if every character stays where it is."""
    return written if len(written) == len(text) else text


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches; False for what is no expression, or takes too long."""
    try:
        time = search_time()
        expression: Any = None if time.is_over else compiled(pattern)
        with time.spent_on(pattern) as seconds:
            return expression.fullmatch(text, timeout=seconds, concurrent=True) is not None
    except (BadPattern, TimeoutError):
        return False


def _searched(text: str, pattern: str) -> list[Span]:
    time = search_time()
    expression = None if time.is_over else compiled(pattern)  # which is nobody's time: mostly it is done already
    with time.spent_on(pattern) as seconds:
        return list(_matches(text, expression, seconds))


def search_time() -> SearchTime:
    """The message's, or the check's; an expression outside of both has its own."""
    return _time.get() or SearchTime()


def _matches(text: str, expression: Any, seconds: float) -> Iterator[Span]:
    group = "value" if "value" in expression.groupindex else 0
    for match in expression.finditer(text, timeout=seconds, concurrent=True):
        if match[group]:
            yield Span(match.start(group), match.end(group), match[group])
