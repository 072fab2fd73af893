"""Events of a tuning as clients see them: without the places on the server's disk."""

from pathlib import Path

from zhuli.learning.jobs.telling import places, told
from zhuli.types.learning.tuning import TuningEvent


def test_an_event_names_no_place_on_the_servers_disk(tmp_path: Path) -> None:
    models_file, data_dir = tmp_path / "etc" / "models.toml", tmp_path / "data"
    models_file.parent.mkdir()
    models_file.write_text('[bases.mine]\npath = "/opt/bases/mine"\n')
    folder = data_dir / "tuning" / "ftjob-1"
    event = TuningEvent(
        number=1,
        at=0,
        kind="failed",
        message=f"There is no config.json in /opt/bases/mine, and {folder}/train.csv, line 3: no label.",
        data={
            "files": [{"name": f"{folder}/train.csv", "of": str(data_dir / "models"), "lines": 3}],
            "in": str(folder),
        },
    )
    seen = told(event, [folder, *places(data_dir, models_file)])
    assert seen.message == "There is no config.json in mine, and train.csv, line 3: no label."
    assert seen.data == {"files": [{"name": "train.csv", "of": "models", "lines": 3}], "in": "ftjob-1"}
