"""What the fields of each task are called in people's files, and the order of columns in a file without a header."""

from collections.abc import Mapping, Sequence
from typing import Any

TEXT = (
    "text", "sentence", "utterance", "query", "review", "content", "comment", "tweet", "message", "question", "title",
    "document", "input", "文本", "句子", "内容", "评论", "正文",
)  # fmt: skip
LABEL = (
    "label", "labels", "category", "intent", "class", "sentiment", "target", "topic", "polarity",
    "标签", "类别", "分类", "意图", "情感",
)  # fmt: skip
SOURCE = (
    "source", "src", "input", "text", "document", "article", "dialogue", "abstract", "content", "question",
    "原文", "正文", "摘要",
)  # fmt: skip
TARGET = (
    "target", "tgt", "summary", "headline", "highlights", "title", "translation", "reference", "output", "answer",
    "译文", "标题",
)  # fmt: skip

NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "text_classification": {"text": TEXT, "label": LABEL},
    "token_classification": {
        "tokens": ("tokens", "words"),
        "tags": ("tags", "ner_tags", "ner", "bio"),
        "text": TEXT,
        "entities": ("entities", "spans", "ents", "label", "labels"),
    },
    "relation_extraction": {
        "head": ("head", "e1", "entity1", "subject", "subj", "h", "头实体"),
        "tail": ("tail", "e2", "entity2", "object", "obj", "t", "尾实体"),
        "label": ("label", "relation", "predicate", "rel", "关系"),
        "text": TEXT,
    },
    "question_answering": {
        "question": ("question", "query", "问题"),
        "context": ("context", "passage", "paragraph", "document", "text", "文章"),
        "answers": ("answers", "answer", "答案"),
        "start": ("start", "answer_start"),
    },
    "translation": {"source": SOURCE, "target": TARGET},
    "summarization": {"source": SOURCE, "target": TARGET},
    "dialogue": {
        "messages": ("messages", "conversations", "conversation"),
        "prompt": ("prompt", "instruction", "question", "user"),
        "completion": ("completion", "response", "output", "answer", "assistant"),
    },
    "preference": {
        "prompt": ("prompt", "question", "instruction"),
        "chosen": ("chosen", "preferred", "better"),
        "rejected": ("rejected", "non_preferred", "worse"),
    },
}
"""Field → what it may be called, the likeliest first. Records have the fields' own names afterwards."""

ORDER: Mapping[str, Mapping[int, Sequence[str]]] = {
    "text_classification": {2: ("text", "label")},
    "relation_extraction": {4: ("head", "tail", "label", "text")},
    "question_answering": {3: ("question", "context", "answers")},
    "translation": {2: ("source", "target")},
    "summarization": {2: ("source", "target")},
    "dialogue": {2: ("prompt", "completion")},
    "preference": {3: ("prompt", "chosen", "rejected")},
}
"""By the number of columns without a header; those behind the last known are not read (as Tatoeba's attributions)."""

SEPARATOR = "label_separator"
"""The key of `columns` that is no field: what stands between several labels in one cell."""

LANGUAGES = frozenset(
    "ar bg cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nl no pl pt ro ru sk sl sv th tr uk vi zh".split()
)


def header_names(task: str) -> set[str]:
    """What a column of a table may be called in this task, in lower case."""
    known = {name.lower() for names in NAMES.get(task, {}).values() for name in names}
    return known | LANGUAGES if task == "translation" else known


def named(fields: Mapping[str, Any], columns: Mapping[str, str], task: str) -> dict[str, Any]:
    """The fields under the task's own names: as `columns` says, by their place, or by what they are usually called.

    KeyError names a column of `columns` that there is none of.
    """
    found = {field: fields[column] for field, column in columns.items() if field != SEPARATOR}
    free = {name: value for name, value in fields.items() if name not in columns.values()}
    if not columns and all(name.isdecimal() for name in free):
        known = [order for width, order in sorted(ORDER.get(task, {}).items()) if width <= len(free)]
        return dict(zip(known[-1], free.values(), strict=False)) if known else free
    if task == "translation" and (pair := _pair(free)):
        return {"source": pair[0], "target": pair[1]} | free | found
    return free | _usual(free, task, known=set(found)) | found


def _usual(fields: Mapping[str, Any], task: str, *, known: set[str]) -> dict[str, Any]:
    """Fields by their usual names; none is taken twice."""
    by_name = {name.strip().lower(): name for name in fields}
    found: dict[str, Any] = {}
    taken = {field for field in NAMES.get(task, {}) if field in fields}
    for field, names in NAMES.get(task, {}).items():
        if field in known or field in fields:
            continue
        name = next(
            (by_name[name.lower()] for name in names if by_name.get(name.lower(), "") not in {"", *taken}), None
        )
        if name is not None:
            found[field] = fields[name]
            taken.add(name)
    return found


def _pair(fields: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Two columns called by languages, in the file's order, also within {"translation": {"en": …, "zh": …}}."""
    inner = fields.get("translation")
    if isinstance(inner, Mapping):
        fields = inner
    values = [value for name, value in fields.items() if name.lower()[:2] in LANGUAGES and len(name) in (2, 5)]
    return (values[0], values[1]) if len(values) == 2 else None
