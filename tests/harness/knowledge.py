"""Short ways to say what stories about vector stores need: files, and the store or the file when its work is done."""

import time

from openai import OpenAI
from openai.types import VectorStore

PATIENCE = 30.0


def upload(client: OpenAI, *texts: str) -> list[str]:
    """The ids of new files with these texts."""
    return [
        client.files.create(file=(f"{n}.txt", text.encode()), purpose="assistants").id for n, text in enumerate(texts)
    ]


def settled(client: OpenAI, store: str) -> VectorStore:
    """The store when none of its files is in progress any more."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        shown = client.vector_stores.retrieve(store)
        if not shown.file_counts.in_progress:
            return shown
        time.sleep(0.02)
    raise AssertionError(f"{store} stays in progress: {shown.file_counts}")


def counted(shown: object) -> tuple[int, int, int, int, int]:
    """file_counts of a store or a batch: in_progress, completed, failed, cancelled, total."""
    counts = shown.file_counts  # type: ignore[attr-defined]
    return (counts.in_progress, counts.completed, counts.failed, counts.cancelled, counts.total)
