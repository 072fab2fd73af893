"""Cutting documents into chunks: what holds for any text, and where chunks end in texts that people write."""

from itertools import pairwise

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhuli.knowledge.retrieval.chunking.chunker import cut
from zhuli.knowledge.retrieval.chunking.graphemes import boundaries, is_boundary
from zhuli.knowledge.retrieval.chunking.tokenizer import Ruler, count
from zhuli.types.knowledge.document import Block, text_of

FAMILY, FLAG, ACUTE_E, TAMIL = "👩‍👩‍👧", "🇩🇪", "e\u0301", "க்"

WORDS = st.sampled_from(
    "the Bamboo house's 3.14 e.g. (see) foo_bar http://a.b/c?d=e ... !? "
    "竹里館 獨坐幽篁裏， 彈琴復長嘯。 深林人不知 ひらがな 「かぎ」 "
    f"한국어 नमस्ते สวัสดีครับ مرحبا {FAMILY} {FLAG} {FLAG}{FLAG} {ACUTE_E} {TAMIL} \u0301 \u200d 1234567 | / // \\ <b> 'S ’t".split(
        " "
    )
)
GAPS = st.sampled_from([" ", " ", " ", "", ". ", "。", "\n", "\r\n", "  ", "\t", "\u3000", "\u00a0", "\n\n", " \n /"])
TEXTS = st.lists(st.tuples(WORDS, GAPS), max_size=120).map(lambda pairs: "".join(word + gap for word, gap in pairs))
ANY_TEXT = TEXTS | st.text(st.characters(codec="utf-8"), max_size=300)
BLOCKS = st.lists(
    st.builds(
        Block,
        ANY_TEXT,
        st.sampled_from(["text", "text", "heading", "table", "code"]),
        st.integers(1, 6),
        st.none() | st.integers(1, 9),
    ),
    max_size=6,
)
LIMITS = st.tuples(st.integers(100, 160), st.floats(0, 0.5)).map(lambda pair: (pair[0], int(pair[0] * pair[1])))

thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thorough
@given(blocks=BLOCKS, limits=LIMITS)
def test_chunks_of_any_document_are_pieces_of_its_text_that_leave_nothing_out(
    blocks: list[Block], limits: tuple[int, int]
) -> None:
    text, (most, overlap) = text_of(blocks), limits
    chunks = cut(blocks, max_tokens=most, overlap=overlap)
    covered = 0
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text.strip()
        assert chunk.tokens == count(chunk.text) <= most
        assert not text[covered : chunk.start].strip()
        assert chunk.end > covered
        covered = chunk.end
    assert not text[covered:].strip()


@thorough
@given(blocks=BLOCKS, limits=LIMITS)
def test_chunks_of_any_document_share_no_more_than_the_overlap(blocks: list[Block], limits: tuple[int, int]) -> None:
    text, (most, overlap) = text_of(blocks), limits
    chunks = cut(blocks, max_tokens=most, overlap=overlap)
    for before, after in pairwise(chunks):
        assert after.start > before.start
        assert count(text[after.start : max(after.start, before.end)]) <= overlap


@thorough
@given(blocks=BLOCKS, limits=LIMITS)
def test_no_chunk_begins_or_ends_within_a_character(blocks: list[Block], limits: tuple[int, int]) -> None:
    text, (most, overlap) = text_of(blocks), limits
    starts = {found.start() for found in regex.finditer(r"\X", text)} | {len(text)}
    for chunk in cut(blocks, max_tokens=most, overlap=overlap):
        assert {chunk.start, chunk.end} <= starts


@given(blocks=BLOCKS, limits=LIMITS)
@settings(max_examples=20, deadline=None)
def test_the_same_document_is_cut_the_same_way(blocks: list[Block], limits: tuple[int, int]) -> None:
    most, overlap = limits
    assert cut(blocks, max_tokens=most, overlap=overlap) == cut(list(blocks), max_tokens=most, overlap=overlap)


@thorough
@given(text=ANY_TEXT.map(lambda text: text * 3), data=st.data())
def test_a_ruler_counts_as_the_tokenizer_does(text: str, data: st.DataObject) -> None:
    ruler = Ruler(text)
    assert ruler.tokens == count(text)
    for _ in range(5):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        assert ruler.between(start, end) == count(text[start:end])


@thorough
@given(text=ANY_TEXT)
def test_boundaries_are_those_of_the_standard(text: str) -> None:
    expected = [found.start() for found in regex.finditer(r"\X", text)] + ([len(text)] if text else [])
    assert [place for place in range(len(text) + 1) if is_boundary(text, place)] == (expected or [0])
    assert boundaries(text, 1, len(text) - 1) == expected[1:-1]


@pytest.mark.parametrize("sign", ["a", "的", "7", FAMILY, FLAG, ACUTE_E, TAMIL, "\u3000x"])
def test_a_text_without_ends_is_cut_between_characters(sign: str) -> None:
    text = sign * 2000
    chunks = cut([Block(text)], max_tokens=200, overlap=50)
    assert len(chunks) > 1
    assert chunks[-1].end == len(text)
    for chunk in chunks:
        assert chunk.tokens <= 200
        assert chunk.text.strip() == chunk.text
        assert chunk.start % len(sign) in (0, len(sign) - len(sign.lstrip()) and 1)
        assert chunk.end % len(sign) == 0


def test_a_character_larger_than_a_chunk_is_cut_all_the_same() -> None:
    monster = "a" + "\u0301" * 3000
    chunks = cut([Block(monster)], max_tokens=100, overlap=50)
    assert all(chunk.tokens <= 100 for chunk in chunks)
    assert chunks[-1].end == len(monster)


def test_spaces_alone_make_no_chunk() -> None:
    assert cut([]) == []
    assert cut([Block(""), Block(" \n\u3000\t"), Block("")]) == []


def test_a_short_document_is_one_chunk() -> None:
    [chunk] = cut([Block("Title", "heading", 1, page=3), Block("One sentence.", page=4)])
    assert (chunk.text, chunk.start, chunk.end) == ("Title\n\nOne sentence.", 0, 20)
    assert (chunk.section, chunk.page, chunk.tokens) == ("Title", 3, count(chunk.text))


SENTENCE = "A sentence of some words, e.g. these and those, which is long enough (v. 3.5 at least) to be cut. "


def test_english_is_cut_between_sentences() -> None:
    chunks = cut([Block((SENTENCE * 60).strip())], max_tokens=200, overlap=80)
    for chunk in chunks:
        assert chunk.text.startswith("A sentence") and chunk.text.endswith("to be cut.")
        assert chunk.tokens > 100


def test_chinese_is_cut_between_sentences() -> None:
    text = "我们今天去公园，天气很好！" * 100
    for chunk in cut([Block(text)], max_tokens=200, overlap=80):
        assert chunk.text.startswith("我们") and chunk.text.endswith("！")
        assert chunk.tokens > 100


def test_a_quotation_mark_stays_with_its_sentence() -> None:
    for text, end in (("他说：“我们走吧。” ", "。”"), ('She said: "We shall go there soon." ', '."')):
        for chunk in cut([Block(text * 80)], max_tokens=150, overlap=0):
            assert chunk.text.endswith(end)


def test_a_chunk_rather_ends_with_a_block() -> None:
    blocks = [Block((SENTENCE * 2).strip()) for _ in range(20)]
    text = text_of(blocks)
    ends = {text.index(block.text, at) + len(block.text) for at, block in _placed(blocks)}
    assert {chunk.end for chunk in cut(blocks, max_tokens=300, overlap=100)} <= ends


def test_a_new_section_begins_a_chunk_and_repeats_nothing() -> None:
    blocks = [
        block
        for name in ("One", "Two", "Three")
        for block in (Block(name, "heading", 2), Block((SENTENCE * 8).strip()))
    ]
    chunks = cut(blocks, max_tokens=300, overlap=100)
    assert [chunk.text.partition("\n")[0] for chunk in chunks] == ["One", "Two", "Three"]
    assert [chunk.section for chunk in chunks] == ["One", "Two", "Three"]


def test_headings_travel_with_their_chunks() -> None:
    long = Block((SENTENCE * 20).strip(), page=2)
    blocks = [
        Block("Manual", "heading", 1, page=1),
        Block("Setup", "heading", 2),
        long,
        Block("Use", "heading", 2),
        long,
    ]
    sections = [chunk.section for chunk in cut(blocks, max_tokens=150, overlap=50)]
    assert sections[0] == "Manual"
    assert set(sections[1:]) == {"Manual › Setup", "Manual › Use"}
    assert sections == sorted(sections)


def test_the_page_is_the_one_on_which_a_chunk_begins() -> None:
    blocks = [Block((SENTENCE * 4).strip(), page=number) for number in range(1, 9)]
    pages = [chunk.page for chunk in cut(blocks, max_tokens=200, overlap=0)]
    assert pages == sorted(pages, key=lambda page: page or 0)
    assert pages[0] == 1 and pages[-1] in (7, 8)


def test_a_table_is_cut_between_rows_and_its_first_row_travels() -> None:
    rows = "\n".join(f"| item {number}. Good | {number * 7} | in stock |" for number in range(200))
    table = Block(f"| name | price | state |\n| --- | --- | --- |\n{rows}", "table")
    chunks = cut([Block("Prices", "heading", 1), table], max_tokens=200, overlap=50)
    assert chunks[0].section == "Prices"
    assert {chunk.section for chunk in chunks[1:]} == {"Prices › | name | price | state |"}
    for chunk in chunks[1:]:
        assert chunk.text.startswith("| item") and chunk.text.endswith("|")


def test_a_heading_that_goes_on_and_on_does_not_travel_whole() -> None:
    [chunk] = cut([Block(FAMILY * 500, "heading", 1)], max_tokens=4096, overlap=0)
    assert len(chunk.section) <= 120
    assert chunk.section.endswith(FAMILY + "…")


def test_the_default_is_eight_hundred_tokens_of_which_four_hundred_are_shared() -> None:
    text = (SENTENCE * 400).strip()
    chunks = cut([Block(text)])
    for before, after in pairwise(chunks[:-1]):
        assert 700 < before.tokens <= 800
        assert 350 < count(text[after.start : before.end]) <= 400


def _placed(blocks: list[Block]) -> list[tuple[int, Block]]:
    at, found = 0, []
    for block in blocks:
        found.append((at, block))
        at += len(block.text) + 2
    return found
