"""What was reported about ownership, by effective date; plain data that snapshots can hold.

An event says what is held after a change: of one owner, owned and interest, the change with the
latest beginning that has been reached is in force until its end. Of two with the same beginning the
one reported later counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.ownership.terms import (
    INTERESTS,
    KINDS,
    WHOLE,
    Finding,
    Interest,
    Moment,
    range_text,
)
from regtech.errors import SnapshotError
from regtech.reference.civil import DAY_US

INDIRECT: Final = 16
"""Added to an interest's number where the share is a total held through others."""
_HELD_AS: Final = tuple(sorted(kind | more for kind in Interest for more in (0, INDIRECT)))
NEVER: Final = 1 << 62
"""An end that does not come."""
ZONE_US: Final = 14 * 3_600_000_000
"""No local day begins earlier or later than this, before or after that of UTC."""

NOMINEES: Final = (Interest.NOMINEE, Interest.NOMINATOR)

EXEMPT_PRODUCTS: Final = ("public_product", "asset_backed")
"""Flags of products that are not counted as a layer."""


class Change(NamedTuple):
    """What is held from a boundary on. Boundaries: see ``boundary``; shares: times ``WHOLE``."""

    start: int
    end: int
    low: int
    high: int
    given: bool
    """Whether a share was reported at all."""
    ref: str


def boundary(us: int, dated: bool) -> int:
    """A beginning or an end: a moment, or (``dated``) the first moment of a day in any zone."""
    return us << 1 | dated


def reached(mark: int, at: Moment) -> bool:
    """Whether a boundary lies at or before a moment."""
    return (at.day * DAY_US if mark & 1 else at.us) >= mark >> 1


class Register:
    """Parties and changes in the order in which they were observed."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.index: dict[str, int] = {}
        self.kinds: list[int] = []
        self.exempt: list[bool] = []
        """Products that are not counted as a layer."""
        self.listed: dict[int, list[tuple[int, bool]]] = {}
        """By party: from which moment on it is known as listed, or as not listed."""
        self.held: dict[int, dict[int, list[Change]]] = {}
        """By owned: (owner * 32 + interest) to its changes in order of their beginnings."""
        self.holds: dict[int, set[int]] = {}
        """By owner: what it has ever been reported to own."""
        self.chained: set[int] = set()
        """Parties of which an owner was ever reported to be owned itself."""
        self.changed: dict[int, int] = {}
        """By owned: how often its holdings have changed."""
        self.nominees: set[int] = set()
        """Parties in which somebody was ever reported as a nominee or behind one."""
        self.ignored: Counter[str] = Counter()
        """Interests of other kinds (such as ``pledge``), which are not owned by."""

    def code(self, party: str) -> int:
        """The number of a party, new or known."""
        number = self.index.get(party)
        return self.add(party) if number is None else number

    def add(self, party: str, kind: int = 0, *, exempt: bool = False) -> int:
        """The number of a party that is not known yet, with its kind, 0 where nobody told it."""
        number = self.index[party] = len(self.names)
        self.names.append(party)
        self.kinds.append(kind)
        self.exempt.append(exempt)
        return number

    def note_party(
        self,
        party: str,
        time_us: int,
        *,
        kind: str | None = None,
        listed: bool | None = None,
        exempt: bool | None = None,
    ) -> None:
        """Facts about a party; ``None`` leaves what was known before."""
        number = self.code(party)
        if kind is not None:
            self.kinds[number] = KINDS.get(kind, 0)
        if exempt is not None:
            self.exempt[number] = exempt
        if listed is not None:
            self.note_listed(number, time_us, listed)

    def note_listed(self, party: int, time_us: int, listed: bool) -> None:
        """From a moment on a party is known as listed, or as not listed."""
        known = self.listed.get(party)
        if known is None:
            self.listed[party] = [(time_us, listed)]
        elif known[-1][0] <= time_us:
            known.append((time_us, listed))
        else:
            known.insert(
                bisect_right(known, time_us, key=lambda entry: entry[0]), (time_us, listed)
            )

    def is_listed(self, party: int, at: Moment) -> bool:
        """Whether a party is known as listed at a moment."""
        return next(
            (listed for us, listed in reversed(self.listed.get(party, ())) if us <= at.us), False
        )

    def observe(
        self,
        owner: str,
        owned: str,
        *,
        time_us: int,
        interest: str | None = None,
        share: int | None = None,
        share_min: int | None = None,
        share_max: int | None = None,
        from_day: int | None = None,
        until_day: int | None = None,
        indirect: bool = False,
        ref: str = "",
    ) -> tuple[Finding, ...]:
        """Take in one ownership event; what is wrong with it. Shares are times ``WHOLE``."""
        kind = INTERESTS.get("shares" if interest is None else interest)
        if kind is None:
            self.ignored[str(interest)] += 1
            return ()
        if from_day is not None and until_day is not None and from_day > until_day:
            return (Finding("period_reversed", owned, owner, f"{from_day} > {until_day}", ref),)
        low, high, given, findings = _bounds(share, share_min, share_max, owner, owned, ref)
        holder, thing = self.code(owner), self.code(owned)
        key = kind | INDIRECT if indirect else kind
        changes = self.held.get(thing, {}).get(holder << 5 | key)
        end = NEVER if until_day is None else boundary(until_day * DAY_US, True)
        if from_day is not None:
            start = boundary(from_day * DAY_US, True)
        else:
            start = boundary(time_us, False)
            if end != NEVER and not given and (changes or end <= start):
                # It only says when what is held already ends.
                start, low, high, given, end = end, 0, 0, True, NEVER
            elif end <= start:
                start, low, high, given = end, 0, 0, True
        self.take(holder, thing, key, Change(start, end, low, high, given, ref))
        return findings

    def take(self, owner: int, owned: int, interest: int, change: Change) -> None:
        """Take in a change between two parties, by their numbers.

        ``interest``: its number, with ``INDIRECT`` for a total.
        """
        self._insert(owner, owned, interest, change)
        self.changed[owned] = self.changed.get(owned, 0) + 1

    def _insert(self, owner: int, owned: int, interest: int, change: Change) -> None:
        held = self.held.get(owned)
        if held is None:
            held = self.held[owned] = {}
            self.chained.update(self.holds.get(owned, ()))
        key = owner << 5 | interest
        changes = held.get(key)
        if changes is None:
            held[key] = [change]
            if owner in self.held:
                self.chained.add(owned)
            holds = self.holds.get(owner)
            if holds is None:
                self.holds[owner] = {owned}
            else:
                holds.add(owned)
            if interest in NOMINEES:
                self.nominees.add(owned)
        elif changes[-1].start < change.start:
            changes.append(change)
        else:
            _insert(changes, change)

    def in_force(self, owned: int, at: Moment) -> list[tuple[int, int, Change]]:
        """(owner, interest number, change) of all that is held in a party, in a fixed order."""
        return [
            (key >> 5, key & 31, change)
            for key, changes in self.held.get(owned, {}).items()
            if (change := _in_force(changes, at)) is not None
        ]

    def holds_now(self, owner: int, owned: int, at: Moment) -> bool:
        """Whether one party holds anything in another."""
        held = self.held.get(owned, {})
        return any(_in_force(held.get(owner << 5 | kind, ()), at) for kind in _HELD_AS)

    def steady(self, owned: int, at: Moment) -> tuple[int, int]:
        """From and until which microsecond nothing in force changes, whatever the zone."""
        first, last = -NEVER, NEVER
        for changes in self.held.get(owned, {}).values():
            for change in changes:
                for mark in (change.start, change.end):
                    if mark == NEVER:
                        continue
                    us, slack = mark >> 1, ZONE_US if mark & 1 else 0
                    if us + slack <= at.us:
                        first = max(first, us + slack)
                    elif us - slack > at.us:
                        last = min(last, us - slack)
                    else:
                        return at.us, at.us  # in some zone it has begun, in another not
        return first, last

    def export_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything as arrays, for a snapshot; ``restore`` is the inverse."""
        refs: list[bytes] = []
        rows: list[tuple[int, ...]] = []
        for owned, holdings in self.held.items():
            for key, changes in holdings.items():
                for c in changes:
                    rows.append((owned, key, c.start, c.end, c.low, c.high, int(c.given)))
                    refs.append(c.ref.encode())
        listed = [(p, us, int(yes)) for p, known in self.listed.items() for us, yes in known]
        words = [word.encode() for word in self.ignored]
        return {
            "changes": np.array(rows, np.int64).reshape(-1, 7),
            **_packed("refs", refs),
            **_packed("names", [name.encode() for name in self.names]),
            "kinds": np.array(self.kinds, np.int64),
            "exempt": np.array(self.exempt, np.uint8),
            "listed": np.array(listed, np.int64).reshape(-1, 3),
            **_packed("ignored", words),
            "ignored_counts": np.array(list(self.ignored.values()), np.int64),
        }

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Register:
        """The register of ``export_arrays``; ``SnapshotError`` where the arrays do not fit."""
        made = cls()
        try:
            made.names = [name.decode() for name in _unpacked("names", arrays)]
            made.index = {name: number for number, name in enumerate(made.names)}
            made.kinds = arrays["kinds"].tolist()
            made.exempt = [bool(x) for x in arrays["exempt"].tolist()]
            if not len(made.names) == len(made.index) == len(made.kinds) == len(made.exempt):
                raise ValueError("names")
            refs = _unpacked("refs", arrays)
            for row, ref in zip(arrays["changes"].tolist(), refs, strict=True):
                owned, key, start, end, low, high, given = row
                change = Change(start, end, low, high, bool(given), ref.decode())
                made._insert(key >> 5, owned, key & 31, change)
            for party, us, yes in arrays["listed"].tolist():
                made.listed.setdefault(party, []).append((us, bool(yes)))
            words = _unpacked("ignored", arrays)
            counts = arrays["ignored_counts"].tolist()
            made.ignored = Counter(
                {word.decode(): n for word, n in zip(words, counts, strict=True)}
            )
        except (KeyError, ValueError) as error:
            raise SnapshotError(
                f"the ownership graph of the snapshot is damaged: {error}"
            ) from None
        return made


def _bounds(
    share: int | None,
    share_min: int | None,
    share_max: int | None,
    owner: str,
    owned: str,
    ref: str,
) -> tuple[int, int, bool, tuple[Finding, ...]]:
    """Least and greatest share, whether one was given, and what is wrong with them."""
    given = not (share is None and share_min is None and share_max is None)
    low = share if share is not None else (share_min or 0)
    high = share if share is not None else (WHOLE if share_max is None else share_max)
    code = ""
    if low < 0 or high < 0:
        code = "share_negative"
    elif low > WHOLE or high > WHOLE:
        code = "share_above_whole"
    elif low > high:
        code = "share_reversed"
    if not code:
        return low, high, given, ()
    detail = range_text(Fraction(low, WHOLE), Fraction(high, WHOLE))
    return 0, WHOLE, True, (Finding(code, owned, owner, detail, ref),)


def _in_force(changes: Sequence[Change], at: Moment) -> Change | None:
    """Of the changes of one owner, owned and interest the one in force."""
    for change in reversed(changes):
        if reached(change.start, at):
            return change if change.high and not reached(change.end, at) else None
    return None


def _insert(changes: list[Change], change: Change) -> None:
    """Keep the changes in order; one with the same beginning replaces the other."""
    place = bisect_right(changes, change.start, key=lambda c: c.start)
    if place and changes[place - 1].start == change.start:
        changes[place - 1] = change
    else:
        changes.insert(place, change)


def _packed(name: str, texts: list[bytes]) -> dict[str, npt.NDArray[Any]]:
    sizes = np.array([len(text) for text in texts], np.int64)
    return {f"{name}_sizes": sizes, f"{name}_bytes": np.frombuffer(b"".join(texts), np.uint8)}


def _unpacked(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> list[bytes]:
    data, place = arrays[f"{name}_bytes"].tobytes(), 0
    found = []
    for size in arrays[f"{name}_sizes"].tolist():
        found.append(data[place : place + size])
        place += size
    if place != len(data):
        raise ValueError(name)
    return found


assert max(Interest) < INDIRECT
