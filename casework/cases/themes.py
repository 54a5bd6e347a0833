"""Themes of cases: what they are called, which points are to be gone through, what is secret.

Themes are content (``policies/themes.yml``); whoever reads it hands the themes over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Text = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a checklist. A required one is ticked off before the case is closed."""

    id: str
    title: Text
    required: bool = False


COMMON: Final = (
    Point("facts", {"en": "Facts checked against the events", "zh": "已与事件核对事实"}, True),
    Point("law", {"en": "Article and its date checked", "zh": "已核对条文及其生效时间"}, True),
)
"""The points of every theme, before its own."""


@dataclass(frozen=True, slots=True)
class Theme:
    """What a case is about. ``secret``: an institution never learns of an indicator in it.

    ``points`` are the theme's own; ``checklist`` has the common ones as well.
    """

    id: str
    title: Text
    points: tuple[Point, ...] = ()
    secret: bool = False

    @property
    def checklist(self) -> tuple[Point, ...]:
        """Every point that is to be gone through, in order."""
        return COMMON + self.points


class Themes:
    """Themes by id. One that is not known is secret and has the common points."""

    def __init__(self, themes: Iterable[Theme] = ()) -> None:
        self._by_id = {theme.id: theme for theme in themes}

    def of(self, identity: str) -> Theme:
        """The theme of an id."""
        found = self._by_id.get(identity)
        return found or Theme(identity, {"en": identity, "zh": identity}, secret=True)

    def __iter__(self) -> Iterator[Theme]:
        return iter(self._by_id.values())

    def missing(self, identity: str, ticked: frozenset[str]) -> tuple[Point, ...]:
        """Required points of a theme that are not ticked off."""
        return tuple(p for p in self.of(identity).checklist if p.required and p.id not in ticked)
