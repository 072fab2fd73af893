"""From what was read of a file to what is embedded and written of it. Pure, and CPU only: it is called on a thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from zhuli.core.errors import Unreadable
from zhuli.knowledge.retrieval.chunking.chunker import cut
from zhuli.knowledge.retrieval.chunking.tokenizer import count
from zhuli.knowledge.retrieval.ingesting.embedding import digest_of
from zhuli.models.catalog import EmbedderEntry
from zhuli.types.assistants.tools import StaticChunking
from zhuli.types.knowledge.document import Block, Chunk, text_of

MOST_TOKENS = 5_000_000
"""Of a file, as in the API."""

MOST_CHARACTERS = 40_000_000
"""Of a file; more can't be 5,000,000 tokens of anything that people write, whose longest are some eight characters."""

_BYTES_OF_A_NUMBER = 2


SHARED = 1 / 3
"""From this share of overlap on, chunks are embedded in parts that they share; below, hardly anything would be saved."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is embedded at once: its text below the headings above it, and the digest of both."""

    digest: bytes
    text: str


@dataclass(frozen=True, slots=True)
class EmbeddingUnit:
    """A chunk, what is embedded of it, the digest of all that, and how many bytes its text and vector take.

    Its vector is the mean of its parts', which it shares with its neighbours: with the API's 800 tokens and 400 of overlap
    each token is embedded once, not twice, and an embedder that reads some 500 tokens at once would average anyway.
    """

    chunk: Chunk
    parts: tuple[Part, ...]
    digest: bytes
    bytes: int


def units_of(blocks: list[Block], chunking: StaticChunking, embedder: EmbedderEntry) -> list[EmbeddingUnit]:
    """The file's chunks in order; Unreadable when it has no text, or more than a file may have."""
    _refuse_too_long(blocks)
    size, overlap = chunking.max_chunk_size_tokens, chunking.chunk_overlap_tokens
    chunks = cut(blocks, max_tokens=size, overlap=overlap)
    if not chunks:
        raise Unreadable("The file has no text.")
    return _units(chunks, embedder, shared=overlap >= SHARED * size)


def _units(chunks: Sequence[Chunk], embedder: EmbedderEntry, *, shared: bool) -> list[EmbeddingUnit]:
    vector = _BYTES_OF_A_NUMBER * embedder.embedder.dimensions
    texts = _strides(chunks) if shared else [chunk.text for chunk in chunks]
    parts = [_part(embedder, chunk.section, text) for chunk, text in zip(chunks, texts, strict=True)]
    made = []
    for first, chunk in enumerate(chunks):
        own = tuple(parts[first : _behind(chunks, first)]) if shared else (parts[first],)
        made.append(EmbeddingUnit(chunk, own, _digest(own), len(chunk.text.encode("utf-8", "replace")) + vector))
    return made


def _strides(chunks: Sequence[Chunk]) -> list[str]:
    """Each chunk's text up to where the next one begins."""
    return [*(one.text[: after.start - one.start] for one, after in pairwise(chunks)), chunks[-1].text]


def _behind(chunks: Sequence[Chunk], first: int) -> int:
    """Behind the last stride that lies in chunks[first], or most of which does."""
    end = chunks[first].end
    index = first + 1
    while index < len(chunks) and chunks[index].start < end:
        until = chunks[index + 1].start if index + 1 < len(chunks) else chunks[index].end
        if (chunks[index].start + until) / 2 > end:
            break
        index += 1
    return index


def _part(embedder: EmbedderEntry, section: str, text: str) -> Part:
    """The headings tell what the text is about."""
    whole = f"{section}\n{text}" if section else text
    return Part(digest_of(embedder, whole), whole)


def _digest(parts: Sequence[Part]) -> bytes:
    if len(parts) == 1:
        return parts[0].digest
    return sha256(b"".join(part.digest for part in parts)).digest()


def _refuse_too_long(blocks: list[Block]) -> None:
    """A token is at least a byte, so that hardly a file has to be counted."""
    if sum(len(block.text.encode("utf-8", "replace")) for block in blocks) <= MOST_TOKENS:
        return
    tokens = count(text_of(blocks))
    if tokens > MOST_TOKENS:
        raise Unreadable(
            f"The file has {tokens:,} tokens of text; it may have {MOST_TOKENS:,}. Split it into smaller files."
        )
