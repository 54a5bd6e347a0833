"""CSV and Parquet: rows become the lines that the NDJSON decoder reads, so one set of rules holds.

Column names are field paths (``payer.id``). Cells are text: an empty cell is a missing value, lists
and flags are ``a|b|c`` or JSON text, ``data`` is JSON text. Types are never inferred.
"""
