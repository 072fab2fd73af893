"""evaluations, their runs and the items of these"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _objects(name: str, *columns: sa.schema.SchemaItem) -> None:
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
    _objects("evals", sa.Column("updated_at", sa.BigInteger(), nullable=False))
    op.create_index("evals_of_project", "evals", ["project_id", "seq"])
    _objects(
        "eval_runs",
        sa.Column("eval_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("data_source", sa.Text(), nullable=False),
    )
    op.create_index("runs_of_eval", "eval_runs", ["eval_id", "seq"])
    _objects(
        "eval_items",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("given", sa.Text(), nullable=False),
        sa.UniqueConstraint("run_id", "number", name="item_of_run"),
    )


def downgrade() -> None:
    op.drop_table("eval_items")
    op.drop_index("runs_of_eval", table_name="eval_runs")
    op.drop_table("eval_runs")
    op.drop_index("evals_of_project", table_name="evals")
    op.drop_table("evals")
