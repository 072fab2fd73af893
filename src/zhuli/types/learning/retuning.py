"""Retuning behind an alias: its policy, candidates, and the log of decisions, of which a candidate is the fold."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from zhuli.types.learning.comparison import Said
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.safety.audit import AuditTerms
from zhuli.types.wire import Integer, Request, Wire

Share = Annotated[float, Field(ge=0, le=1)]
FileId = Annotated[str, Field(min_length=1, max_length=64)]
Labels = Annotated[list[Annotated[str, Field(max_length=512)]], Field(min_length=1, max_length=1000)]


class Triggers(Request):
    """What makes a candidate; null: not that. new_examples: when so many entries came into the data set's log since the version
    that the last candidate was made of. A version that has them is made, if there is none.
    """

    new_examples: Annotated[Integer, Field(ge=1)] | None = None
    drift: bool = False
    every_hours: Annotated[float, Field(ge=0.1)] | None = None


class GateTerms(Request):
    """What a candidate must pass. regression_file: labelled records on which it may not fall.

    slices: by name, the labels whose examples make a slice. margins: as the gate has them, by slice or "regression".
    contradictions: share of the new examples of one label that the champion surely takes for one other; more stop it.
    audit: how far the candidate's labels may depend on who asks; it has at least one of the bounds.
    """

    regression_file: FileId | None = None
    slices: Annotated[dict[Annotated[str, Field(min_length=1, max_length=64)], Labels], Field(max_length=50)] = Field(
        default_factory=dict
    )
    margins: Annotated[dict[str, Share], Field(max_length=100)] = Field(default_factory=dict)
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    contradictions: Share = 0.2
    audit: AuditTerms | None = None

    @field_validator("audit")
    @classmethod
    def _is_bounded(cls, audit: AuditTerms | None) -> AuditTerms | None:
        if audit is not None and (audit.bounds is None or not audit.bounds.model_dump(exclude_none=True)):
            raise ValueError("a gate holds an audit against 'bounds': changed, gap or accuracy_gap, each 0 to 1")
        return audit


class Stages(Request):
    """How a candidate that passed comes to serve: requests in its shadow, a share of the traffic, and requests in that."""

    shadow_requests: Annotated[Integer, Field(ge=0, le=100_000)] = 200
    share: Share = 0.1
    share_requests: Annotated[Integer, Field(ge=0, le=100_000)] = 200


class Watch(Request):
    """What sends a candidate back, beside the champion: by how much more errors, more thumbs down, less confidence, and how
    many times slower. requests: for how many it is watched once it serves all. least: of its answers, before anything is said.
    """

    requests: Annotated[Integer, Field(ge=0, le=100_000)] = 500
    least: Annotated[Integer, Field(ge=5, le=10_000)] = 30
    errors: Share = 0.02
    down_votes: Share = 0.1
    confidence: Share = 0.1
    slower: Annotated[float, Field(gt=1)] = 3.0


class DriftTerms(Request):
    """reference: messages that say what is quiet, the first that the model answers. alpha: chance of a false alarm in `season`
    windows. keep_texts: whether texts are kept with what is kept of predictions, so that alerts can show them.
    """

    window: Annotated[Integer, Field(ge=20, le=2_000)] = 100
    reference: Annotated[Integer, Field(ge=50, le=2_000)] = 300
    season: Annotated[Integer, Field(ge=1, le=1_000)] = 50
    alpha: Annotated[float, Field(ge=0.001, le=0.5)] = 0.05
    outside_below: Share = 0.3
    keep_texts: bool = False


class PolicyCreate(Request):
    """How the model behind an alias is tuned again. model: what is tuned; null: the champion's base. from_champion: goes on
    from the champion itself. dataset: its newest version is tuned on; training_file and validation_file: where none is named.
    """

    model: str | None = None
    from_champion: bool = False
    dataset: str | None = None
    training_file: FileId | None = None
    validation_file: FileId | None = None
    hyperparameters: Hyperparameters | None = None
    triggers: Triggers = Field(default_factory=Triggers)
    gate: GateTerms = Field(default_factory=GateTerms)
    stages: Stages = Field(default_factory=Stages)
    watch: Watch = Field(default_factory=Watch)
    drift: DriftTerms = Field(default_factory=DriftTerms)
    sign: bool = False


class Policy(PolicyCreate, Wire):
    """The alias's: what was decided last."""

    object: Literal["model_alias.policy"] = "model_alias.policy"
    alias: str
    created_at: int


Status = Literal[
    "tuning", "gating", "signing", "ready", "shadow", "share", "all", "settled", "refused", "rolled_back", "failed"
]
OPEN: tuple[Status, ...] = ("tuning", "gating", "signing", "ready", "shadow", "share", "all")

Kind = Literal[
    "policy_set",
    "drifted",
    "version_asked",
    "triggered",
    "tuning_started",
    "tuned",
    "passed",
    "refused",
    "signed",
    "declined",
    "shadowed",
    "shared",
    "promoted",
    "settled",
    "rolled_back",
    "failed",
]

NEXT: dict[Kind, Status] = {
    "triggered": "tuning",
    "tuning_started": "tuning",
    "tuned": "gating",
    "passed": "ready",
    "refused": "refused",
    "signed": "ready",
    "declined": "refused",
    "shadowed": "shadow",
    "shared": "share",
    "promoted": "all",
    "settled": "settled",
    "rolled_back": "rolled_back",
    "failed": "failed",
}
"""What a decision makes of its candidate; "passed" makes it wait where the policy wants a signature."""


class Decision(Wire):
    """A row of the log. by: "policy", or who signed. numbers: what it was decided on. changes: of the candidate."""

    id: str
    object: Literal["model_alias.decision"] = "model_alias.decision"
    alias: str
    candidate: str | None
    kind: Kind
    by: str
    created_at: int
    sentence: Said
    numbers: dict[str, Any] = Field(default_factory=dict)
    changes: dict[str, Any] = Field(default_factory=dict)


class Candidate(Wire):
    """A model that may take the champion's place; every field but the first four is the fold of its decisions."""

    id: str
    object: Literal["model_alias.candidate"] = "model_alias.candidate"
    alias: str
    created_at: int
    status: Status = "tuning"
    champion: str | None = None
    model: str | None = None
    fine_tuning_job: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    dataset_version: str | None = None
    share: float = 0.0
    since: int = 0
    """The last prediction that was kept when its stage began."""

    def after(self, decision: Decision) -> "Candidate":
        """The candidate once this has been decided."""
        status = NEXT.get(decision.kind, self.status)
        return self.model_copy(update={"status": status, "share": 0.0, **decision.changes})


class CandidateCreate(Request):
    """A candidate by hand: a model that is there, or data to tune one on; otherwise what the policy names."""

    model: str | None = None
    training_file: FileId | None = None
    validation_file: FileId | None = None
    dataset_version: str | None = None


class Signature(Request):
    """approve: false sends the candidate away. by: whose signature it is."""

    approve: bool
    by: Annotated[str, Field(min_length=1, max_length=128)]
    comment: Annotated[str, Field(max_length=2_000)] | None = None
