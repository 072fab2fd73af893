"""Settings come from a file, win from variables, and win most from a command's options; mistakes name their place."""

from pathlib import Path

import pytest

from zhuli.core.errors import ConfigurationError
from zhuli.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without variables of whoever runs the tests."""
    for name in ("ZHULI_PORT", "ZHULI_HOST", "ZHULI_DATABASE_URL", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def write(folder: Path, content: str) -> Path:
    path = folder / "zhuli.toml"
    path.write_text(content)
    return path


def test_without_anything_there_are_defaults() -> None:
    settings = read_settings()
    assert (settings.host, settings.port, settings.run_lifetime_seconds) == ("127.0.0.1", 8000, 600)
    assert not settings.strict.ids


def test_a_file_wins_over_defaults(tmp_path: Path) -> None:
    config = write(tmp_path, "port = 7001\n[strict]\nids = true")
    assert (read_settings(config).port, read_settings(config).strict.ids) == (7001, True)


def test_variables_win_over_the_file(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ZHULI_PORT", "7002")
    environment.setenv("ZHULI_STRICT__IDS", "false")
    settings = read_settings(write(tmp_path, "port = 7001\nworker_slots = 3\n[strict]\nids = true\ndownloads = true"))
    assert (settings.port, settings.worker_slots) == (7002, 3)
    assert (settings.strict.ids, settings.strict.downloads) == (False, True), "variables change only what they name"


def test_options_win_over_variables(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ZHULI_PORT", "7002")
    assert read_settings(write(tmp_path, "port = 7001"), port=7003).port == 7003


def test_an_option_that_was_not_given_changes_nothing(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ZHULI_PORT", "7002")
    assert read_settings(port=None).port == 7002


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("prot = 1", "There is no setting 'prot'. Did you mean 'port'"),
        ("[strict]\nid = true", "There is no setting 'strict.id'. Did you mean 'strict.ids'"),
        ("elephants = 1", "There is no setting 'elephants'. `zhuli settings` shows all"),
        ("port = 'x'", "The setting 'port' can't be 'x'"),
        ("port = 70000", "The setting 'port' can't be 70000"),
        ("[strict]\nids = 'perhaps'", "The setting 'strict.ids' can't be 'perhaps'"),
        ("log_level = 'loud'", "The setting 'log_level' can't be 'loud'"),
    ],
)
def test_a_mistake_names_its_place(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        read_settings(write(tmp_path, content))


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("ZHULI_PROT", "ZHULI_PORT"), ("ZHULI_STRICT__ID", "ZHULI_STRICT__IDS"), ("zhuli_hosts", "ZHULI_HOST")],
)
def test_a_variable_that_is_nearly_one_is_a_mistake(environment: pytest.MonkeyPatch, variable: str, meant: str) -> None:
    environment.setenv(variable, "1")
    with pytest.raises(ConfigurationError, match=f"There is no variable '{variable}'. Did you mean '{meant}'"):
        read_settings()


@pytest.mark.parametrize("variable", ["ZHULI_OPENROUTER_KEY", "ZHULI_TEST_COLD", "ZHULI_BACKUP_FOLDER"])
def test_a_variable_for_another_purpose_is_left_alone(environment: pytest.MonkeyPatch, variable: str) -> None:
    environment.setenv(variable, "1")
    read_settings()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no settings file .*none.toml"):
        read_settings(tmp_path / "none.toml")


def test_a_file_that_is_not_toml_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"zhuli.toml"):
        read_settings(write(tmp_path, "port = "))


def test_a_broken_variable_is_told_by_the_name_of_its_setting(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("ZHULI_PORT", "many")
    with pytest.raises(ConfigurationError, match="The setting 'port' can't be 'many'"):
        read_settings()


def test_the_embedded_defaults_are_in_the_data_folder(tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path / 'zhuli.db'}"
    assert settings.blobs == f"file://{tmp_path / 'files'}"
    assert settings.models is None


def test_models_beside_the_data_are_found_unless_others_are_named(tmp_path: Path) -> None:
    (tmp_path / "models.toml").touch()
    assert read_settings(data_dir=tmp_path).models == tmp_path / "models.toml"
    named = tmp_path / "other.toml"
    assert read_settings(data_dir=tmp_path, models_file=named).models == named


def test_a_database_of_ones_own_is_taken_as_it_is() -> None:
    assert read_settings(database_url="postgresql://u@h/d").database == "postgresql://u@h/d"


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
