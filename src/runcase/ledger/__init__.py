"""Floor 3: names every record, and the only floor that opens Parquet."""
