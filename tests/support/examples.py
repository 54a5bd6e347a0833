"""How many examples the costly property tests draw: few each time, many in ``make fuzz``."""

from __future__ import annotations

import os

FACTOR = int(os.environ.get("REGTECH_PROPERTY_FACTOR", "1"))


def examples(number: int) -> int:
    """So many in ``make test``; ``REGTECH_PROPERTY_FACTOR`` times as many where that is set."""
    return number * FACTOR
