"""support desks: dialogues, proposals, handoffs, and what happened to them"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _object_table(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )


def _desk() -> sa.Column[str]:
    return sa.Column("desk_id", sa.String(length=64), nullable=False)


def upgrade() -> None:
    _object_table("support_desks")
    op.create_index("desks_of_project", "support_desks", ["project_id", "seq"])
    _object_table("support_tasks", _desk(), sa.Column("status", sa.String(length=16), nullable=False))
    op.create_index("support_tasks_of_desk", "support_tasks", ["desk_id", "seq"])
    op.create_table(
        "support_dialogues",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        _desk(),
        sa.Column("dialogue_id", sa.String(length=256), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("end_user", sa.String(length=256)),
        sa.Column("held_out", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("desk_id", "dialogue_id", name="one_row_per_dialogue"),
        sqlite_autoincrement=True,
    )
    op.create_index("dialogues_of_task", "support_dialogues", ["task_id", "seq"])
    op.create_index("dialogues_of_end_user", "support_dialogues", ["end_user"])
    op.create_table(
        "support_events",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        _desk(),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("support_events_of_subject", "support_events", ["subject_id", "seq"])
    _object_table(
        "support_proposals",
        _desk(),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.UniqueConstraint("desk_id", "kind", "name", name="one_proposal_per_name"),
    )
    op.create_index("proposals_of_desk", "support_proposals", ["desk_id", "seq"])
    _object_table(
        "support_handoffs",
        _desk(),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("thread_id", sa.String(length=64), nullable=False),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index("handoffs_of_desk", "support_handoffs", ["desk_id", "status", "seq"])


def downgrade() -> None:
    for table in (
        "support_handoffs",
        "support_proposals",
        "support_events",
        "support_dialogues",
        "support_tasks",
        "support_desks",
    ):
        op.drop_table(table)
