"""What pydantic finds wrong with a body or a parameter, said in the API's words. Pure."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from zhuli.core.errors import InvalidRequest
from zhuli.types.wire import TAG

_KINDS = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "int_parsing": "an integer",
    "float_type": "a decimal",
    "float_parsing": "a decimal",
    "bool_type": "a boolean",
    "bool_parsing": "a boolean",
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "finite_number": "a finite number",
}


def refusal(errors: Sequence[Any]) -> InvalidRequest:
    """The error for the first thing that is wrong."""
    error = errors[0]
    kind: str = error["type"]
    context: dict[str, Any] = error.get("ctx") or {}
    value = error.get("input")
    param = path(error["loc"])
    if kind == "json_invalid":
        return unreadable_body()
    if kind == "value_error":  # what fields say together is wrong
        where = f"Invalid '{param}'" if param else "Invalid body"
        return InvalidRequest(f"{where}: {context['error']}.", param=param or None, code="invalid_value")
    if not param:
        return unreadable_body("Expected a JSON object.")
    if kind == "missing":
        return InvalidRequest(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")
    if kind == "union_tag_not_found":
        return _without_type(param, value)
    if kind == "extra_forbidden":
        return InvalidRequest(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")
    if kind in _KINDS:
        return InvalidRequest(
            f"Invalid type for '{param}': expected {_KINDS[kind]}, but got {_named(value)} instead.",
            param=param,
            code="invalid_type",
        )
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        return _not_supported(kind, param, context, value)
    text, code = _bound(kind, context, value) or (f"{error['msg']}.", "invalid_value")
    return InvalidRequest(f"Invalid '{param}': {text}", param=param, code=code)


def refusal_of(error: ValidationError, *within: str) -> InvalidRequest:
    """The same for what was validated apart from a request; within: where of the body it stands."""
    return refusal([{**found, "loc": ("body", *within, *found["loc"])} for found in error.errors()])


def unreadable_body(more: str = "") -> InvalidRequest:
    """The error for a body that is not the JSON that is expected."""
    text = (
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    )
    return InvalidRequest(
        f"{text}correctly. The API expects a JSON payload, but what was sent was not valid JSON.) {more}".strip()
    )


def path(location: Sequence[Any]) -> str:
    """("body", "tools", 0, "~function", "name") → tools[0].name"""
    parts = [
        part
        for part in location[1:]
        if not (isinstance(part, str) and (part.startswith(TAG) or part in ("[key]", "function-before")))
    ]
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _without_type(param: str, value: Any) -> InvalidRequest:
    if not isinstance(value, dict):
        text = f"Invalid type for '{param}': expected an object, but got {_named(value)} instead."
        return InvalidRequest(text, param=param, code="invalid_type")
    param = f"{param}.type"
    if value.get("type") is not None:
        text = f"Invalid type for '{param}': expected a string, but got {_named(value['type'])} instead."
        return InvalidRequest(text, param=param, code="invalid_type")
    return InvalidRequest(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def _not_supported(kind: str, param: str, context: dict[str, Any], value: Any) -> InvalidRequest:
    expected = str(context.get("expected") or context.get("expected_tags") or "").replace(TAG, "")
    if kind == "union_tag_invalid":
        given, param = str(context["tag"]).removeprefix(TAG), f"{param}.type"
    else:
        given = str(value)
    text = f"Invalid value: '{given[:200]}'. Supported values are: {expected}."
    return InvalidRequest(text, param=param, code="invalid_value")


def _bound(kind: str, context: dict[str, Any], value: Any) -> tuple[str, str] | None:
    """What a broken limit is called: the text after "Invalid 'x': " and the code."""
    match kind:
        case "string_too_long" | "string_too_short" | "too_long" | "too_short":
            return _size(kind, context, value)
        case "greater_than_equal" | "greater_than":
            limit = context.get("ge", context.get("gt"))
            return _range("below minimum value", ">=", limit, value), f"{_number(limit)}_below_min_value"
        case "less_than_equal" | "less_than":
            limit = context.get("le", context.get("lt"))
            return _range("above maximum value", "<=", limit, value), f"{_number(limit)}_above_max_value"
        case "string_pattern_mismatch":
            pattern = context["pattern"]
            text = f"string does not match pattern. Expected a string that matches the pattern '{pattern}'."
            return text, "invalid_value"
    return None


def _size(kind: str, context: dict[str, Any], value: Any) -> tuple[str, str]:
    """Too long or too short a string, array or object."""
    long = kind.endswith("long")
    limit = context["max_length" if long else "min_length"]
    given = len(value)
    if isinstance(value, dict):
        text = (
            f"too many properties. Expected an object with at most {limit} properties, but got an object with {given}"
        )
        return f"{text} properties instead.", "object_above_max_properties"
    noun = "string" if isinstance(value, str) else "array"
    if noun == "array" and not given:
        text = f"empty array. Expected an array with minimum length {limit}, but got an empty array instead."
        return text, "empty_array"
    article = "an" if noun == "array" else "a"
    bound, way, side = ("maximum", "long", "above_max") if long else ("minimum", "short", "below_min")
    text = f"{noun} too {way}. Expected {article} {noun} with {bound} length {limit}"
    return f"{text}, but got {article} {noun} with length {given} instead.", f"{noun}_{side}_length"


def _range(what: str, sign: str, limit: Any, value: Any) -> str:
    return f"{_number(limit)} {what}. Expected a value {sign} {_plain(limit)}, but got {_plain(value)} instead."


def _number(limit: Any) -> str:
    """What the parameter is: limits have its type."""
    return "decimal" if isinstance(limit, float) else "integer"


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _named(value: Any) -> str:
    """The JSON type of a value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"
    return f"a {type(value).__name__}"
