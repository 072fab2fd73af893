"""retuning behind aliases, and what it is decided on"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _object_table(name: str, *columns: sa.Column[object]) -> None:
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


def upgrade() -> None:
    _object_table(
        "alias_decisions",
        sa.Column("alias", sa.String(length=128), nullable=False),
        sa.Column("candidate_id", sa.String(length=64)),
        sa.Column("kind", sa.String(length=32), nullable=False),
    )
    op.create_index("decisions_of_alias", "alias_decisions", ["project_id", "alias", "seq"])
    op.create_index("decisions_of_candidate", "alias_decisions", ["candidate_id", "seq"])
    op.create_index("decisions_by_kind", "alias_decisions", ["kind", "seq"])
    _object_table(
        "alias_candidates",
        sa.Column("alias", sa.String(length=128), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )
    op.create_index("candidates_of_alias", "alias_candidates", ["project_id", "alias", "seq"])
    op.create_index(
        "one_active_candidate_per_alias",
        "alias_candidates",
        ["project_id", "alias"],
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "served_predictions",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("alias", sa.String(length=128), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("prediction_id", sa.String(length=64)),
        sa.Column("label", sa.String(length=512)),
        sa.Column("confidence", sa.Float()),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("error", sa.Boolean(), nullable=False),
        sa.Column("agreed", sa.Boolean()),
        sa.Column("text", sa.Text()),
        sa.Column("vector", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("served_by_alias", "served_predictions", ["project_id", "alias", "seq"])
    op.create_index("served_by_model", "served_predictions", ["project_id", "alias", "model", "seq"])
    op.create_table(
        "drift_windows",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("alias", sa.String(length=128), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("fired", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("project_id", "alias", "since", "number", name="one_row_per_window"),
    )


def downgrade() -> None:
    op.drop_table("drift_windows")
    op.drop_table("served_predictions")
    op.drop_table("alias_candidates")
    op.drop_table("alias_decisions")
