"""The rules and events that several engines are compared on, and our own reading of the rules.

Payments of one currency and of one kind, one leg each, with whole seconds that never repeat, so
that every engine can be asked for exactly the same findings: one for a customer, direction and day
(UTC) on which a rule was met.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
DAYS: Final = 30
BANKS: Final = 50

DAY_SUM: Final = 20_000  # at least, a day, in USD
DAY_OTHERS: Final = 8  # at least, different counterparties a day
COUNT: Final = 9  # at least, in 24 hours; one more in an hour more in each further group
SUM: Final = (
    50_000  # at least, in 7 days, and as much a day in the longer windows of further groups
)
FLOOR: Final = 25  # each further group counts payments from so much more on

LARGE: Final = 20_000  # a payment of at least so much
NEAR_FROM: Final = 9_000  # a payment from here up to, not including, 10,000
NEAR_TO: Final = 10_000

MET: Final = "{alert: {subject: C1}}"


@dataclass(frozen=True, slots=True)
class Group:
    """Four rules over payments of at least ``floor`` USD: rolling lengths and their figures."""

    floor: int
    hours: int
    days: int
    count: int
    sum: int


def groups(number: int) -> list[Group]:
    """So many groups; no two share a sum, a count or a window."""
    return [
        Group(FLOOR * k, 24 + k, 7 + k, COUNT + k, SUM * (7 + k) // 7 // 1000 * 1000)
        for k in range(number)
    ]


def figures(number: int) -> str:
    """Everything above as JSON, for peers whose interpreter does not have this project."""
    return json.dumps(
        {
            "groups": [[g.floor, g.hours, g.days, g.count, g.sum] for g in groups(number)],
            "least": [DAY_SUM, DAY_OTHERS],
            "single": [LARGE, NEAR_FROM, NEAR_TO],
        }
    )


def windows_pack(number: int) -> str:
    """The rules with windows as a rulepack."""
    small, enough = ("transfer", "9000"), max(FLOOR * number, 1)
    parts = [_head("bench-windows")]
    for k, group in enumerate(groups(number)):
        where = f'amount_in("USD") >= param("floor_{k}")'
        several = ("transfer", str(enough))
        for name, measure, least, near in (
            ("day-sum", 'sum(amount_in("USD"), over=day)', DAY_SUM, [small] * 2),
            (
                f"count-{k}",
                f"count(over={group.hours}h)",
                group.count,
                [several] * (group.count - 1),
            ),
            (
                f"sum-{k}",
                f'sum(amount_in("USD"), over={group.days}d)',
                group.sum,
                [small] * (group.sum // 9000),
            ),
            (
                "day-others",
                "distinct(counterparty.id, over=day)",
                DAY_OTHERS,
                [several] * (DAY_OTHERS - 1),
            ),
        ):
            more = several if least < 100 else ("transfer", str(least))
            parts.append(
                f"""\
  - id: bench-{name}-of-{k}
    title: {{en: {name} of {k}, zh: 规则 {name} of {k}}}
    on: transaction
    per: customer
    by: direction
    where: {where}
    let: {{measured: '{measure}'}}
    when: measured >= param("{name.replace("-", "_")}")
    alert: {{kind: indicator, severity: low}}
    period: day
{_tests((MET, [*near, more]), ("none", near))}
"""
            )
    params = [f"  floor_{k}: {{value: USD {g.floor}, basis: default}}" for k, g in
              enumerate(groups(number))]  # fmt: skip
    for k, g in enumerate(groups(number)):
        params.append(f"  count_{k}: {{value: {g.count}, basis: default}}")
        params.append(f"  sum_{k}: {{value: USD {g.sum}, basis: default}}")
    params += [
        f"  day_sum: {{value: USD {DAY_SUM}, basis: default}}",
        f"  day_others: {{value: {DAY_OTHERS}, basis: default}}",
    ]
    return "\n".join([parts[0], "params:", *params, "rules:", *parts[1:]])


def single_pack() -> str:
    """The rules about single payments as a rulepack."""
    params = [f"  {name}: {{value: USD {value}, basis: default}}" for name, value in
              (("large", LARGE), ("near_from", NEAR_FROM), ("near_to", NEAR_TO))]  # fmt: skip
    large = 'amount_in("USD") >= param("large")'
    near = 'amount_in("USD") >= param("near_from") and amount_in("USD") < param("near_to")'
    parts = [_head("bench-single"), "params:", *params, "rules:"]
    for name, when, channel, least in (
        ("large-cash", f"is_cash and {large}", "cash", LARGE),
        ("large-transfer", f"not is_cash and {large}", "transfer", LARGE),
        ("near", near, "transfer", NEAR_FROM),
    ):
        cases = _tests(
            ("{alert: {subject: 'R1/T1'}}", [(channel, str(least))]),
            ("none", [(channel, f"{least - 1}.99")]),
        )
        parts.append(
            f"""\
  - id: bench-{name}
    title: {{en: {name}, zh: 规则 {name}}}
    on: transaction
    per: event
    when: {when}
    alert: {{kind: indicator, severity: low}}
{cases}
"""
        )
    return "\n".join(parts)


def _head(name: str) -> str:
    return f"pack: {name}\nversion: 1.0.0\njurisdiction: INTL\ntitle: {{en: {name}, zh: 基准}}"


def _tests(*cases: tuple[str, list[tuple[str, str]]]) -> str:
    """Tests of a rule: each (channel, amount) is a payment to someone else, a second apart."""
    lines = ["    tests:"]
    for k, (expect, payments) in enumerate(cases):
        lines += [f"      - name: case {k}", "        events:"]
        for n, (channel, amount) in enumerate(payments):
            lines.append(
                f'          - {{id: T{n + 1}, time: "2026-03-02T09:00:{n:02}Z", payer: {{id: C1}}, '
                f'payee: {{id: D{n}}}, channel: {channel}, amount: "{amount}", currency: USD}}'
            )
        lines.append(f"        expect: {expect}")
    return "\n".join(lines)


def write_events(path: Path, events: int, customers: int, seed: int = 7) -> None:
    """Payments over thirty days in order; a tenth of the customers make half of them."""
    draw = random.Random(seed)
    step = DAYS * 86_400 / events
    if step < 1:
        raise SystemExit(f"at most {DAYS * 86_400} events fit whole seconds")
    few = max(customers // 10, 1)
    with path.open("w") as out:
        for k in range(events):
            at = START + timedelta(seconds=int(k * step))
            who = draw.randrange(few) if draw.random() < 0.5 else draw.randrange(customers)
            other = draw.randrange(customers)
            cents = int(draw.paretovariate(1.2) * 20_000) % 5_000_000 + 100
            cash = draw.random() < 0.2
            bank = f"BANK-{who % BANKS:03}"
            own = {"id": f"C{who:07}", "institution": bank}
            far = {"id": f"X{other:07}", "institution": "ELSEWHERE"}
            out_going = draw.random() < 0.6
            event = {
                "id": f"T{k:09}",
                "type": "transaction",
                "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "reporter": bank,
                "amount": f"{cents // 100}.{cents % 100:02}",
                "currency": "USD",
                "channel": "cash" if cash else "transfer",
                "kind": "payment",
                "payer": own if out_going else far,
                "payee": far if out_going else own,
            }
            out.write(json.dumps(event, separators=(",", ":")) + "\n")
