"""Searching a vector store through the SDK: what is found, filters, scores, several queries, rewriting, refusals."""

import json
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.conftest import StartServer
from tests.harness.clients import Clients
from tests.harness.knowledge import settled, upload
from tests.samples import pdfs

TEXTS = {
    "returns": "Goods can be returned within thirty days. The refund reaches your bank account after a week.",
    "printer": "When the printer shows error E-1042, the paper tray is jammed. Open the rear door and pull gently.",
    "holidays": "The office is closed on public holidays, between Christmas and New Year, and on company day.",
    "退款": "购买后三十天内可以申请退款，款项将在七个工作日内退回原账户。",
}


@pytest.fixture
def store(client: openai.OpenAI) -> str:
    """A store with a file for each text, which has its name and length as attributes."""
    return stored(client, TEXTS)


def stored(client: openai.OpenAI, texts: dict[str, str]) -> str:
    made = client.vector_stores.create()
    for name, file in zip(texts, upload(client, *texts.values()), strict=True):
        client.vector_stores.files.create(
            vector_store_id=made.id, file_id=file, attributes={"name": name, "length": len(texts[name])}
        )
    assert settled(client, made.id).file_counts.completed == len(texts)
    return made.id


def names(found: Any) -> list[str]:
    return [result.attributes["name"] for result in found]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("How do I get a refund for goods that I return?", "returns"),
        ("error E-1042", "printer"),
        ("Is the office closed at Christmas?", "holidays"),
        ("多少天内可以退款？", "退款"),
    ],
)
def test_the_passage_that_answers_comes_first(client: openai.OpenAI, store: str, query: str, name: str) -> None:
    page = client.vector_stores.search(store, query=query)
    first = page.data[0]
    assert first.attributes is not None and first.attributes["name"] == name
    assert first.content[0].text == TEXTS[name]
    assert first.filename.endswith(".txt") and first.file_id.startswith("file-")
    raw = page.to_dict()
    assert (raw["search_query"], raw["has_more"], raw["next_page"]) == ([query], False, None)


def test_a_passage_says_its_page_its_section_and_its_table_s_header(client: openai.OpenAI) -> None:
    rows = "\n".join(f"| Part {number} | {number * 7} euros |" for number in range(400))
    text = f"# Catalogue\n\n## Prices\n\n| Item | Price |\n| --- | --- |\n{rows}\n"
    made = client.vector_stores.create()
    for name, content in (("prices.md", text.encode()), ("chapters.pdf", pdfs.chinese())):
        client.vector_stores.files.upload_and_poll(vector_store_id=made.id, file=(name, content))
    found = client.vector_stores.search(made.id, query="Part 333 price").data[0].to_dict()
    assert "Part 333" in str(found["content"])
    assert (found["section"], found["table_header"], "page" in found) == (
        "Catalogue › Prices",
        "| Item | Price |",
        False,
    )
    pages = [result.to_dict() for result in client.vector_stores.search(made.id, query="中文文档的段落").data]
    assert {(page["section"], page["page"]) for page in pages if "page" in page} == {
        ("第一章", 1)
    }  # both chapters say the same


def test_scores_fall_and_stay_between_0_and_1(client: openai.OpenAI, store: str) -> None:
    for ranker in ("none", "auto", "default-2024-11-15"):
        found = client.vector_stores.search(store, query="refund for goods", ranking_options={"ranker": ranker}).data
        scores = [result.score for result in found]
        assert len(scores) == len(TEXTS)
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)


def test_a_threshold_leaves_out_what_is_scored_below_it(client: openai.OpenAI, store: str) -> None:
    everything = client.vector_stores.search(store, query="refund for goods").data
    second = everything[1].score
    options: Any = {"score_threshold": second}
    above = client.vector_stores.search(store, query="refund for goods", ranking_options=options).data
    assert [result.file_id for result in above] == [item.file_id for item in everything if item.score >= second]


def test_no_more_results_than_asked_for(client: openai.OpenAI, store: str) -> None:
    assert len(client.vector_stores.search(store, query="closed", max_num_results=2).data) == 2


def test_filters_choose_the_files_that_are_searched(client: openai.OpenAI, store: str) -> None:
    search = client.vector_stores.search
    only = search(store, query="refund", filters={"type": "eq", "key": "name", "value": "holidays"})
    assert names(only.data) == ["holidays"]
    short = {"type": "lt", "key": "length", "value": 90}
    other = {"type": "ne", "key": "name", "value": "holidays"}
    both: Any = {"type": "and", "filters": [short, other]}
    expected = {name for name, text in TEXTS.items() if len(text) < 90 and name != "holidays"}
    assert set(names(search(store, query="refund", filters=both).data)) == expected
    none = search(store, query="refund", filters={"type": "eq", "key": "name", "value": "nothing"})
    assert none.data == []


def test_filters_follow_changed_attributes(client: openai.OpenAI, store: str) -> None:
    search = client.vector_stores.search
    wanted: Any = {"type": "eq", "key": "name", "value": "new"}
    assert search(store, query="refund", filters=wanted).data == []
    file = search(store, query="How do I return goods?").data[0].file_id
    client.vector_stores.files.update(file, vector_store_id=store, attributes={"name": "new"})
    assert [result.file_id for result in search(store, query="refund", filters=wanted).data] == [file]


def test_a_deleted_file_is_found_no_more(client: openai.OpenAI, store: str) -> None:
    search = client.vector_stores.search
    file = search(store, query="error E-1042").data[0].file_id
    client.vector_stores.files.delete(file, vector_store_id=store)
    assert file not in [result.file_id for result in search(store, query="error E-1042").data]


def test_several_queries_give_one_list(client: openai.OpenAI, store: str) -> None:
    queries = ["error E-1042", "closed at Christmas"]
    page = client.vector_stores.search(store, query=queries, max_num_results=2)
    assert page.to_dict()["search_query"] == queries
    assert set(names(page.data)) == {"printer", "holidays"}


def test_chunks_that_overlap_by_most_of_their_text_are_one_result(client: openai.OpenAI) -> None:
    sentences = " ".join(f"Paragraph {number} says that the lighthouse has {number} lamps." for number in range(120))
    made = client.vector_stores.create()
    client.vector_stores.files.create(
        vector_store_id=made.id,
        file_id=upload(client, sentences)[0],
        chunking_strategy={"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}},
    )
    assert settled(client, made.id).file_counts.completed == 1
    found = client.vector_stores.search(made.id, query="How many lamps has the lighthouse?", max_num_results=50).data
    texts = [result.content[0].text for result in found]
    assert len(texts) > 10 and len(set(texts)) == len(texts)


def test_an_empty_store_has_nothing_to_find(client: openai.OpenAI) -> None:
    assert client.vector_stores.search(client.vector_stores.create().id, query="anything").data == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"query": " "}, "query"),
        ({"query": []}, "query"),
        ({"query": ["closed", ""]}, "query[1]"),
        ({"query": ["closed"] * 33}, "query"),
        ({"query": "x" * 16_001}, "query"),
        ({"query": "closed", "max_num_results": 51}, "max_num_results"),
        ({"query": "closed", "max_num_results": 0}, "max_num_results"),
        ({"query": "closed", "filters": {"type": "in", "key": "name", "value": "x"}}, "filters.value"),
        ({"query": "closed", "filters": {"type": "and", "filters": []}}, "filters.filters"),
        ({"query": "closed", "ranking_options": {"score_threshold": 1.5}}, "ranking_options.score_threshold"),
    ],
)
def test_a_search_that_means_nothing_is_refused(client: openai.OpenAI, body: dict[str, Any], param: str) -> None:
    store = client.vector_stores.create().id
    with pytest.raises(openai.BadRequestError) as error:
        client.vector_stores.search(store, **body)
    assert error.value.param == param


def test_a_store_that_is_not_there_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="vs_none"):
        client.vector_stores.search("vs_none", query="closed")


def test_the_model_rewrites_the_query_and_what_was_searched_is_said(
    clients: Clients, start_server: StartServer, tmp_path: Path
) -> None:
    queries = ["refund for goods", "office closed Christmas"]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"rules": [], "default": [{"text": json.dumps({"queries": queries})}]}))
    client = clients.sdk(start_server(fresh=True, script=script))
    page = client.vector_stores.search(stored(client, TEXTS), query="Tell me both things, please", rewrite_query=True)
    assert page.to_dict()["search_query"] == queries
    assert set(names(page.data[:2])) == {"returns", "holidays"}


def test_the_users_words_are_searched_when_the_model_can_not_rewrite(client: openai.OpenAI, store: str) -> None:
    page = client.vector_stores.search(store, query="error E-1042", rewrite_query=True)
    assert page.to_dict()["search_query"] == ["error E-1042"]
    assert names(page.data)[0] == "printer"


SAMPLE = json.loads((Path(__file__).parents[2] / "samples" / "chinese" / "passages.json").read_text("utf-8"))


@pytest.mark.embedded
def test_chinese_documents_are_found_by_chinese_and_by_english_questions(
    clients: Clients, start_server: StartServer
) -> None:
    client = clients.sdk(start_server(embedder="e5-small"))
    store = stored(client, {str(number): item["passage"] for number, item in enumerate(SAMPLE)})

    def right(language: str) -> int:
        return sum(
            names(client.vector_stores.search(store, query=question[language], max_num_results=1).data) == [str(number)]
            for number, item in enumerate(SAMPLE)
            for question in item["questions"]
        )

    asked = sum(len(item["questions"]) for item in SAMPLE)
    assert right("zh") == asked
    assert right("en") >= 0.9 * asked
