"""Whether items are as their eval's item_schema says: JSON Schema, of this server alone and with expressions that end. Pure."""

from typing import Any

from jsonschema_rs import RegexOptions, ValidationError, Validator, validator_for

from zhuli.core.errors import InvalidRequest


def validator(schema: dict[str, Any], param: str = "data_source_config.item_schema") -> Validator:
    """What holds items against the schema; InvalidRequest where it is none."""
    try:
        # Expressions of the linear kind: an item can't make one of them run for ever.
        return validator_for(schema, retriever=_refused, pattern_options=RegexOptions())
    except (ValidationError, ValueError) as error:
        said = str(getattr(error, "message", error)).partition("\n")[0][:300]
        raise InvalidRequest(
            f"Invalid '{param}': this is no JSON Schema: {said}.", param=param, code="invalid_schema"
        ) from None


def fault(schema: Validator, item: dict[str, Any]) -> str | None:
    """What is wrong with an item, where in it, or None."""
    error = next(iter(schema.iter_errors(item)), None)
    if error is None:
        return None
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
    return f"item{where}: {error.message[:300]}"


def _refused(uri: str) -> Any:
    raise ValueError(f"only references inside the schema are followed, not {uri[:200]}")
