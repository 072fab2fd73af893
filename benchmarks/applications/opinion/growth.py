"""How a monitor's rows and queries grow: items are put straight into the tables of a PostgreSQL of its own, as readings leave
them.

    python -m benchmarks.applications.opinion.growth [--items 1000000]

Printed at a tenth of that and at all of it: bytes a table and an item, and how long the queries of the API take on the server's
side (EXPLAIN ANALYZE, the median of five). Items come from 500 companies over a year; each is in four series.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from sqlalchemy import Connection, text

from benchmarks.postgres import started
from zhuli.core.hints import Hints
from zhuli.store import migrate
from zhuli.store.opening import open_database

COMPANIES = 500
AT_ONCE = 50_000
BEGIN = 480_000 * 3_600
YEAR = 365 * 86_400

ENTRIES = """
INSERT INTO opinion_entries (monitor_id, number, key, revision, body)
SELECT 'opmon_growth', n, 'item-' || n, 1, repeat('News of company ' || n % 500 || ', ', 10) FROM generate_series(:first, :last) n
"""
ITEMS = """
INSERT INTO opinion_items
  (monitor_id, key, id, project_id, number, revision, at, digest, story, body, reading, counted, signature)
SELECT 'opmon_growth', 'item-' || n, 'opit_' || md5(n::text), 'p', n, 1, :begin + (n::bigint * 7919 % :year), md5(n::text),
  CASE WHEN n % 5 = 0 THEN 'item-' || n - 1 END, repeat('News of company ' || n % 500 || ', ', 10),
  repeat('{"label": "negative"}', 20), repeat('"all": "negative"', 8),
  decode(repeat(md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) || md5((n + 3)::text), 8), 'hex')
FROM generate_series(:first, :last) n
"""
COUNTS = """
INSERT INTO opinion_counts (monitor_id, series, hour, positive, neutral, negative, unknown, reach, negative_reach)
SELECT 'opmon_growth', s, hour, 1, 2, 1, 0, 5, 1 FROM (
  SELECT DISTINCT s, ((:begin + (n::bigint * 7919 % :year)) / 3600)::bigint AS hour FROM generate_series(:first, :last) n,
  LATERAL (VALUES ('all'), ('source:' || n % 20), ('topic:' || n % 10), ('company:' || n % 500)) v(s)) each
ON CONFLICT (monitor_id, series, hour) DO UPDATE SET reach = opinion_counts.reach + 1
"""

LATE = (BEGIN + YEAR) // 3_600
ITEM = "SELECT * FROM opinion_items WHERE monitor_id = 'opmon_growth'"
ENTRY = "SELECT * FROM opinion_entries WHERE monitor_id = 'opmon_growth'"
OF = "FROM opinion_counts WHERE monitor_id = 'opmon_growth' AND hour >="
QUERIES = {
    "the newest 20 items": f"{ITEM} ORDER BY at DESC, key DESC LIMIT 21",
    "an item by its id": f"{ITEM} AND key = 'item-4711'",
    "the next 256 entries": f"{ENTRY} AND number > 4711 ORDER BY number LIMIT 256",
    "a company's week by hours": f"SELECT hour, sum(negative) {OF} {LATE - 168} AND series = 'company:7' GROUP BY hour",
    "a company's year by days": f"SELECT hour - hour % 24 d, sum(negative) {OF} 0 AND series = 'company:7' GROUP BY d",
    "all series of a week": f"SELECT series, sum(negative) {OF} {LATE - 168} GROUP BY series",
    "counts for the alarms, two days of 62": f"SELECT series, hour, negative {OF} {LATE - 48} "
    "AND (series = 'all' OR negative > 0 AND series LIKE 'company:%') ORDER BY hour",
}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zhuli-growth-") as place, started(Path(place) / "pg") as url:
        database = open_database(url, Hints())
        await database.run(migrate.upgrade)
        there = 0
        for size in (asked.items // 10, asked.items):
            began = time.monotonic()
            for first in range(there + 1, size + 1, AT_ONCE):
                await database.run(_fill, first, min(size, first + AT_ONCE - 1))
            there = size
            print(f"\n{size:,} items ({time.monotonic() - began:.0f} s to fill)", flush=True)
            await database.run(_tell, size)
        await database.aclose()


def _fill(connection: Connection, first: int, last: int) -> None:
    given = {":first": first, ":last": last, ":begin": BEGIN, ":year": YEAR}
    for statement in (ENTRIES, ITEMS, COUNTS):
        for name, value in given.items():
            statement = statement.replace(name, str(value))
        connection.exec_driver_sql(statement)


def _tell(connection: Connection, size: int) -> None:
    connection.execute(text("ANALYZE"))
    for table in ("opinion_entries", "opinion_items", "opinion_counts"):
        parts = f"SELECT inhrelid FROM pg_inherits WHERE inhparent = '{table}'::regclass UNION ALL SELECT '{table}'::regclass"
        found = connection.execute(
            text(f"SELECT sum(pg_total_relation_size(oid)) FROM ({parts}) AS p(oid)")
        ).scalar_one()
        print(f"{table}: {int(found) / 1e6:,.0f} MB, {int(found) / size:,.0f} bytes an item")
    for name, query in QUERIES.items():
        times = []
        for _ in range(5):
            plan = connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")).scalar_one()
            times.append(plan[0]["Execution Time"])
        print(f"{name}: {statistics.median(times):.2f} ms")


if __name__ == "__main__":
    asyncio.run(main())
