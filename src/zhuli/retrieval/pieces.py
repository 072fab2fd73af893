"""From what was read of a file to what is embedded and written of it. Pure, and CPU only: it is called on a thread."""

from collections.abc import Sequence
from dataclasses import dataclass

from zhuli.core.errors import Unreadable
from zhuli.models.catalog import EmbedderEntry
from zhuli.retrieval.cutting import cut
from zhuli.retrieval.embedding import digest_of
from zhuli.retrieval.tokenizer import count
from zhuli.types.document import Block, Chunk, text_of
from zhuli.types.tools import StaticChunking

MOST_TOKENS = 5_000_000
"""Of a file, as in the API."""

MOST_CHARACTERS = 40_000_000
"""Of a file; more can't be 5,000,000 tokens of anything that people write, whose longest are some eight characters."""

_BYTES_OF_A_NUMBER = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk, the digest of what is embedded of it, and how many bytes its text and vector take."""

    chunk: Chunk
    digest: bytes
    bytes: int

    @property
    def embedded(self) -> str:
        """What is embedded: the headings above the text tell what it is about."""
        return _embedded(self.chunk)


def pieces_of(blocks: list[Block], chunking: StaticChunking, embedder: EmbedderEntry) -> list[Piece]:
    """The file's chunks in order; Unreadable when it has no text, or more than a file may have."""
    _refuse_too_long(blocks)
    chunks = cut(blocks, max_tokens=chunking.max_chunk_size_tokens, overlap=chunking.chunk_overlap_tokens)
    if not chunks:
        raise Unreadable("The file has no text.")
    return _pieces(chunks, embedder)


def _pieces(chunks: Sequence[Chunk], embedder: EmbedderEntry) -> list[Piece]:
    vector = _BYTES_OF_A_NUMBER * embedder.embedder.dimensions
    return [
        Piece(chunk, digest_of(embedder, _embedded(chunk)), len(chunk.text.encode("utf-8", "replace")) + vector)
        for chunk in chunks
    ]


def _embedded(chunk: Chunk) -> str:
    return f"{chunk.section}\n{chunk.text}" if chunk.section else chunk.text


def _refuse_too_long(blocks: list[Block]) -> None:
    """A token is at least a byte, so that hardly a file has to be counted."""
    if sum(len(block.text.encode("utf-8", "replace")) for block in blocks) <= MOST_TOKENS:
        return
    tokens = count(text_of(blocks))
    if tokens > MOST_TOKENS:
        raise Unreadable(
            f"The file has {tokens:,} tokens of text; it may have {MOST_TOKENS:,}. Split it into smaller files."
        )
