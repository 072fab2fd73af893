"""Pages that are there in Chinese say what the English ones say: the same code, the same paths, the same pages to go on to."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "getting-started.md"]
CHINESE = re.compile(r"[\u3400-\u9fff]")


def in_chinese(page: Path) -> Path:
    return page.with_suffix(".zh-CN.md")


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```.*?^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def links(page: Path) -> set[str]:
    found = set(re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")))
    return {link.replace(".zh-CN", "") for link in found} - {page.name}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_is_the_same_in_both(page: Path) -> None:
    assert blocks(page)
    assert blocks(in_chinese(page)) == blocks(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_both_lead_to_the_same_pages(page: Path) -> None:
    assert links(page) - links(in_chinese(page)) == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_they_have_the_same_sections_and_lead_to_each_other(page: Path) -> None:
    english, chinese = (one.read_text(encoding="utf-8") for one in (page, in_chinese(page)))
    assert chinese.count("\n## ") == english.count("\n## ")
    assert f"]({in_chinese(page).name})" in english.partition("\n# ")[0]
    assert f"]({page.name})" in chinese.partition("\n# ")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_section_is_in_chinese(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", in_chinese(page).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for section in text.split("\n## ")[1:]:
        assert CHINESE.search(section.partition("\n")[0]), section[:60]
        assert len(CHINESE.findall(section)) > 10 or "Apache-2.0" in section, section[:60]


def test_the_same_paths_are_served() -> None:
    paths = [
        [found for row in rows if (found := set(re.findall(r"`(/[^`]+)`", row)) - {"/v1"})]
        for page in (PAGES[0], in_chinese(PAGES[0]))
        for rows in [re.findall(r"^\| \**`/.*$", page.read_text(encoding="utf-8"), re.MULTILINE)]
    ]
    assert len(paths[0]) > 15
    assert paths[1] == paths[0]
