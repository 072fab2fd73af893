"""The one tree of errors. Each knows the HTTP status, the type and the code under which a client sees it.

    ZhuliError
    ├── InvalidRequest        400  the client's mistake; names the parameter and what would be right
    │   ├── BodyTooLarge      413
    │   ├── HeadersTooLarge   431
    │   └── RequestTimeout    408  the request came too slowly
    ├── Unreadable            400  a file that can't be read; `code` is what a vector store file's last_error carries
    ├── Unauthenticated       401
    ├── Forbidden             403  a key without the scope, a web page where no key is asked for
    ├── NotFound              404  also for what belongs to another project
    ├── MethodNotAllowed      405
    ├── Conflict              409  another request is at it
    ├── RateLimited           429  a rate limit, which ends by itself, or a quota that is used up
    ├── BackendError          502  a model failed (429 or 400 where the client can act); `code` is what last_error carries
    ├── ServerFault           500  ours
    ├── Unavailable           503  stopping, or a store that is not reachable
    │   └── Outage            503  the database, or room on a disk, is away for everybody; core.outages says it in the log
    │       └── DiskFull      503
    ├── ConfigurationError    500  the operator's mistake, raised at start
    └── LeaseLost             500  a worker no longer owns its job; never leaves the worker

A library's exception is turned into one of these in the plugin that calls the library, and one of these into HTTP at the
edge. An error is raised, never returned.
"""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType
from typing import Any, ClassVar, Literal

RunErrorCode = Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]


class ZhuliError(Exception):
    """The root. `message` is written for the person who must act on it."""

    status: int = 500
    type: ClassVar[str] = "server_error"
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code

    def body(self) -> dict[str, Any]:
        """The API's error body."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class InvalidRequest(ZhuliError):
    """The request can't be taken as it is."""

    status = 400
    type = "invalid_request_error"


class BodyTooLarge(InvalidRequest):
    """The body is larger than this server takes."""

    status = 413


class HeadersTooLarge(InvalidRequest):
    """The headers are longer than anybody's are."""

    status = 431


class RequestTimeout(InvalidRequest):
    """The request did not arrive in time."""

    status = 408


FileErrorCode = Literal["server_error", "unsupported_file", "invalid_file"]


class Unreadable(ZhuliError):
    """A document that no text can be had from: of a kind that is not read here, or broken, encrypted, empty, too large."""

    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, *, code: FileErrorCode = "invalid_file") -> None:
        super().__init__(message, code=code)
        self.file_code: FileErrorCode = code


class Unauthenticated(ZhuliError):
    """No API key, or one that is not known."""

    status = 401
    type = "invalid_request_error"
    headers = MappingProxyType({"www-authenticate": "Bearer"})


class Forbidden(ZhuliError):
    """Whoever asks is known, and may not."""

    status = 403
    type = "invalid_request_error"


class NotFound(ZhuliError):
    """No such object in this project."""

    status = 404
    type = "invalid_request_error"


class MethodNotAllowed(ZhuliError):
    """The path exists, the method on it does not."""

    status = 405
    type = "invalid_request_error"


class Conflict(ZhuliError):
    """Another request is at the same thing; it may be asked for again soon."""

    status = 409
    type = "invalid_request_error"
    headers = MappingProxyType({"retry-after": "1"})


class RateLimited(ZhuliError):
    """A key or a project has used up what it may use. `wait`: seconds until it may go on; None for a quota.

    A client that waits for the time that `retry-after-ms` says, as the official SDKs do, gets through.
    """

    status = 429

    def __init__(self, message: str, *, unit: str, wait: float | None) -> None:
        """unit: requests or tokens."""
        super().__init__(message, code="insufficient_quota" if wait is None else "rate_limit_exceeded")
        self.wait = wait
        self.kind = "insufficient_quota" if wait is None else unit
        if wait is None:
            self.headers = {"x-should-retry": "false"}
        else:
            milliseconds = max(1, ceil(wait * 1000))
            self.headers = {"retry-after": str(ceil(milliseconds / 1000)), "retry-after-ms": str(milliseconds)}

    def body(self) -> dict[str, Any]:
        """The API's error body, whose type says what there is too little of."""
        said = super().body()
        said["error"]["type"] = self.kind
        return said


class BackendError(ZhuliError):
    """A model could not answer.

    `run_code` is the code of the run's last_error. `retry_after` is in seconds, when the model server named one.
    """

    status = 502
    type = "server_error"

    def __init__(
        self, message: str, *, run_code: RunErrorCode = "server_error", retry_after: float | None = None
    ) -> None:
        super().__init__(message, code=run_code)
        self.status = {"rate_limit_exceeded": 429, "invalid_prompt": 400}.get(run_code, 502)
        self.headers = {} if retry_after is None else {"retry-after": str(max(1, round(retry_after)))}
        self.run_code = run_code
        self.retry_after = retry_after


class ServerFault(ZhuliError):
    """Something of ours broke; the log has the details under the request id."""


class Unavailable(ZhuliError):
    """Not now."""

    status = 503
    headers = MappingProxyType({"retry-after": "1"})


class Outage(Unavailable):
    """What everything needs is away. Whoever raises it says it in the log, once; whoever meets it only tries again."""


class DiskFull(Outage):
    """There is no room to write."""


class ConfigurationError(ZhuliError):
    """A setting, a models file or an installation that can't work; says what would."""


class LeaseLost(ZhuliError):
    """The job belongs to another worker by now."""
