"""responses: what they were asked with, branches of threads, and whom a thread was made for"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def _columns() -> tuple[tuple[str, list[sa.Column[object]]], ...]:
    return (
        (
            "threads",
            [
                sa.Column("made_for", sa.String(length=16), nullable=False, server_default="client"),
                sa.Column("parent_id", sa.String(length=64)),
                sa.Column("parent_message", sa.BigInteger()),
                sa.Column("parent_step", sa.BigInteger()),
            ],
        ),
        (
            "runs",
            [
                sa.Column("asked", sa.Text()),
                sa.Column("input_message", sa.BigInteger()),
                sa.Column("input_step", sa.BigInteger()),
                sa.Column("response_deleted", sa.Boolean(), nullable=False, server_default=sa.false()),
            ],
        ),
    )


def upgrade() -> None:
    for table, columns in _columns():
        for column in columns:
            op.add_column(table, column)
    _index("branches_of_thread", "parent_id", "parent_id IS NOT NULL")
    _index("passing_threads", "seq", "made_for = 'passing'")


def _index(name: str, column: str, where: str) -> None:
    op.create_index(name, "threads", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    op.drop_index("passing_threads", "threads")
    op.drop_index("branches_of_thread", "threads")
    for table, columns in _columns():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
