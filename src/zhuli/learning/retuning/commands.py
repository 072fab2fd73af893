"""What people decide of retuning: the policy, a candidate by hand, a signature. Each is one transaction."""

from collections.abc import Mapping

from sqlalchemy import Connection

from zhuli.core.clock import Clock
from zhuli.core.errors import InvalidRequest, NotFound
from zhuli.core.ids import new_id
from zhuli.learning.retuning import sentences
from zhuli.models.catalog import Catalog
from zhuli.safety.audits.asking import check_labels
from zhuli.store import collections, schema
from zhuli.store.database import Database
from zhuli.store.knowledge import files
from zhuli.store.learning import datasets, retuning, tuned_models
from zhuli.types.learning.comparison import Said
from zhuli.types.learning.dataset import DataSetTask, DataSetVersion, VersionCreate
from zhuli.types.learning.retuning import (
    Candidate,
    CandidateCreate,
    Decision,
    Kind,
    Policy,
    PolicyCreate,
    Signature,
)
from zhuli.types.safety.audit import AuditTerms

PURPOSE = "fine-tune"


class RetuningCommands:
    """InvalidRequest says what can't be, NotFound what is not there, Conflict that another candidate is open."""

    def __init__(self, database: Database, catalog: Catalog, clock: Clock) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock

    async def set_policy(self, project: str, alias: str, body: PolicyCreate) -> Policy:
        """From now on the model behind the alias is tuned again as this says."""
        leads_to = (await self._database.run(tuned_models.alias, project, alias)).model
        if body.gate.audit is not None:
            await self._check_audit(body.gate.audit, leads_to)
        if body.dataset is not None:
            await self._database.run(_dataset, project, body.dataset)
        named = {
            "training_file": body.training_file,
            "validation_file": body.validation_file,
            "gate.regression_file": body.gate.regression_file,
        }
        await self._database.run(_check_files, project, named)
        decision = self._decision(
            alias, None, "policy_set", "person", sentences.policy_set(alias), numbers=body.model_dump(mode="json")
        )
        await self._database.run(retuning.decide, project, decision)
        return await self._database.run(retuning.policy, project, alias)

    async def _check_audit(self, terms: AuditTerms, champion: str) -> None:
        check_labels(terms, "gate.audit.")
        await self._database.run(self._catalog.tuned.read)
        found = self._catalog.tuned.models.get(champion)
        if found is not None and found.task != "text_classification":
            text = f"An audit of the gate asks text classifiers; '{champion}' is for {found.task}."
            raise InvalidRequest(text, param="gate.audit")

    async def propose(self, project: str, alias: str, body: CandidateCreate, *, because: str = "person") -> Candidate:
        """A candidate: a model that is there, or one that is tuned on the request's files or the policy's."""
        policy = await self._database.run(retuning.policy, project, alias)
        champion = (await self._database.run(tuned_models.alias, project, alias)).model
        await self._database.run(self._catalog.tuned.read)
        version = None
        if body.model is None and body.training_file is None:
            version = await self._database.run(_version, project, body.dataset_version, policy.dataset)
        training = (
            version.training_file if version else body.training_file or (None if body.model else policy.training_file)
        )
        validation = body.validation_file or (version and version.validation_file) or policy.validation_file
        named = {"training_file": training, "validation_file": validation}
        await self._database.run(_check_files, project, named)
        if body.model is not None and self._catalog.tuned.model(body.model, project) is None:
            raise InvalidRequest(f"There is no tuned model '{body.model}'.", param="model", code="model_not_found")
        if body.model is None and training is None:
            text = (
                "There is nothing to tune a candidate on: name a 'training_file' here or in the policy, or a 'model'."
            )
            raise InvalidRequest(text, param="training_file")
        candidate = Candidate(id=new_id("cand"), alias=alias, created_at=int(self._clock.now()))
        changes = {
            "champion": champion,
            "model": body.model,
            "training_file": training,
            "validation_file": validation,
            "dataset_version": version.id if version else None,
        }
        decision = self._decision(
            alias,
            candidate.id,
            "triggered",
            "policy" if because != "person" else "person",
            sentences.triggered(because),
            numbers={"because": because},
            changes=changes,
        )
        return await self._database.run(retuning.begin, project, candidate, decision)

    async def has_new_examples(self, project: str, policy: Policy, wanted: int, *, after: int) -> bool:
        """Whether the newest version has so many entries behind this position; if only the log has, one is asked for."""
        return await self._database.run(self._has_new_examples, project, policy, wanted, after)

    def _has_new_examples(self, connection: Connection, project: str, policy: Policy, wanted: int, begun: int) -> bool:
        dataset = policy.dataset
        if dataset is None or not collections.exists(connection, schema.datasets, project, dataset):
            return False
        newest = datasets.latest_version(connection, dataset)
        reached = newest.position if newest is not None else 0
        if newest is not None and datasets.accepted_between(connection, dataset, after=begun, upto=reached) >= wanted:
            return True
        end = datasets.end_of_log(connection, dataset)
        asked = retuning.last_of_kind(connection, project, policy.alias, ["version_asked"])
        if asked is not None and asked.numbers["dataset"] == dataset and asked.numbers["position"] >= end:
            return False  # it is being made, or could not be
        entries = datasets.accepted_between(connection, dataset, after=begun)
        if entries < wanted or (asked is not None and _is_at_work(connection, project, asked.numbers["task"])):
            return False
        as_before = newest.request.model_copy(update={"position": None}) if newest is not None else VersionCreate()
        task = DataSetTask(
            id=new_id("dst"),
            created_at=int(self._clock.now()),
            dataset_id=dataset,
            kind="version",
            request=as_before.model_dump(),
        )
        datasets.begin(connection, project, task)
        numbers = {"dataset": dataset, "entries": entries, "position": end, "task": task.id}
        sentence = sentences.version_asked(entries)
        retuning.decide(
            connection,
            project,
            self._decision(policy.alias, None, "version_asked", "policy", sentence, numbers=numbers),
        )
        return False

    async def sign(self, project: str, alias: str, decision_id: str, body: Signature) -> Candidate:
        """A person approves or declines what the gate passed."""
        return await self._database.run(self._sign, project, alias, decision_id, body)

    def _sign(self, connection: Connection, project: str, alias: str, decision_id: str, body: Signature) -> Candidate:
        found = retuning.decision(connection, project, decision_id)
        if found.alias != alias:
            raise NotFound(f"No decision found with id '{decision_id}'.", param="decision_id")
        if found.candidate is None or found.kind != "passed":
            raise InvalidRequest("Only a decision by which a candidate passed the gate is signed.", param="decision_id")
        candidate = retuning.candidate(connection, project, found.candidate)
        if candidate.status != "signing":
            text = f"The candidate '{candidate.id}' waits for no signature: it is '{candidate.status}'."
            raise InvalidRequest(text, param="decision_id")
        kind: Kind = "signed" if body.approve else "declined"
        sentence = sentences.signed(body.by, approve=body.approve)
        made = self._decision(
            alias,
            candidate.id,
            kind,
            body.by,
            sentence,
            numbers={"decision": decision_id, "comment": body.comment},
        )
        signed = retuning.advance(connection, project, candidate, made, now=self._clock.now())
        if signed.status == "ready":
            retuning.enqueue(connection, [signed.id])
        return signed

    def _decision(
        self,
        alias: str,
        candidate: str | None,
        kind: Kind,
        by: str,
        sentence: Said,
        *,
        numbers: Mapping[str, object] | None = None,
        changes: Mapping[str, object] | None = None,
    ) -> Decision:
        return Decision(
            id=new_id("dec"),
            alias=alias,
            candidate=candidate,
            kind=kind,
            by=by,
            created_at=int(self._clock.now()),
            sentence=sentence,
            numbers=dict(numbers or {}),
            changes=dict(changes or {}),
        )


def _is_at_work(connection: Connection, project: str, task: str) -> bool:
    try:
        return datasets.task(connection, project, task).status == "queued"
    except NotFound:
        return False


def _dataset(connection: Connection, project: str, dataset: str) -> None:
    with collections.named_by("dataset"):
        datasets.get(connection, project, dataset)


def _version(connection: Connection, project: str, version: str | None, dataset: str | None) -> DataSetVersion | None:
    """The version that is named, else the newest of the policy's data set; None where neither is named."""
    if version is not None:
        with collections.named_by("dataset_version"):
            return datasets.version_named(connection, project, version)
    if dataset is None:
        return None
    _dataset(connection, project, dataset)
    found = datasets.latest_version(connection, dataset)
    if found is None:
        raise InvalidRequest(f"The data set '{dataset}' has no version yet. Make one first.", param="dataset_version")
    return found


def _check_files(connection: Connection, project: str, named: dict[str, str | None]) -> None:
    for param, file_id in named.items():
        if file_id is None:
            continue
        file = files.file_of(connection, project, file_id) if "\0" not in file_id else None
        if file is None:
            raise InvalidRequest(f"No such File object: {file_id}", param=param, code="file_not_found")
        if file.purpose != PURPOSE:
            raise InvalidRequest(
                f"The file '{file_id}' has the purpose '{file.purpose}'. Upload it with purpose '{PURPOSE}'.",
                param=param,
                code="invalid_file_purpose",
            )
