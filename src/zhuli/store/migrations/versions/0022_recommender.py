"""recommenders: items, the log of events, lists that were shown, trainings"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
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
    _object_table("recommenders")
    op.create_index("recommenders_of_project", "recommenders", ["project_id", "seq"])
    op.create_table(
        "recommender_items",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("recommender_id", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("vector", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("recommender_id", "item_id", name="one_row_per_item"),
        sqlite_autoincrement=True,
    )
    op.create_index("items_of_recommender", "recommender_items", ["recommender_id", "seq"])
    op.create_table(
        "recommender_events",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("recommender_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("end_user", sa.String(length=256), nullable=False),
        sa.Column("item_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("list_id", sa.String(length=64)),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("recommender_id", "event_id", name="one_row_per_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_recommender", "recommender_events", ["recommender_id", "seq"])
    op.create_index("events_of_user", "recommender_events", ["recommender_id", "end_user", "at"])
    op.create_index(
        "events_of_list",
        "recommender_events",
        ["list_id"],
        sqlite_where=sa.text("list_id IS NOT NULL"),
        postgresql_where=sa.text("list_id IS NOT NULL"),
    )
    _object_table(
        "recommender_lists",
        sa.Column("recommender_id", sa.String(length=64), nullable=False),
        sa.Column("end_user", sa.String(length=256), nullable=False),
        sa.Column("way_a", sa.String(length=16)),
        sa.Column("way_b", sa.String(length=16)),
    )
    op.create_index("lists_of_user", "recommender_lists", ["recommender_id", "end_user"])
    op.create_index(
        "lists_compared",
        "recommender_lists",
        ["recommender_id", "way_a", "way_b"],
        sqlite_where=sa.text("way_a IS NOT NULL"),
        postgresql_where=sa.text("way_a IS NOT NULL"),
    )
    _object_table(
        "recommender_trainings",
        sa.Column("recommender_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
    )
    op.create_index("trainings_of_recommender", "recommender_trainings", ["recommender_id", "seq"])


def downgrade() -> None:
    for table in ("trainings", "lists", "events", "items"):
        op.drop_table(f"recommender_{table}")
    op.drop_table("recommenders")
