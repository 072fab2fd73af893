"""References of templates: {{ item.question }}, {{ sample.output_text }}. They are looked up and never computed. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from zhuli.core.errors import InvalidRequest
from zhuli.types.learning.eval_messages import EvalAudio, EvalImage, EvalMessage, EvalPart, EvalText

Names = Mapping[str, Any]
"""The namespaces that a template may refer to: item, and sample where there is an answer."""

ASSISTANT = "asst_"
"""What an assistant's id begins with: it is asked as a whole, with its tools, its files and its domain."""

NAMESPACES = ("item", "sample")

MOST_CHARACTERS = 2_000_000
"""Of what a template becomes: references to large items add up."""

_REFERENCE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PATH = re.compile(r"(\w+)((?:\.[\w-]+|\[\d{1,6}\])*)")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
_MISSING = object()


class TemplateError(Exception):
    """An item has not what a template refers to; the message says what it has."""


def check(template: str, param: str, namespaces: Sequence[str] = NAMESPACES) -> None:
    """InvalidRequest where a reference is none, or of another namespace; what is in an item only the item says."""
    for inner in _REFERENCE.findall(template):
        check_reference(inner, param, namespaces)


def check_reference(reference: str, param: str, namespaces: Sequence[str] = NAMESPACES) -> None:
    """The same of one reference without its braces."""
    found = _PATH.fullmatch(reference.strip())
    if found is not None and found[1] in namespaces:
        return
    known = " or ".join(f"'{name}'" for name in namespaces)
    raise InvalidRequest(
        f"Invalid '{param}': '{reference.strip()[:100]}' is no reference. Expected a path that begins with {known}, like "
        f"'{namespaces[0]}.question' or '{namespaces[0]}.turns[0].text'; templates have no expressions.",
        param=param,
        code="invalid_value",
    )


def bare(reference: str) -> str:
    """A reference with or without its braces, without them."""
    return reference.strip().removeprefix("{{").removesuffix("}}").strip()


def render(template: str, names: Names) -> str:
    """The template with what it refers to: texts as they are, everything else as JSON. TemplateError."""
    pieces: list[str] = []
    left, at = MOST_CHARACTERS, 0
    for found in _REFERENCE.finditer(template):
        pieces += [template[at : found.start()], as_text(look_up(found[1], names))]
        at = found.end()
        left -= len(pieces[-1]) + len(pieces[-2])
        if left < 0:
            raise TemplateError(f"The template becomes longer than {MOST_CHARACTERS:,} characters.")
    return "".join([*pieces, template[at:]])


def as_text(value: Any) -> str:
    """A text as it is, everything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def look_up(reference: str, names: Names) -> Any:
    """What a reference leads to, of any type; TemplateError where there is nothing."""
    name, steps = _parsed(reference)
    value: Any = names.get(name, _MISSING)
    walked = name
    for step in ("", *steps) if value is _MISSING else steps:
        here = _MISSING if step == "" else _inside(value, step)
        if here is _MISSING:
            raise _missing(reference.strip(), walked, value, names)
        value, walked = here, f"{walked}[{step}]" if isinstance(step, int) else f"{walked}.{step}"
    return value


def _parsed(reference: str) -> tuple[str, list[str | int]]:
    found = _PATH.fullmatch(reference.strip())
    if found is None:
        raise TemplateError(f"'{reference.strip()[:100]}' is no reference.")
    return found[1], list(_steps(found[2]))


def _steps(path: str) -> Iterator[str | int]:
    for step in _STEP.finditer(path):
        yield step[1] if step[1] is not None else int(step[2])


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(str(step), _MISSING)
    if isinstance(value, list) and str(step).isdecimal():
        return value[int(step)] if int(step) < len(value) else _MISSING
    return _MISSING


def _missing(reference: str, walked: str, value: Any, names: Names) -> TemplateError:
    if value is _MISSING:
        return TemplateError(f"There is no '{reference}': there is {', '.join(names) or 'nothing'}.")
    if isinstance(value, Mapping):
        inside = ", ".join(f"'{key}'" for key in list(value)[:20]) or "nothing"
        return TemplateError(f"There is no '{reference}': '{walked}' has {inside}.")
    return TemplateError(f"There is no '{reference}': '{walked}' has no parts of that name.")


def messages(template: Sequence[EvalMessage], names: Names) -> list[dict[str, Any]]:
    """The template's messages in the shape of chat completions."""
    return [{"role": message.role, "content": _content(message.content, names)} for message in template]


def _content(content: EvalPart | list[EvalPart], names: Names) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return render(content, names)
    if isinstance(content, EvalText):
        return render(content.text, names)
    parts = content if isinstance(content, list) else [content]
    if all(isinstance(part, str | EvalText) for part in parts):
        return "\n".join(str(_part(part, names)["text"]) for part in parts)
    return [_part(part, names) for part in parts]


def _part(part: EvalPart, names: Names) -> dict[str, Any]:
    match part:
        case EvalImage():
            detail = {} if part.detail is None else {"detail": part.detail}
            return {"type": "image_url", "image_url": {"url": render(part.image_url, names), **detail}}
        case EvalAudio():
            return {"type": "input_audio", "input_audio": part.input_audio}
        case EvalText():
            return {"type": "text", "text": render(part.text, names)}
    return {"type": "text", "text": render(part, names)}


def check_messages(template: Sequence[EvalMessage], param: str, namespaces: Sequence[str] = NAMESPACES) -> None:
    """check() of every text of the messages."""
    for number, message in enumerate(template):
        parts = message.content if isinstance(message.content, list) else [message.content]
        for part in parts:
            text = part if isinstance(part, str) else getattr(part, "text", None) or getattr(part, "image_url", "")
            check(str(text), f"{param}[{number}].content", namespaces)
