"""Times of day in a text, in figures and in English and Chinese words, as "HH:MM".

"In two hours" is reckoned from now. Not found: parts of the day by themselves ("in the evening", 晚上), and how long something
takes.
"""

from datetime import datetime

from zhuli.understanding.language.spans import Span, apart
from zhuli.understanding.language.times.chinese_times import find_chinese_times
from zhuli.understanding.language.times.day_parts import part_of
from zhuli.understanding.language.times.english_times import find_answers, find_english_times


def find_times(text: str, now: datetime, *, asked: bool = False) -> list[Span]:
    """Times of a plain text, in order; of what can be read in several ways the longest. now: where the user is.

    asked: a time is waited for, and "half seven" and "7.30" are such.
    """
    part = part_of(text)
    answers = find_answers(text, part) if asked else ()
    return apart([*find_english_times(text, now, part), *find_chinese_times(text, now, part), *answers])
