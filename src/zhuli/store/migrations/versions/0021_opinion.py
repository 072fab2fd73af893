"""the opinion monitor: entries, items, counts, alerts, deliveries; on PostgreSQL the first two are partitioned"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0013"
branch_labels = None
depends_on = None

_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_ENTRIES_EACH = 5_000_000
_ENTRY_PARTS = 20
_ITEM_PARTS = 8


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


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _partition() -> None:
    """Entries by their numbers, which only grow: old parts are not written any more. Items by hash, for they change."""
    for part in range(_ENTRY_PARTS):
        first, last = part * _ENTRIES_EACH, (part + 1) * _ENTRIES_EACH
        low = "MINVALUE" if part == 0 else str(first)
        op.execute(
            f"CREATE TABLE opinion_entries_{part} PARTITION OF opinion_entries FOR VALUES FROM ({low}) TO ({last})"
        )
    op.execute("CREATE TABLE opinion_entries_rest PARTITION OF opinion_entries DEFAULT")
    for part in range(_ITEM_PARTS):
        op.execute(
            f"CREATE TABLE opinion_items_{part} PARTITION OF opinion_items "
            f"FOR VALUES WITH (MODULUS {_ITEM_PARTS}, REMAINDER {part})"
        )


def upgrade() -> None:
    _object_table("opinion_monitors")
    op.create_index("opinion_monitors_of_project", "opinion_monitors", ["project_id", "seq"])
    op.create_table(
        "opinion_progress",
        sa.Column("monitor_id", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("read", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("watermark", sa.Float()),
        sa.Column("evaluated", sa.BigInteger()),
        sa.Column("failure", sa.String(length=2048)),
        sa.PrimaryKeyConstraint("monitor_id"),
    )
    op.create_table(
        "opinion_entries",
        sa.Column("monitor_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text()),
        sa.PrimaryKeyConstraint("monitor_id", "number"),
        postgresql_partition_by="RANGE (number)",
    )
    op.create_table(
        "opinion_items",
        sa.Column("monitor_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("end_user", sa.String(length=256)),
        sa.Column("story", sa.String(length=256)),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text()),
        sa.Column("counted", sa.Text()),
        sa.Column("signature", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("monitor_id", "key"),
        postgresql_partition_by="HASH (monitor_id, key)",
    )
    if op.get_bind().dialect.name == "postgresql":
        _partition()
    op.create_index("opinion_items_by_time", "opinion_items", ["monitor_id", "at"])
    op.create_index("opinion_items_by_number", "opinion_items", ["monitor_id", "number"])
    op.create_index("opinion_items_by_id", "opinion_items", ["id"])
    _partial("opinion_items_of_story", "opinion_items", ["monitor_id", "story"], "story IS NOT NULL")
    _partial("opinion_items_of_end_user", "opinion_items", ["project_id", "end_user"], "end_user IS NOT NULL")
    op.create_table(
        "opinion_counts",
        sa.Column("monitor_id", sa.String(length=64), nullable=False),
        sa.Column("series", sa.String(length=192), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("positive", sa.Integer(), nullable=False),
        sa.Column("neutral", sa.Integer(), nullable=False),
        sa.Column("negative", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("reach", sa.Integer(), nullable=False),
        sa.Column("negative_reach", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("monitor_id", "series", "hour"),
    )
    op.create_index("opinion_counts_by_hour", "opinion_counts", ["monitor_id", "hour"])
    _object_table(
        "opinion_alerts",
        sa.Column("monitor_id", sa.String(length=64), nullable=False),
        sa.Column("series", sa.String(length=192), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("last_hour", sa.BigInteger(), nullable=False),
        sa.Column("silenced_until", sa.Float()),
        sa.Column("escalates_at", sa.Float()),
    )
    op.create_index("opinion_alerts_of_monitor", "opinion_alerts", ["monitor_id", "seq"])
    op.create_index("opinion_alerts_of_series", "opinion_alerts", ["monitor_id", "series", "seq"])
    _partial("opinion_alerts_to_escalate", "opinion_alerts", ["escalates_at"], "escalates_at IS NOT NULL")
    _object_table(
        "opinion_alert_events",
        sa.Column("alert_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
    )
    op.create_index("opinion_events_of_alert", "opinion_alert_events", ["alert_id", "seq"])
    op.create_table(
        "opinion_deliveries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("project_id", sa.String(length=64), nullable=False),
        sa.Column("monitor_id", sa.String(length=64), nullable=False),
        sa.Column("alert_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float()),
        sa.PrimaryKeyConstraint("id"),
    )
    _partial("opinion_deliveries_due", "opinion_deliveries", ["due_at"], "due_at IS NOT NULL")
    op.create_index("opinion_deliveries_of_alert", "opinion_deliveries", ["alert_id"])


def downgrade() -> None:
    for name in (
        "opinion_deliveries",
        "opinion_alert_events",
        "opinion_alerts",
        "opinion_counts",
        "opinion_items",
        "opinion_entries",
        "opinion_progress",
        "opinion_monitors",
    ):
        op.drop_table(name)
