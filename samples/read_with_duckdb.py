"""Slowest operations of each run, read from a case's Parquet by DuckDB alone.

pip install duckdb
python samples/read_with_duckdb.py CASE
"""

from __future__ import annotations

import sys

import duckdb

QUERY = """
    SELECT w.run_id, r.status, w.kind, w.name, w.duration_us / 1e6 AS seconds, e.message AS begun_by
    FROM read_parquet('{case}/analysis/windows.parquet') w
    JOIN read_parquet('{case}/analysis/runs.parquet') r USING (run_id)
    LEFT JOIN read_parquet('{case}/ledger/*/events.parquet') e
        ON w.start_ref = e.source_id || ':' || e.byte_start || '+' || e.byte_len
    WHERE w.state = 'closed' AND w.kind <> 'residual'
    ORDER BY w.duration_us DESC, w.run_id, w.kind, w.name
    LIMIT 10
"""


def main() -> None:
    case = sys.argv[1].replace("'", "''")
    print(duckdb.sql(QUERY.format(case=case)))


if __name__ == "__main__":
    main()
