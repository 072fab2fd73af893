"""Pieces of text on a page come in the order in which one reads them."""

from zhuli.knowledge.documents.page_layout import TextPiece, cells, reading_order


def piece(text: str, left: float, top: float, *, width: float = 200) -> TextPiece:
    return TextPiece(text, left, top, left + width, top + 10, 10)


def order(pieces: list[TextPiece]) -> list[str]:
    return [" ".join(one.text for one in row) for row in reading_order(pieces)]


def test_an_empty_page_has_no_rows() -> None:
    assert reading_order([]) == []


def test_one_column_is_read_from_the_top() -> None:
    assert order([piece("b", 50, 40), piece("c", 50, 60), piece("a", 50, 20)]) == ["a", "b", "c"]


def test_two_columns_under_a_title_are_read_one_after_the_other() -> None:
    left = [piece(f"l{line}", 50, 100 + 12 * line) for line in range(5)]
    right = [piece(f"r{line}", 270, 100 + 12 * line) for line in range(5)]
    mixed = [one for pair in zip(left, right, strict=True) for one in pair]
    title, foot = piece("title", 50, 60, width=420), piece("foot", 50, 200, width=420)
    assert order([foot, *mixed, title]) == ["title", "l0", "l1", "l2", "l3", "l4", "r0", "r1", "r2", "r3", "r4", "foot"]


def test_columns_above_and_below_a_line_across_stay_apart() -> None:
    upper = [piece(f"{side}{line}", left, 12.0 * line) for side, left in (("a", 50), ("b", 270)) for line in range(4)]
    lower = [
        piece(f"{side}{line}", left, 200 + 12.0 * line) for side, left in (("c", 50), ("d", 270)) for line in range(4)
    ]
    across = piece("across", 50, 120, width=420)
    assert [text[0] for text in order([*lower, across, *upper])] == [*"aaaabbbb", "a", *"ccccdddd"]


def test_cells_that_are_level_are_rows_and_not_columns() -> None:
    names = [piece(name, 50, 20.0 * row, width=40) for row, name in enumerate(["Tea", "Milk", "Salt", "Rice"])]
    prices = [piece(str(row), 250, 20.0 * row, width=20) for row in range(4)]
    rows = reading_order([*prices, *names])
    assert cells(rows) == [["Tea", "0"], ["Milk", "1"], ["Salt", "2"], ["Rice", "3"]]


def test_a_cell_that_is_missing_leaves_its_column_empty() -> None:
    rows = [[piece("a", 0, 0, width=20), piece("c", 200, 0, width=20)], [piece("b", 100, 20, width=20)]]
    assert cells(rows) == [["a", "", "c"], ["", "b", ""]]
