"""The rules and events that several engines are compared on, and our own reading of the rules.

Payments of one currency and of one kind, one leg each, with whole seconds that never repeat, so
that every engine can be asked for exactly the same findings: one for a customer, direction and day
(UTC) on which a rule was met.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
DAYS: Final = 30
BANKS: Final = 50

DAY_SUM: Final = 50_000  # at least, a day, in USD
DAY_COUNT: Final = 8  # at least, in 24 hours
WEEK_SUM: Final = 150_000  # at least, in 7 days
DAY_OTHERS: Final = 7  # at least, different counterparties a day

LARGE: Final = 20_000  # a payment of at least so much
NEAR_FROM: Final = 9_000  # a payment from here up to, not including, 10,000
NEAR_TO: Final = 10_000

WINDOWS: Final = f"""\
pack: bench-windows
version: 1.0.0
jurisdiction: INTL
title: {{en: Windows, zh: 窗口}}
params:
  day_sum: {{value: USD {DAY_SUM}, basis: default}}
  day_count: {{value: {DAY_COUNT}, basis: default}}
  week_sum: {{value: USD {WEEK_SUM}, basis: default}}
  day_others: {{value: {DAY_OTHERS}, basis: default}}
rules:
  - id: bench-day-sum
    title: {{en: Much in a day, zh: 当日金额大}}
    on: transaction
    per: customer
    by: direction
    let: {{total: 'sum(amount_in("USD"), over=day)'}}
    when: total >= param("day_sum")
    alert: {{kind: indicator, severity: low}}
    period: day
  - id: bench-day-count
    title: {{en: Many in 24 hours, zh: 二十四小时笔数多}}
    on: transaction
    per: customer
    by: direction
    let: {{number: count(over=24h)}}
    when: number >= param("day_count")
    alert: {{kind: indicator, severity: low}}
    period: day
  - id: bench-week-sum
    title: {{en: Much in seven days, zh: 七日金额大}}
    on: transaction
    per: customer
    by: direction
    let: {{total: 'sum(amount_in("USD"), over=7d)'}}
    when: total >= param("week_sum")
    alert: {{kind: indicator, severity: low}}
    period: day
  - id: bench-day-others
    title: {{en: Many counterparties in a day, zh: 当日对手多}}
    on: transaction
    per: customer
    by: direction
    let: {{others: 'distinct(counterparty.id, over=day)'}}
    when: others >= param("day_others")
    alert: {{kind: indicator, severity: low}}
    period: day
"""

SINGLE: Final = f"""\
pack: bench-single
version: 1.0.0
jurisdiction: INTL
title: {{en: Single payments, zh: 单笔}}
params:
  large: {{value: USD {LARGE}, basis: default}}
  near_from: {{value: USD {NEAR_FROM}, basis: default}}
  near_to: {{value: USD {NEAR_TO}, basis: default}}
rules:
  - id: bench-large-cash
    title: {{en: Large in cash, zh: 大额现金}}
    on: transaction
    per: event
    when: is_cash and amount_in("USD") >= param("large")
    alert: {{kind: indicator, severity: low}}
  - id: bench-large-transfer
    title: {{en: Large transfer, zh: 大额转账}}
    on: transaction
    per: event
    when: not is_cash and amount_in("USD") >= param("large")
    alert: {{kind: indicator, severity: low}}
  - id: bench-near
    title: {{en: Just below, zh: 略低于标准}}
    on: transaction
    per: event
    when: amount_in("USD") >= param("near_from") and amount_in("USD") < param("near_to")
    alert: {{kind: indicator, severity: low}}
"""


def write_events(path: Path, events: int, customers: int, seed: int = 7) -> None:
    """Payments over thirty days; a tenth of the customers make half of them."""
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
