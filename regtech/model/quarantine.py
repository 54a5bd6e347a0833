"""Reason codes of the quarantine: a closed set, each with what it means and what to do."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "not_json": "the line is not one JSON value",
    "not_object": "the line is JSON but not an object",
    "encoding": "the bytes are not valid UTF-8, or contain a NUL or a raw control character",
    "duplicate_key": "a key appears twice in the same object",
    "too_long": "the record is longer than the limit",
    "too_deep": "objects or lists are nested deeper than the limit",
    "columns": "the row has not as many cells as the header has names",
    "unknown_type": "the type is not one of the event types",
    "missing_field": "a field that every such event needs is missing",
    "wrong_type": "the field has a value of the wrong JSON type",
    "bad_number": "not a decimal number in plain notation (exponents, NaN and floats are refused)",
    "amount_precision": "more decimals than the currency has",
    "amount_range": "the number is too large to be held exactly",
    "negative": "the amount is negative",
    "unknown_currency": "the currency is neither in ISO 4217 nor a declared virtual asset",
    "bad_time": "not an RFC 3339 date and time",
    "missing_offset": "the time has no offset from UTC; it is never guessed",
    "bad_date": "not a date YYYY-MM-DD",
    "unknown_word": "the word is not one of those the field allows",
    "conflict": "the reporter has sent another event under the same id",
    "late": "older than the allowed lateness; feed it again with all of its history",
    "capacity": "the record cannot be held within the declared bounds",
}
"""Code to meaning. The reference page of the quarantine is checked against this table."""
