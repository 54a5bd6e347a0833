"""The index in an SQLite file of its own, by FTS5: the default, nothing to start."""
