"""NDJSON: bytes to columns, exact, each bad line set aside alone."""
