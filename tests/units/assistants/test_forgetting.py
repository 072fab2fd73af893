"""Whoever deletes an end user may die at any transaction: another goes on, and nothing is left."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from zhuli.applications.recommender.holdings import RecommenderHoldings
from zhuli.assistants.end_users.forgetting import EndUserForgetting
from zhuli.assistants.runs.commands import insert_thread
from zhuli.core.ids import new_id
from zhuli.learning.datasets.forgetting import VersionForgetting
from zhuli.store import collections, deletions, jobs, schema
from zhuli.store.applications import recommender
from zhuli.store.database import Database
from zhuli.store.learning import datasets, feedback, served
from zhuli.store.learning.datasets import NewEntry
from zhuli.store.learning.served import Served
from zhuli.store.projects import DEFAULT_PROJECT as PROJECT
from zhuli.testing.clock import ManualClock
from zhuli.types.applications.recommender import EventCreate, EventWeights, Recommender
from zhuli.types.assistants.thread import ThreadCreate
from zhuli.types.end_users import EndUserDeletion
from zhuli.types.learning.dataset import DataSet
from zhuli.types.learning.feedback import Feedback, FeedbackTarget


class Died(Exception):
    """What a process does not survive."""


class Mortal:
    """A database whose user dies after so many transactions, the last of which is or is not committed."""

    def __init__(self, database: Database, left: int, *, committed: bool) -> None:
        self._database, self.left, self.committed = database, left, committed
        self.shared = database.shared

    async def run(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.committed:
            raise Died
        found = await self._database.run(function, *args, **kwargs)
        if self.left == 0:
            raise Died
        return found


def written(connection: Connection, user: str, dataset: str) -> None:
    """Things of somebody in many places, one of them a reviewer's words on theirs."""
    body = {"messages": [{"role": "user", "content": f"I am {user}"}], "metadata": {"user": user}}
    thread = insert_thread(connection, PROJECT, ThreadCreate.model_validate(body), 0, embedder="none")
    message = connection.execute(select(schema.messages.c.id).where(schema.messages.c.thread_id == thread.id)).scalar()
    on = FeedbackTarget(type="message", id=message or "")
    said = {"target": on, "source": "reviewer", "comment": f"So {user} said", "created_at": 0, "weight": 1.0}
    feedback.add(connection, PROJECT, [Feedback.model_validate({"id": new_id("fb"), **said, "verdict": "down"})])
    entry = f'{{"record":{{"text":"{user}"}},"provenance":{{"kind":"api","thread_id":"{thread.id}"}}}}'
    datasets.append(connection, dataset, [NewEntry("add", new_id("ex"), entry)])
    served.add(connection, [Served(PROJECT, "a", "m", "champion", 1.0, 0.1, text=user, asked_by=thread.id)])


def rows_with(connection: Connection, word: str) -> list[str]:
    found = []
    for table in schema.metadata.sorted_tables:
        found += [f"{table.name}: {row}" for row in connection.execute(select(table)) if word in str(row)]
    return found


async def test_a_deletion_that_dies_anywhere_goes_on_until_nothing_is_left(database: Database, tmp_path: Path) -> None:
    clock = ManualClock()
    made = DataSet(id="dset_1", created_at=0, name="all", task="text_classification")
    await database.run(collections.insert, schema.datasets, PROJECT, made)
    await database.run(written, "other", "dset_1")
    others = await database.run(rows_with, "other")
    number, lived = 0, False

    async def done(left: int) -> bool:
        """Whether a process that dies after so many transactions lived long enough."""
        mortal: Any = Mortal(database, left, committed=number % 2 == 0)
        handler = EndUserForgetting(mortal, clock, VersionForgetting(mortal, mortal, clock, tmp_path))
        await database.run(jobs.release_all)
        slots = {deletions.JOB: 1}
        for job in await database.run(jobs.claim, "worker", slots=slots, now=clock.now(), lease=60):
            try:
                await handler.handle(job)
            except Died:
                return False
        return True  # there is no job any more where the other died behind its last transaction

    while not lived:
        number += 1
        user = f"person{number}x"
        await database.run(written, user, "dset_1")
        record = EndUserDeletion(id=new_id("eud"), created_at=0, user_digest=deletions.digest_of(PROJECT, user))
        await database.run(deletions.begin, PROJECT, user, record, now=clock.now())
        lived = await done(number)
        assert lived or await done(10_000)
        assert await database.run(rows_with, user) == []
        assert (await database.run(deletions.get, PROJECT, record.id)).status == "completed"
    assert number > 20
    assert await database.run(rows_with, "other") == others


async def test_a_user_whom_only_an_application_knows_keeps_an_exact_record_whoever_dies(
    database: Database, tmp_path: Path
) -> None:
    clock = ManualClock()
    made = Recommender(id="rec_1", created_at=0, name="r", embedder="none", weights=EventWeights())
    await database.run(recommender.create, PROJECT, made)
    number, lived = 0, False
    while not lived:
        number += 1
        user = f"person{number}x"
        event = {"user": user, "item": "i", "kind": "view", "at": 1.0}
        given = [EventCreate.model_validate({**event, "id": f"{user}{n}"}) for n in range(3)]
        await database.run(recommender.add_events, made.id, given, now=clock.now())
        record = EndUserDeletion(id=new_id("eud"), created_at=0, user_digest=deletions.digest_of(PROJECT, user))
        await database.run(deletions.begin, PROJECT, user, record, now=clock.now())
        for left in (number, 10_000):
            mortal: Any = Mortal(database, left, committed=number % 2 == 0)
            versions = VersionForgetting(mortal, mortal, clock, tmp_path)
            handler = EndUserForgetting(mortal, clock, versions, [RecommenderHoldings()])
            await database.run(jobs.release_all)
            slots = {deletions.JOB: 1}
            claimed = await database.run(jobs.claim, "worker", slots=slots, now=clock.now(), lease=60)
            with suppress(Died):
                for job in claimed:
                    await handler.handle(job)
                lived = left == number
                break
        found = await database.run(deletions.get, PROJECT, record.id)
        assert (found.status, found.counts) == ("completed", {"recommender_events": 3})
    assert number > 10


async def test_an_import_that_began_before_a_deletion_brings_nothing_back(database: Database) -> None:
    made = DataSet(id="dset_1", created_at=0, name="all", task="text_classification")
    await database.run(collections.insert, schema.datasets, PROJECT, made)
    user = "person"
    record = EndUserDeletion(id=new_id("eud"), created_at=0, user_digest=deletions.digest_of(PROJECT, user))
    await database.run(deletions.begin, PROJECT, user, record, now=100.0)
    entry = '{"record":{"text":"t"},"provenance":{"kind":"feedback"}}'
    read = [NewEntry("add", "ex_1", entry, "fb_1", user), NewEntry("add", "ex_2", entry, "fb_2", "other")]
    assert await database.run(datasets.append_new, PROJECT, "dset_1", read, began=99.0) == 1
    assert await database.run(datasets.append_new, PROJECT, "dset_1", read, began=101.0) == 1
