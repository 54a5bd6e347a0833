"""Reference data: dated, loaded once, read-only to rules; nothing here reads the clock."""
