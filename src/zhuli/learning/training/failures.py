"""Why a tuning could not be finished, told to who started it: a code, what is wrong and what would be right.

It stands apart from the errors of core.errors, which are answers to requests; a failure becomes an event of the tuning.
"""

import errno
import os
from typing import Literal

from zhuli.types.learning.example import BadExample

FailureCode = Literal[
    "invalid_training_file",
    "invalid_validation_file",
    "diverged",
    "no_space",
    "out_of_memory",
    "base_unusable",
    "invalid_hyperparameters",
    "server_error",
]


class TuningFailed(Exception):
    """code: one of FailureCode. param: the parameter of the request that is at fault, if one is."""

    def __init__(self, code: FailureCode, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


class Diverged(TuningFailed):
    """The loss is no number any more, or has exploded."""

    def __init__(self, message: str) -> None:
        super().__init__("diverged", message, param="hyperparameters")


def known(error: BaseException) -> TuningFailed | None:
    """The failure that an exception of the system or of torch stands for; None for what nobody expected."""
    if isinstance(error, TuningFailed):
        return error
    if isinstance(error, BadExample):
        return TuningFailed("invalid_training_file", str(error), param="training_file")
    if _says_no_space(error):
        return TuningFailed("no_space", "No space is left on the disk. Free some and start the job again: it resumes.")
    if isinstance(error, MemoryError) or _says_out_of_memory(error):
        return TuningFailed(
            "out_of_memory",
            "The memory does not suffice. Try a smaller batch_size with more accumulation, a smaller max_length, or fewer "
            "parameters: trainable = lora, top or head.",
            param="hyperparameters",
        )
    return None


def _says_no_space(error: BaseException | None) -> bool:
    """Writers in C++ and Rust wrap the system's error: in the context, or in the text only."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if any(os.strerror(number) in str(error) for number in (errno.ENOSPC, errno.EFBIG)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _says_out_of_memory(error: BaseException) -> bool:
    """torch's allocator says so by a RuntimeError on CPUs, and by a subclass of it on GPUs."""
    text = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
