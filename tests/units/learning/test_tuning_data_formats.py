"""Labelled data is read from the formats that people have it in; what can't be read is said with its line."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.harness.later import later
from zhuli.core.errors import Unreadable
from zhuli.learning.jobs.guessing import guess
from zhuli.learning.training.data import delimited, jsonl
from zhuli.learning.training.data.finding import Finding
from zhuli.learning.training.data.reading import records
from zhuli.learning.training.data.tags import bio
from zhuli.types.learning.example import Record

with later:
    from datasets import ClassLabel, Dataset, Features, Value

SAMPLES = Path(__file__).parents[2] / "samples" / "tuning"


def fields_of(
    path: Path, task: str, columns: dict[str, str] | None = None, *, format: Any = "auto"
) -> list[dict[str, Any]]:
    entries = list(records(path, format, columns or {}, task=task))
    assert not [str(entry) for entry in entries if isinstance(entry, Finding) and entry.level == "error"]
    return [entry.fields for entry in entries if isinstance(entry, Record)]


def problems_of(path: Path, task: str, *, format: Any = "auto") -> list[str]:
    return [str(entry) for entry in records(path, format, {}, task=task) if isinstance(entry, Finding)]


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(name: str, content: str | bytes, *, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.mark.parametrize(
    ("name", "task", "number", "first"),
    [
        ("text_classification_en.csv", "text_classification", 120, {"text", "label"}),
        ("text_classification_zh.tsv", "text_classification", 100, {"text", "label"}),
        ("sentiment_en.tsv", "text_classification", 120, {"text", "label"}),
        ("multi_label_en.jsonl", "text_classification", 120, {"text", "label"}),
        ("chat_classification_en.jsonl", "text_classification", 30, {"messages"}),
        ("intents.yml", "text_classification", 52, {"text", "label", "entities"}),
        ("intents.yml", "token_classification", 52, {"text", "entities"}),
        ("token_classification_en.conll", "token_classification", 80, {"tokens", "tags"}),
        ("token_classification_zh.conll", "token_classification", 70, {"tokens", "tags"}),
        ("slots_en.jsonl", "token_classification", 80, {"text", "entities"}),
        ("relation_extraction_en.jsonl", "relation_extraction", 88, {"text", "head", "tail", "label"}),
        ("relation_extraction_zh.tsv", "relation_extraction", 100, {"text", "head", "tail", "label"}),
        ("question_answering_en.json", "question_answering", 47, {"question", "context", "answers", "group"}),
        ("question_answering_zh.json", "question_answering", 45, {"question", "context", "answers", "group"}),
        ("translation_en_zh.tsv", "translation", 100, {"source", "target"}),
        ("summarization_zh.tsv", "summarization", 40, {"source", "target"}),
        ("dialogue_en.jsonl", "dialogue", 30, {"messages"}),
        ("dialogue_zh.jsonl", "dialogue", 24, {"messages"}),
        ("preference_en.jsonl", "preference", 40, {"input", "preferred_output", "non_preferred_output"}),
    ],
)
def test_each_sample_is_recognised_and_read_whole(name: str, task: str, number: int, first: set[str]) -> None:
    read = fields_of(SAMPLES / name, task)
    assert len(read) == number
    assert all(first <= fields.keys() for fields in read)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_of_chinese_are_read_in_their_encodings_and_dialects(file: Any, encoding: str, delimiter: str) -> None:
    rows = [("标签", "文本"), ("物流", '"你好，请问""我的""订单什么时候到？"'), ("退货", "我想把这件衣服退回去可以吗")]
    path = file("data.csv", "\r\n".join(delimiter.join(row) for row in rows), encoding=encoding)
    polite = '你好，请问"我的"订单什么时候到？'
    assert fields_of(path, "text_classification") == [
        {
            "标签": "物流",
            "文本": polite,
            "text": polite,
            "label": "物流",
        },
        {"标签": "退货", "文本": "我想把这件衣服退回去可以吗", "text": "我想把这件衣服退回去可以吗", "label": "退货"},
    ]


def test_a_western_table_in_latin_1_is_read(file: Any) -> None:
    sentences = [
        "Der Kühlschrank läuft schön leise",
        "Die Tür schließt nicht, größtes Übel",
        "Für Käufer völlig überflüssig",
    ]
    path = file("data.csv", "text;label\n" + "".join(f"{one};a\n" for one in sentences), encoding="latin-1")
    assert [fields["text"] for fields in fields_of(path, "text_classification")] == sentences


def test_a_quoted_cell_may_have_line_breaks_and_lines_are_those_of_the_file(file: Any) -> None:
    path = file("data.csv", 'text,label\n"two\nlines, one cell",a\nplain,b\nbroken,b,c\n')
    entries = list(records(path, "auto", {}, task="text_classification"))
    assert [entry.line for entry in entries] == [2, 4, 5]
    assert "This row has 3 columns, but the file has 2 (text, label)." in str(entries[2])


def test_columns_are_taken_as_they_are_named(file: Any) -> None:
    path = file("data.csv", "id,body,kind,label\n1,hello,greeting,x\n2,bye,farewell,x\n")
    read = fields_of(path, "text_classification", {"text": "body", "label": "kind"})
    assert [(one["text"], one["label"]) for one in read] == [("hello", "greeting"), ("bye", "farewell")]
    with pytest.raises(Unreadable, match="There is no column 'nobody'"):
        fields_of(path, "text_classification", {"text": "nobody"})


def test_columns_of_a_table_without_a_header_are_named_by_number(file: Any) -> None:
    path = file("data.tsv", "to category\tsome title\tlaw\nto category\tanother\tart\n")
    read = fields_of(path, "text_classification", {"text": "2", "label": "3"})
    assert [(one["text"], one["label"]) for one in read] == [("some title", "law"), ("another", "art")]


def test_several_labels_stand_in_a_list_or_between_separators(file: Any) -> None:
    listed = file("list.csv", 'text,labels\nhello,"[""a"", ""b""]"\nbye,[]\n')
    assert [one["label"] for one in fields_of(listed, "text_classification")] == [["a", "b"], []]
    separated = file("separated.csv", "text,label\nhello,a|b\nbye,b\n")
    read = fields_of(separated, "text_classification", {"label_separator": "|"}, format="csv")
    assert [one["label"] for one in read] == [["a", "b"], ["b"]]


def test_two_columns_called_by_languages_are_a_translation(file: Any) -> None:
    path = file("data.csv", "zh,en\n你好,hello\n再见,goodbye\n")
    assert [(one["source"], one["target"]) for one in fields_of(path, "translation")] == [
        ("你好", "hello"),
        ("再见", "goodbye"),
    ]
    nested = file("data.jsonl", '{"translation": {"en": "hello", "zh": "你好"}}\n')
    assert (fields_of(nested, "translation")[0]["source"], fields_of(nested, "translation")[0]["target"]) == (
        "hello",
        "你好",
    )


def test_a_broken_line_of_json_is_named_and_the_others_are_read(file: Any) -> None:
    path = file(
        "data.jsonl",
        '{"text": "a", "label": "x"}\n{"text": "b" "label": "y"}\n[1]\n\n{"text": "\\ud800", "label": "x"}\n',
    )
    entries = list(records(path, "auto", {}, task="text_classification"))
    assert [type(entry) for entry in entries] == [Record, Finding, Finding, Finding]
    assert str(entries[1]).startswith(
        "Line 2: This is not JSON: Expecting ',' delimiter at column 14. Each line must be"
    )
    assert str(entries[2]).startswith("Line 3: This is an array, but each entry must be a JSON object")
    assert "surrogate" in str(entries[3]) and entries[3].line == 5


@pytest.mark.parametrize("around", ["{}", '{{"version": 1, "data": {}}}'])
def test_a_json_array_has_lines_too(file: Any, around: str) -> None:
    array = '[\n {"text": "a",\n  "label": "x"},\n {"text": "b", "label": "y"}\n]'
    entries = list(records(file("data.json", around.format(array)), "auto", {}, task="text_classification"))
    assert [entry.line for entry in entries] == [2, 4]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER O B-PER", "B-PER I-PER O B-PER"),
        ("I-PER I-PER O I-LOC B-LOC I-PER", "B-PER I-PER O B-LOC B-LOC B-PER"),
        ("B-PER E-PER S-LOC B-X I-X E-X I-X", "B-PER I-PER B-LOC B-X I-X I-X B-X"),
        ("B-PER L-PER U-LOC O", "B-PER I-PER B-LOC O"),
        ("B_名 M_名 E_名 O S_地", "B-名 I-名 I-名 O B-地"),
        ("PER PER O LOC", "B-PER I-PER O B-LOC"),
    ],
)
def test_tags_of_every_scheme_become_bio(tags: str, expected: str) -> None:
    assert " ".join(bio(tags.split())) == expected


def test_conll_may_have_spaces_comments_documents_and_more_columns(file: Any) -> None:
    first = "-DOCSTART- -X- O O\n\n# sentence 1\nEU NNP B-NP S-ORG\nrejects VBZ B-VP O\n\n"
    text = first + "-DOCSTART- -X- O O\n\n# NN B-NP O\nParis NNP B-NP S-LOC\n"
    read = fields_of(file("data.txt", text), "token_classification")
    assert read == [
        {"tokens": ["EU", "rejects"], "tags": ["B-ORG", "O"], "group": "document 1"},
        {"tokens": ["#", "Paris"], "tags": ["O", "B-LOC"], "group": "document 2"},
    ]


def test_characters_numbered_within_their_word_lose_the_number(file: Any) -> None:
    read = fields_of(file("data.conll", "北0\tB-LOC\n京1\tE-LOC\n30\tO\n01\tO\n\n好0\tO\n"), "token_classification")
    assert [one["tokens"] for one in read] == [["北", "京", "3", "0"], ["好"]]


def test_a_conll_line_without_a_tag_is_named(file: Any) -> None:
    path = file("data.conll", "Paris\tB-LOC\nis\tO\n\nBerlin\n\nRome\tB-LOC\n")
    assert problems_of(path, "token_classification") == [
        "Line 4: This line must have a token and its tag, like London<tab>B-location."
    ]


def test_entities_of_doccano_are_read(file: Any) -> None:
    path = file("data.jsonl", '{"text": "I live in Paris", "label": [[10, 15, "city"]]}\n')
    assert fields_of(path, "token_classification")[0]["entities"] == [{"start": 10, "end": 15, "label": "city"}]


def test_rasa_marks_become_entities_and_rules_are_told_to_be_left_out() -> None:
    entries = list(records(SAMPLES / "intents.yml", "auto", {}, task="token_classification"))
    marked = next(entry for entry in entries if isinstance(entry, Record) and "second hand" in entry.fields["text"])
    text = marked.fields["text"]
    assert "[" not in text
    assert [(text[one["start"] : one["end"]], one["label"]) for one in marked.fields["entities"]] == [
        ("second hand", "age")
    ]
    lines = (SAMPLES / "intents.yml").read_text(encoding="utf-8").splitlines()
    assert "second hand" in lines[marked.line - 1]
    assert [entry.message for entry in entries if isinstance(entry, Finding)] == [
        "Synonyms (station wagon) are not learned from.",
        "Patterns (budget) are not learned from.",
        "Lookup tables (nationality) are not learned from.",
    ]


def test_rasa_examples_may_be_objects_and_marks_have_values(file: Any) -> None:
    content = """nlu:
- intent: fly
  examples:
  - text: 'to [NYC](city:New York) from [Paris]{"entity": "city", "role": "from"}'
  - text: 'at [noon]{"value": 12}'
"""
    entries = list(records(file("nlu.yml", content), "auto", {}, task="token_classification"))
    assert isinstance(entries[0], Record)
    assert [one["label"] for one in entries[0].fields["entities"]] == ["city", "city"]
    assert "names no entity" in str(entries[1]) and str(entries[1]).startswith("Line 5: ")


def test_answers_are_checked_against_their_places(file: Any) -> None:
    asked = [
        {"question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}], "id": 1},
        {"question": "Where?", "answers": [{"text": "London", "answer_start": 9}], "id": 2},
        {"question": "Why?", "is_impossible": True, "answers": [{"text": "x", "answer_start": 0}]},
    ]
    content = json.dumps({"data": [{"paragraphs": [{"context": "Ada was in London.", "qas": asked}]}]}, indent=1)
    entries = list(records(file("squad.json", content), "auto", {}, task="question_answering"))
    assert isinstance(entries[0], Record) and isinstance(entries[2], Record)
    assert entries[0].fields["answers"] == [{"text": "Ada", "start": 0}] and entries[2].fields["answers"] == []
    line = content.splitlines().index('       "question": "Where?",') + 1
    assert str(entries[1]) == f"Line {line}: The answer “London” is not at character 9 of the context. It stands at 11."


def test_answers_of_flat_data_sets_are_read(file: Any) -> None:
    rows = [
        {"question": "Who?", "context": "Ada was here.", "answers": {"text": ["Ada", "Ada"], "answer_start": [0, 0]}},
        {"question": "Who?", "context": "Ada was here.", "answer": "Ada"},
        {"question": "Who?", "context": "Ada was here.", "answer": "Bob"},
    ]
    path = file("data.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    entries = list(records(path, "auto", {}, task="question_answering"))
    assert [entry.fields["answers"] for entry in entries if isinstance(entry, Record)] == [
        [{"text": "Ada", "start": 0}]
    ] * 2
    assert str(entries[2]) == "Line 3: The answer “Bob” is not in the context; it must stand there as written."


def test_the_sides_of_a_relation_are_found_in_the_text(file: Any) -> None:
    rows = [
        {"text": "<e1>Steam</e1> comes from <e2>water</e2>.", "relation": "cause"},
        {"text": "Bank of Bank", "head": "Bank of", "tail": "Bank", "relation": "part"},
        {"text": "Nothing here", "head": "Steam", "tail": "here", "relation": "none"},
    ]
    path = file("data.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    entries = list(records(path, "auto", {}, task="relation_extraction"))
    assert isinstance(entries[0], Record) and isinstance(entries[1], Record)
    assert entries[0].fields["text"] == "Steam comes from water."
    assert (entries[0].fields["head"], entries[0].fields["tail"]) == ({"start": 0, "end": 5}, {"start": 17, "end": 22})
    assert entries[1].fields["tail"] == {"start": 8, "end": 12}
    assert str(entries[2]).startswith("Line 3: The head “Steam” is not in the text “Nothing here…”")


def test_dialogues_and_preferences_of_other_tools_are_read(file: Any) -> None:
    shared = file(
        "a.jsonl", '{"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}\n'
    )
    alpaca = file("b.jsonl", '{"instruction": "hi", "input": "", "output": "hello"}\n')
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    assert [fields_of(path, "dialogue")[0]["messages"] for path in (shared, alpaca)] == [messages] * 2
    pairs = file("c.jsonl", '{"prompt": "hi", "chosen": "hello", "rejected": "go away"}\n')
    assert fields_of(pairs, "preference")[0] == {
        "input": {"messages": messages[:1]},
        "preferred_output": messages[1:],
        "non_preferred_output": [{"role": "assistant", "content": "go away"}],
    }


def test_tables_of_arrow_are_read_with_the_names_of_their_classes(tmp_path: Path) -> None:
    features = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})
    table = Dataset.from_dict({"text": ["no", "yes"], "label": [0, 1]}, features=features)
    table.save_to_disk(str(tmp_path / "saved"))
    with (tmp_path / "table.parquet").open("wb") as out:
        table.to_parquet(out)
    for place in ("saved", "table.parquet"):
        assert fields_of(tmp_path / place, "text_classification") == [
            {"text": "no", "label": "bad"},
            {"text": "yes", "label": "good"},
        ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", "", "The file is empty"),
        ("a.json", '{"a": 1', "Line 1: the file is not JSON"),
        ("a.json", '[{"a": 1},\n{"a": 2', "Line 2: the file is not JSON"),
        ("a.json", '{"a": [{}],\n"b": [{}]}', "2 arrays of objects"),
        ("a.yml", "nlu: [", "the file is not YAML"),
        ("a.yml", "stories: []", "has no list `nlu:`"),
        ("a.txt", "just\nwords\n", "format can't be told"),
        ("a.parquet", "PAR1 but not really", "no Parquet file"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_as_a_whole(
    file: Any, name: str, content: str, message: str
) -> None:
    with pytest.raises(Unreadable, match=message):
        list(records(file(name, content), "auto", {}, task="text_classification"))


def test_a_record_of_too_many_levels_is_a_finding_and_the_rest_goes_on(tmp_path: Path) -> None:
    for levels in (150, 900, 100_000):
        deep = '{"text": "a", "label": "x", "more": ' + "[" * levels + "]" * levels + "}"
        file = tmp_path / "deep.jsonl"
        file.write_text(f'{deep}\n{{"text": "b", "label": "y"}}\n')
        first, second = jsonl.read(file)
        assert isinstance(first, Finding) and "too many levels" in first.message
        assert isinstance(second, Record) and second.fields == {"text": "b", "label": "y"}


def test_a_cell_longer_than_pythons_limit_is_read(tmp_path: Path) -> None:
    long = "word " * 40_000
    file = tmp_path / "long.csv"
    file.write_text(f'text,label\n"{long}",x\nshort,y\n')
    found = list(delimited.read(file, delimiters=",", names={"text", "label"}, columns={}))
    assert [record.fields["label"] for record in found if isinstance(record, Record)] == ["x", "y"]


@pytest.mark.parametrize("beginning", [b"[" * 60_000, b'{"a":' * 10_000, b'"' + b"x" * 60_000])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.tsv"])
def test_a_guess_at_a_hostile_beginning_is_none(beginning: bytes, name: str) -> None:
    assert guess(beginning, name, format="auto", columns={}, chats=False) is None


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "BOM"])
@pytest.mark.parametrize(
    ("name", "task", "lines"),
    [
        ("a.jsonl", "text_classification", ['{"text": "a", "label": "x"}', '{"text": "b", "label": "y"}']),
        ("a.json", "text_classification", ['[{"text": "a", "label": "x"},', '{"text": "b", "label": "y"}]']),
        ("a.csv", "text_classification", ["text,label", "a,x", "b,y"]),
        ("a.tsv", "text_classification", ["text\tlabel", "a\tx", "b\ty"]),
        ("a.conll", "token_classification", ["a B-x", "", "b O"]),
    ],
)
def test_a_mark_and_any_ends_of_lines_change_nothing(
    tmp_path: Path, name: str, task: Any, lines: list[str], mark: str, end: str
) -> None:
    path = tmp_path / name
    path.write_bytes((mark + end.join([*lines, ""])).encode())
    first, second = fields_of(path, task)
    if task == "text_classification":
        assert (first, second) == ({"text": "a", "label": "x"}, {"text": "b", "label": "y"})
    else:
        assert (first["tokens"], second["tokens"]) == (["a"], ["b"])


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("name", "task", "content"),
    [
        ("a.jsonl", "text_classification", f'{{"text": "a", "label": "x", "more": {DEEP}}}\n'),
        ("a.json", "text_classification", f'[{{"text": "a", "label": "x", "more": {DEEP}}}]'),
        ("a.csv", "text_classification", f'text,label\n"{DEEP}",x\n'),
        ("a.tsv", "text_classification", f"text\tlabel\n{DEEP}\tx\n"),
        ("a.conll", "token_classification", f"{DEEP} O\n"),
        ("a.yml", "token_classification", f'nlu:\n- intent: a\n  examples: |\n    - to [x][{{"entity": {DEEP}}}]\n'),
        (
            "a.md",
            "token_classification",
            f'## intent:a\n- to [x]{{"entity": {DEEP}}}\n- to [x][{{"entity": {DEEP}}}]\n',
        ),
    ],
)
def test_no_format_stumbles_over_a_hundred_thousand_levels(file: Any, name: str, task: Any, content: str) -> None:
    """Each says what is wrong with it, or takes it for a text."""
    with suppress(Unreadable):
        assert all(isinstance(found, Record | Finding) for found in records(file(name, content), "auto", {}, task=task))
