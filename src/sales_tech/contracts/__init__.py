"""What packs and tables promise, read from YAML and SQL and checked before any data is."""
