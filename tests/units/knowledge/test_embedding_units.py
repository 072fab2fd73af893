"""What is embedded of a file's chunks: neighbours share the text that both of them have."""

import pytest

from zhuli.knowledge.retrieval.ingesting.embedding_units import EmbeddingUnit, units_of
from zhuli.models.catalog import EmbedderEntry
from zhuli.types.assistants.tools import StaticChunking
from zhuli.types.knowledge.document import Block

HASHED = EmbedderEntry("hashed", "hashed", {}, 0)

LONG = " ".join(f"Sentence {n} tells of the {n}th stop of a long way." for n in range(400))


def units(text: str, size: int, overlap: int) -> list[EmbeddingUnit]:
    chunking = StaticChunking(max_chunk_size_tokens=size, chunk_overlap_tokens=overlap)
    return units_of([Block(text)], chunking, HASHED)


def test_with_half_of_overlap_every_text_is_embedded_once() -> None:
    made = units(LONG, 200, 100)
    embedded = {part.digest: part.text for unit in made for part in unit.parts}
    assert "".join(embedded.values()) == LONG
    assert sum(len(unit.chunk.text) for unit in made) > 1.7 * len(LONG)


def test_a_chunk_is_the_mean_of_what_lies_in_it() -> None:
    for unit in units(LONG, 200, 100)[:-1]:
        text = "".join(part.text for part in unit.parts)
        assert text.startswith(unit.chunk.text[:100])
        assert abs(len(text) - len(unit.chunk.text)) <= 0.35 * len(unit.chunk.text)


@pytest.mark.parametrize("overlap", [0, 20, 60])
def test_with_little_overlap_a_chunk_is_embedded_as_it_is(overlap: int) -> None:
    for unit in units(LONG, 200, overlap):
        assert [part.text for part in unit.parts] == [unit.chunk.text]


def test_a_digest_stands_for_all_that_is_embedded() -> None:
    first, again = units(LONG, 200, 100), units(LONG, 200, 100)
    other = units(LONG.replace("Sentence 399 ", "The last sentence "), 200, 100)
    assert [unit.digest for unit in first] == [unit.digest for unit in again]
    assert [unit.digest for unit in first[:-3]] == [unit.digest for unit in other[: len(first) - 3]]
    assert first[-1].digest != other[-1].digest
    assert len({unit.digest for unit in first}) == len(first)


def test_headings_are_embedded_with_their_text() -> None:
    chunking = StaticChunking(max_chunk_size_tokens=800, chunk_overlap_tokens=400)
    blocks = [Block("Opening hours", kind="heading", level=1), Block("From eight to six.")]
    (unit,) = units_of(blocks, chunking, HASHED)
    assert unit.parts[0].text.startswith("Opening hours")
