"""What was decided about the models behind aliases: the log, its policies, and candidates as its fold.

A decision, what it makes of its candidate, and the alias's move are one transaction: whoever dies in between has decided
nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from zhuli.core.errors import Conflict, LeaseLost, NotFound
from zhuli.store import collections, jobs
from zhuli.store.database import hint
from zhuli.store.jobs import Job
from zhuli.store.learning import tuned_models
from zhuli.store.schema import alias_candidates, alias_decisions, model_alias_moves
from zhuli.types.learning.retuning import OPEN, Candidate, Decision, Policy
from zhuli.types.page import Page, PageParams

STEP = "retune"
"""The kind of job that takes a candidate one step on; its key is the candidate's id."""


AT_ONCE = 100
"""Decisions that are looked through in one transaction."""

TOPIC = "retuning"
"""Of a hint that something was decided, or that there is a version that a policy may want a candidate of."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A candidate as it is kept."""

    project: str
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Stage:
    """A candidate that is asked: share of the traffic that hears it, 0 in its shadow."""

    candidate: str
    model: str
    share: float


def policy(connection: Connection, project: str, alias: str) -> Policy:
    """The alias's; NotFound where none was ever set."""
    body = None if "\0" in alias else _last_policy(connection, project, alias)
    if body is None:
        raise NotFound(f"The alias '{alias}' has no policy. Set one first.", param="alias", code="policy_not_found")
    return _policy_of(Decision.model_validate_json(body))


def policies(connection: Connection) -> list[tuple[str, Policy]]:
    """Those of all projects that are in force, with their projects."""
    latest = select(func.max(alias_decisions.c.seq)).where(alias_decisions.c.kind == "policy_set")
    latest = latest.group_by(alias_decisions.c.project_id, alias_decisions.c.alias)
    query = select(alias_decisions.c.project_id, alias_decisions.c.body).where(alias_decisions.c.seq.in_(latest))
    return [(row.project_id, _policy_of(Decision.model_validate_json(row.body))) for row in connection.execute(query)]


def _last_policy(connection: Connection, project: str, alias: str) -> str | None:
    query = select(alias_decisions.c.body).where(
        alias_decisions.c.project_id == project,
        alias_decisions.c.alias == alias,
        alias_decisions.c.kind == "policy_set",
    )
    return connection.execute(query.order_by(alias_decisions.c.seq.desc()).limit(1)).scalar()


def _policy_of(decision: Decision) -> Policy:
    return Policy(**decision.numbers, alias=decision.alias, created_at=decision.created_at)


def decide(connection: Connection, project: str, decision: Decision) -> None:
    """Add to the log what is about no candidate."""
    columns = {"alias": decision.alias, "candidate_id": decision.candidate, "kind": decision.kind}
    collections.insert(connection, alias_decisions, project, decision, columns)
    hint(connection, TOPIC)


def begin(connection: Connection, project: str, candidate: Candidate, decision: Decision) -> Candidate:
    """A candidate that the decision makes; Conflict while the alias has an open one."""
    made = candidate.after(decision)
    columns = {"alias": made.alias, "active": made.status in OPEN}
    try:
        with connection.begin_nested():
            collections.insert(connection, alias_candidates, project, made, columns)
    except IntegrityError:
        raise Conflict(f"The alias '{made.alias}' has a candidate that is not decided yet.", param="alias") from None
    decide(connection, project, decision)
    jobs.enqueue(connection, STEP, made.id)
    return made


def advance(
    connection: Connection,
    project: str,
    seen: Candidate,
    decision: Decision,
    *,
    now: float,
    leads_to: str | None = None,
    back: bool = False,
    job: Job | None = None,
) -> Candidate:
    """What the decision makes of the candidate, which is as it was `seen`; otherwise LeaseLost.

    leads_to: where the alias leads from now on, in the same transaction. job: whose claim must still stand; it is done.
    """
    query = select(alias_candidates.c.body).where(
        alias_candidates.c.project_id == project, alias_candidates.c.id == seen.id
    )
    body = connection.execute(query.with_for_update()).scalar()
    if body is None or Candidate.model_validate_json(body) != seen:
        raise LeaseLost(f"The candidate {seen.id} has gone on meanwhile.")
    if job is not None:
        jobs.check(connection, job)
    decide(connection, project, decision)
    made = seen.after(decision)
    values = {"body": made.model_dump_json(), "active": made.status in OPEN}
    connection.execute(update(alias_candidates).where(alias_candidates.c.id == made.id).values(values))
    if leads_to is not None:
        tuned_models.move_alias(connection, project, made.alias, leads_to, now=now, back=back)
    hint(connection, tuned_models.TOPIC)
    jobs.finish(connection, STEP, made.id)
    return made


def rest(connection: Connection, job: Job) -> None:
    """There is nothing to do for the candidate now; it is looked at again by and by."""
    jobs.check(connection, job)
    jobs.finish(connection, STEP, job.key)


def candidate(connection: Connection, project: str, candidate_id: str, alias: str | None = None) -> Candidate:
    """NotFound if the project, or its alias, has none of this id."""
    where = {} if alias is None else {"alias": alias}
    return collections.get(connection, alias_candidates, Candidate, project, candidate_id, where)


def stored(connection: Connection, candidate_id: str) -> Stored | None:
    """The candidate of a job, in whatever project."""
    query = select(alias_candidates.c.project_id, alias_candidates.c.body).where(alias_candidates.c.id == candidate_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else Stored(row.project_id, Candidate.model_validate_json(row.body))


def active(connection: Connection) -> list[Stored]:
    """Candidates of all projects that are not decided yet."""
    query = select(alias_candidates.c.project_id, alias_candidates.c.body).where(alias_candidates.c.active)
    return [Stored(row.project_id, Candidate.model_validate_json(row.body)) for row in connection.execute(query)]


def enqueue(connection: Connection, candidates: Sequence[str]) -> None:
    """Have each looked at."""
    jobs.enqueue_all(connection, STEP, candidates)


def stages(connection: Connection) -> dict[tuple[str, str], Stage]:
    """The candidates that are asked beside a champion, by project and alias."""
    return {
        (each.project, each.candidate.alias): Stage(each.candidate.id, each.candidate.model, each.candidate.share)
        for each in active(connection)
        if each.candidate.status in ("shadow", "share") and each.candidate.model is not None
    }


def candidates(connection: Connection, project: str, alias: str, params: PageParams) -> Page[Candidate]:
    """The alias's."""
    return collections.page(connection, alias_candidates, Candidate, project, params, where={"alias": alias})


def decisions(connection: Connection, project: str, alias: str, params: PageParams) -> Page[Decision]:
    """The alias's."""
    return collections.page(connection, alias_decisions, Decision, project, params, where={"alias": alias})


def decisions_of(connection: Connection, candidate_id: str) -> list[Decision]:
    """A candidate's, oldest first."""
    query = select(alias_decisions.c.body).where(alias_decisions.c.candidate_id == candidate_id)
    bodies = connection.execute(query.order_by(alias_decisions.c.seq)).scalars()
    return [Decision.model_validate_json(body) for body in bodies]


def decision(connection: Connection, project: str, decision_id: str) -> Decision:
    """NotFound if the project has none of this id."""
    return collections.get(connection, alias_decisions, Decision, project, decision_id)


def last_of_kind(connection: Connection, project: str, alias: str, kinds: Sequence[str]) -> Decision | None:
    """The alias's last decision of one of these kinds."""
    query = select(alias_decisions.c.body).where(
        alias_decisions.c.project_id == project, alias_decisions.c.alias == alias, alias_decisions.c.kind.in_(kinds)
    )
    body = connection.execute(query.order_by(alias_decisions.c.seq.desc()).limit(1)).scalar()
    return None if body is None else Decision.model_validate_json(body)


def moved_at(connection: Connection, project: str, alias: str) -> tuple[int, float]:
    """The alias's last move, its seq and when: what is seen of its model counts from there. Zeros for none."""
    table = model_alias_moves.c
    query = select(table.seq, table.at).where(table.project_id == project, table.alias == alias)
    row = connection.execute(query.order_by(table.seq.desc()).limit(1)).one_or_none()
    return (0, 0.0) if row is None else (row.seq, row.at)


def redact(
    connection: Connection, project: str, without: Callable[[Decision], Decision], *, after: int
) -> tuple[int, int | None]:
    """Of some decisions keep what this leaves of them; how many it changed, and the next place. Candidates are as they were."""
    table, changed = alias_decisions.c, 0
    query = select(table.seq, table.body).where(table.project_id == project, table.seq > after)
    rows = connection.execute(query.order_by(table.seq).limit(AT_ONCE)).all()
    for row in rows:
        decision = Decision.model_validate_json(row.body)
        left = without(decision)
        if left is not decision:
            collections.replace(connection, alias_decisions, left)
            changed += 1
    return changed, rows[-1].seq if len(rows) == AT_ONCE else None
