"""what models were asked for, by minute and by hour"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("api_key_id", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=256), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "usage_minutes",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.String(length=64), nullable=False),
        *_columns(),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint(
            "start", "process", "kind", "project_id", "api_key_id", "model", name="one_count_per_minute"
        ),
    )
    op.create_index("usage_minutes_of_project", "usage_minutes", ["project_id", "kind", "start"])
    op.create_table(
        "usage_hours",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        *_columns(),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("start", "kind", "project_id", "api_key_id", "model", name="one_count_per_hour"),
    )
    op.create_index("usage_hours_of_project", "usage_hours", ["project_id", "kind", "start"])


def downgrade() -> None:
    op.drop_table("usage_hours")
    op.drop_table("usage_minutes")
