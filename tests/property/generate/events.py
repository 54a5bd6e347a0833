"""Random streams of valid events, crowded around the moments where windows and days end.

Few parties, so that windows fill; many equal times; missing fields; times exactly a window apart,
at midnights of the zones, at ends of months and years, on leap days and days with a clock change;
facts that arrive late; repeats, conflicts and late events; payments reported by both sides.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.property.generate.common import (
    AMOUNTS,
    CHANNELS,
    COUNTRIES,
    CUSTOMERS,
    EXEMPTIONS,
    FLAGS,
    GROUPS,
    INSTITUTIONS,
    KINDS,
    PURPOSES,
    SIZE,
    ZONES,
    Chance,
    sized,
)

Event = dict[str, Any]

ANCHORS = (
    "2024-02-28T15:30:00Z",  # leap day in Asia, then everywhere
    "2025-02-28T12:00:00Z",  # a year after a leap day
    "2025-12-31T14:00:00Z",  # the year ends, zone by zone
    "2026-01-30T10:00:00Z",  # days that February has not
    "2026-02-13T09:00:00Z",  # a working weekend in China, then a week of holidays
    "2026-03-08T05:00:00Z",  # summer time begins in New York
    "2026-03-28T22:00:00Z",  # … in Europe
    "2026-03-31T14:00:00Z",  # a quarter ends
    "2026-10-24T22:00:00Z",  # summer time ends in Europe
    "2026-11-01T04:00:00Z",  # … in New York
    "2026-06-15T12:00:00Z",
)
MICRO = timedelta(microseconds=1)
STEPS = (
    timedelta(hours=1),
    timedelta(hours=24),
    timedelta(days=2),
    timedelta(days=7),
    timedelta(days=30),
    timedelta(hours=72),
    timedelta(days=31),
)


class Events:
    """Writes one stream; ``stream`` gives it in the order of time, before arrival is disturbed."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self.reporters = tuple(INSTITUTIONS)
        self.now = datetime.fromisoformat(chance.one(ANCHORS))
        self.past: list[datetime] = [self.now]
        self.made: list[Event] = []
        self.opened: list[tuple[str, str]] = []  # (reporter, id) of events that may open a duty

    def stream(self, count: int, types: Sequence[str], jurisdictions: Sequence[str]) -> list[Event]:
        """``types`` and ``jurisdictions``: those of the rules, which most events are made for."""
        makers: dict[str, Callable[[], None]] = {
            "transaction": self._payment,
            "loan": self._loan,
            "data_transfer": self._transfer,
            "exposure": self._exposure,
            "incident": self._incident,
            "action": self._action,
            "figure": self._figure,
            "party": self._facts,
        }
        for used in {"incident": "action", "loan": "figure", "exposure": "figure"}.items():
            types = [*types, used[1]] if used[0] in types else types
        weighted = [makers[name] for name in (*types, *types, *types, *types)]
        weighted += [*makers.values(), self._facts]
        known = [name for name, code in INSTITUTIONS.items() if code in jurisdictions]
        self.reporters = (*INSTITUTIONS, *known, *known, *known)
        self._institutions()
        while len(self.made) < count:
            self._move()
            self.chance.one(weighted)()
        return sorted(self.made, key=lambda event: datetime.fromisoformat(event["time"]))

    # --- time ---

    def _move(self) -> None:
        chance = self.chance
        kind = chance.random.random()
        nudge = chance.one((-MICRO, timedelta(), MICRO))
        if kind < 0.3:
            return  # the same time again
        if kind < 0.6:
            self.now += timedelta(seconds=chance.one((1, 60, 600, 1800, 3600)))
        elif kind < 0.72:
            self.now = chance.one(self.past[-8:]) + chance.one(STEPS) + nudge
        elif kind < 0.86:
            zone = ZoneInfo(chance.one(tuple(ZONES.values())))
            local = self.now.astimezone(zone)
            days = chance.one((0, 1, 1, 2))
            midnight = datetime(local.year, local.month, local.day) + timedelta(days=days)
            self.now = midnight.replace(tzinfo=zone).astimezone(UTC) + nudge
        elif kind < 0.92:
            zone = ZoneInfo(chance.one(tuple(ZONES.values())))
            local = self.now.astimezone(zone)
            year, month = divmod(local.year * 12 + local.month - 1 + chance.one((1, 1, 3)), 12)
            first = datetime(year, month + 1, 1, tzinfo=zone)
            self.now = first.astimezone(UTC) + nudge
        else:
            self.now -= timedelta(seconds=chance.one((1, 60, 3600)))
        self.past.append(self.now)

    def _stamp(self) -> str:
        """The time, in one of the ways to write it."""
        zone = ZoneInfo(self.chance.one(("UTC", "Asia/Shanghai", "America/New_York")))
        return self.now.astimezone(zone).isoformat()

    # --- parts ---

    def _event(self, type_: str, **fields: Any) -> Event:
        reporter = self.chance.one(self.reporters)
        common = {"id": f"n{len(self.made)}", "type": type_, "time": self._stamp()}
        event = {**common, "reporter": reporter, **fields}
        self.made.append(event)
        return event

    def _maybe(self, event: Event, share: float, **fields: Any) -> None:
        """Give each field with this chance; a missing one makes rules unable to tell."""
        for name, value in fields.items():
            if self.chance.often(share):
                event[name] = value

    def _money(self) -> dict[str, str]:
        currency = self.chance.one(("CNY", "CNY", "CNY", *SIZE))
        return {"amount": sized(self.chance.one(AMOUNTS), currency), "currency": currency}

    def _customer(self) -> Event:
        chance = self.chance
        party: Event = {"id": chance.one(CUSTOMERS)} if chance.often(0.95) else {}
        self._maybe(
            party, 0.3, account=f"A{chance.number(1, 3)}", kind=chance.one(("person", "entity"))
        )
        self._maybe(party, 0.4, country=chance.one(COUNTRIES), group=chance.one(GROUPS))
        self._maybe(party, 0.3, institution=chance.one(tuple(INSTITUTIONS)))
        self._maybe(party, 0.3, flags=chance.some(FLAGS, 0, 2), since=self._near_day())
        return party

    def _near_day(self) -> str:
        return (self.now.date() - timedelta(days=self.chance.one((0, 1, 29, 30, 31)))).isoformat()

    # --- types ---

    def _institutions(self) -> None:
        for name, country in INSTITUTIONS.items():
            if country is not None and self.chance.often(0.9):
                self._event("party", reporter=name, party={"id": name, "country": country})

    def _payment(self) -> None:
        chance = self.chance
        event = self._event("transaction", **self._money())
        for side in ("payer", "payee"):
            self._maybe(event, 0.85, **{side: self._customer()})
        self._maybe(event, 0.8, channel=chance.one(CHANNELS), kind=chance.one(KINDS))
        self._maybe(event, 0.7, purpose=chance.one(PURPOSES), occasional=chance.often(0.5))
        self._maybe(event, 0.2, exemption=chance.one(EXEMPTIONS), suspicion=chance.often(0.5))
        self._maybe(
            event, 0.3, reference=f"f{chance.number(1, 3)}", linked=f"l{chance.number(1, 2)}"
        )
        if chance.often(0.15):  # the other bank reports the same payment
            event["reference"] = f"f{len(self.made)}"
            other = copy.deepcopy(event)
            other |= {"id": f"n{len(self.made)}", "reporter": chance.one(tuple(INSTITUTIONS))}
            self._move()
            other["time"] = self._stamp()
            self.made.append(other)

    def _loan(self) -> None:
        chance = self.chance
        event = self._event("loan", **self._money())
        self._maybe(
            event, 0.9, borrower=self._customer(), lender={"id": chance.one(("B-CN", "B-GB"))}
        )
        self._maybe(event, 0.8, action=chance.one(("grant", "draw", "repay")))
        self._maybe(event, 0.8, loan_id=f"L{chance.number(1, 3)}", purpose=chance.one(PURPOSES))
        self._maybe(
            event, 0.7, channel=chance.one(("app", "branch")), tenor_months=chance.one((6, 12))
        )
        self._maybe(event, 0.7, apr_all_in=chance.one(("0.2", "0.24", "0.240000001", "0.36")))
        self._maybe(event, 0.5, secured=chance.often(0.5), fees=sized(10, event["currency"]))
        self.opened.append((event["reporter"], str(event.get("loan_id", event["id"]))))

    def _transfer(self) -> None:
        chance = self.chance
        exporter = {"id": chance.one(("E1", "E2")), **self._some_facts()}
        recipient = {"id": chance.one(("Q1", "Q2")), **self._some_facts()}
        event = self._event("data_transfer", exporter=exporter, recipient=recipient)
        people = [f"h{n}" for n in chance.some(range(6), 0, 3)]
        kind = chance.random.random()
        if kind < 0.6:
            event["persons"] = people
        elif kind < 0.85:
            event["person_count"] = chance.number(0, 4)
        level = chance.number(1, 3)
        items = [{"category": "personal", "sensitivity": "general", "level": level}]
        items += [{"category": "health", "sensitivity": "sensitive", "level": 2}]
        self._maybe(event, 0.8, data=items[: chance.number(1, 2)])
        self._maybe(event, 0.8, destination=chance.one(COUNTRIES), purpose=chance.one(PURPOSES))
        self._maybe(event, 0.5, tool=chance.one(("scc", "consent")), tool_expires=self._near_day())
        self._maybe(event, 0.6, devices=chance.number(1, 5), encrypted=chance.often(0.5))
        self._maybe(event, 0.3, person_nationality=chance.one(COUNTRIES))

    def _some_facts(self) -> Event:
        facts: Event = {}
        self._maybe(facts, 0.4, country=self.chance.one(COUNTRIES), group=self.chance.one(GROUPS))
        self._maybe(facts, 0.3, flags=self.chance.some(FLAGS, 0, 2), region="r1")
        return facts

    def _exposure(self) -> None:
        chance = self.chance
        holder = {"id": chance.one(("B-CN", "B-GB", "H1"))}
        counterparty = {"id": chance.one(("K1", "K2", "K3")), **self._some_facts()}
        event = self._event("exposure", holder=holder, counterparty=counterparty, **self._money())
        self._maybe(event, 0.85, kind=chance.one(("loan", "interbank")), as_of=self._near_day())
        collateral = sized(chance.one((10, 20, 75)), event["currency"])
        self._maybe(event, 0.7, collateral=collateral)

    def _figure(self) -> None:
        chance = self.chance
        currency = chance.one(("CNY", "CNY", "USD", "KWD"))
        value = sized(chance.one((100, 200, 400)), currency)
        of = {"id": chance.one(("B-CN", "B-GB", "H1"))}
        event = self._event("figure", of=of, name="net_capital", value=value, currency=currency)
        ends = ("2023-12-31", "2025-09-30", "2025-12-31", "2026-03-31", "2026-09-30")
        self._maybe(event, 0.8, as_of=chance.one((*ends, self._near_day())))

    def _incident(self) -> None:
        chance = self.chance
        event = self._event("incident", kind=chance.one(("breach", "outage")))
        earlier = self.now - chance.one((*STEPS, timedelta(), timedelta(minutes=10)))
        self._maybe(
            event, 0.8, aware=earlier.astimezone(UTC).isoformat(), risk=chance.one(("high", "low"))
        )
        self._maybe(event, 0.8, persons_affected=chance.number(0, 5), grade=chance.one(("i", "ii")))
        self.opened.append((event["reporter"], event["id"]))

    def _action(self) -> None:
        chance = self.chance
        event = self._event(
            "action", kind=chance.one(("notified", "report_filed", "consent_refused"))
        )
        if self.opened and chance.often(0.8):
            event["reporter"], event["about"] = chance.one(self.opened[-6:])
            if chance.often(0.1):
                event["reporter"] = chance.one(tuple(INSTITUTIONS))
        elif chance.often(0.5):
            event["about"] = chance.one(("2025-Q4", "2026-Q1", "2026-03", "2026"))
        self._maybe(
            event,
            0.7,
            to=chance.one(("authority", "persons")),
            subject={"id": chance.one(CUSTOMERS)},
        )

    def _facts(self) -> None:
        chance = self.chance
        name = chance.one((*CUSTOMERS, "E1", "Q1", "K1", *INSTITUTIONS))
        party: Event = {"id": name}
        if name not in INSTITUTIONS or chance.often(0.1):
            self._maybe(party, 0.5, country=chance.one(COUNTRIES))
        self._maybe(party, 0.4, group=chance.one(GROUPS), flags=chance.some(FLAGS, 0, 2))
        self._maybe(party, 0.4, kind=chance.one(("person", "entity")), since=self._near_day())
        self._maybe(party, 0.2, institution=chance.one(tuple(INSTITUTIONS)), name="Somebody")
        self._event("party", party=party)


# --- arrival --------------------------------------------------------------------------------------


def disturb(chance: Chance, events: list[Event], lateness: int) -> list[list[Event]]:
    """The events as they arrive, in one source or two.

    Out of order within the lateness, with some beyond it; repeats written differently; conflicts,
    never at the same time as the event they contradict (which of those counts is up to the engine).
    """
    arriving: list[tuple[datetime, int, Event]] = []
    for place, event in enumerate(events):
        time = datetime.fromisoformat(event["time"])
        delay = timedelta(seconds=chance.random.uniform(0, lateness) if chance.often(0.5) else 0)
        if chance.often(0.03):
            delay = timedelta(seconds=lateness + chance.number(1, 7200))
        arriving.append((time + delay, place, event))
        if chance.often(0.04):
            arriving.append((time + delay, place, _repeat(event)))
        if chance.often(0.04):
            other = copy.deepcopy(event)
            moved = time + timedelta(seconds=chance.one((-600, -1, 1, 600)))
            other |= {"time": moved.isoformat()}
            arriving.append((moved, place, other))
    arriving.sort(key=lambda arrival: arrival[:2])
    if chance.often(0.6):
        return [[event for _, _, event in arriving]]
    sources: list[list[Event]] = [[], []]
    for _, _, event in arriving:
        sources[chance.number(0, 1)].append(event)
    return sources


def _repeat(event: Event) -> Event:
    """The same event, its keys in another order, its time and amount written otherwise."""
    again = dict(reversed(list(copy.deepcopy(event).items())))
    again["time"] = datetime.fromisoformat(event["time"]).astimezone(UTC).isoformat()
    amount = event.get("amount")
    if amount is not None and "." in amount and amount.endswith("0"):
        again["amount"] = amount[:-1]
    return again
