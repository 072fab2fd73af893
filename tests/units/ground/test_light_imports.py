"""Whatever starts a server or a command loads no heavy library: those come with their first use, or in child processes."""

import subprocess
import sys

import pytest

HEAVY = (
    "numpy torch transformers peft datasets sklearn scipy optuna ray captum matplotlib sacrebleu pyarrow pandas "
    "onnx onnxruntime tokenizers faiss tantivy xllamacpp gguf pypdfium2 asyncpg s3fs pycrfsuite rapidfuzz yaml regex phonenumbers"
).split()

FOUND = "import sys; print(*sorted(set(sys.argv[1:]) & set(sys.modules)))"


@pytest.mark.parametrize("module", ["zhuli.server.http", "zhuli.cli", "zhuli.learning.training.new_folder"])
def test_importing_it_loads_nothing_heavy(module: str) -> None:
    command = [sys.executable, "-c", f"import {module}; {FOUND}", *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


USES = (
    "from zhuli.knowledge.retrieval.searching.token_input import text_of; text_of([15339])",
    "from zhuli.knowledge.retrieval.chunking.tokenizer import count; count('hello')",
)


@pytest.mark.parametrize("use", USES)
def test_using_a_tokenizer_does_not_load_its_package_s_front_which_stops_every_thread_for_a_second(use: str) -> None:
    command = [sys.executable, "-c", f"{use}; {FOUND}", "bpe_openai", "bpe_openai.tokenizer"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
