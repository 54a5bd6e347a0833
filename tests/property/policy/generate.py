"""Small random records and policies: few names and few hours, so that much meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hypothesis import strategies as st

START = "2026-03-{day:02d}T{hour:02d}:00:00Z"
SINGLE = {"e-one": ["transaction"], "e-two": ["loan", "transaction"]}
"""Rules whose subject is each single event, with the types of events that they look at."""
RULES = ["r-one", "r-two", "s-one", "s-two", *SINGLE]
KINDS = ["breach", "report", "indicator"]
SEVERITIES = ["critical", "high", "medium", "low", "info"]
THEMES: list[dict[str, Any]] = [
    {"id": "ones", "title": {"en": "Ones", "zh": "一"}, "alerts": [{"rule": ["r-one", "s-one"]}]},
    {"id": "rest", "title": {"en": "Rest", "zh": "其他"}, "alerts": ["any"]},
]
HOURS = 60
FIRST_DAY = 20_513
"""2026-03-01 since 1970."""
KIND_NAMES = ["transaction", "loan"]


@dataclass(frozen=True)
class World:
    """Policies and alerts as data, and how they come in."""

    policies: list[dict[str, Any]]
    alerts: list[dict[str, Any]]
    order: list[int]
    cuts: list[int]
    watched: int | None
    """How many subjects rules are evaluated for."""
    events: dict[tuple[str, str, int], int] | None
    """By type, institution and day since 1970; None: one number is said for all rules."""
    closings: list[tuple[int, int]]
    """Cases that are closed, one after each batch: by number among those there are, and hour."""
    wakes: list[int]
    """Hours and microseconds past the last alert as of which the record is looked at again."""


whole = cache(st.integers)


def some_of(options: Sequence[Any]) -> st.SearchStrategy[Any]:
    """``st.sampled_from``, made once: making and checking it took as long as drawing from it."""
    try:
        return _some_of(tuple(options))
    except TypeError:  # what cannot be a key
        return st.sampled_from(options)


@cache
def _some_of(options: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.sampled_from(options)


def time_of(hour: int) -> str:
    return START.format(day=1 + hour // 24, hour=hour % 24)


@cache
@st.composite
def alerts(draw: st.DrawFn, hours: int, least: int) -> list[dict[str, Any]]:
    number = draw(whole(least, 14))
    names = draw(
        st.lists(
            st.sampled_from([f"a{i}" for i in range(20)] + ["é", "a b", "\x00", "0", "40189"]),
            min_size=number, max_size=number, unique=True,
        )
    )  # fmt: skip
    found = []
    for name in names:
        rule = draw(some_of(RULES))
        per = "event" if rule in SINGLE else draw(some_of(["customer", "exporter"]))
        subject: dict[str, Any] = {"per": per}
        institution = draw(some_of(["B1", "B2", None]))
        who = draw(some_of(["C1", "C1", "C2", None]))
        if who:
            subject["id"] = who
        if institution and subject["per"] == "customer":
            subject["institution"] = institution
        facts: dict[str, Any] = {"reporter": institution}
        facts["party.group"] = draw(some_of(["G1", "G1", "G2", None]))
        facts["counterparty.id"] = draw(some_of(["P1", "P2", None]))
        due = draw(some_of([None, None, "2026-03-10T00:00:00Z", "2026-03-11T12:00:00Z"]))
        found.append(
            {
                "id": name,
                "time": time_of(draw(whole(0, hours))),
                "rule": rule,
                "pack": "p",
                "kind": draw(some_of(KINDS)),
                "severity": draw(some_of(SEVERITIES)),
                "jurisdiction": "CN",
                "obligation": [],
                "status": "enabled",
                "outcome": draw(some_of(["met", "met", "met", "near"])),
                "warning": False,
                "late": False,
                "subject": subject,
                "facts": facts,
                "due": due,
            }
        )
    return found


@cache
@st.composite
def patterns(draw: st.DrawFn) -> Any:
    made: dict[str, Any] = {}
    if draw(st.booleans()):
        made["rule"] = draw(some_of([*RULES, "r-*", "e-*", ["r-one", "s-two"]]))
    if draw(whole(0, 3)) == 0:
        made["kind"] = draw(some_of(KINDS))
    if draw(whole(0, 3)) == 0:
        made["theme"] = draw(some_of(["ones", "rest"]))
    if draw(whole(0, 3)) == 0:
        made["near"] = draw(st.booleans())
    if draw(whole(0, 5)) == 0:
        made["due"] = draw(st.booleans())
    if draw(whole(0, 5)) == 0:
        made["institution"] = "B1"
    if draw(whole(0, 4)) == 0:
        made["not"] = {"rule": draw(some_of(RULES))}
    return made or "any"


LENGTHS = ["1h", "3h", "8h", "24h"]


@cache
@st.composite
def same(draw: st.DrawFn) -> list[str]:
    main = draw(some_of(["subject", "group", "counterparty", "institution"]))
    extra = draw(st.lists(st.sampled_from(["theme", "rule", "due"]), max_size=1))
    return draw(st.permutations([main, *extra]))


ACTIONS = ("case", "case", "case", "suppress", "snooze", "brake")
FORMS = ("on", "all", "any", "count", "absent")


@cache
@st.composite
def policy(
    draw: st.DrawFn, number: int, actions: tuple[str, ...], forms: tuple[str, ...]
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": f"p{number}",
        "title": {"en": "P", "zh": "策"},
        "order": draw(whole(0, 3)),
    }
    what = draw(some_of(actions))
    if what == "suppress":
        made["on"] = draw(patterns())
        made["suppress"] = {"reason": {"en": "no", "zh": "否"}}
        return made
    if what == "snooze":
        made |= {"on": draw(patterns()), "same": draw(same())}
        made["snooze"] = {"for": draw(some_of(LENGTHS))}
        return made
    if what == "brake":
        made |= {
            "on": draw(patterns()),
            "same": draw(some_of([["rule"], ["rule", "institution"]])),
        }
        made["brake"] = {
            "above": draw(some_of(["20%", "50%", "100%"])),
            "over": draw(some_of(["8h", "24h", "24h", "48h"])),
            "at_least": draw(whole(1, 3)),
        }
        return made
    form = draw(some_of(forms))
    made["same"] = draw(same())
    case: dict[str, Any] = {
        "queue": "q",
        "theme": "alert" if "theme" in made["same"] else "rest",
        "priority": draw(some_of(["severity", "high"])),
    }
    case |= draw(
        some_of([{"sla": "72 hours"}, {"due": "alert"}, {"due": "alert", "sla": "5 hours"}])
    )
    within = draw(whole(0, len(LENGTHS) - 1))
    if form == "on":
        made["on"] = draw(patterns())
        case["merge"] = draw(some_of([*LENGTHS, "ever"]))
        return made | {"case": case}
    made["within"] = LENGTHS[within]
    if draw(st.booleans()):
        case["merge"] = draw(some_of([*LENGTHS[within:], "ever"]))
    if form == "all":
        made["all"] = draw(st.lists(patterns(), min_size=2, max_size=3))
    elif form == "any":
        made["any"] = [
            {"all": draw(st.lists(patterns(), min_size=2, max_size=2))},
            draw(st.one_of(patterns(), st.just({"all": [draw(patterns()), draw(patterns())]}))),
        ]
    elif form == "count":
        made["on"] = draw(patterns())
        made["count"] = draw(
            some_of([2, 3, {"at_least": 2, "distinct": "institution"},
                             {"at_least": 2, "distinct": "rule"}])
        )  # fmt: skip
    else:
        made["on"] = draw(patterns())
        made["absent"] = draw(patterns())
    return made | {"case": case}


@st.composite
def worlds(
    draw: st.DrawFn,
    *,
    actions: tuple[str, ...] = ACTIONS,
    forms: tuple[str, ...] = FORMS,
    hours: int = HOURS,
    least: int = 1,
    closings: int = 2,
) -> World:
    number = draw(whole(1, 4))
    some = [draw(policy(i, actions, forms)) for i in range(number)]
    found = draw(alerts(hours, least))
    order = draw(st.permutations(range(len(found))))
    cuts = sorted(draw(st.lists(st.integers(0, len(found)), max_size=5)))
    closed = draw(st.lists(st.tuples(st.integers(0, 20), st.integers(0, hours)), max_size=closings))
    watched = draw(some_of([None, 1, 2, 4, 8]))
    events = None
    if draw(st.booleans()):
        days = range(FIRST_DAY - 1, FIRST_DAY + 1 + hours // 24)
        places = [(kind, b, day) for kind in KIND_NAMES for b in ("B1", "B2") for day in days]
        chosen = draw(st.lists(st.sampled_from(places), max_size=6, unique=True))
        events = {place: draw(whole(0, 5)) for place in chosen}
    wakes = sorted(
        hour * 3_600_000_000 + draw(some_of([-1, 0, 0, 1]))
        for hour in draw(st.lists(st.integers(1, 25), max_size=4))
    )
    return World(some, found, list(order), cuts, watched, events, closed, wakes)


@st.composite
def noisy_worlds(draw: st.DrawFn) -> World:
    """Rules that look at single events and find much, under brakes that can tell of them."""
    made = draw(worlds(actions=("case",), forms=("on",), hours=40, least=6, closings=0))
    brakes = [
        {
            "id": f"b{number}",
            "title": {"en": "B", "zh": "制"},
            "order": number,
            "on": draw(some_of(["any", {"rule": "e-*"}, {"kind": ["breach", "report"]}])),
            "same": draw(some_of([["rule"], ["rule", "institution"]])),
            "brake": {
                "above": draw(some_of(["20%", "50%"])),
                "over": draw(some_of(["24h", "24h", "48h"])),
                "at_least": draw(whole(1, 2)),
            },
        }
        for number in range(draw(whole(1, 2)))
    ]
    for number, alert in enumerate(made.alerts):
        alert["rule"] = draw(some_of(list(SINGLE)))
        alert["facts"]["reporter"] = draw(some_of(["B1", "B1", "B2"]))
        alert["subject"] = {"per": "event", "id": f"{alert['facts']['reporter']}/{number}"}
    events = {
        (kind, institution, day): draw(whole(0, 9))
        for kind in KIND_NAMES
        for institution in ("B1", "B2")
        for day in range(FIRST_DAY - 1, FIRST_DAY + 2)
    }
    policies = [*brakes, *(policy | {"order": 5} for policy in made.policies)]
    return replace(made, policies=policies, events=events)
