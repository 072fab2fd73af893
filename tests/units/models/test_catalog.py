"""The catalog: what a models file may say, what its mistakes are told as, and where names lead."""

import os
from pathlib import Path
from typing import Any

import pytest

from zhuli.core.errors import ConfigurationError
from zhuli.models.catalog import Catalog
from zhuli.plugins.backends.scripted import Plugin as Scripted
from zhuli.testing.backend_contract import collect
from zhuli.types.models.generation import GenerationRequest

MODELS = """
default = "script"

[models.script]
backend = "scripted"
script = "standard.json"
owned_by = "tests"

[models.big]
backend = "openai_compatible"
base_url = "http://127.0.0.1:1/v1"
model = "Qwen/Qwen2.5-7B-Instruct"
context_window = 8192

[aliases]
"gpt-4o" = "big"
"gpt-4*" = "script"
"gpt-*" = "big"
"""


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    (tmp_path / "standard.json").write_text('{"default": [{"text": "Hello."}]}')
    return load(tmp_path, MODELS)


class TestNames:
    def test_models_are_listed_before_aliases_and_patterns_are_not(self, catalog: Catalog) -> None:
        assert catalog.names() == ["script", "big", "gpt-4o"]

    @pytest.mark.parametrize(
        ("asked", "entry"),
        [
            ("script", "script"),
            ("gpt-4o", "big"),
            ("gpt-4o-mini", "script"),
            ("gpt-3.5-turbo", "big"),
            ("Script", None),
            ("claude", None),
            ("gpt-4*", "script"),
        ],
    )
    def test_names_lead_to_models_by_name_then_alias_then_first_pattern(
        self, catalog: Catalog, asked: str, entry: str | None
    ) -> None:
        found = catalog.resolve(asked)
        assert (found.name if found else None) == entry

    def test_an_unknown_name_gets_the_original_error_and_the_names(self, catalog: Catalog) -> None:
        assert catalog.unknown("claude").body()["error"] == {
            "message": "The requested model 'claude' cannot be used with the Assistants API. "
            "Models here: script, big, gpt-4o.",
            "type": "invalid_request_error",
            "param": "model",
            "code": "unsupported_model",
        }

    def test_the_default_is_the_first_model_unless_it_is_named(self, catalog: Catalog, tmp_path: Path) -> None:
        assert catalog.default == "script"
        unnamed = load(tmp_path, '[models.a]\nbackend = "scripted"\n[models.b]\nbackend = "scripted"')
        assert unnamed.default == "a"


class TestEntries:
    def test_an_entry_knows_its_owner_and_when_the_file_was_written(self, catalog: Catalog, tmp_path: Path) -> None:
        os.utime(tmp_path / "models.toml", (1_700_000_000, 1_700_000_000))
        entries = Catalog.load(tmp_path / "models.toml", tmp_path).entries
        assert (entries["script"].created, entries["script"].owned_by) == (1_700_000_000, "tests")
        assert entries["big"].owned_by == "zhuli"

    async def test_paths_are_meant_from_the_file_whatever_the_directory(
        self, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir("/")
        request = GenerationRequest([{"role": "user", "content": "Hello?"}])
        assert (await collect(catalog.entries["script"].backend, request))[0].text == "Hello."

    def test_a_backend_is_made_once_and_only_when_it_is_needed(self, catalog: Catalog) -> None:
        entry = catalog.entries["script"]
        assert not entry.is_made
        assert entry.backend is entry.backend
        assert entry.is_made
        assert not catalog.entries["big"].is_made

    def test_the_window_is_the_entry_s_or_else_its_backend_s(self, catalog: Catalog) -> None:
        assert catalog.entries["big"].context_window == 8192
        assert not catalog.entries["big"].is_made
        assert catalog.entries["script"].context_window == catalog.entries["script"].backend.context_window

    def test_checking_tells_what_no_backend_would_take(self, tmp_path: Path) -> None:
        wrong = load(tmp_path, '[models.big]\nbackend = "openai_compatible"\nbase_url = "http://h/v1"\nurl = "x"')
        with pytest.raises(ConfigurationError, match="Model 'big': unknown setting 'url'"):
            wrong.check()

    async def test_closing_frees_what_was_made_and_makes_nothing(self, tmp_path: Path) -> None:
        both = load(tmp_path, "".join(f'[models.{name}]\nbackend = "{__name__}:Parrot"\n' for name in "ab"))
        made = both.entries["a"].backend
        await both.aclose()
        assert isinstance(made, Parrot)
        assert made.closed
        assert not both.entries["b"].is_made


class TestBuiltIn:
    def test_without_a_file_the_embedded_model_answers_under_the_usual_names(self, tmp_path: Path) -> None:
        built_in = Catalog.load(None, tmp_path)
        assert built_in.default == "smollm2"
        usual = ["smollm2", "gpt-4o", "gpt-4o-2024-08-06", "gpt-4.1-mini", "gpt-4-1106-preview", "gpt-3.5-turbo-0125"]
        for name in [*usual, "gpt-5", "gpt-5-mini", "o3", "o3-mini", "o4-mini", "o4-mini-2025-04-16"]:
            found = built_in.resolve(name)
            assert found, name
            assert found.name == "smollm2"

    def test_the_embedded_backend_is_told_where_it_may_keep_files(self, tmp_path: Path) -> None:
        assert Catalog.load(None, tmp_path).entries["smollm2"].settings == {"data_dir": str(tmp_path)}


class TestMistakes:
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("[models\n", "is not TOML: .*line 1"),
            ("", r"there are no models. Add one: \[models.NAME\]"),
            ('modells = 1\n[models.a]\nbackend = "scripted"', "unknown key 'modells'. Known: default, models, aliases"),
            ('[models]\na = "scripted"', "models.a: must be a table"),
            ("[models.a]\n", "models.a: backend is missing. Known: .*scripted"),
            (
                '[models.a]\nbackend = "vllm"',
                "models.a.backend: there is no backend 'vllm'. Known: .*openai_compatible",
            ),
            ('[models."a*"]\nbackend = "scripted"', r"models.a\*: a model's name can't have"),
            ('[models.a]\nbackend = "scripted"\ncontext_window = "8k"', "models.a.context_window: must be a number"),
            ('[models.a]\nbackend = "scripted"\nowned_by = 1', "models.a.owned_by: must be text"),
            ('default = "b"\n[models.a]\nbackend = "scripted"', "default: there is no model 'b'. Models: a"),
            ('aliases = 1\n[models.a]\nbackend = "scripted"', "aliases: must be a table"),
            ('[models.a]\nbackend = "scripted"\n[aliases]\nb = "c"', "aliases.b: there is no model 'c'. Models: a"),
            ('[models.a]\nbackend = "scripted"\n[aliases]\na = "a"', "aliases.a: there is a model of this name"),
            ('[models.a]\nbackend = "scripted"\n[aliases]\nb = 1', "aliases.b: must be the name of a model: a"),
            (
                '[models.a]\nbackend = "scripted"\n[aliases]\nb = "a"\nc = "b"',
                "aliases.c: 'b' is an alias itself; name a model: a",
            ),
            ('[models.a]\nbackend = "scripted"\n[aliases]\nb = "c"\nc = "b"', "aliases.b: 'c' is an alias itself"),
        ],
    )
    def test_mistakes_say_file_and_entry_and_what_would_be_right(self, tmp_path: Path, content: str, says: str) -> None:
        with pytest.raises(ConfigurationError, match=says) as raised:
            load(tmp_path, content)
        assert "models.toml" in raised.value.message

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"models.toml can't be read: No such file"):
            Catalog.load(tmp_path / "models.toml", tmp_path)


class Parrot(Scripted):
    """A backend that is named by its class, and says whether it was closed."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        super().__init__(name, {"script": {"default": [{"text": "{last}"}]}, **settings})
        self.closed = False

    async def aclose(self) -> None:
        self.closed = True


def load(folder: Path, content: str) -> Catalog:
    path = folder / "models.toml"
    path.write_text(content)
    return Catalog.load(path, folder / "data")


class TestEmbedders:
    """Embedders stand in the same file, and have names of their own."""

    def test_the_built_in_ones_are_there_whatever_the_file_says(self, catalog: Catalog) -> None:
        assert list(catalog.embedders) == ["e5-small", "minilm"]
        assert catalog.default_embedder == "e5-small"
        assert catalog.embedders["minilm"].settings.keys() == {"data_dir"}

    def test_the_original_s_names_mean_the_default(self, tmp_path: Path) -> None:
        catalog = load(tmp_path, EMBEDDERS)
        assert catalog.default_embedder == "tiny"
        assert catalog.embedder_names()[0] == "tiny"
        for name, entry in (("text-embedding-3-small", "tiny"), ("text-embedding-3-large", "minilm"), ("mine", "tiny")):
            found = catalog.resolve_embedder(name)
            assert found is not None and found.name == entry

    def test_an_embedder_is_no_model_and_a_model_no_embedder(self, catalog: Catalog) -> None:
        assert catalog.resolve("minilm") is None and catalog.resolve_embedder("big") is None
        assert not {"minilm", "text-embedding-3-small"} & set(catalog.names())

    async def test_an_embedder_is_made_once_and_closed_with_the_rest(self, tmp_path: Path) -> None:
        catalog = load(tmp_path, EMBEDDERS)
        entry = catalog.embedders["tiny"]
        assert not entry.is_made
        assert entry.embedder is entry.embedder and entry.embedder.dimensions == 64
        await catalog.aclose()
        assert not catalog.embedders["e5-small"].is_made

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ('[embedders.a]\nplugin = "hashed"', "embedders.a: there is a model of this name"),
            ("[embedders.x]", "embedders.x: plugin is missing. Known: e5_small, hashed, minilm, openai_compatible"),
            ('[embedders.x]\nplugin = "hash"', "embedders.x.plugin: there is no embedder 'hash'"),
            ("embedders = 1", "embedders: must be a table"),
            ('default_embedder = "x"', "default_embedder: there is no embedder 'x'. Embedders: e5-small, minilm"),
            ('[aliases]\n"minilm" = "a"', "aliases.minilm: there is a model of this name"),
        ],
    )
    def test_mistakes_say_what_would_be_right(self, tmp_path: Path, more: str, message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            load(tmp_path, f'{more}\n[models.a]\nbackend = "scripted"')

    def test_checking_tells_what_no_embedder_would_take(self, tmp_path: Path) -> None:
        (tmp_path / "standard.json").write_text('{"default": [{"text": "Hello."}]}')
        small = '[models.a]\nbackend = "scripted"\nscript = "standard.json"\n[embedders.x]\nplugin = "hashed"\ndimensions = 1'
        with pytest.raises(ConfigurationError, match="Embedder 'x': 'dimensions' can't be"):
            load(tmp_path, small).check()


EMBEDDERS = """
[models.a]
backend = "scripted"
[embedders.tiny]
plugin = "hashed"
dimensions = 64
[aliases]
mine = "tiny"
text-embedding-3-large = "minilm"
"""
