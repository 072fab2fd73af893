"""After the soak: what the servers say now against what clients were told then."""

from typing import Any

import orjson

from benchmarks.soak.model import words
from benchmarks.soak.people import TERMINAL, Client, Refused, Turn, may_end
from benchmarks.soak.sse import Event


async def check_thread(client: Client, thread: str, turns: list[Turn]) -> None:
    """Hold a thread against what was acknowledged; what differs becomes findings."""
    ledger = client.ledger
    try:
        messages = [message async for message in client.pages(f"/v1/threads/{thread}/messages")]
        runs = [run async for run in client.pages(f"/v1/threads/{thread}/runs")]
    except Refused as refused:
        ledger.finding(f"{thread} can't be read: {refused}")
        return
    asked = [message["id"] for message in messages if message["role"] == "user"]
    known = [turn.message for turn in turns]
    if (
        asked[: len(known)] != known or len(asked) > len(known) + 1
    ):  # one may have been made whose answer was not awaited
        ledger.finding(f"{thread}: acknowledged {known}, there are {asked}")
    if [run["id"] for run in runs][: len(turns)] != [turn.run for turn in turns] or len(runs) > len(turns) + 1:
        ledger.finding(f"{thread}: runs are not those that were acknowledged, or not in their order")
    for run in runs:
        if run["status"] not in TERMINAL:
            ledger.finding(f"{thread} {run['id']} is still {run['status']}")
    by_id = {run["id"]: run for run in runs}
    for turn in turns:
        if turn.run in by_id:
            await _check_turn(client, thread, turn, by_id[turn.run], messages)


async def _check_turn(
    client: Client, thread: str, turn: Turn, run: dict[str, Any], messages: list[dict[str, Any]]
) -> None:
    ledger, where = client.ledger, f"{thread} {turn.run} ({turn.mode})"
    if run["status"] not in may_end(turn):
        ledger.finding(f"{where} ended {run['status']}: {run['last_error']}")
    if turn.status and turn.status != run["status"]:
        ledger.finding(f"{where} was {turn.status} and is {run['status']}")
    said = [message for message in messages if message["run_id"] == turn.run and message["role"] == "assistant"]
    if run["status"] == "completed":
        # An attempt that died with its process leaves what it had said as an incomplete message: docs/decisions/0002.
        whole = [message for message in said if message["status"] == "completed"]
        texts = [block["text"]["value"].replace("\ufffd", "") for message in whole for block in message["content"]]
        if texts != [words(turn.marker)]:
            ledger.finding(f"{where} says {texts}")
    if not turn.seen:
        return
    client_sees = Turn(turn.marker, turn.mode, turn.message, turn.run)
    await client.stream(f"/v1/threads/{thread}/runs/{turn.run}", client_sees)
    for problem in log_problems(turn.seen, client_sees.seen):
        ledger.finding(f"{where}: {problem}")


def log_problems(seen: list[Event], whole: list[Event]) -> list[str]:
    """What is wrong with a run's log, and with what was seen of it over all resumptions."""
    numbers = [int(event.id) for event in whole]
    problems = []
    if numbers != sorted(set(numbers)):
        problems.append("numbers of events don't grow")
    if seen != whole[: len(seen)]:
        problems.append("what was streamed is not how the log begins")
    ends = [event for event in whole if event.name.removeprefix("thread.run.") in TERMINAL]
    if len(ends) != 1:
        problems.append(f"{len(ends)} ends")
    elif (orjson.loads(ends[0].data))["usage"] is None:
        problems.append("no usage at the end")
    return problems
