"""The detectors that rules can ask, wired."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

from regtech.app.settings import setting
from regtech.content import content_root
from regtech.ports.detection import Detectors

TRIAL_LISTS = "lists"
"""Under ``mappings/names``: made-up names that the tests in packs screen against."""


def shipped_detectors(*, trial: bool = False) -> Detectors:
    """What answers the functions and ``detect:`` of rules.

    Names are screened against the lists that ``REGTECH_LISTS`` names; without it rules that screen
    wait. ``trial``: for the tests in packs, against lists of made-up names.
    """
    if trial:
        return _detectors(str(content_root("mappings") / "names" / TRIAL_LISTS))
    return _detectors(setting("REGTECH_LISTS"))


@cache
def _detectors(lists: str) -> Detectors:
    from detectors.graph.asked import Networks
    from detectors.ownership.asked import Ownership
    from regtech.reference.load import Reference

    found: list[Any] = [Ownership(), Networks(Reference.shipped().currencies)]
    if lists:
        found.append(_screening(lists))
    return tuple(found)


def _screening(lists: str) -> Any:
    from detectors.names.asked import Screening
    from regtech.app.names import hit_json, load_screener

    def described(hit: Any) -> dict[str, Any]:
        return {k: v for k, v in hit_json("", "", hit).items() if k not in ("query", "words")}

    return Screening(partial(load_screener, Path(lists), note=lambda _: None), described)
