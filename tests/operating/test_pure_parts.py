"""Parts of the commands that only take values and give values."""

import pytest

from zhuli.core.origin import Origin
from zhuli.operating.settings_table import masked, rows
from zhuli.operating.talking.wrapping import Wrap
from zhuli.server.greeting import greeting
from zhuli.settings import Settings

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def wrapped(text: str, width: int, *, pieces: int = 1) -> list[str]:
    wrap = Wrap(width)
    parts = [text[at : at + pieces] for at in range(0, len(text), pieces)]
    return on_screen("".join(map(wrap.feed, parts)))


def on_screen(text: str) -> list[str]:
    """The lines that a terminal shows."""
    lines: list[list[str]] = [[]]
    for character in text.replace("\x1b[K", "\x1b"):
        match character:
            case "\n":
                lines.append([])
            case "\b":
                lines[-1].pop()
            case "\x1b":
                pass  # backspacing has dropped what would be erased
            case _:
                lines[-1].append(character)
    return ["".join(line).rstrip() for line in lines]


@pytest.mark.parametrize("pieces", [1, 3, 100])
def test_english_breaks_between_words_however_it_comes(pieces: int) -> None:
    lines = wrapped("The quick brown fox jumps over the lazy dog.", 14, pieces=pieces)
    assert lines == ["The quick", "brown fox", "jumps over", "the lazy", "dog."]


def test_chinese_takes_two_columns_and_breaks_anywhere() -> None:
    assert wrapped("你好世界你好世界", 10) == ["你好世界", "你好世界"]


def test_a_mark_does_not_begin_a_line() -> None:
    assert wrapped("你好世界，你好。", 10) == ["你好世界，", "你好。"]


def test_words_and_characters_mix() -> None:
    assert wrapped("用 openai SDK 就行", 14) == ["用 openai", "SDK 就行"]


def test_code_keeps_its_lines() -> None:
    text = "```\nfor number in range(10): print(number)\n```\nand then more words"
    assert wrapped(text, 14) == ["```", "for number in range(10): print(number)", "```", "and then", "more words"]


def test_a_word_longer_than_a_line_is_left_whole() -> None:
    assert wrapped("see http://127.0.0.1:8000/v1/models now", 14) == ["see", "http://127.0.0.1:8000/v1/models", "now"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://zhuli:secret@db/zhuli", "postgresql://zhuli:***@db/zhuli"),
        ("postgresql://zhuli@db/zhuli", "postgresql://zhuli@db/zhuli"),
        ("sqlite:////var/lib/zhuli/zhuli.db", "sqlite:////var/lib/zhuli/zhuli.db"),
        (
            "s3://bucket/x?endpoint_url=http://a&secret=b&key=c",
            "s3://bucket/x?endpoint_url=http://a&secret=***&key=***",
        ),
    ],
)
def test_secrets_in_urls_are_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_every_setting_has_a_sentence() -> None:
    assert [row.name for row in rows(Settings()) if not row.sentence] == []


def test_a_variable_is_named_after_its_setting() -> None:
    named = {row.name: row.variable for row in rows(Settings())}
    assert named["strict.ids"] == "ZHULI_STRICT__IDS"


def test_the_usual_otel_variables_are_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    assert (Settings().otel_endpoint, Settings().otel_service_name) == ("http://127.0.0.1:4318", "shop")


@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("box.local", "box.local"),
    ],
)
def test_the_greeting_names_a_url_that_can_be_reached(host: str, reachable: str) -> None:
    text = greeting(host, 8000, models=["script"], keyed=False)
    assert f"Base URL  http://{reachable}:8000/v1\n" in text
    assert "Authorization" not in text


def test_the_greeting_of_a_server_with_keys_sends_one() -> None:
    text = greeting("0.0.0.0", 8000, models=["script"], keyed=True)
    assert '-H "Authorization: Bearer $OPENAI_API_KEY"' in text
    assert "zhuli keys create" in text


@pytest.mark.parametrize(
    "header", [None, b"", b"nonsense", PARENT.upper().encode(), b"x" * 10_000, f"{PARENT}-x".encode()]
)
def test_a_traceparent_of_another_form_is_passed_over(header: bytes | None) -> None:
    assert Origin.of("req_1", header) == Origin("req_1")


@pytest.mark.parametrize("origin", [Origin("req_1"), Origin.of("req_1", PARENT.encode())])
def test_an_origin_survives_as_text(origin: Origin) -> None:
    assert Origin.parse(str(origin)) == origin
