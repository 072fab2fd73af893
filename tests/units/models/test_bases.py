"""Bases to tune: names, folders that are whole or absent, what is said of them without loading, mistakes in the models file."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from zhuli.core.errors import ConfigurationError
from zhuli.models import bases
from zhuli.models.packaged.made_once import made_once
from zhuli.models.packaged.minilm_base import prepared
from zhuli.types.learning.tuning import Base


def models_file(folder: Path, content: str) -> Path:
    path = folder / "models.toml"
    path.write_text(content)
    return path


def hugging_face_folder(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", **config}))
    return folder


def test_packaged_bases_are_known_without_a_models_file(tmp_path: Path) -> None:
    assert bases.names(None) == ["minilm", "e5-small", "smollm2"]
    file = models_file(tmp_path, '[bases.mine]\npath = "here"\n')
    assert bases.names(file) == ["mine", "minilm", "e5-small", "smollm2"]


def test_minilm_comes_from_its_package_without_limits_of_length(tmp_path: Path) -> None:
    folder = bases.folder(Base(name="minilm"), data_dir=tmp_path, models_file=None)
    assert folder == prepared(tmp_path / "models")
    found = bases.facts(folder)
    assert (found.kind, found.layers, found.max_length) == ("encoder", 6, 512)
    assert 22_000_000 < found.parameters < 23_000_000
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert len(tokenizer.encode("word " * 300).ids) == 302
    assert not [path for path in (tmp_path / "models").iterdir() if path.name.startswith(".")]


def test_a_folder_that_could_not_be_made_is_not_there(tmp_path: Path) -> None:
    def breaks_off(folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        made_once(tmp_path / "base", breaks_off, title="a base")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    made: list[Path] = []
    for _ in range(2):
        made_once(tmp_path / "base", made.append, title="a base")
    assert len(made) == 1


def test_a_path_of_the_models_file_is_relative_to_it(tmp_path: Path) -> None:
    mine = hugging_face_folder(tmp_path / "bases" / "mine", num_hidden_layers=3, max_position_embeddings=64)
    file = models_file(tmp_path, '[bases.mine]\npath = "bases/mine"\ngguf = "mine.gguf"\n')
    base = Base(name="mine")
    assert bases.folder(base, data_dir=tmp_path, models_file=file) == mine
    assert bases.gguf(base, data_dir=tmp_path, models_file=file) == tmp_path / "mine.gguf"
    assert bases.gguf(Base(name="minilm"), data_dir=tmp_path, models_file=file) is None
    assert bases.facts(mine) == bases.BaseFacts("encoder", 0, 3, 64)
    assert bases.window(base, data_dir=tmp_path, models_file=file) == 64
    assert bases.window(Base(name="minilm"), data_dir=tmp_path, models_file=file) is None


def test_a_path_that_is_given_needs_no_models_file(tmp_path: Path) -> None:
    mine = hugging_face_folder(tmp_path / "mine", architectures=["LlamaForCausalLM"], max_position_embeddings=2048)
    assert bases.folder(Base(name="x", path=str(mine)), data_dir=tmp_path, models_file=None) == mine
    assert bases.facts(mine).kind == "language_model"
    both = hugging_face_folder(tmp_path / "both", is_encoder_decoder=True)
    assert bases.facts(both).kind == "seq2seq"


def test_roberta_reads_two_tokens_fewer_than_it_has_positions(tmp_path: Path) -> None:
    mine = hugging_face_folder(tmp_path / "mine", model_type="roberta", max_position_embeddings=514, pad_token_id=1)
    assert bases.facts(mine).max_length == 512


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('[bases.mine]\npath = "a"\nhub = "b/c"\n', "either path"),
        ("[bases.mine]\n", "either path"),
        ('[bases.mine]\npath = "a"\nsize = "b"\n', "unknown key 'size'"),
        ("[bases.mine]\npath = 1\n", "must be text"),
        ("bases = 1\n", "must be tables"),
    ],
)
def test_mistakes_in_the_models_file_are_named(tmp_path: Path, content: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        bases.names(models_file(tmp_path, content))


def test_unknown_bases_say_what_is_known(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Known: minilm, e5-small, smollm2"):
        bases.folder(Base(name="nothing"), data_dir=tmp_path, models_file=None)
    with pytest.raises(ConfigurationError, match=r"no config\.json"):
        bases.folder(Base(name="empty", path=str(tmp_path)), data_dir=tmp_path, models_file=None)
