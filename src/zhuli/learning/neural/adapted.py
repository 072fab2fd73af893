"""peft's adapters around a backbone: whether there are some, merging them, and opening a folder of them.

peft is imported when there are adapters, and not before: that takes seconds, for which most models need not wait.
"""

import json
import sys
from pathlib import Path
from typing import Any

ADAPTER = "adapter_config.json"
"""The file that makes a folder one of adapters."""


def is_adapted(backbone: Any) -> bool:
    """Whether it is peft's model around another one."""
    peft = sys.modules.get("peft")
    return peft is not None and isinstance(backbone, peft.PeftModel)


def base_of(folder: Path) -> Path:
    """The folder of the model that the adapters in `folder` are for."""
    return Path(str(json.loads((folder / ADAPTER).read_text(encoding="utf-8"))["base_model_name_or_path"]))


def with_adapters_of(folder: Path, backbone: Any) -> Any:
    """peft's model around `backbone` with the adapters in `folder`."""
    from peft import PeftModel

    return PeftModel.from_pretrained(backbone, str(folder))


def merge(model: Any) -> None:
    """Add the adapters of model.backbone to the weights that they adapt, in place; afterwards it is the plain one."""
    if is_adapted(model.backbone):
        model.backbone = model.backbone.merge_and_unload()
