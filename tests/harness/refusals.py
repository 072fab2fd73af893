"""What a refused request must look like: status, text, parameter, code, and the exception that the SDK makes of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
import pytest


def assert_refused(
    response: httpx2.Response,
    status: int,
    message: str | None = None,
    *,
    param: str | None = None,
    code: str | None = None,
) -> str:
    """The answer is this error; the message is given back for who wants to look at a part of it."""
    error = response.json()["error"]
    assert (response.status_code, error["param"], error["code"]) == (status, param, code), error
    assert error["type"] == "invalid_request_error"
    if message is not None:
        assert error["message"] == message
    return str(error["message"])


@contextmanager
def refused(
    status: int, message: str | None = None, *, param: str | None = None, code: str | None = None
) -> Iterator[pytest.ExceptionInfo[openai.APIStatusError]]:
    """The SDK call inside raises this error."""
    with pytest.raises(openai.APIStatusError) as caught:
        yield caught
    assert_refused(caught.value.response, status, message, param=param, code=code)


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """The body without these parameters."""
    return {name: value for name, value in body.items() if name not in names}
