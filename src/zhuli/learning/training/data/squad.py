"""SQuAD 1.1 and 2.0: articles with paragraphs with questions. Each question is an example; an article stays together.

The file is read at once. A question's line is where its "question" stands.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zhuli.core.errors import Unreadable
from zhuli.learning.training.data.finding import Entry, Finding
from zhuli.learning.training.data.json_array import parsed
from zhuli.learning.training.data.text_file import opened
from zhuli.types.learning.example import Record

_QUESTION = re.compile(r'"question"\s*:')


def read(path: Path) -> Iterator[Entry]:
    """Unreadable when the file is not of this form."""
    with opened(path) as file:
        text = file.read()
    whole = parsed(text)
    articles = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(articles, list):
        raise Unreadable('The file is not of the SQuAD form: {"data": [{"paragraphs": [{"context": …, "qas": […]}]}]}.')
    lines = _lines(text)
    for number, article in enumerate(articles, start=1):
        yield from _questions(article, f"article {number}", lines)


def _questions(article: Any, group: str, lines: Iterator[int]) -> Iterator[Entry]:
    for paragraph in _list(article, "paragraphs"):
        context = paragraph.get("context") if isinstance(paragraph, dict) else None
        for asked in _list(paragraph, "qas"):
            line = next(lines, 0) if isinstance(asked, dict) and "question" in asked else 0
            if not line or not isinstance(asked["question"], str):
                yield Finding(line, f'An entry of "qas" in {group} has no "question" that is a text.')
                continue
            if not isinstance(context, str):
                yield Finding(line, 'The paragraph of this question has no "context".')
                continue
            yield Record(line=line, fields=_fields(asked, context, group))


def _fields(asked: dict[str, Any], context: str, group: str) -> dict[str, Any]:
    answers = [] if asked.get("is_impossible") else asked.get("answers", [])
    fields = {"question": asked["question"], "context": context, "answers": answers, "group": group}
    return fields | ({"id": str(asked["id"])} if "id" in asked else {})


def _list(value: Any, key: str) -> list[Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, list) else []


def _lines(text: str) -> Iterator[int]:
    """Of each "question" key, in the order in which the parser meets them; within strings its marks are escaped."""
    line, counted = 1, 0
    for match in _QUESTION.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        yield line
