"""A candidate's way behind an alias: gated, in the shadow, on a share, on all, and back; whatever dies on the way."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from zhuli.core import sticky
from zhuli.core.errors import Conflict, InvalidRequest, LeaseLost, NotFound, Unavailable
from zhuli.core.hints import Hints
from zhuli.core.telemetry import Telemetry
from zhuli.learning.datasets.commands import DataSetCommands
from zhuli.learning.jobs.aliases import Aliases
from zhuli.learning.jobs.commands import TuningCommands
from zhuli.learning.predicting.answering import Answering
from zhuli.learning.predicting.in_service import InService
from zhuli.learning.predicting.predictor import Answer
from zhuli.learning.retuning.circle import LOOK_SECONDS, Circle
from zhuli.learning.retuning.commands import RetuningCommands
from zhuli.learning.retuning.evaluating import RecordAnswers
from zhuli.learning.retuning.serving import Serving
from zhuli.learning.retuning.steps import Steps
from zhuli.learning.retuning.watching import DriftWatch
from zhuli.metering.meter import Meter
from zhuli.models.catalog import Catalog
from zhuli.settings import Settings
from zhuli.store import collections, jobs, migrate, schema
from zhuli.store.database import Database
from zhuli.store.learning import datasets, fine_tuning, retuning, tuned_models
from zhuli.store.learning.tuned_models import TunedModel
from zhuli.store.projects import DEFAULT_PROJECT as PROJECT
from zhuli.store.projects import ensure_default
from zhuli.store.schema import files, fine_tuning_jobs
from zhuli.testing.clock import ManualClock
from zhuli.types.knowledge.file import file_of
from zhuli.types.learning.comparison import Said
from zhuli.types.learning.dataset import DataSet, DataSetCreate, DataSetVersion, EntriesCreate, VersionCreate
from zhuli.types.learning.example import Judged
from zhuli.types.learning.prediction import PredictionCreate
from zhuli.types.learning.retuning import Candidate, CandidateCreate, Decision, PolicyCreate, Signature
from zhuli.types.page import PageParams

OLD, NEW, ALIAS = "ft:minilm:default::old", "ft:minilm:default::new", "intents"
LABELS = ["card", "loan", "lost"]
HELD_OUT = [{"text": f"{label} {number}", "label": label} for label in LABELS for number in range(20)]
SAID = Said(en="It is so.", zh="如此。")
POLICY: dict[str, Any] = {
    "training_file": "file-train",
    "validation_file": "file-held",
    "stages": {"shadow_requests": 5, "share": 0.5, "share_requests": 5},
    "watch": {"requests": 5, "least": 5},
}


class Died(Exception):
    """What a process does not survive."""


class Mortal:
    """A database whose user dies at the n-th transaction: before it, or just after."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shared = database.shared
        self.left = -1
        self.after = False

    async def run(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Died
        found = await self._database.run(function, *args, **kwargs)
        if self.left == 0:
            raise Died
        return found


class Files:
    """Blobs in memory."""

    def __init__(self, content: dict[str, list[dict[str, str]]]) -> None:
        self.content = content

    async def read(self, key: str) -> AsyncGenerator[bytes, None]:
        yield b"".join(json.dumps(line).encode() + b"\n" for line in self.content[key])


class Models:
    """A predictor: `says` has what each model says to a text; the old one does not know "lost"."""

    def __init__(self) -> None:
        self.says: dict[str, Callable[[str], str]] = {
            "old": lambda text: text.split()[0].replace("lost", "card"),
            "new": lambda text: text.split()[0],
        }
        self.broken: set[str] = set()

    async def predict(self, name: str, folder: Path, inputs: dict[str, Any], **how: Any) -> list[Answer]:
        model = folder.name
        if model in self.broken:
            raise Unavailable("It is broken.")
        return [self._answer(model, given, **how) for given in inputs.values()]

    def _answer(self, model: str, given: Any, *, judge: bool = False, explain: bool = False, **_: Any) -> Answer:
        known = LABELS[: 2 if model == "old" else 3]
        said = self.says[model](given["text"] if judge else given)
        output = [{"label": said, "score": 0.9}, *({"label": each, "score": 0.05} for each in known if each != said)]
        explanation = (
            {"nearest_examples": [{"text": "lost a", "label": "lost", "similarity": 0.8}]} if explain else None
        )
        judged = Judged(given["text"], [given["label"]], float(said == given["label"])) if judge else None
        return Answer(output, 3, explanation, judged=judged)


class World:
    """All that a candidate needs, but for models that compute."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.mortal = database, Mortal(database)
        self.clock, self.models = ManualClock(), Models()
        self.files = Files({"file-train": [{"text": "lost a", "label": "lost"}], "file-held": HELD_OUT})
        self.catalog = Catalog.load(None, folder)
        self.commands = RetuningCommands(database, self.catalog, self.clock)
        self.aliases = Aliases(database, self.catalog, self.clock)
        self.serving = Serving(database, self.catalog)
        self.service = InService(self.catalog, self.models, self.serving, self.clock)  # type: ignore[arg-type]
        self.answering = Answering(
            database,
            self.catalog,
            self.service,
            self.clock,
            Meter(database, self.clock, Settings()),
            Telemetry().calls,
        )

    @property
    def steps(self) -> Steps:
        """Of a process that has just started."""
        database: Any = self.mortal
        tunings = TuningCommands(database, self.files, self.catalog, self.clock, None)  # type: ignore[arg-type]
        evaluating = RecordAnswers(self.catalog, self.files, self.models)  # type: ignore[arg-type]
        return Steps(database, self.catalog, self.clock, tunings, evaluating, Serving(database, self.catalog))

    async def begin(self, **policy: Any) -> None:
        await self.database.run(migrate.upgrade)
        await self.database.run(ensure_default, now=self.clock.now())
        for name in ("file-train", "file-held"):
            file = file_of(name, 9, filename=f"{name}.jsonl", purpose="fine-tune", lifetime=None, now=0)
            await self.database.run(collections.insert, files, PROJECT, file, {"purpose": "fine-tune"})
        for name in (OLD, NEW):
            await self.add(name)
        await self.aliases.move(PROJECT, ALIAS, OLD)
        await self.commands.set_policy(PROJECT, ALIAS, PolicyCreate.model_validate(POLICY | policy))

    async def add(self, name: str, **fields: Any) -> None:
        folder = f"tuning/{name.rpartition(':')[2]}"
        (self.catalog.tuned.data_dir / folder).mkdir(parents=True, exist_ok=True)
        fields = {"base": "minilm", "task": "text_classification"} | fields
        model = TunedModel(name=name, project=PROJECT, folder=folder, created_at=0, **fields)
        await self.database.run(tuned_models.add, model)

    async def ask(self, texts: int, user: str | None = None, *, first: int = 0) -> Counter[str]:
        """Who answered, by the labels that only they say; users are numbered from `first` where none is named."""
        said: Counter[str] = Counter()
        for number in range(first, first + texts):
            body = PredictionCreate(model=ALIAS, input="lost 1", user=user or f"user {number}")
            (result,) = (await self.answering.answer(PROJECT, body)).data
            said["new" if result.output[0]["label"] == "lost" else "old"] += 1
            await asyncio.gather(*self.service._shadows)
        await self.serving.flush()
        return said

    async def step(self) -> None:
        """A worker takes the open candidates a step on; a dead one's job is put back."""
        await self.database.run(jobs.release_all)
        moving = [each.candidate.id for each in await self.database.run(retuning.active)]
        await self.database.run(retuning.enqueue, moving)
        slots = {retuning.STEP: 1}
        claimed = await self.database.run(jobs.claim, "worker", slots=slots, now=self.clock.now(), lease=60)
        for job in claimed:
            await self.steps.handle(job)
        await self.database.run(self.catalog.tuned.read)

    async def trained(self) -> None:
        """The fine-tuning job that waits, if any, has made the new model."""
        for job in (await self.database.run(fine_tuning.page, PROJECT, limit=5, after=None)).data:
            record = await self.database.run(fine_tuning.get, PROJECT, job.id)
            ended = record.model_copy(update={"status": "succeeded", "fine_tuned_model": NEW})
            await self.database.run(collections.replace, fine_tuning_jobs, ended)

    async def kinds(self) -> list[str]:
        page = await self.database.run(retuning.decisions, PROJECT, ALIAS, PageParams(limit=100, order="asc"))
        return [decision.kind for decision in page.data]

    async def leads_to(self) -> str:
        return (await self.database.run(tuned_models.alias, PROJECT, ALIAS)).model


WHOLE = ["policy_set", "triggered", "tuning_started", "tuned", "passed", "shadowed", "shared", "promoted", "settled"]


async def test_a_better_candidate_is_tuned_gated_shadowed_shared_and_promoted(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.begin()
    candidate = await world.commands.propose(PROJECT, ALIAS, CandidateCreate())
    with pytest.raises(Conflict):
        await world.commands.propose(PROJECT, ALIAS, CandidateCreate())
    await world.step()
    await world.trained()
    for _ in range(3):
        await world.step()
    assert (await world.ask(6)) == Counter(old=6)  # the shadow is not heard
    await world.step()
    shares = await world.ask(40)
    assert shares["old"] and shares["new"]
    assert len(await world.ask(10, user="the same")) == 1
    assert len({(await world.ask(1, user=f"user {number}")).popitem() for number in range(20)}) == 2
    await world.step()
    assert await world.leads_to() == NEW and (await world.ask(6)) == Counter(new=6)
    await world.step()
    assert await world.kinds() == WHOLE
    found = await world.database.run(retuning.candidate, PROJECT, candidate.id)
    decisions = await world.database.run(retuning.decisions_of, candidate.id)
    folded = Candidate(id=candidate.id, alias=ALIAS, created_at=candidate.created_at)
    for decision in decisions:
        folded = folded.after(decision)
        assert decision.sentence.en and decision.sentence.zh
    assert folded == found and found.status == "settled"


@pytest.mark.parametrize("after", [False, True])
async def test_a_process_may_die_at_any_transaction(database: Database, tmp_path: Path, after: bool) -> None:
    if database.shared:
        pytest.skip("what differs between databases is tested above; this is about the steps")
    world = World(database, tmp_path)
    await world.begin()
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate())
    died = 0
    for place in range(1, 300):
        if await world.kinds() == WHOLE:
            break
        world.mortal.left, world.mortal.after = 1 + place % 14, after
        try:
            await world.step()
        except Died:
            died += 1
        world.mortal.left = -1
        await world.trained()
        if place % 14 == 0:  # always others: who is in the share is drawn, and of six it may be nobody, for ever
            await world.ask(6, first=place)
    assert died > 10 and await world.kinds() == WHOLE and await world.leads_to() == NEW
    assert len((await world.database.run(fine_tuning.page, PROJECT, limit=5, after=None)).data) == 1


async def _until(world: World, status: str) -> Candidate:
    for _ in range(12):
        (found,) = (await world.database.run(retuning.candidates, PROJECT, ALIAS, PageParams(limit=1))).data
        if found.status == status:
            return found
        await world.step()
        await world.ask(12)
    raise AssertionError(f"{found.status}, not {status}: {await world.kinds()}")


async def test_a_bad_promotion_goes_back_by_itself_and_serves_what_was_served_before(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.begin(watch={"requests": 500, "least": 5})
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
    await _until(world, "all")
    assert await world.leads_to() == NEW
    world.models.broken.add("new")
    failed = 0
    for _ in range(12):
        try:
            await world.ask(1)
        except Unavailable:
            failed += 1
    await world.serving.flush()
    await world.step()
    assert failed == 12 and await world.leads_to() == OLD
    assert (await world.ask(3)) == Counter(old=3)
    assert (await world.kinds())[-1] == "rolled_back"
    moves = (await world.database.run(tuned_models.alias, PROJECT, ALIAS)).moves
    assert [(move.model, move.back) for move in moves] == [(OLD, True), (NEW, False), (OLD, False)]


async def test_where_a_candidate_fails_on_its_share_the_champion_answers(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.begin(stages={"shadow_requests": 0, "share": 1.0, "share_requests": 50})
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
    await _until(world, "share")
    world.models.broken.add("new")
    assert (await world.ask(10)) == Counter(old=10)
    await world.step()
    assert (await world.kinds())[-1] == "rolled_back" and await world.leads_to() == OLD


async def test_a_candidate_that_is_no_better_or_was_poisoned_is_refused(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.begin()
    world.models.says["new"] = world.models.says["old"]
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
    await _until(world, "refused")
    world.models.says["new"] = lambda text: text.split()[0]
    world.files.content["file-train"] = [{"text": f"card {number}", "label": "loan"} for number in range(30)]
    await world.commands.propose(
        PROJECT, ALIAS, CandidateCreate(model=NEW, training_file="file-train", validation_file="file-held")
    )
    await _until(world, "refused")
    refused = await world.database.run(retuning.last_of_kind, PROJECT, ALIAS, ["refused"])
    assert refused is not None and "contradict" in refused.sentence.en and "投毒" in refused.sentence.zh
    assert await world.leads_to() == OLD


async def test_a_person_signs_where_the_policy_asks_for_it(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.begin(sign=True)
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
    await _until(world, "signing")
    await world.step()
    passed = await world.database.run(retuning.last_of_kind, PROJECT, ALIAS, ["passed"])
    assert passed is not None
    with pytest.raises(NotFound):
        await world.commands.sign(PROJECT, "other", passed.id, Signature(approve=True, by="Ann"))
    signed = await world.commands.sign(PROJECT, ALIAS, passed.id, Signature(approve=True, by="Ann"))
    assert signed.status == "ready"
    await world.step()
    assert (await world.kinds())[-2:] == ["signed", "shadowed"]


async def test_what_was_decided_on_an_older_state_is_not_decided(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.begin()
    seen = await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
    await world.step()
    last = await world.database.run(retuning.last_of_kind, PROJECT, ALIAS, ["tuned"])
    assert last is not None
    again = last.model_copy(update={"id": "dec_again"})
    with pytest.raises(LeaseLost):
        await world.database.run(retuning.advance, PROJECT, seen, again, now=0.0)
    assert (await world.kinds()).count("tuned") == 1


async def test_however_stages_go_an_alias_that_went_back_leads_where_it_led(database: Database, tmp_path: Path) -> None:
    if database.shared:
        pytest.skip("what differs between databases is tested above; this is about any order of events")
    world = World(database, tmp_path)
    await world.begin(watch={"requests": 10_000, "least": 5})
    for seed in range(5):
        dice = random.Random(seed)
        world.models.broken.clear()
        before = await world.leads_to()
        await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
        until = dice.choice(["shadow", "share", "all"])
        await _until(world, until)
        world.models.broken.add("new")
        for number in range(30):
            with pytest.raises(Unavailable) if until == "all" else nullcontext():
                await world.ask(1, user=f"another {number}")
        await world.serving.flush()
        await _stepped(world, "rolled_back")
        assert await world.leads_to() == before and (await world.ask(4)) == Counter(old=4)


async def _stepped(world: World, kind: str) -> None:
    for _ in range(4):
        await world.step()
        if (await world.kinds())[-1] == kind:
            return
    raise AssertionError(await world.kinds())


def test_a_share_is_sticky_and_about_as_large_as_is_said() -> None:
    askers = [f"thread_{number}" for number in range(4_000)]
    taking = [asker for asker in askers if sticky.takes_part(asker, "cand_1", 0.1)]
    assert 0.08 < len(taking) / len(askers) < 0.12
    assert taking == [asker for asker in askers if sticky.takes_part(asker, "cand_1", 0.1)]
    assert set(taking) <= {asker for asker in askers if sticky.takes_part(asker, "cand_1", 0.3)}


AUDIT: dict[str, Any] = {"texts": ["lost 1", "card 2"], "axes": ["gender"], "language": "en"}
ORIGINS = {"card": ["card holders ask:"], "loan": ["loan takers ask:"]}


async def test_a_candidate_whose_labels_depend_on_who_asks_is_refused_by_the_gates_own_audit(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    audit = AUDIT | {"lists": {"origin": ORIGINS}, "bounds": {"changed": 0.5}}
    await world.begin(gate={"audit": audit})
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
    await _until(world, "refused")
    refused = await world.database.run(retuning.last_of_kind, PROJECT, ALIAS, ["refused"])
    assert refused is not None and "origin" in refused.sentence.en and "over its bound" in refused.sentence.en
    gender, origin = refused.numbers["audit"]["axes"]
    assert (gender["changed"], origin["changed"]) == (0, 1)
    audits = [reason for reason in refused.numbers["verdict"]["reasons"] if reason["code"] == "audit"]
    assert [(each["passed"], each["value"], each["limit"]) for each in audits] == [(True, 0, 0.5), (False, 1, 0.5)]
    await world.commands.set_policy(
        PROJECT, ALIAS, PolicyCreate.model_validate(POLICY | {"gate": {"audit": audit | {"bounds": {"changed": 1.0}}}})
    )
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
    await _until(world, "shadow")


@pytest.mark.parametrize("bounds", [{}, None])
def test_an_audit_of_the_gate_has_bounds(bounds: dict[str, float] | None) -> None:
    with pytest.raises(ValidationError, match="bounds"):
        PolicyCreate.model_validate(POLICY | {"gate": {"audit": AUDIT | {"bounds": bounds}}})


async def test_an_audit_of_the_gate_that_can_not_be_done_is_refused_with_its_policy(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.begin()
    audit = AUDIT | {"bounds": {"gap": 0.1}}
    labels = PolicyCreate.model_validate(POLICY | {"gate": {"audit": audit | {"labels": ["lost"]}}})
    with pytest.raises(InvalidRequest) as refused:
        await world.commands.set_policy(PROJECT, ALIAS, labels)
    assert refused.value.param == "gate.audit.labels"
    accuracy = PolicyCreate.model_validate(POLICY | {"gate": {"audit": AUDIT | {"bounds": {"accuracy_gap": 0.1}}}})
    with pytest.raises(InvalidRequest) as refused:
        await world.commands.set_policy(PROJECT, ALIAS, accuracy)
    assert refused.value.param == "gate.audit.bounds.accuracy_gap"
    await world.add("ft:minilm:default::spans", task="token_classification")
    await world.aliases.move(PROJECT, ALIAS, "ft:minilm:default::spans")
    with pytest.raises(InvalidRequest) as refused:
        await world.commands.set_policy(
            PROJECT, ALIAS, PolicyCreate.model_validate(POLICY | {"gate": {"audit": audit}})
        )
    assert refused.value.param == "gate.audit"


async def test_a_decision_shows_which_records_changed_and_what_the_candidate_learned_that_is_like_them(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.begin()
    world.models.says["new"] = lambda text: "loan" if text == "card 7" else text.split()[0]
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))
    await _until(world, "shadow")
    passed = await world.database.run(retuning.last_of_kind, PROJECT, ALIAS, ["passed"])
    assert passed is not None
    lost, *gained = passed.numbers["changed"]
    assert (lost["text"], lost["labels"], lost["champion"]["said"], lost["candidate"]["said"]) == (
        "card 7",
        ["card"],
        "card",
        "loan",
    )
    assert len(gained) == 3 and all(each["labels"] == ["lost"] and each["candidate"]["right"] for each in gained)
    assert gained[0]["nearest_examples"] == [{"text": "lost a", "label": "lost", "similarity": 0.8}]


async def test_models_that_write_are_refused_by_the_name_of_their_task(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.begin()
    await world.add("ft:smollm2:default::wordy", task="summarization")
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model="ft:smollm2:default::wordy"))
    failed = await _until(world, "failed")
    assert failed.model == "ft:smollm2:default::wordy"
    decision = await world.database.run(retuning.last_of_kind, PROJECT, ALIAS, ["failed"])
    assert decision is not None and "summarization" in decision.sentence.en


async def test_new_examples_are_counted_from_what_the_champion_learned(
    database: Database, hints: Hints, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.begin()
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate())
    await world.step()
    (job,) = (await database.run(fine_tuning.page, PROJECT, limit=5, after=None)).data
    record = await database.run(fine_tuning.get, PROJECT, job.id)
    await database.run(collections.replace, fine_tuning_jobs, record.model_copy(update={"status": "failed"}))
    await _stepped(world, "failed")
    await world.add("ft:minilm:default::taught", job=job.id)
    await world.aliases.move(PROJECT, ALIAS, "ft:minilm:default::taught")
    made = DataSet(id="ds_1", created_at=0, name="intents", task="text_classification")
    await database.run(collections.insert, schema.datasets, PROJECT, made)
    await database.run(datasets.append, "ds_1", [_ENTRY] * 100)
    at = await database.run(datasets.end_of_log, "ds_1")
    await database.run(datasets.add_version, PROJECT, _version("dsv_1", at, "file-train"), [])
    circle = Circle(database, world.clock, hints, world.serving, DriftWatch(database, world.clock), world.commands)
    terms = {"dataset": "ds_1", "triggers": {"new_examples": 20}}
    await world.commands.set_policy(PROJECT, ALIAS, PolicyCreate.model_validate(terms))
    await circle.turn()
    assert not await database.run(retuning.active)
    await database.run(datasets.append, "ds_1", [_ENTRY] * 19)
    await database.run(datasets.add_version, PROJECT, _version("dsv_2", at + 19, "file-held"), [])
    await circle.turn()
    assert not await database.run(retuning.active)
    await database.run(datasets.append, "ds_1", [_ENTRY])
    await database.run(datasets.add_version, PROJECT, _version("dsv_3", at + 20, "file-held"), [])
    await circle.turn()
    (candidate,) = await database.run(retuning.active)
    assert candidate.candidate.dataset_version == "dsv_3"


_ENTRY = datasets.NewEntry("add", "ex_1", '{"record":{},"provenance":{"kind":"api"}}')


def _version(name: str, position: int, training_file: str) -> DataSetVersion:
    return DataSetVersion(
        id=name,
        created_at=0,
        dataset_id="ds_1",
        digest=name,
        position=position,
        task="text_classification",
        training_file=training_file,
        validation_file="file-held",
        manifest_file="file-held",
        examples=position,
        request=VersionCreate(),
        report={},
    )


async def test_a_circle_in_which_nothing_happens_asks_the_database_nothing(
    database: Database, hints: Hints, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.begin()
    counted = Counted(database)
    watch: Any = DriftWatch(counted, world.clock)  # type: ignore[arg-type]
    circle = Circle(counted, world.clock, hints, world.serving, watch, world.commands)  # type: ignore[arg-type]
    await circle.turn()
    assert counted.asked
    counted.asked = 0
    for _ in range(5):
        await circle.turn()
    assert not counted.asked
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=NEW))  # which is a hint
    await circle.turn()
    assert counted.asked
    counted.asked = 0
    world.clock.move(LOOK_SECONDS)  # a hint of another process does not come
    await circle.turn()
    assert counted.asked


class Counted:
    """A database that counts what it is asked."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shared = database.shared
        self.asked = 0

    async def run(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return await self._database.run(function, *args, **kwargs)


async def test_enough_new_examples_make_a_version_and_that_makes_a_candidate(
    database: Database, hints: Hints, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    await world.begin()
    sets = DataSetCommands(database, world.files, world.clock, tmp_path)  # type: ignore[arg-type]
    own, other = [
        (await sets.create(PROJECT, DataSetCreate(name=name, task="text_classification"))).id for name in "ab"
    ]
    triggers = {"triggers": {"new_examples": 3}, "dataset": own}
    await world.commands.set_policy(PROJECT, ALIAS, PolicyCreate.model_validate(POLICY | triggers))
    circle = Circle(database, world.clock, hints, world.serving, DriftWatch(database, world.clock), world.commands)

    async def add(dataset: str, *texts: str) -> None:
        entries = [{"kind": "add", "record": {"text": text, "label": "lost"}} for text in texts]
        await sets.change(PROJECT, dataset, EntriesCreate.model_validate({"data": entries}))
        world.clock.move(LOOK_SECONDS)
        await circle.turn()
        world.clock.move(LOOK_SECONDS)
        await circle.turn()

    async def versioned(number: int) -> None:
        """A worker has made the version that was asked for."""
        asked = await database.run(retuning.last_of_kind, PROJECT, ALIAS, ["version_asked"])
        assert asked is not None
        task = await database.run(datasets.task, PROJECT, asked.numbers["task"])
        (job,) = await database.run(jobs.claim, "worker", slots={"dataset": 1}, now=world.clock.now(), lease=60)
        version = DataSetVersion.model_validate(
            dict.fromkeys(("training_file", "validation_file", "manifest_file"), "file-train")
            | {"id": f"dsv_{number}", "created_at": 0, "dataset_id": own, "digest": str(number), "report": {}}
            | {"position": asked.numbers["position"], "task": "text_classification", "examples": 3, "request": {}}
        )
        await database.run(datasets.add_version, PROJECT, version, [])
        ended = task.model_copy(update={"status": "completed", "version": version.id})
        await database.run(datasets.end, job, ended)
        await circle.turn()

    await add(other, "a", "b", "c")  # another data set's entries do not count
    await add(own, "a", "b")
    assert (await world.kinds()) == ["policy_set", "policy_set"]
    await add(own, "c")
    await add(own, "d")  # the version is at work
    assert (await world.kinds())[2:] == ["version_asked"]
    await versioned(1)
    assert (await world.kinds())[2:] == ["version_asked", "triggered"]
    (candidate,) = (await database.run(retuning.candidates, PROJECT, ALIAS, PageParams())).data
    assert candidate.dataset_version == "dsv_1"
    failed = Decision(
        id="dec_f", alias=ALIAS, candidate=candidate.id, kind="failed", by="policy", created_at=0, sentence=SAID
    )
    await database.run(retuning.advance, PROJECT, candidate, failed, now=0.0)
    await add(own, "e")
    assert (await world.kinds())[-1] == "failed"
    await add(own, "f")
    assert (await world.kinds())[-1] == "version_asked"


TALKS = "ft:smollm2:default::talks"


async def _talking(world: World, **stages: Any) -> Candidate:
    """A candidate for chats that a person has signed, on its share."""
    await world.begin(sign=True, stages=stages)
    await world.add(TALKS, task="dialogue", chat={"backend": "llamacpp"})
    await world.commands.propose(PROJECT, ALIAS, CandidateCreate(model=TALKS))
    await _until(world, "signing")
    passed = await world.database.run(retuning.last_of_kind, PROJECT, ALIAS, ["passed"])
    assert passed is not None
    world.clock.move(60)
    made = await world.commands.sign(PROJECT, ALIAS, passed.id, Signature(approve=True, by="Ann"))
    await world.step()
    assert (await world.kinds())[-2:] == ["signed", "shared"]
    world.clock.move(60)
    return made


async def _runs(world: World, threads: list[str], status: str = "completed") -> None:
    """Runs for the alias on these threads, which have ended."""
    now = world.clock.now()
    body = json.dumps({"model": ALIAS, "created_at": int(now), "started_at": int(now)}, separators=(",", ":"))
    ended = {"project_id": PROJECT, "body": body, "status": status, "active": False, "expires_at": 0}
    rows = [{"id": f"run_{one}", "thread_id": one, "ended_at": now + 1, "last_event": 0, **ended} for one in threads]
    await world.database.run(lambda connection: connection.execute(schema.runs.insert(), rows))


async def test_a_chat_candidate_is_signed_has_its_share_and_settles_by_runs(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    candidate = await _talking(world, share=0.5, share_requests=5)
    threads = [f"thread_{number}" for number in range(200)]
    heard = [one for one in threads if sticky.takes_part(one, candidate.id, 0.5)]
    others = [one for one in threads if one not in heard]
    await _runs(world, heard[:4])
    await _runs(world, others[:9])
    await world.step()
    assert (await world.kinds())[-1] == "shared"
    await _runs(world, heard[4:5])
    await world.step()
    assert (await world.kinds())[-1] == "promoted" and await world.leads_to() == TALKS
    world.clock.move(60)
    await _runs(world, others[9:14])
    await world.step()
    settled = await world.database.run(retuning.last_of_kind, PROJECT, ALIAS, ["settled"])
    assert settled is not None and settled.numbers["candidate"]["requests"] == 5


async def test_a_chat_candidate_whose_runs_fail_goes_back(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    await world.database.run(migrate.upgrade)
    await _runs(world, [f"before_{number}" for number in range(40)])
    await _talking(world, share=1.0, share_requests=500)
    await _runs(world, [f"after_{number}" for number in range(40)], "failed")
    await world.step()
    assert (await world.kinds())[-1] == "rolled_back" and await world.leads_to() == OLD
