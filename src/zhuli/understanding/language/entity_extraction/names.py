"""Names as they are written: "flights from New York to Oslo", "songs by Ed Sheeran". English; nothing is learned for it.

A name is a run of capitalised words, those that only begin a sentence left out. Who writes no capitals writes a name behind a
word that names follow: "from new york to oslo". What a name is a name of is not told here.
"""

import re
from collections.abc import Iterator

from zhuli.understanding.language.entity_extraction.common_words import COMMON_WORDS
from zhuli.understanding.language.spans import Span

_WORD = re.compile(r"[^\W\d_][\w&]*(?:['’.\-][\w]+)*\.?(?<!\.)|[^\W\d_]\.(?=[^\W\d_]\.)?|&")
_CAPITAL_RUN_JOINS = frozenset("of the de del la le les da di van von der den el al & 's".split())
_NO_NAMES = frozenset(
    "i i'm i'd i'll i've a an the my me we us our it its it's he she they them this that these those you your yes no "
    "not nope yeah yep ok okay hi hey hello please thanks thank sure great perfect good well oh so and or but if is "
    "are was am be do does did can could would will may might must have has had at on in to for from by of with as up "
    "out any all let let's how what when where who which why there here than then now just also too find book search "
    "get give show play make need want like check look see monday tuesday wednesday thursday friday saturday sunday "
    "january february march april june july august september october november december mon tue wed thu fri sat sun "
    "jan feb mar apr jun jul aug sep sept oct nov dec today tomorrow tonight yesterday next last go eat fly pay buy "
    "ask try use add set put stay drink pm a.m p.m noon midnight tv english asap pls thx".split()
)
_LEADS = re.compile(
    r"\b(?:from|to|in|into|near|around|at|by|called|named|titled|starring|visit|visiting|leaving|departing|between|and|via)\s+"
)
_MOVES = re.compile(
    r"\b(?:go|going|goes|fly|flying|travel\w*|get|getting|head\w*|drive|driving|move|moving|trip|trips|flights?|bus|buses|trains?|"
    r"tickets?|way|ride|taxi|cab|visit|ship|send|back|return\w*)(?: me| us| out| over| up)? $"
)
_BEGINS = frozenset("new north south east west san los las saint st st. fort port mount el la de van von".split())
_MOST_WORDS = 6
_MOST_LOWER = 3


def find_names(text: str) -> list[Span]:
    """The names in their order; the value is what stands there. None where all letters are capitals."""
    words = list(_WORD.finditer(text))
    if not any(word[0].islower() for word in words):
        return [] if len(words) > _MOST_LOWER else _spans(text, _runs(text, words))
    spans = _spans(text, _runs(text, words))
    return spans or _spans(text, _behind_leads(text))


def _spans(text: str, places: Iterator[tuple[int, int]]) -> list[Span]:
    return [Span(start, end, text[start:end]) for start, end in places]


def _runs(text: str, words: list[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Runs of capitalised words, and of what joins them: "Lord of the Rings"."""
    run: list[re.Match[str]] = []
    joints: list[re.Match[str]] = []
    for word in words:
        near = not run or text[(joints or run)[-1].end() : word.start()].strip(" ") == ""
        if run and (not near or len(run) + len(joints) >= _MOST_WORDS):
            yield run[0].start(), run[-1].end()
            run, joints = [], []
        if _is_capital(text, word):
            run, joints = [*run, *joints, word], []
        elif run and near and word[0].lower() in _CAPITAL_RUN_JOINS:
            joints.append(word)
        elif run:
            yield run[0].start(), run[-1].end()
            run, joints = [], []
    if run:
        yield run[0].start(), run[-1].end()


def _is_capital(text: str, word: re.Match[str]) -> bool:
    said = word[0].lower().removesuffix("'s")
    if not word[0][0].isupper() or said in _NO_NAMES:
        return False
    begins = re.search(r"(?:^|[.!?…:])[\s\"'(]*$", text[: word.start()]) is not None
    return not (begins and said in COMMON_WORDS)


def _behind_leads(text: str) -> Iterator[tuple[int, int]]:
    """One to three words behind one that names follow, up to one that is no part of a name."""
    end = 0
    ways = "from " in text.lower()
    for lead in _LEADS.finditer(text):
        if lead.start() < end or (
            lead[0].startswith("to") and not (ways or _MOVES.search(text[: lead.start()].lower()))
        ):
            continue
        taken: list[re.Match[str]] = []
        for word in _WORD.finditer(text, lead.end()):
            before = taken[-1].end() if taken else lead.end()
            if (
                text[before : word.start()].strip(" ")
                or len(taken) == _MOST_LOWER
                or not _may_be_name(word[0], not taken)
            ):
                break
            taken.append(word)
        if taken and not (len(taken) == 1 and taken[0][0] in _BEGINS):
            end = taken[-1].end()
            yield taken[0].start(), end


def _may_be_name(word: str, first: bool) -> bool:
    said = word.lower()
    return said not in _NO_NAMES and (said not in COMMON_WORDS or (first and said in _BEGINS))
