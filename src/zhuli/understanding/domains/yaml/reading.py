"""A domain in YAML, shorter than in JSON where that is natural. docs/domains.md says what may be written how.

parse() turns it into what the JSON would be, which the types of a domain check; writing writes what it reads to the same fields.
Whether names are defined, examples agree and so on is checks/checking's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from zhuli.core.errors import InvalidRequest
from zhuli.types.refusals import path, refusal_of
from zhuli.types.understanding.domain import DomainFields
from zhuli.understanding.domains.yaml.tree import Node, data_of, lines_of, tree_of, wrong

Place = tuple[str | int, ...]
"""Where something is in the JSON: ("intents", 3, "examples", 0)."""

Lines = dict[str, int]
"""In which line of the YAML stands what is there in the JSON: "intents[3].examples[0]" → 41."""

Shape = Callable[[Node, Place, Lines], Any]
"""How a node is read to JSON. What has no short form, or not this shape, is read as it stands."""

MAIN_FIELD = {
    "respond": "response",
    "call": "function",
    "search": "query",
    "hand_over": "response",
    "talk": "instructions",
    "clarify": "most",
    "open": "form",
}
"""What stands behind an action's name in its short form: `respond: greeting`."""


@dataclass(frozen=True, slots=True)
class DomainText:
    """A domain as it was read, and where."""

    fields: DomainFields
    lines: Lines


def parse(text: str) -> DomainFields:
    """The domain; InvalidRequest says the line, the path, and what would be right."""
    return read(text).fields


def read(text: str) -> DomainText:
    """Like parse(), with the lines of what was read."""
    root, lines = tree_of(text), Lines()
    if not isinstance(root.value, dict):
        raise wrong(root.line, "A domain is a mapping: `name:`, `intents:` and so on, each on a line of its own.")
    given = _DOMAIN(root, (), lines)
    try:
        return DomainText(DomainFields.model_validate(given), lines)
    except ValidationError as error:
        raise _refused(error, lines) from error


def line_of(lines: Lines, where: str) -> int | None:
    """The line of what is there, or of the nearest thing around it."""
    while where:
        if where in lines:
            return lines[where]
        where = where[: max(where.rfind("."), where.rfind("["), 0)]
    return None


def _refused(error: ValidationError, lines: Lines) -> InvalidRequest:
    said = refusal_of(error)
    line = line_of(lines, said.param or "")
    where = "" if line is None else f"Line {line}: "
    return InvalidRequest(f"{where}{said.message}", param=said.param, code=said.code)


def _where(at: Place) -> str:
    return path(("", *at))


def _seen(node: Node, at: Place, lines: Lines) -> None:
    lines[_where(at)] = node.line


def _any(node: Node, at: Place, lines: Lines) -> Any:
    _seen(node, at, lines)
    if isinstance(node.value, dict):
        return {key: _any(child, (*at, key), lines) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [_any(item, (*at, index), lines) for index, item in enumerate(node.value)]
    return data_of(node)


def _texts(node: Node, at: Place, lines: Lines) -> Any:
    """A list of texts, where 2 and true are texts as well; or a block with a text on each line, with or without a dash."""
    _seen(node, at, lines)
    if isinstance(node.value, str):
        if not node.block:
            return data_of(node)
        found = lines_of(node)
        lines |= {_where((*at, index)): line for index, (line, _) in enumerate(found)}
        return [text for _, text in found]
    for index, item in enumerate(node.items):
        _seen(item, (*at, index), lines)
    return [_text(item) for item in node.items] if isinstance(node.value, list) else data_of(node)


def _text(node: Node) -> Any:
    return node.value if isinstance(node.value, str) else data_of(node)


def _record(**shapes: Shape) -> Shape:
    """A mapping whose fields have these shapes."""

    def shape(node: Node, at: Place, lines: Lines) -> Any:
        _seen(node, at, lines)
        if not isinstance(node.value, dict):
            return data_of(node)
        return {name: shapes.get(name, _any)(child, (*at, name), lines) for name, child in node.value.items()}

    return shape


def _each(inner: Shape) -> Shape:
    """A list of these."""

    def shape(node: Node, at: Place, lines: Lines) -> Any:
        _seen(node, at, lines)
        if not isinstance(node.value, list):
            return data_of(node)
        return [inner(item, (*at, index), lines) for index, item in enumerate(node.value)]

    return shape


def _named(inner: Shape) -> Shape:
    """A list of what has a name; or a mapping of names to the rest."""

    def shape(node: Node, at: Place, lines: Lines) -> Any:
        if not isinstance(node.value, dict):
            return _each(_with_name(inner))(node, at, lines)
        _seen(node, at, lines)
        found = []
        for index, (name, child) in enumerate(node.value.items()):
            given = inner(child, (*at, index), lines)
            if not isinstance(given, dict) or "name" in given:
                raise wrong(child.line, f"'{name}' is the name; what follows it must be its other fields.", _where(at))
            found.append({"name": name, **given})
        return found

    return shape


def _with_name(inner: Shape) -> Shape:
    """An item of a list: its name alone, or all of its fields."""

    def shape(node: Node, at: Place, lines: Lines) -> Any:
        if isinstance(node.value, str):
            _seen(node, at, lines)
            return {"name": node.value}
        return inner(node, at, lines)

    return shape


def _or(whole: Shape, **short: Callable[[Node, Place, Lines], dict[str, Any]]) -> Shape:
    """Fields, or by the kind of the node (text, list) the short form of them; nothing is no fields."""

    def shape(node: Node, at: Place, lines: Lines) -> Any:
        if isinstance(node.value, dict):
            return whole(node, at, lines)
        _seen(node, at, lines)
        if isinstance(node.value, str) and data_of(node) is None:
            return {}
        kind = "list" if isinstance(node.value, list) or node.block else "text"
        return short[kind](node, at, lines) if kind in short else data_of(node)

    return shape


def _values(node: Node, at: Place, lines: Lines) -> Any:
    """Values with synonyms: a mapping of values to synonyms, or a list of values."""
    _seen(node, at, lines)
    if isinstance(node.value, dict):
        return [
            {"value": value, "synonyms": _synonyms(child, (*at, index, "synonyms"), lines)}
            for index, (value, child) in enumerate(node.value.items())
        ]
    if isinstance(node.value, list):
        return [_value(item, (*at, index), lines) for index, item in enumerate(node.value)]
    return [{"value": text} for text in _texts(node, at, lines)] if node.block else data_of(node)


def _value(node: Node, at: Place, lines: Lines) -> Any:
    if isinstance(node.value, str):
        _seen(node, at, lines)
        return {"value": node.value}
    return _record(value=lambda child, *_: _text(child), synonyms=_texts)(node, at, lines)


def _synonyms(node: Node, at: Place, lines: Lines) -> Any:
    if isinstance(node.value, str) and not node.block:
        _seen(node, at, lines)
        return [] if data_of(node) is None else [node.value]
    return _texts(node, at, lines)


def _entity(node: Node, at: Place, lines: Lines) -> Any:
    """values make it a lookup list and patterns a regex, unless its kind is given."""
    given = _ENTITY(node, at, lines)
    if isinstance(given, dict) and "kind" not in given:
        kinds = [kind for field, kind in (("values", "lookup"), ("patterns", "regex")) if field in given]
        return {**given, "kind": kinds[0]} if kinds else given
    return given


def _mapping(node: Node, at: Place, lines: Lines) -> Any:
    """What fills a slot: `text`, or a mapping with `entity` or `intents`, which say its type."""
    if isinstance(node.value, str):
        _seen(node, at, lines)
        return {"type": node.value}
    given = _record(intents=_texts)(node, at, lines)
    if isinstance(given, dict) and "type" not in given:
        kind = "entity" if "entity" in given else "intent" if "intents" in given else None
        return given if kind is None else {"type": kind, **given}
    return given


def _action(node: Node, at: Place, lines: Lines) -> Any:
    """`respond: greeting`, `call: book` with the other fields beside it, `talk`; or the fields as in JSON."""
    _seen(node, at, lines)
    if isinstance(node.value, str):
        return None if data_of(node) is None else {"type": node.value}
    given = _record()(node, at, lines)
    kinds = [kind for kind in MAIN_FIELD if kind in node.fields]
    if not isinstance(given, dict) or "type" in given or len(kinds) != 1:
        return given
    (kind,) = kinds
    main = given.pop(kind)
    return {"type": kind, **({} if main is None else {MAIN_FIELD[kind]: main}), **given}


_ENTITY = _or(
    _record(values=_values, patterns=_texts),
    text=lambda node, *_: {"kind": node.value},
    list=lambda node, at, lines: {"values": _values(node, (*at, "values"), lines)},
)
_INTENT = _or(
    _record(examples=_texts, action=_action),
    list=lambda node, at, lines: {"examples": _texts(node, (*at, "examples"), lines)},
)
_SLOT = _or(
    _record(values=_values, mappings=_each(_mapping)),
    text=lambda node, *_: {"type": node.value},
    list=lambda node, at, lines: {"type": "category", "values": _values(node, (*at, "values"), lines)},
)


def _actions(node: Node, at: Place, lines: Lines) -> Any:
    """Actions by name."""
    _seen(node, at, lines)
    if not isinstance(node.value, dict):
        return data_of(node)
    return {name: _action(child, (*at, name), lines) for name, child in node.value.items()}


_FORM = _record(slots=_texts, optional=_texts, action=_action)
_DOMAIN = _record(
    languages=_texts,
    understander=_or(_record(), text=lambda node, *_: {"type": node.value}),
    intents=_named(_INTENT),
    out_of_scope=_texts,
    entities=_named(_entity),
    slots=_named(_SLOT),
    forms=_named(_FORM),
    rules=_each(_record(when=_record(intents=_texts, after=_texts, known=_texts, mentioned=_texts), do=_each(_action))),
    variables=_texts,
    fallback=_record(out_of_scope=_action, unclear=_action, small_talk=_actions),
)
