"""The detectors that rules can ask, wired."""

from __future__ import annotations

from functools import cache

from regtech.ports.detection import Detectors


@cache
def shipped_detectors() -> Detectors:
    """What answers the functions and ``detect:`` of rules."""
    from detectors.ownership.asked import Ownership

    return (Ownership(),)
