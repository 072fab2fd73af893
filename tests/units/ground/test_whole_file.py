"""A file that is put in its place at once."""

from pathlib import Path

import pytest

from zhuli.core import whole_file


def test_it_takes_the_place_of_what_was_there_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    for data in (b"first", memoryview(b"second")):
        whole_file.replace(tmp_path / "kept.json", data)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("kept.json", b"second")]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "kept.json").mkdir()
    with pytest.raises(OSError):
        whole_file.replace(tmp_path / "kept.json", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


def test_a_folder_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        whole_file.replace(tmp_path / "gone" / "kept.json", b"data")
    assert not (tmp_path / "gone").exists()
