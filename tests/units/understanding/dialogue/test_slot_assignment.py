"""Values go to slots so that they suit best together, not one after the other."""

from zhuli.understanding.dialogue.slots.assignment import assigned


def test_each_value_goes_where_it_suits_best() -> None:
    assert assigned([{"a": 2, "b": 1}, {"a": 1, "b": 2}]) == ["a", "b"]


def test_the_sum_counts_and_not_who_comes_first() -> None:
    assert assigned([{"a": 5, "b": 4}, {"a": 5, "b": 1}]) == ["b", "a"]


def test_a_slot_takes_one_value_and_a_list_any_number() -> None:
    scores = [{"a": 3}, {"a": 2}, {"a": 1}]
    assert assigned(scores) == ["a", None, None]
    assert assigned(scores, many=["a"]) == ["a", "a", "a"]


def test_what_suits_no_slot_goes_to_none() -> None:
    assert assigned([{}, {"a": -1}, {"a": 0}]) == [None, None, None]
    assert assigned([]) == []


def test_many_values_and_slots_take_no_time_without_end() -> None:
    scores = [{f"slot{slot}": 1 + (value == slot) for slot in range(24)} for value in range(24)]
    found = assigned(scores)
    assert len(set(found)) == 24 and None not in found
