"""Reference points of countries for the map: ``python tools/places.py`` here after ``npm ci``.

Each is the centre of the largest piece of land that Natural Earth (public domain, 1:50 million, as
``world-atlas`` packs it) gives to a code; codes are those of ISO 3166-1 by CLDR. A point says where
a label stands and nothing about a border.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from babel.core import get_global

HERE = Path(__file__).resolve().parent.parent
SOURCE = HERE / "node_modules" / "world-atlas" / "countries-50m.json"
OUT = HERE / "src" / "map" / "places.json"
MOVED = {"UK": "GB"}
"""Codes of jurisdictions that are no territories of ISO."""


def main() -> None:
    """Writes longitude and latitude by code, in tenths of a degree."""
    atlas = json.loads(SOURCE.read_text("utf-8"))
    arcs = [_decoded(arc, atlas["transform"]) for arc in atlas["arcs"]]
    codes = {
        number: names[0]
        for number, names in get_global("territory_aliases").items()
        if number.isdecimal() and len(names) == 1 and len(names[0]) == 2
    }
    found: dict[str, list[float]] = {}
    for country in atlas["objects"]["countries"]["geometries"]:
        code = codes.get(str(country.get("id", "")))
        if code:
            found[code] = list(_centre(country, arcs))
    found.update({code: found[other] for code, other in MOVED.items()})
    OUT.write_text(json.dumps(dict(sorted(found.items())), separators=(",", ":")) + "\n", "utf-8")


def _decoded(arc: list[list[int]], transform: dict[str, Any]) -> list[tuple[float, float]]:
    (kx, ky), (dx, dy) = transform["scale"], transform["translate"]
    x = y = 0
    points = []
    for step_x, step_y in arc:
        x, y = x + step_x, y + step_y
        points.append((x * kx + dx, y * ky + dy))
    return points


def _centre(country: dict[str, Any], arcs: list[list[tuple[float, float]]]) -> tuple[float, float]:
    parts = country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]
    area, x, y = max((_weighed(_ring(part[0], arcs)) for part in parts), key=lambda one: one[0])
    x = (x + 180) % 360 - 180
    return round(x, 1), round(math.degrees(math.asin(max(-1.0, min(1.0, y)))), 1)


def _ring(numbers: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for number in numbers:
        part = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += part[1:] if points else part
    ring, turned = [], 0.0
    for number, (x, y) in enumerate(points):
        if number:
            # Land on both sides of 180 degrees goes on beyond them.
            turned += 360 * round((points[number - 1][0] - x) / 360)
        ring.append((x + turned, math.sin(math.radians(y))))
    return ring


def _weighed(ring: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Area and centre in a projection that keeps areas."""
    double = x = y = 0.0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = x1 * y2 - x2 * y1
        double, x, y = double + cross, x + (x1 + x2) * cross, y + (y1 + y2) * cross
    if not double:
        return 0.0, ring[0][0], ring[0][1]
    return abs(double), x / (3 * double), y / (3 * double)


if __name__ == "__main__":
    main()
