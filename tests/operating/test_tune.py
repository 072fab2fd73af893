"""`zhuli tune` and `zhuli predict` as one types them, the Python API as its page has it, and tuned models by name."""

import asyncio
import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from tests.operating.zhuli import command, environment, zhuli
from zhuli.core.errors import ConfigurationError, InvalidRequest, NotFound
from zhuli.learning.training.event_log import events
from zhuli.operating.tuning import tuned_models
from zhuli.operating.tuning.tune_options import columns_of, search_of, settings_of, workers_of
from zhuli.settings import Settings
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Base, Source, Spec

with later:
    import torch

    from zhuli.operating.tuning.tune import check, predict, run
    from zhuli.testing.tiny_models import tiny_encoder

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fine-tuning.md").read_text(encoding="utf-8")
PATIENCE = 200.0
"""Loading what trains takes seconds, on a busy machine many."""

SAMPLE = ROOT / "tests" / "samples" / "tuning" / "text_classification_en.csv"


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny_encoder(tmp_path_factory.mktemp("base") / "tiny")


def test_a_tuning_that_is_interrupted_goes_on_and_its_model_answers(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tuning"
    asked = ["--task", "text_classification", "--base", base, "--train", SAMPLE, "--folder", folder, "--threads", 1]
    given = ["--set", "trainable=all", "--set", "n_epochs=6", "--set", "max_steps=36", "--set", "early_stopping=none"]
    _interrupted_in_training(folder, "tune", *map(str, asked), *given, "--data-dir", str(tmp_path))

    assert events(folder)[-1].kind == "paused"
    capsys.readouterr()
    assert run(folder) == 0
    report = capsys.readouterr().out
    assert "accuracy" in report and "before" in report and "after" in report
    told = events(folder)
    assert any(event.message.startswith("Training goes on after step") for event in told)
    assert told[-1].kind == "succeeded"
    steps = [event.data["step"] for event in told if event.kind == "metrics"]
    assert steps == sorted(steps)

    first, second = map(json.loads, predict(folder, ["Where is my card?", "I lost my card"]))
    assert {entry["label"] for entry in first} == {entry["label"] for entry in second} >= {"card_arrival", "change_pin"}


def _interrupted_in_training(folder: Path, *arguments: str) -> None:
    """Ctrl-C after the first step; the command says how to go on."""
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while not any(event.kind == "metrics" for event in events(folder)):
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3, errors
    assert f"Paused. Go on: zhuli tune {folder}" in errors


def test_the_python_of_the_page_runs(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.csv").write_bytes(SAMPLE.read_bytes())
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    namespace: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block.replace('"minilm"', repr(str(base))), "docs/fine-tuning.md", "exec"), namespace)
    counts, metrics, prediction = capsys.readouterr().out.splitlines()[-3:]
    assert "'train': 96" in counts
    assert re.fullmatch(r"accuracy 0\.\d+ \d\.\d+", metrics)
    assert "'label':" in prediction
    assert (tmp_path / "tunings" / "reviews" / "model" / "README.md").exists()


def test_the_page_has_every_hyperparameter() -> None:
    section = PAGE.partition("\n## Hyperparameters\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == list(Hyperparameters.model_fields)


def test_a_new_tuning_says_at_once_what_it_lacks(tmp_path: Path) -> None:
    done = zhuli("tune", "--task", "dialogue", "--base", "smollm2", "--data-dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "zhuli: --train is missing. A new tuning has --task, --base and --train.\n"


def test_bad_data_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.csv").write_text("text,label\nhello,greeting\n,greeting\n")
    spec = Spec(task="text_classification", base=Base(name="minilm"), train=Source(path="bad.csv"))
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    assert check(tmp_path) == 1
    assert capsys.readouterr().err.startswith("zhuli: 1 of 2 entries of the training file are wrong.\nLine 3: ")


def test_options_become_what_the_api_takes() -> None:
    assert settings_of(["learning_rate=3e-5", "lora.rank=4", "lora.merge=false", "schedule=cosine"]) == {
        "learning_rate": 3e-5,
        "lora": {"rank": 4, "merge": False},
        "schedule": "cosine",
    }
    assert columns_of(["text=sentence"]) == {"text": "sentence"}
    search = search_of("trials=4,minutes=2.5,pruning=false", ["learning_rate=1e-5..1e-3", "batch_size=8,16"])
    assert search is not None and (search.trials, search.minutes, search.pruning) == (4, 2.5, False)
    assert search.space == {"learning_rate": {"low": 1e-5, "high": 1e-3, "log": True}, "batch_size": [8, 16]}
    assert search_of(None, []) is None
    workers = workers_of("8@ray.example:6379")
    assert workers is not None and (workers.number, workers.address) == (8, "ray.example:6379")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: settings_of(["learning_rate"]), "'learning_rate' is not NAME=VALUE. An example: --set learning_rate="),
        (lambda: search_of("tries=3", []), "--search has no 'tries'. There are: trials, minutes, metric, pruning"),
        (lambda: search_of("trials=0", []), "--search: 'trials' can't be 0: "),
        (lambda: search_of(None, ["dropout=a..b"]), "--space dropout: a range is two numbers, like 1e-5..1e-3"),
        (lambda: workers_of("many"), "--workers is a number from 1 to 64, or NUMBER@ADDRESS, not 'many'."),
    ],
)
def test_wrong_options_say_how_they_are_written(wrong: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        wrong()
    assert message in refused.value.message


def test_a_model_is_imported_promoted_rolled_back_and_exported(base: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    everybody = {"project": "default"}
    for name in ("one", "two"):
        assert asyncio.run(tuned_models.add(settings, base, name=name, **everybody)) == ""
    for name in ("one", "two"):
        found = asyncio.run(tuned_models.promote(settings, "intents", name, **everybody))
        assert found.model == name
    assert asyncio.run(tuned_models.roll_back(settings, "intents", **everybody)).model == "one"

    place = asyncio.run(
        tuned_models.export(settings, "intents", to=tmp_path / "out", format="safetensors", **everybody)
    )
    assert place.read_bytes() == (base / "model.safetensors").read_bytes()
    whole = asyncio.run(tuned_models.export(settings, "two", to=tmp_path / "out", format="folder", **everybody))
    assert sorted(path.name for path in whole.iterdir()) == sorted(path.name for path in base.iterdir())


def test_names_that_are_not_there_are_told(base: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with pytest.raises(InvalidRequest, match=r"'nobody' is none\. Models here: smollm2"):
        asyncio.run(tuned_models.promote(settings, "intents", "nobody", project="default"))
    with pytest.raises(NotFound, match="There is no tuned model 'nobody'"):
        asyncio.run(tuned_models.export(settings, "nobody", to=tmp_path, format="folder", project="default"))
    with pytest.raises(NotFound, match="There is no project 'nobodys'"):
        asyncio.run(tuned_models.roll_back(settings, "intents", project="nobodys"))
    with pytest.raises(ConfigurationError, match="--format is folder, gguf, safetensors, not 'zip'"):
        tuned_models.format_of("zip")
