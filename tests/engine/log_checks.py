"""What must hold for the log of a run that has ended, whatever happened on the way. Seen through the public API."""

from typing import Any

import httpx2
from openai.types.beta.threads import Run

from tests.harness.sse import ServerEvent
from tests.harness.stories import data, follow

TERMINAL = ("completed", "incomplete", "failed", "cancelled", "expired")


def check_log(http: httpx2.Client, run: Run, seen: list[ServerEvent]) -> list[ServerEvent]:
    """Hold a run's log against what a client saw of it before, and against its objects; the whole log."""
    whole = [event for event in follow(http, run) if event.name != "done"]
    check_ids(whole)
    check_nothing_lost_or_doubled(http, run, seen, whole)
    check_fold_is_row(http, run, whole)
    check_all_is_closed(whole)
    check_calls_are_finished_once(whole)
    check_usage(whole)
    return whole


def check_ids(whole: list[ServerEvent]) -> None:
    ids = [int(event.id or 0) for event in whole]
    assert ids == sorted(set(ids)), "ids must grow"


def check_nothing_lost_or_doubled(
    http: httpx2.Client, run: Run, seen: list[ServerEvent], whole: list[ServerEvent]
) -> None:
    """What was seen stands in the log unchanged, and resuming behind it gives the rest."""
    assert whole[: len(seen)] == seen, "the log must begin with what was seen"
    if seen:
        rest = [event for event in follow(http, run, after=seen[-1].id) if event.name != "done"]
        assert seen + rest == whole, "seen and resumed must make the whole"


def check_fold_is_row(http: httpx2.Client, run: Run, whole: list[ServerEvent]) -> None:
    """The last event about an object is what a GET of it says; nothing exists that the log does not know."""
    last = {data(event)["id"]: data(event) for event in whole if not (event.name or "").endswith(".delta")}
    at = f"/v1/threads/{run.thread_id}"
    rows = [
        http.get(f"{at}/runs/{run.id}").json(),
        *http.get(f"{at}/runs/{run.id}/steps?limit=100").json()["data"],
        *http.get(f"{at}/messages?run_id={run.id}&limit=100").json()["data"],
    ]
    assert {row["id"]: row for row in rows} == last


def check_all_is_closed(whole: list[ServerEvent]) -> None:
    """An ended run leaves no step and no message in progress; deltas belong to what was created before them."""
    states: dict[str, str] = {}
    for event in whole:
        content = data(event)
        if (event.name or "").endswith(".delta"):
            assert states.get(content["id"]) == "in_progress", f"{event.name} of what is not in progress"
        else:
            states[content["id"]] = content["status"]
    assert set(states.values()) <= {*TERMINAL}, f"left open: {states}"


def check_calls_are_finished_once(whole: list[ServerEvent]) -> None:
    """The outputs of a call are taken once, and each call that the client was asked for is finished at most once."""
    finished = [
        call["id"]
        for event in whole
        if event.name == "thread.run.step.completed"
        for call in data(event)["step_details"].get("tool_calls", [])
    ]
    assert len(finished) == len(set(finished)), "a finished tool call was repeated"


def check_usage(whole: list[ServerEvent]) -> None:
    """The run's usage is the sum of its steps'."""
    steps: dict[str, Any] = {
        data(event)["id"]: data(event)["usage"]
        for event in whole
        if (event.name or "").startswith("thread.run.step.") and event.name != "thread.run.step.delta"
    }
    run = data(whole[-1])
    for count in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert run["usage"][count] == sum(usage[count] for usage in steps.values() if usage)
