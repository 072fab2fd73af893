"""`make house`: what it prints of rooms and arrows is what the imports are."""

from collections import Counter

import grimp
import pytest
from tools import house


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("zhuli")


def test_every_room_has_a_line_and_nothing_goes_round(graph: grimp.ImportGraph) -> None:
    lines = house.picture(graph, "zhuli").splitlines()
    names = house.rooms(graph, "zhuli")
    assert [line.split()[0] for line in lines[: len(names)]] == names
    assert sum(int(line.split()[1]) for line in lines[: len(names)]) == house.files(graph, "zhuli")
    assert lines[-1] == "no circles, at any depth"


def test_a_wing_has_rooms_of_its_own(graph: grimp.ImportGraph) -> None:
    assert {"jobs", "training", "predicting", "neural", "metrics"} <= set(house.rooms(graph, "zhuli.learning"))
    assert ("training", "neural") in house.arrows(graph, "zhuli.learning")


def test_rooms_that_reach_each_other_are_a_circle() -> None:
    arrows = Counter({("a", "b"): 1, ("b", "c"): 2, ("c", "a"): 1, ("c", "d"): 1})
    assert house.circles(arrows) == [{"a", "b", "c"}]
    assert house.circles(arrows - Counter({("c", "a"): 1})) == []


def test_the_picture_leaves_out_what_a_longer_way_says(graph: grimp.ImportGraph) -> None:
    lines = house.mermaid(graph, "zhuli").splitlines()
    assert "  server --> app" in lines
    assert "  server --> core" not in lines
