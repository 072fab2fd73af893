"""What can be tuned: bases that come as packages, and those that the models file names under [bases].

    [bases.NAME]
    path = "…"          # a Hugging Face folder, relative to the models file; or
    hub = "owner/name"  # of the Hugging Face hub, downloaded when it is first used
    gguf = "…"          # for a language model: the GGUF file that stands for it in the embedded engine
    served_by = "…"     # for a language model: the entry of [models] whose server (vLLM) loads tuned adapters

Imports nothing heavy, and no weights are read here.
"""

import json
import struct
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zhuli.core.errors import ConfigurationError
from zhuli.models.models_file import parsed
from zhuli.models.packaged import e5_base, minilm_base, smollm2_base
from zhuli.types.learning.tuning import TASK, Base

_PACKAGED = {"minilm": minilm_base.prepared, "e5-small": e5_base.prepared, "smollm2": smollm2_base.prepared}

_FOLDERS = {"minilm": minilm_base.FOLDER, "e5-small": e5_base.FOLDER, "smollm2": smollm2_base.FOLDER}

_KEYS = ("path", "hub", "gguf", "served_by")

_DEFAULT_LENGTH = 512
"""Tokens at once of a model that does not say it."""

_LONGEST_LENGTH = 1_000_000
"""Tokenizers without a length of their own say about 10^30."""


Kind = Literal["encoder", "language_model", "seq2seq"]


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """parameters: of all weights. max_length: tokens that it reads at once."""

    kind: Kind
    parameters: int
    layers: int
    max_length: int


def names(models_file: Path | None) -> list[str]:
    """Every base that can be asked for by name; ConfigurationError says what is wrong in the models file."""
    return list(dict.fromkeys([*_declared(models_file), *_PACKAGED]))


def check(models_file: Path | None, *, entries: Collection[str]) -> None:
    """ConfigurationError for a mistake under [bases]. entries: the names of [models]."""
    for name, table in _declared(models_file).items():
        if "served_by" in table and table["served_by"] not in entries:
            known = ", ".join(entries)
            raise ConfigurationError(
                f"{models_file}: bases.{name}.served_by: there is no model '{table['served_by']}'. Models: {known}."
            )


def folder(base: Base, *, data_dir: Path, models_file: Path | None) -> Path:
    """The base's Hugging Face folder, ready to be loaded; made or downloaded if that has not been done.

    ConfigurationError says how to get what is missing. A name with a slash that nothing else has is one of the hub's.
    """
    models = data_dir / "models"
    if base.path is not None:
        return _checked(Path(base.path), base.name)
    declared = _declared(models_file).get(base.name)
    if declared is not None and models_file is not None:
        return _of_table(base.name, declared, models=models, beside=models_file.parent)
    if base.name in _PACKAGED:
        return _PACKAGED[base.name](models)
    if "/" in base.name and not base.name.startswith((".", "/", "~")):
        return _checked(_downloaded(base.name, models), base.name)
    known = ", ".join(names(models_file))
    raise ConfigurationError(
        f"There is no base '{base.name}'. Known: {known}. Others: the path of a Hugging Face folder, or "
        f'[bases.NAME] with path = "…" or hub = "owner/name" in the models file.'
    )


def facts(folder: Path) -> BaseFacts:
    """What can be said of a base without loading it; ConfigurationError if it is no Hugging Face folder."""
    if not (folder / "config.json").exists() and (folder / "adapter_config.json").exists():
        return facts(Path(_json(folder / TASK)["base"]["path"]))
    config = _json(folder / "config.json")
    return BaseFacts(_kind(config), _parameters(folder), _layers(config), _length(config, folder))


def gguf(base: Base, *, data_dir: Path, models_file: Path | None) -> Path | None:
    """The GGUF file that stands for this base in the embedded engine; None if nobody has named one.

    For adapters that were tuned here it is their base's.
    """
    if base.path is not None and (own := Path(base.path) / "model.gguf").exists():
        return own
    if base.path is not None and (Path(base.path) / "adapter_config.json").exists():
        about = Path(base.path) / TASK
        below = Base.model_validate(_json(about)["base"]) if about.exists() else None
        return None if below is None else gguf(below, data_dir=data_dir, models_file=models_file)
    declared = _declared(models_file).get(base.name, {})
    if models_file is not None and "gguf" in declared:
        return models_file.parent / Path(declared["gguf"]).expanduser()
    if base.name == "smollm2" and not declared:
        return smollm2_base.gguf(data_dir / "models")
    return None


def served_by(name: str, *, models_file: Path | None) -> str | None:
    """The entry of [models] whose server loads what is tuned on this base, if the models file names one."""
    return _declared(models_file).get(name, {}).get("served_by")


def places(models_file: Path) -> list[Path]:
    """The folders that the models file names under [bases]."""
    paths = (table["path"] for table in _declared(models_file).values() if "path" in table)
    return [models_file.parent / Path(path).expanduser() for path in paths]


def window(base: Base, *, data_dir: Path, models_file: Path | None) -> int | None:
    """Tokens that it reads at once; None for a base that would have to be made, fetched or looked for first."""
    declared = _declared(models_file).get(base.name, {})
    if base.path is not None:
        there = Path(base.path)
    elif models_file is not None and "path" in declared:
        there = models_file.parent / Path(declared["path"]).expanduser()
    elif base.name in _FOLDERS and not declared:
        there = data_dir / "models" / _FOLDERS[base.name]
    else:
        return None
    known = any((there / name).exists() for name in ("config.json", "adapter_config.json"))
    return facts(there).max_length if known else None


def known_kind(base: Base, *, models_file: Path | None) -> Kind | None:
    """What kind of model it is, as far as that can be said without fetching anything."""
    declared = _declared(models_file).get(base.name, {})
    if base.path is None and "hub" in declared:
        return None
    if base.path is None and models_file is not None and "path" in declared:
        return facts(models_file.parent / Path(declared["path"]).expanduser()).kind
    if base.path is not None:
        return facts(Path(base.path)).kind
    return "language_model" if base.name == "smollm2" else "encoder"


def _declared(models_file: Path | None) -> dict[str, dict[str, str]]:
    """The tables under [bases], whose entries are all text."""
    if models_file is None:
        return {}
    tables = parsed(models_file).get("bases", {})
    if not isinstance(tables, dict):
        raise ConfigurationError(f"{models_file}: bases: must be tables like [bases.NAME].")
    for name, table in tables.items():
        _check_table(f"{models_file}: bases.{name}", table)
    return tables


def _check_table(place: str, table: Any) -> None:
    if not isinstance(table, dict) or ("path" in table) == ("hub" in table):
        raise ConfigurationError(f'{place}: must be a table with either path = "…" or hub = "owner/name".')
    for key, value in table.items():
        if key not in _KEYS:
            raise ConfigurationError(f"{place}: unknown key '{key}'. Known: {', '.join(_KEYS)}.")
        if not isinstance(value, str):
            raise ConfigurationError(f"{place}.{key}: must be text.")


def _of_table(name: str, table: dict[str, str], *, models: Path, beside: Path) -> Path:
    if "path" in table:
        return _checked(beside / Path(table["path"]).expanduser(), name)
    return _checked(_downloaded(table["hub"], models), name)


def _checked(folder: Path, name: str) -> Path:
    if (folder / "config.json").exists() or (folder / "adapter_config.json").exists():
        return folder
    raise ConfigurationError(
        f"The base '{name}' should be a Hugging Face folder, but there is no config.json in {folder}."
    )


def _downloaded(name: str, models: Path) -> Path:
    """From the Hugging Face hub, or from what was downloaded before."""
    from huggingface_hub import snapshot_download  # comes with transformers, in tuning processes only

    kinds = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
    try:
        return Path(snapshot_download(name, cache_dir=models / "hub", allow_patterns=kinds))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The base '{name}' can't be had from the Hugging Face hub: {error} Without a network, name the path of a folder."
        ) from error


def _kind(config: dict[str, Any]) -> Kind:
    if config.get("is_encoder_decoder"):
        return "seq2seq"
    causal = any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in config.get("architectures") or ())
    return "language_model" if causal else "encoder"


def _parameters(folder: Path) -> int:
    """Counted from the heads of the safetensors files; 0 where the weights are in another format."""
    return sum(_numbers(path) for path in folder.glob("*.safetensors") if not path.name.startswith("head"))


def _numbers(path: Path) -> int:
    """A safetensors file begins with the length of a JSON directory, which has each tensor's shape."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            directory = json.loads(file.read(length))
    except (struct.error, ValueError, OverflowError, MemoryError) as error:
        raise ConfigurationError(f"The base's {path.name} is damaged: it is no safetensors file.") from error
    total = 0
    for name, entry in directory.items():
        if name != "__metadata__":
            count = 1
            for size in entry["shape"]:
                count *= size
            total += count
    return total


def _layers(config: dict[str, Any]) -> int:
    names = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers")
    return next((int(config[name]) for name in names if config.get(name)), 1)


def _length(config: dict[str, Any], folder: Path) -> int:
    """The smaller one of what the positions and the tokenizer allow. RoBERTa counts positions from its padding id on."""
    positions = next((config[name] for name in ("max_position_embeddings", "n_positions") if config.get(name)), None)
    if positions is not None and config.get("model_type") in ("roberta", "xlm-roberta", "camembert"):
        positions -= config.get("pad_token_id", 1) + 1
    tokenizer = folder / "tokenizer_config.json"
    said = _json(tokenizer).get("model_max_length") if tokenizer.exists() else None
    known = [int(length) for length in (positions, said) if length is not None and 0 < length < _LONGEST_LENGTH]
    return min(known, default=_DEFAULT_LENGTH)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} can't be read: it should be a file of a Hugging Face folder ({error})."
        ) from error
