"""Errors by run and hour, read from a case's Parquet by Spark SQL alone.

pip install pyspark
spark-submit samples/read_with_spark.py CASE
"""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession


def main() -> None:
    spark = SparkSession.builder.appName("runcase").getOrCreate()
    case = sys.argv[1].rstrip("/")
    spark.read.parquet(f"{case}/ledger/*/events.parquet").createOrReplaceTempView("events")
    spark.read.parquet(f"{case}/analysis/members.parquet").createOrReplaceTempView("members")
    spark.sql("""
        SELECT m.run_id, date_trunc('HOUR', e.ts) AS hour, count(*) AS errors, min_by(e.message, e.ts) AS first_one
        FROM events e JOIN (SELECT DISTINCT run_id, source_id FROM members) m USING (source_id)
        WHERE e.level IN ('error', 'fatal')
        GROUP BY ALL ORDER BY errors DESC, run_id, hour LIMIT 20
    """).show(truncate=60)


if __name__ == "__main__":
    main()
