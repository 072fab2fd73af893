"""What one file may cost, and what to say of one that costs more: known at both ends of the reading process."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """seconds: of processor a file. memory_bytes: of the whole process. max_characters: of one file's text.

    enclosed_bytes: up to which a file in a file is read. ocr: the plugin that reads pictures, "" for none; in ocr_languages.
    """

    seconds: float
    memory_bytes: int
    max_characters: int
    enclosed_bytes: int = 32 * 1024**2
    ocr: str = ""
    ocr_languages: str = ""


PATIENCE = 10
"""Times `seconds` of wall time after which a process is ended that does nothing, or gets no processor."""


def too_long(seconds: float) -> str:
    return f"Reading the file takes longer than {seconds:g} seconds of processor time. Split it into smaller files."


def too_much_memory(memory_bytes: int) -> str:
    return f"Reading the file takes more than {memory_bytes >> 20} MiB of memory. Split it into smaller files."
