"""How a tuned chat model is talked to, decided by what lies in its folder and by what stands for its base."""

import json
from pathlib import Path

from zhuli.learning.jobs.registering import chat_of
from zhuli.types.learning.tuning import Base


def put(folder: Path, *names: str, **contents: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("x")
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def chat(folder: Path, base: Base, data_dir: Path, *, served_by: str | None = None) -> dict[str, str] | None:
    models_file = data_dir.parent / "models.toml"
    models_file.write_text('[bases.talker]\npath = "talker"\ngguf = "talker.gguf"\n')
    return chat_of(folder, base, served_by=served_by, data_dir=data_dir, models_file=models_file)


def test_a_merged_model_is_its_own_file(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    model = put(data_dir / "tuning" / "ftjob-1" / "model", "model.gguf")
    assert chat(model, Base(name="talker"), data_dir) == {
        "backend": "embedded",
        "path": "tuning/ftjob-1/model/model.gguf",
    }


def test_an_adapter_goes_beside_the_file_of_its_base_with_the_template_that_it_has_learned(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    model = put(data_dir / "tuning" / "ftjob-1" / "model", "adapter.gguf", "chat_template.jinja")
    assert chat(model, Base(name="talker"), data_dir) == {
        "backend": "embedded",
        "path": str(tmp_path / "talker.gguf"),
        "lora_path": "tuning/ftjob-1/model/adapter.gguf",
        "chat_template_file": "tuning/ftjob-1/model/chat_template.jinja",
    }


def test_an_adapter_on_a_tuned_model_goes_beside_that_ones_file_or_beside_the_file_of_its_base(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    first, second = data_dir / "tuning" / "ftjob-1" / "model", data_dir / "tuning" / "ftjob-2" / "model"
    put(first, "adapter.gguf", adapter_config={}, task={"base": {"name": "talker", "path": str(tmp_path / "talker")}})
    put(second, "adapter.gguf")
    tuned = Base(name="ft:talker:default::1", path=str(first))
    on_adapter = chat(second, tuned, data_dir)
    assert on_adapter is not None and on_adapter["path"] == str(tmp_path / "talker.gguf")
    put(first, "model.gguf")
    on_merged = chat(second, tuned, data_dir)
    assert on_merged is not None and on_merged["path"] == "tuning/ftjob-1/model/model.gguf"


def test_a_model_without_such_files_is_not_talked_to_unless_a_server_loads_it(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    model = put(data_dir / "tuning" / "ftjob-1" / "model", "model.safetensors")
    assert chat(model, Base(name="talker"), data_dir) is None
    assert chat(model, Base(name="talker"), data_dir, served_by="far") is None
    put(model, "adapter_config.json")
    assert chat(model, Base(name="talker"), data_dir, served_by="far") == {"served_by": "far"}
