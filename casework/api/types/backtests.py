"""Backtests of drafts: begun, looked at, cancelled; what they brought, down to an alert."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from casework.api.types.common import AnyObject, Given, PageOf, Shown
from casework.service.outside import BacktestState

ChangeKind = Literal["new", "gone", "moved"]


class NewBacktest(Given):
    """A draft to be held beside the pack in use over events of the past."""

    model_config = ConfigDict(extra="forbid", str_max_length=1_000_000)

    yaml: str = Field(examples=["pack: my-pack\nversion: 1.1.0\n"])
    history: Annotated[
        str,
        Field(max_length=40, description="One of `histories` of the list: journal, history."),
    ] = "journal"


class Backtest(Shown):
    """How far one is."""

    id: str
    state: BacktestState
    pack: str
    jurisdiction: str
    version: str
    base_version: str = Field(description='Of the pack in use it is held beside; "": none.')
    sha256: str = Field(description="Of the draft's text.")
    history: str
    author: str
    made: str
    at: int = Field(description="Bytes of the events that were read.")
    of: int = Field(description="Bytes that are to be read; 0 where nobody knows yet.")
    error: str = Field(description="Why it failed.")


class BacktestList(Shown):
    """Those that are kept, the newest first, and the histories there are."""

    items: list[Backtest]
    histories: list[str]


class Counts(Shown):
    """Alerts by what became of them."""

    new: int
    gone: int
    moved: int


class AllCounts(Counts):
    """With those that are the same."""

    same: int


class RuleCounts(Counts):
    """Of a rule."""

    rule: str


class InstitutionCounts(Counts):
    """Of an institution."""

    institution: str


class Sides(Shown):
    """Alerts in all, by the pack in use and by the draft."""

    base: int
    head: int


class Cause(Shown):
    """What made a difference, and of how many alerts."""

    rule: str
    name: str
    alerts: int


class Bin(Shown):
    """How many values lie there; edges in percent of the figure."""

    from_: int = Field(alias="from")
    to: int
    count: int


class Around(Shown):
    """How values of a measure lie around a figure of the draft."""

    rule: str
    measure: str
    figures: list[str]
    bins: list[Bin]
    beyond: int = Field(description="Values above the last edge.")


class BacktestResult(Shown):
    """What one brought. Alerts that differ come by `changes`; `kept`: how many of them."""

    events: int
    alerts: AllCounts
    sides: Sides
    set_aside: dict[str, int]
    by_rule: list[RuleCounts]
    by_institution: list[InstitutionCounts]
    causes: list[Cause]
    around: list[Around]
    kept: int


class ChangeLine(Shown):
    """An alert that is there on one side alone, or says something else. Personal data is masked."""

    number: int
    change: ChangeKind
    rule: str
    jurisdiction: str
    institution: str
    subject: AnyObject
    period: str | None
    time: str
    causes: list[AnyObject]


class Change(ChangeLine):
    """With the alert of each side; null where there is none."""

    base: AnyObject | None
    head: AnyObject | None


class ChangePage(PageOf):
    """Alerts that differ, in the order of time; of each kind, rule and institution the first."""

    items: list[ChangeLine]
