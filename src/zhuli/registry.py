"""Find a plugin by name, and import it only then, so that an optional dependency costs nothing until it is used."""

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from zhuli.core.errors import ConfigurationError

_DOES = {
    "backends": "generate",
    "blobs": "read",
    "embedders": "embed",
    "feeds": "items",
    "indexes": "search",
    "ocr": "parse",
    "parsers": "parse",
    "tasks": "loss",
    "tools": "run",
    "understanders": "read",
}
"""What a plugin of each kind is for: the method of its port that tells it from any other class."""

_PLUGINS = Path(__file__).with_name("plugins")
"""Found by their files: nobody imports them, not even to know where they lie."""


def find(kind: str, name: str) -> Any:
    """The class of the plugin `name` of `kind` ("backends", "blobs", …).

    `name` is a file under plugins/<kind>/, an entry point of the group "zhuli.<kind>", or "package.module:Class". The file
    `plugins/backends/openai_compatible.py` holds its class under the name `Plugin`.
    """
    if ":" in name:
        module, _, attribute = name.partition(":")
        return _load(kind, name, module, attribute)
    if name in built_in(kind):
        return _load(kind, name, f"zhuli.plugins.{kind}.{name}", "Plugin")
    for point in entry_points(group=f"zhuli.{kind}", name=name):
        return _checked(kind, name, point.load())
    raise ConfigurationError(
        f"There is no {kind} plugin '{name}'. Known: {', '.join(names(kind))}, or 'package.module:Class'."
    )


def names(kind: str) -> list[str]:
    """Every name that find() knows of this kind."""
    return sorted({*built_in(kind), *(point.name for point in entry_points(group=f"zhuli.{kind}"))})


def built_in(kind: str) -> list[str]:
    """The files under plugins/<kind>/."""
    return sorted(module.name for module in iter_modules([str(_PLUGINS / kind)]))


def _load(kind: str, name: str, module: str, attribute: str) -> Any:
    try:
        return _checked(kind, name, getattr(import_module(module), attribute))
    except ImportError as error:
        raise ConfigurationError(
            f"The {kind} plugin '{name}' needs the package '{error.name}', which is not installed. "
            "`zhuli doctor` says how to get it."
        ) from error
    except AttributeError as error:
        raise ConfigurationError(f"The module '{module}' has no '{attribute}'.") from error


def _checked(kind: str, name: str, found: Any) -> Any:
    """What was found, if it is a class of the kind's port."""
    if isinstance(found, type) and callable(getattr(found, _DOES[kind], None)):
        return found
    raise ConfigurationError(
        f"'{name}' is none of the {kind}: that must be a class with a method {_DOES[kind]}(), as zhuli.ports describes it."
    )
