"""One's own settings of the pages, and every component that they are made of."""

from __future__ import annotations

from typing import Final

from fastapi import Response

from casework.web.drawing import sparkline
from casework.web.flows import DATA, MONEY, Flow, drawn
from casework.web.render import gettext, page
from casework.web.site import page_router
from casework.web.visit import Anybody, Person

router = page_router()

ZONES: Final = (
    "UTC", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Tokyo", "Asia/Kuala_Lumpur",
    "Asia/Dubai", "Europe/London", "Europe/Berlin", "Europe/Malta", "America/New_York",
    "America/Chicago", "America/Los_Angeles", "Australia/Sydney",
)  # fmt: skip

_MONEY: Final = (("USD", "125000.00"),)
FLOWS: Final = (
    Flow(DATA, "CN", "US", 5, 12_000, (), True),
    Flow(MONEY, "HK", "SG", 3, None, _MONEY, False),
    Flow(MONEY, "SG", "HK", 2, None, _MONEY, False),
    Flow(DATA, "CN", "SG", 2, 300, (), False),
    Flow(MONEY, "UK", "HK", 1, None, _MONEY, False),
    Flow(MONEY, "US", "US", 1, None, _MONEY, False),
    Flow(DATA, "EU", "IN", 1, 40, (), False),
)
"""Both ways, both kinds, within one country, and from a place that no map has as a point."""


@router.get("/preferences")
def show(visit: Anybody) -> Response:
    """Language, colours and clock."""
    zones = sorted({*ZONES, visit.zone})
    return page(visit, "settings", title=gettext(visit, "Settings"), zones=zones)


@router.get("/styleguide")
def styleguide(visit: Person) -> Response:
    """Every component with an example."""
    return page(
        visit,
        "styleguide",
        title=gettext(visit, "Components"),
        line=sparkline([3, 5, 4, 8, 6, 9]),
        flows=FLOWS,
        flow_drawing=drawn(FLOWS),
    )
