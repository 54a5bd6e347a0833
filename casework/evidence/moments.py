"""Moments as they are written in signed documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(us: int) -> str:
    """Microseconds since 1970 as RFC 3339 in UTC: ``2026-11-22T06:45:18.000001Z``."""
    text = (_EPOCH + timedelta(microseconds=us)).replace(tzinfo=None).isoformat("T", "microseconds")
    return text + "Z"
