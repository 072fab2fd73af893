"""Names of files: whatever is given, what comes out can be shown, stored and saved."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from zhuli.server.requests.file_names import filename_of
from zhuli.types.knowledge.file_name import LONGEST_NAME, clean


@given(st.text())
@example("\ud800.txt")
@example("a" * 300 + "." + "b" * 300)
@example("." * 300)
def test_a_clean_name_is_one_line_without_a_path(name: str) -> None:
    cleaned = clean(name)
    assert 0 < len(cleaned) <= LONGEST_NAME
    assert not set(cleaned) & {"/", "\\", "\0", "\r", "\n"}
    assert all(unicodedata.category(sign) not in ("Cc", "Cs") for sign in cleaned)
    assert cleaned.strip(". ")
    assert clean(cleaned) == cleaned


@given(
    st.text(alphabet=st.characters(exclude_characters="/\\", exclude_categories=["C", "Z"]), min_size=1),
    st.integers(0, 400),
)
def test_an_extension_survives_whatever_stands_before_it(stem: str, more: int) -> None:
    assert clean(f"{stem}{'x' * more}.docx").endswith(".docx")


@given(st.text())
def test_any_header_has_a_name_or_none(text: str) -> None:
    for header in (text, f"form-data; {text}", f'form-data; filename="{text}"', f"form-data; filename*={text}"):
        assert isinstance(filename_of(header), str | None)
