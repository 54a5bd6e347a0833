"""An independent reading of policies: plain dictionaries in, plain tuples out, every choice tried.

Shares nothing with ``casework``: no code, no compiled form, no order of steps. It reads
the policy file's data and the written alerts, and decides the whole record at once.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

HOUR = 3_600_000_000
Alert = dict[str, Any]
Policy = dict[str, Any]
RANKS = ["critical", "high", "medium", "low", "info"]
OF_SEVERITY = {
    "critical": "urgent", "high": "high", "medium": "normal", "low": "low", "info": "low",
}  # fmt: skip


def micros(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    span = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return span.days * 86_400_000_000 + span.seconds * 1_000_000 + span.microseconds


def hours(text: str) -> int:
    return 10**18 if text == "ever" else int(text[:-1]) * HOUR


def value(alert: Alert, name: str, themes: list[dict[str, Any]]) -> Any:
    subject, facts = alert["subject"], alert["facts"]
    institution = subject.get("institution") or facts.get("reporter")
    match name:
        case "subject":
            if "id" not in subject:
                return None
            local = subject["per"] in ("customer", "account")
            return f"{institution or ''}|{subject['id']}" if local else subject["id"]
        case "institution":
            return institution
        case "group":
            return facts.get("party.group")
        case "counterparty":
            return facts.get("counterparty.id")
        case "near":
            return alert["outcome"] == "near"
        case "due":
            return alert["due"]
        case "theme":
            for theme in themes:
                if any(fits(p, alert, themes) for p in listed(theme["alerts"])):
                    return theme["id"]
            return ""
        case _:
            return alert[name]


def listed(item: Any) -> list[Any]:
    return item if isinstance(item, list) else [item]


def fits(pattern: Any, alert: Alert, themes: list[dict[str, Any]]) -> bool:
    if pattern == "any":
        return True
    for name, wanted in pattern.items():
        if name == "not":
            if fits(wanted, alert, themes):
                return False
            continue
        found = value(alert, name, themes)
        if isinstance(wanted, bool):
            if bool(found) != wanted:
                return False
            continue
        words = [str(word) for word in listed(wanted)]
        if not found:
            return False
        if not any(
            found.startswith(word[:-1]) if word.endswith("*") else found == word for word in words
        ):
            return False
    return True


class Reading:
    """Decides a record: ``cases`` and ``aside`` after it was made."""

    def __init__(
        self,
        policies: list[Policy],
        themes: list[dict[str, Any]],
        alerts: list[Alert],
        *,
        as_of: int,
        closings: dict[tuple[str, tuple[str, ...]], list[int]],
        watched: int | None,
        events: dict[tuple[str, str, int], int] | None = None,
        types: dict[str, list[str]] | None = None,
    ) -> None:
        self.themes = themes
        self.alerts = {alert["id"]: alert for alert in alerts}
        self.at = {name: micros(alert["time"]) for name, alert in self.alerts.items()}
        self.as_of, self.closings, self.watched = as_of, closings, watched
        self.events, self.types = events, types or {}
        self.free = set(self.alerts)
        self.cases: set[tuple[Any, ...]] = set()
        self.aside: set[tuple[Any, ...]] = set()
        for policy in sorted(policies, key=lambda p: (p["order"], p["id"])):
            self.choose(policy)
        for name in self.free:
            self.cases.add(("unsorted", (name,)))

    def get(self, name: str, field: str) -> Any:
        return value(self.alerts[name], field, self.themes)

    def key(self, policy: Policy, name: str) -> tuple[str, ...] | None:
        names = sorted(
            listed(policy["same"]),
            key=lambda n: n not in ("subject", "group", "counterparty", "institution"),
        )
        found = tuple(self.get(name, field) for field in names)
        return found if all(found) else None

    def branches(self, policy: Policy) -> list[list[Any]]:
        if "on" in policy:
            return [[policy["on"]]]
        if "all" in policy:
            return [policy["all"]]
        return [
            item["all"] if isinstance(item, dict) and "all" in item else [item]
            for item in policy["any"]
        ]

    def choose(self, policy: Policy) -> None:
        branches = self.branches(policy)
        free = {
            name
            for name in self.free
            if any(fits(p, self.alerts[name], self.themes) for branch in branches for p in branch)
        }
        if "suppress" in policy:
            for name in free:
                self.put_aside(name, "suppressed", policy)
        elif "brake" in policy:
            for name in free:
                if self.is_braked(policy, name):
                    self.put_aside(name, "braked", policy)
        elif "snooze" in policy:
            self.snooze(policy, free)
        else:
            keys = {key for name in free if (key := self.key(policy, name)) is not None}
            for key in keys:
                mine = {name for name in free if self.key(policy, name) == key}
                self.open(policy, key, branches, mine)

    def put_aside(self, name: str, outcome: str, policy: Policy) -> None:
        self.free.discard(name)
        self.aside.add((name, outcome, policy["id"]))

    def is_braked(self, policy: Policy, name: str) -> bool:
        brake, rule = policy["brake"], self.alerts[name]["rule"]
        if self.key(policy, name) is None:
            return False
        length = hours(brake["over"])
        start = self.at[name] // length * length
        institution = self.get(name, "institution") if "institution" in policy["same"] else None
        watched = self.number(rule, institution, start, length)
        if watched is None:
            return False
        subjects = {
            self.get(other, "subject")
            for other, alert in self.alerts.items()
            if alert["rule"] == rule
            and start <= self.at[other] < start + length
            and alert["outcome"] != "near"
            and (institution is None or self.get(other, "institution") == institution)
        } - {None}
        share = int(brake["above"][:-1])
        return len(subjects) >= brake["at_least"] and 100 * len(subjects) > share * watched

    def number(self, rule: str, institution: str | None, start: int, length: int) -> int | None:
        """How many subjects or events there are; None: nobody knows."""
        if self.events is None:
            return self.watched
        if rule not in self.types:
            return self.watched if institution is None else None
        day = 24 * HOUR
        if start % day or length % day:
            return None
        return (
            sum(
                count
                for (kind, who, at), count in self.events.items()
                if kind in self.types[rule]
                and institution in (None, who)
                and start <= at * day < start + length
            )
            or None
        )

    def snooze(self, policy: Policy, free: set[str]) -> None:
        length = hours(policy["snooze"]["for"])
        by_key: dict[tuple[str, ...], list[str]] = {}
        for name in free:
            key = self.key(policy, name)
            if key is not None:
                by_key.setdefault(key, []).append(name)
        for names in by_key.values():
            left = sorted(names, key=lambda n: (self.at[n], n))
            while left:
                first = left[0]
                for name in left[1:]:
                    if self.at[name] <= self.at[first] + length:
                        self.put_aside(name, "snoozed", policy)
                left = [name for name in left if self.at[name] > self.at[first] + length]

    # --- cases ---------------------------------------------------------------------------------

    def matches(
        self, policy: Policy, key: tuple[str, ...], branches: list[list[Any]], mine: set[str]
    ) -> Iterable[tuple[str, ...]]:
        within = hours(policy["within"]) if "within" in policy else 0
        meets = {
            name
            for name in mine
            if any(fits(b[0], self.alerts[name], self.themes) for b in branches if len(b) == 1)
        }
        if "count" in policy:
            count = policy["count"]
            least = count if isinstance(count, int) else count["at_least"]
            distinct = None if isinstance(count, int) else count.get("distinct")
            for name in meets:
                window = [
                    n
                    for n in meets
                    if self.at[name] <= self.at[n] <= self.at[name] + within
                    and (distinct is None or self.get(n, distinct))
                ]
                number = len({self.get(n, distinct) for n in window} if distinct else window)
                if name in window and number >= least:
                    yield tuple(window)
            return
        if "absent" in policy:
            for name in meets:
                came = any(
                    other != name
                    and self.key(policy, other) == key
                    and fits(policy["absent"], alert, self.themes)
                    and self.at[name] <= self.at[other] <= self.at[name] + within
                    for other, alert in self.alerts.items()
                )
                if not came and self.as_of > self.at[name] + within:
                    yield (name,)
            return
        for branch in branches:
            for chosen in itertools.permutations(sorted(mine), len(branch)):
                if all(
                    fits(pattern, self.alerts[name], self.themes)
                    for pattern, name in zip(branch, chosen, strict=True)
                ):
                    times = [self.at[name] for name in chosen]
                    if max(times) - min(times) <= within:
                        yield chosen

    def open(
        self, policy: Policy, key: tuple[str, ...], branches: list[list[Any]], mine: set[str]
    ) -> None:
        last: dict[str, int] = {}
        for match in self.matches(policy, key, branches, mine):
            end = max(self.at[name] for name in match)
            for name in match:
                last[name] = min(last.get(name, end), end)
        cuts = self.closings.get((policy["id"], key), [])
        side = {name: sum(cut < end for cut in cuts) for name, end in last.items()}
        action = policy["case"]
        merge = hours(action.get("merge", policy.get("within", "0h")))
        left = set(last)
        while left:
            group = {min(left)}
            while True:
                near = {
                    name
                    for name in left - group
                    for other in group
                    if side[name] == side[other] and abs(self.at[name] - self.at[other]) <= merge
                }
                if not near:
                    break
                group |= near
            left -= group
            self.case(policy, key, sorted(group, key=lambda n: (self.at[n], n)))

    def case(self, policy: Policy, key: tuple[str, ...], names: list[str]) -> None:
        self.free -= set(names)
        action = policy["case"]
        alerts = [self.alerts[name] for name in names]
        severity = min((alert["severity"] for alert in alerts), key=RANKS.index)
        order = ("subject", "group", "counterparty", "institution")
        kind = "+".join(sorted(listed(policy["same"]), key=lambda n: n not in order))
        text = json.dumps([policy["id"], kind, list(key), names[0]], separators=(",", ":"))
        priority = action["priority"]
        dues = [(micros(a["due"]), a["due"]) for a in alerts if a["due"]]
        due: Any = None
        if "due" in action and dues:
            due = min(dues)[0]
        elif "sla" in action:
            due = self.at[names[0]] + int(action["sla"].split()[0]) * HOUR
        self.cases.add(
            (
                policy["id"],
                tuple(names),
                "C-" + hashlib.sha256(text.encode()).hexdigest()[:20],
                key,
                OF_SEVERITY[severity] if priority == "severity" else priority,
                action["queue"],
                severity,
                self.get(names[0], "theme") if action["theme"] == "alert" else action["theme"],
                tuple(sorted({i for n in names if (i := self.get(n, "institution"))})),
                due,
            )
        )
