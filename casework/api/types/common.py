"""What several types share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)


class Given(BaseModel):
    """What is taken: nothing that is not named."""

    model_config = ConfigDict(extra="forbid", str_max_length=20_000)


class Shown(BaseModel):
    """What is given: fields may be added in later versions."""

    model_config = ConfigDict(extra="ignore")


class Text(Shown):
    """A text for people in both languages."""

    en: str
    zh: str = ""


def _usual(moment: datetime) -> datetime:
    if not _EPOCH <= moment < _LAST:
        raise ValueError("a time from 1970 to 2199")
    return moment


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_usual),
    Field(description="RFC 3339 with an offset.", examples=["2026-03-31T18:00:00+08:00"]),
]

Line = Annotated[str, Field(min_length=1, max_length=200)]
Prose = Annotated[str, Field(min_length=1, max_length=20_000)]
Limit = Annotated[int, Field(ge=1, le=200, description="Items of a page.")]
Cursor = Annotated[
    str | None, Field(max_length=1000, description="`after` of the page before; opaque.")
]


def microseconds(moment: datetime) -> int:
    """Since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


class PageOf(Shown):
    """A piece of a list."""

    after: str | None = Field(None, description="Hand it back for the next piece; null at the end.")


AnyObject = dict[str, Any]
