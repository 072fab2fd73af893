"""A tuned model goes to another machine: exported without that machine's places, imported on a base that is found anew."""

import io
import json
import tarfile
from pathlib import Path

from zhuli.core.clock import SystemClock
from zhuli.core.hints import Hints
from zhuli.learning.jobs.exporting import export_of
from zhuli.learning.jobs.importing import Importing
from zhuli.learning.neural import model_folder
from zhuli.learning.neural.model_folder import ModelFolder
from zhuli.models.catalog import Catalog
from zhuli.store import migrate, projects
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.store.opening import open_database
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Base

NAME = "ft:talker:default::12345678"


def adapter(folder: Path, base: Path) -> Path:
    folder.mkdir(parents=True)
    about = ModelFolder("dialogue", Base(name="talker", path=str(base)), Hyperparameters(), {})
    model_folder.write(folder, about)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base), "r": 8}))
    (folder / "adapter_model.safetensors").write_bytes(bytes(3_000_000))
    return folder


async def exported(folder: Path, *, hidden: list[Path]) -> bytes:
    model = TunedModel(name=NAME, project="p", base="talker", task="dialogue", folder="x", created_at=1)
    return b"".join([piece async for piece in export_of(model, folder, format="folder", hidden=hidden).pieces()])


async def test_an_archive_names_no_place_of_the_machine_that_it_comes_from(tmp_path: Path) -> None:
    here = tmp_path / "here"
    archive = await exported(adapter(here / "model", here / "models" / "talker-hf"), hidden=[here])
    assert str(tmp_path).encode() not in archive
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(tmp_path / "there", filter="data")
    (folder,) = (tmp_path / "there").iterdir()
    assert (folder / "adapter_model.safetensors").read_bytes() == bytes(3_000_000)
    assert model_folder.read(folder).base == Base(name="talker", path="models/talker-hf")


async def test_an_adapter_from_elsewhere_stands_on_the_base_of_that_name_here(tmp_path: Path) -> None:
    base = tmp_path / "bases" / "talker"
    base.mkdir(parents=True)
    (base / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    models_file = tmp_path / "models.toml"
    models_file.write_text(
        f'[models.script]\nbackend = "scripted"\nscript = "x.json"\n[bases.talker]\npath = "{base}"\n'
    )
    folder = adapter(tmp_path / "from-elsewhere", Path("models/talker-hf"))
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    database = open_database(f"sqlite:///{data_dir}/zhuli.db", Hints())
    try:
        await database.run(migrate.upgrade)
        await database.run(projects.ensure_default, now=1.0)
        catalog = Catalog.load(models_file, data_dir)
        importing = Importing(database, catalog, SystemClock(), data_dir=data_dir, models_file=models_file)
        model = await importing.add(projects.DEFAULT_PROJECT, folder, name="mine")
        await database.run(catalog.tuned.read)
        assert catalog.tuned.model("mine", projects.DEFAULT_PROJECT) == model
    finally:
        await database.aclose()
    place = data_dir / model.folder
    assert (model.task, model.base) == ("dialogue", "talker")
    assert model_folder.read(place).base.path == str(base)
    assert json.loads((place / "adapter_config.json").read_text()) == {"base_model_name_or_path": str(base), "r": 8}
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "models/talker-hf"
