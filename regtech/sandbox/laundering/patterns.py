"""Attempts that others have published, put among our accounts.

Read are the pattern files of "IBM Transactions for Anti Money Laundering" (Altman et al. 2023):
blocks of payments between ``BEGIN LAUNDERING ATTEMPT - FAN-IN: …`` and ``END LAUNDERING ATTEMPT``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from regtech.errors import InputError
from regtech.sandbox.laundering.surroundings import DAY_US, Dice, Surroundings
from regtech.sandbox.laundering.typologies import Plan, Step, in_period

_BEGIN: Final = re.compile(r"BEGIN LAUNDERING ATTEMPT - ([A-Z-]+)")
_END: Final = "END LAUNDERING ATTEMPT"
_COLUMNS: Final = 11
_EPOCH: Final = datetime(1970, 1, 1)
_NAMES: Final = {"random": "random_walk"}


@dataclass(frozen=True, slots=True)
class Published:
    """One attempt: its typology and its payments as (microseconds, payer, payee, hundredths)."""

    typology: str
    payments: tuple[tuple[int, str, str, int], ...]


def read_patterns(text: str, source: str) -> list[Published]:
    """The attempts of a pattern file. Raises ``InputError`` that names the line that is wrong."""
    found: list[Published] = []
    name = ""
    payments: list[tuple[int, str, str, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        begin = _BEGIN.match(line)
        if begin:
            word = begin[1].lower().replace("-", "_")
            name, payments = _NAMES.get(word, word), []
        elif line.startswith(_END):
            if payments:
                found.append(Published(name, tuple(payments)))
            name, payments = "", []
        elif line.strip() and name:
            payments.append(_payment(line, f"{source}:{number}"))
    if not found:
        raise InputError(
            f"{source} has no attempt", hint="name a *_Patterns.txt of the IBM AML data"
        )
    return found


def _payment(line: str, where: str) -> tuple[int, str, str, int]:
    cells = line.split(",")
    if len(cells) != _COLUMNS:
        raise InputError(f"{where}: {len(cells)} columns in place of {_COLUMNS}")
    try:
        since = datetime.strptime(cells[0], "%Y/%m/%d %H:%M") - _EPOCH
        amount = int(Decimal(cells[7]) * 100)
    except (ValueError, InvalidOperation):
        raise InputError(f"{where}: no time or no amount: {line[:80]!r}") from None
    us = since.days * DAY_US + since.seconds * 1_000_000
    return us, f"{cells[1]}/{cells[2]}", f"{cells[3]}/{cells[4]}", amount


def placed(attempt: Published, around: Surroundings, dice: Dice) -> list[Step]:
    """The same payments among accounts of ours: order, distances and proportions are kept.

    Each account is replaced by one of ours, the whole is moved to a time in the period, and all
    amounts are multiplied so that their middle one is usual for the first payer.
    """
    first = attempt.payments[0][0]
    span = (max(us for us, *_ in attempt.payments) - first) // DAY_US + 1
    plan = Plan(around, dice, span)
    lead = plan.account()
    ours = {attempt.payments[0][1]: lead}
    for _, payer, payee, _ in attempt.payments:
        for name, other in ((payer, payee), (payee, payer)):
            if name not in ours:
                ours[name] = plan.account(ours.get(other, lead), lead)
    middle = sorted(amount for *_, amount in attempt.payments)[len(attempt.payments) // 2]
    target = plan.amount(lead)
    return in_period(
        [
            Step(
                # The file knows minutes alone.
                plan.first * DAY_US + us - first // DAY_US * DAY_US + dice.below(60_000) * 1000,
                ours[payer],
                ours[payee],
                _in_style(amount * target // max(middle, 1), dice),
            )
            for us, payer, payee, amount in attempt.payments
        ]
    )


def _in_style(amount: int, dice: Dice) -> int:
    """Some sums are round, as among persons."""
    return max(amount // 500 * 500 if dice.chance(30) else amount, 1)
