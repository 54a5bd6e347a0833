"""Who is asked for on lists of names, and what they may be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from casework.api.types.common import Given, Line, Moment, Shown

_DAY = r"^(\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?)?$"
Kind = Literal["", "person", "entity", "vessel", "aircraft"]
Country = Annotated[str, Field(pattern=r"^[A-Za-z]{2}$", examples=["RU"])]


class Screen(Given):
    """A party, or a text of a payment: one of ``name`` and ``text``."""

    name: Annotated[str, Field(max_length=400)] = ""
    text: Annotated[
        str, Field(max_length=10_000, description="Free text in which to look for listed names.")
    ] = ""
    kind: Kind = Field("", description="What the name is, where that is known.")
    born: Annotated[str, Field(pattern=_DAY, description="1970, 1970-03, 1970-03-21.")] = ""
    countries: Annotated[list[Country], Field(max_length=20)] = []
    lists: Annotated[list[Line], Field(max_length=50, description="Only these lists.")] = []
    at: Moment | None = Field(None, description="As the lists stood then; now where left out.")
    threshold: Annotated[float, Field(ge=0.5, le=1.0, description="Scores from this on.")] = 0.9


class ScreenPart(Shown):
    """One thing that speaks for or against it."""

    part: str
    en: str
    zh: str
    log_odds: float
    asked: str = ""
    listed: str = ""


class ScreenWords(Shown):
    """Two words that stand for one another, or one that has no counterpart."""

    left: str
    right: str
    relation: str
    en: str
    zh: str
    alike: float
    log_odds: float


class ScreenIdentifier(Shown):
    """An exact identifier that is equal."""

    kind: str
    value: str


Programs = list[str]
Parts = list[ScreenPart]
Words = list[ScreenWords]


class ScreenHit(Shown):
    """An entry of a list. The log-odds of its parts add up to its score."""

    query: str
    list: str
    entry: str
    name: str = Field(description="The name of the entry that fits best.")
    primary: str
    quality: str
    kind: str
    programs: Programs
    score: float
    name_score: float = Field(description="The name alone, without dates and countries.")
    parts: Parts
    words: Words
    identifier: ScreenIdentifier | None = None
    start: int | None = Field(None, description="Where in the text it begins, in characters.")
    end: int | None = None


class Screened(Shown):
    """What was found, best first; of a text in its order."""

    items: list[ScreenHit]
    cut: bool = Field(description="The text was longer than what is read of one.")
    lists: list[str] = Field(description="What was asked.")
    unknown: list[str] = Field(description="Lists that are not there, or not from so early.")
