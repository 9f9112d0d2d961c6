"""Engines run SQL and write Parquet files; the lake commits those files."""
