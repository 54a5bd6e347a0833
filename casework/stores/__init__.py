"""Where the record is kept: in memory, or in SQLite or PostgreSQL."""
