"""Slots of the embedded engine: a thread finds its own again, the others wait."""

import asyncio

from zhuli.models.engines.llama_slots import Slots


async def test_a_thread_keeps_its_slot_while_there_are_others() -> None:
    slots = Slots(3)
    first = {key: await used(slots, key) for key in ("a", "b")}
    assert first["a"] != first["b"]
    assert {key: await used(slots, key) for key in ("b", "a", "b")} == first


async def test_a_new_thread_takes_the_slot_that_has_been_idle_for_longest() -> None:
    slots = Slots(2)
    old, young = await used(slots, "a"), await used(slots, "b")
    assert await used(slots, "c") == old
    assert await used(slots, "b") == young


async def test_requests_without_a_key_share_no_slot_on_purpose() -> None:
    slots = Slots(2)
    assert await used(slots, None) != await used(slots, None)


async def test_who_comes_when_all_are_busy_waits_for_the_first_that_is_free() -> None:
    slots = Slots(1)
    async with slots.held("a") as busy:
        waiting = asyncio.create_task(used(slots, "b"))
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == busy


async def test_who_gives_up_waiting_takes_no_slot_along() -> None:
    slots = Slots(1)
    async with slots.held("a"):
        waiting = asyncio.create_task(used(slots, "b"))
        await asyncio.sleep(0)
        waiting.cancel()
    assert await used(slots, "c") == 0


async def used(slots: Slots, key: str | None) -> int:
    async with slots.held(key) as slot:
        return slot
