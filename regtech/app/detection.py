"""The detectors that rules can ask, wired."""

from __future__ import annotations

from regtech.ports.detection import Detectors


def shipped_detectors() -> Detectors:
    """What answers the functions and ``detect:`` of rules."""
    return ()
