"""Words of ownership: interests, moments, shares as intervals, outcomes, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from regtech.errors import UsageError
from regtech.model.fields import DECIMAL_SCALE, PARTY_KINDS
from regtech.reference.civil import DAY_US

WHOLE: Final = DECIMAL_SCALE
"""A share of one: shares inside the graph are integers, share times this."""

HALF: Final = Fraction(1, 2)

Comparator = Literal["at_least", "above"]
"""``at_least`` is >= (EU, CN), ``above`` is > (UK, HK)."""


class Interest(IntEnum):
    """Kind of an interest; the names are the words of the event, in lower case."""

    SHARES = 0
    VOTES = 1
    INCOME = 2
    CONTROL = 3
    BOARD = 4
    NOMINEE = 5
    NOMINATOR = 6
    CONCERT = 7
    UNIT = 8


INTERESTS: Final = {interest.name.lower(): interest for interest in Interest}

KINDS: Final = {kind: number for number, kind in enumerate(PARTY_KINDS, 1)}
"""Codes of the kinds of a party; 0 is a kind that nobody has reported."""
PERSON: Final = KINDS["person"]
GOVERNMENT: Final = KINDS["government"]
PRODUCT: Final = KINDS["product"]
ENDS: Final = frozenset({PERSON, GOVERNMENT})
"""Kinds that have no owners."""


class Outcome(Enum):
    """Whether a condition holds; the words are those of alerts."""

    MET = "met"
    NOT_MET = "not_met"
    CANNOT_TELL = "cannot_tell"

    @classmethod
    def any_of(cls, outcomes: list[Outcome]) -> Outcome:
        """``or`` of three-valued logic; not met for none."""
        if cls.MET in outcomes:
            return cls.MET
        return cls.CANNOT_TELL if cls.CANNOT_TELL in outcomes else cls.NOT_MET


class Moment(NamedTuple):
    """A point of time: microseconds since 1970 in UTC, and the local day that is asked about.

    Dates of ``from`` and ``until`` name no zone: they are compared with ``day``. An interest
    without ``from`` begins with its event: that is compared with ``us``.
    """

    us: int
    day: int

    @classmethod
    def of(cls, us: int, offset_us: int = 0) -> Moment:
        """A moment, and the day it is at an offset from UTC."""
        return cls(us, (us + offset_us) // DAY_US)

    @classmethod
    def end_of(cls, day: int) -> Moment:
        """The last moment of a day in UTC."""
        return cls((day + 1) * DAY_US - 1, day)


@dataclass(frozen=True, slots=True)
class Share:
    """A share as exact bounds.

    ``low``: what is reported for certain. ``high``: the most that the reported ranges allow.
    ``open``: the most if parts of which nobody has reported the owner belonged to this one too;
    never below ``high``. All three agree where everything is known.
    """

    low: Fraction
    high: Fraction
    open: Fraction

    @property
    def known(self) -> bool:
        """Whether it is one number."""
        return self.low == self.open

    def outcome(
        self, threshold: Fraction, comparator: Comparator, *, complete: bool = False
    ) -> Outcome:
        """Against a threshold; with ``complete`` what nobody has reported is taken not to be."""
        return compare(self.low, self.high if complete else self.open, threshold, comparator)


NOTHING: Final = Share(Fraction(0), Fraction(0), Fraction(0))
ALL: Final = Share(Fraction(1), Fraction(1), Fraction(1))


def compare(
    low: Fraction | int, high: Fraction | int, threshold: Fraction | int, comparator: Comparator
) -> Outcome:
    """``[low, high] comparator threshold``."""
    if comparator == "at_least":
        if low >= threshold:
            return Outcome.MET
        return Outcome.CANNOT_TELL if high >= threshold else Outcome.NOT_MET
    if comparator != "above":
        raise UsageError(f"no comparator {comparator!r}", hint="at_least or above")
    if low > threshold:
        return Outcome.MET
    return Outcome.CANNOT_TELL if high > threshold else Outcome.NOT_MET


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in what was reported. ``code`` is stable; ``detail`` are the figures."""

    code: str
    owned: str
    owner: str = ""
    detail: str = ""
    ref: str = ""
    """The event that it was found in, where it is one."""


def range_text(low: Fraction, high: Fraction) -> str:
    """Shares of a whole for a finding: ``25 %``, ``25 %–49.5 %``; nine decimals at most."""
    found = [_percent(low)] if low == high else [_percent(low), _percent(high)]
    return "–".join(found)


def _percent(share: Fraction) -> str:
    whole, rest = divmod(round(abs(share) * 10**11), 10**9)
    more = f"{rest:09d}".rstrip("0")
    return f"{'-' if share < 0 else ''}{whole}{'.' + more if more else ''} %"


FINDINGS: Final[dict[str, tuple[str, str]]] = {
    "share_above_whole": ("a share above 1: taken as not known", "持股比例大于1：视为未知"),
    "share_negative": ("a negative share: taken as not known", "持股比例为负：视为未知"),
    "share_reversed": (
        "the least share is above the greatest: taken as not known",
        "最低持股比例高于最高比例：视为未知",
    ),
    "period_reversed": (
        "it ends before it begins: the event is left out",
        "终止早于起始：该事件不予采用",
    ),
    "more_than_whole": (
        "the shares reported add up to more than the whole: each may be overstated by the excess",
        "所报比例合计超过全部：每一项都可能多报该超出部分",
    ),
    "declared_differs": (
        "the total declared is not what the chains give",
        "申报的间接合计与各链条计算结果不符",
    ),
}
"""What a finding means, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A part whose owner cannot be told: where, why, and how much of what was asked about.

    ``party`` is where the chain breaks off. ``code`` is a key of ``MISSING``.
    """

    party: str
    code: str
    part: Fraction
    owner: str = ""


MISSING: Final[dict[str, tuple[str, str]]] = {
    "no_owner": ("nobody is reported as its owner", "无人申报为其所有人"),
    "rest": ("the owners of this part are not reported", "该部分的所有人未申报"),
    "range": ("shares are given as ranges", "持股比例仅有区间"),
    "share": ("how large the share is, is not reported", "持股比例未申报"),
    "nominee": ("for whom the nominee holds is not reported", "代持人为谁代持未申报"),
    "nominee_side": (
        "whether it stands behind the owned or holds it for others is not reported",
        "系委托代持还是受托代持未申报",
    ),
    "ring": (
        "a ring of companies that own each other, without an owner outside",
        "互相持股且无外部所有人",
    ),
    "kind": ("whether it is a natural person is not reported", "是否为自然人未申报"),
    "control": ("who controls it is not reported", "由谁控制未申报"),
}
"""What is missing, in English and Chinese."""
