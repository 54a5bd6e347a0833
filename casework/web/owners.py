"""Who owns whom, as findings of rules tell it: holdings, and a drawing of them in layers.

Owners stand above what they own. A holding that would lead back up, as of companies that own each
other, is drawn as it is; the layers follow from the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

BOXES_MAX: Final = 40
"""More are a table alone."""

BOX: Final = (150, 40)
_GAP: Final = (22, 56)


@dataclass(frozen=True, slots=True)
class Holding:
    """An owner and what it owns. ``share``: a part of the whole as a fraction in text, "" where it
    is control that is known and no share.
    """

    owner: str
    owned: str
    share: str

    @property
    def percent(self) -> str:
        """The share in percent, with at most two digits behind the point; "≈" where it is cut."""
        try:
            value = Fraction(self.share) * 100
        except (ValueError, ZeroDivisionError):
            return self.share
        cut = round(value * 100)
        whole, part = divmod(cut, 100)
        text = f"{whole}.{part:02d}".rstrip("0").rstrip(".")
        return f"{'' if value * 100 == cut else '≈ '}{text} %"


@dataclass(frozen=True, slots=True)
class Box:
    """A party in the drawing, by its middle at the top. ``role``: what findings say that it is."""

    party: str
    role: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Arrow:
    """A holding in the drawing: path for SVG, and where its share is written."""

    holding: Holding
    path: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class OwnerDrawing:
    """Boxes and arrows in a frame of ``width`` by ``height``."""

    width: int
    height: int
    box: tuple[int, int]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def holdings(alerts: Iterable[Mapping[str, Any]]) -> tuple[list[Holding], dict[str, str]]:
    """(holdings that findings name, role of a party where it has one: "owner" or "entity")."""
    found: dict[tuple[str, str], Holding] = {}
    roles: dict[str, str] = {}

    def hold(owner: Any, owned: Any, share: Any) -> None:
        if owner and owned and owner != owned:
            key = (str(owner), str(owned))
            # A share says more than control alone, whichever came first.
            if not found.get(key, Holding(*key, "")).share:
                found[key] = Holding(*key, "" if share is None else str(share))

    for alert in alerts:
        for finding in (alert.get("findings") or {}).values():
            if not isinstance(finding, Mapping):
                continue
            for owner in finding.get("owners") or ():
                roles[str(owner.get("owner"))] = "owner"
                roles.setdefault(str(owner.get("entity")), "entity")
                for path in owner.get("paths") or ():
                    for link in path:
                        hold(link.get("owner"), link.get("owned"), link.get("share"))
            if finding.get("owned") and not finding.get("owners"):
                roles.setdefault(str(finding["owned"]), "entity")
                hold(finding.get("owner"), finding["owned"], finding.get("share"))
            parties, controllers = finding.get("parties") or (), finding.get("controlled_by") or ()
            for party, controller in zip(parties, controllers, strict=False):
                roles[str(controller)] = "owner"
                roles.setdefault(str(party), "entity")
                hold(controller, party, None)
    return list(found.values()), roles


def _layers(found: Sequence[Holding]) -> dict[str, int]:
    """The layer of each party, 0 at the top: below all of its owners, as far as that can be."""
    layer = {party: 0 for one in found for party in (one.owner, one.owned)}
    # A circle would push its parties down for ever: no chain is longer than there are parties.
    for _ in range(len(layer)):
        moved = False
        for one in found:
            if layer[one.owned] <= layer[one.owner] < len(layer) - 1:
                layer[one.owned] = layer[one.owner] + 1
                moved = True
        if not moved:
            return layer
    order = {number: row for row, number in enumerate(sorted(set(layer.values())))}
    return {party: order[number] for party, number in layer.items()}


def drawn(found: Sequence[Holding], roles: Mapping[str, str]) -> OwnerDrawing | None:
    """The drawing of holdings; None where there are none, or too many to be told apart."""
    layer = _layers(found)
    if not found or len(layer) > BOXES_MAX:
        return None
    rows: dict[int, list[str]] = {}
    for party, number in layer.items():
        rows.setdefault(number, []).append(party)
    (wide, high), (gap, below) = BOX, _GAP
    width = max(len(row) for row in rows.values()) * (wide + gap) + gap
    height = len(rows) * (high + below) - below + 2
    place: dict[str, tuple[float, float]] = {}
    for number, row in sorted(rows.items()):
        # Below the middle of its owners, so that lines cross less.
        above = {
            party: [
                place[one.owner][0] for one in found if one.owned == party and one.owner in place
            ]
            for party in row
        }
        row.sort(key=lambda p: (sum(above[p]) / len(above[p]) if above[p] else 0.0, p))
        step = width / len(row)
        for column, party in enumerate(row):
            place[party] = (round(step * (column + 0.5), 1), number * (high + below) + 1)
    arrows = []
    for one in found:
        (x1, y1), (x2, y2) = place[one.owner], place[one.owned]
        down = y2 > y1
        start, end = (y1 + high, y2 - 6) if down else (y1 + high / 2, y2 + high + 6)
        middle = (start + end) / 2
        path = f"M{x1:g} {start:g}C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {end:g}"
        arrows.append(Arrow(one, path, round((x1 + x2) / 2, 1), round(middle + 4, 1)))
    boxes = tuple(Box(party, roles.get(party, ""), *place[party]) for party in layer)
    return OwnerDrawing(width, height, BOX, boxes, tuple(arrows))
