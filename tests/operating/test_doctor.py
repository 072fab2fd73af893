"""The doctor's verdicts: what is missing is found, and each finding says what to do."""

import socket
from pathlib import Path

from tests.operating.zhuli import scripted_models, zhuli
from zhuli.operating import doctor
from zhuli.operating.doctor import Verdict, examine
from zhuli.settings import Settings, read_settings


async def verdicts(settings: Settings) -> dict[str, Verdict]:
    return {verdict.what: verdict async for verdict in examine(settings)}


def failing(found: dict[str, Verdict]) -> list[str]:
    return [what for what, verdict in found.items() if verdict.fix and not verdict.optional]


async def test_a_fresh_folder_is_healthy_and_stays_empty(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    models = scripted_models(tmp_path / "models") / "models.toml"
    found = await verdicts(read_settings(data_dir=folder, models_file=models, port=0))
    assert failing(found) == []
    assert "which the first start makes" in found["Data folder"].found
    assert not folder.exists()


async def test_a_data_folder_that_can_not_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    found = doctor.data_dir(tmp_path / "file" / "data")
    assert found.fix is not None
    assert "--data-dir" in found.fix


async def test_a_database_that_does_not_answer_is_found_without_its_password(tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path, database_url="postgresql://zhuli:hunter2@127.0.0.1:1/zhuli")
    found = await doctor.database(settings)
    assert found.fix is not None
    assert "hunter2" not in f"{found.found} {found.fix}"


async def test_a_database_in_a_folder_that_is_not_there_is_found(tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path}/nowhere/zhuli.db")
    found = await doctor.database(settings)
    assert found.fix is not None
    assert f"{tmp_path}/nowhere/zhuli.db can't be opened" in found.fix


async def test_a_model_that_lacks_its_key_is_found(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(
        '[models.big]\nbackend = "openai_compatible"\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = "NOWHERE_KEY"\n'
    )
    (found,) = doctor.models(read_settings(data_dir=tmp_path))
    assert found.what == "Model big"
    assert found.fix is not None
    assert "NOWHERE_KEY" in found.fix


def test_a_default_embedder_that_is_missing_is_found_and_others_may_be(tmp_path: Path) -> None:
    lacking = '[models.m]\nbackend = "scripted"\n[embedders.far]\nplugin = "openai_compatible"\ndimensions = 2\n'
    (tmp_path / "models.toml").write_text(f'{lacking}base_url = "http://127.0.0.1:1/v1"\napi_key_env = "NOWHERE_KEY"')
    far, *built_in = doctor.embedders(read_settings(data_dir=tmp_path))
    assert far.what == "Embedder far" and not far.optional
    assert far.fix is not None and "NOWHERE_KEY" in far.fix
    assert [(verdict.what, verdict.optional) for verdict in built_in] == [
        ("Embedder e5-small", True),
        ("Embedder minilm", True),
    ]


async def test_a_broken_models_file_is_one_verdict(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text("[models")
    (found,) = doctor.models(read_settings(data_dir=tmp_path))
    assert found.fix is not None
    assert "is not TOML" in found.fix


async def test_a_taken_port_is_mentioned_but_may_be_the_server_itself() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        found = doctor.port("127.0.0.1", other.getsockname()[1])
    assert found.fix is not None
    assert found.optional


async def test_files_that_can_not_be_kept_are_found(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    found = await doctor.blobs(read_settings(data_dir=tmp_path))
    assert found.fix is not None


async def test_an_unknown_blob_store_is_found(tmp_path: Path) -> None:
    found = await doctor.blobs(read_settings(data_dir=tmp_path, blobs_url="ftp://somewhere"))
    assert found.fix is not None
    assert "ftp" in found.fix


def test_the_command_fails_when_something_is_missing_and_says_how_to_get_it(tmp_path: Path) -> None:
    done = zhuli("doctor", "--data-dir", scripted_models(tmp_path))
    assert done.returncode == 0, done.stdout
    (tmp_path / "script.json").unlink()
    done = zhuli("doctor", "--data-dir", tmp_path)
    assert done.returncode == 1
    place = done.stdout.index("✗ Model script")
    assert "script.json" in done.stdout[place:]
