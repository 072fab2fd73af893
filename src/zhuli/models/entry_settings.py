"""Settings of an entry of the models file, held to the form that its plugin gives them."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from zhuli.core.errors import ConfigurationError

Form = TypeVar("Form", bound=BaseModel)


def checked(form: type[Form], whose: str, given: Mapping[str, Any]) -> Form:
    """The settings. whose: "Model 'gpt'"; ConfigurationError begins with it, and says what would be right."""
    try:
        return form.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError(f"{whose}: {_mistake(form, error)}".rstrip()) from error


def _mistake(form: type[BaseModel], error: ValidationError) -> str:
    """A name that is not known comes first: what is missing beside it was most often meant by it."""
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    setting = ".".join(str(part) for part in first["loc"])
    field = form.model_fields.get(setting)
    about = (field.description or "") if field else ""
    if first["type"] == "extra_forbidden":
        near = get_close_matches(setting, form.model_fields, n=1)
        meant = f" Did you mean '{near[0]}'?" if near else ""
        return f"unknown setting '{setting}'.{meant} Known: {', '.join(form.model_fields)}."
    if first["type"] == "missing":
        return f"the setting '{setting}' is missing. {about}"
    if not setting:
        return f"{first['msg']}."
    return f"'{setting}' can't be {first['input']!r}: {first['msg']}. {about}"
