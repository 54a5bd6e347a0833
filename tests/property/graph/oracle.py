"""A slow second opinion on the payment graph: plain lists, every definition said by enumeration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

HOUR = 3_600_000_000


@dataclass(frozen=True)
class Payment:
    """One payment; ``seq`` is its place in canonical order."""

    seq: int
    time: int
    payer: int
    payee: int
    amount: int
    currency: int = 0
    payer_institution: int = 0
    payee_institution: int = 0
    value: int = -1

    @property
    def crossing(self) -> bool:
        return self.payer_institution != self.payee_institution


def payments(
    seed: int, count: int, accounts: int, hours: int = 48, currencies: int = 2
) -> list[Payment]:
    """Random payments with ties, repeats, self-payments and a few amounts that come again."""
    chance = Random(seed)
    times = sorted(chance.randrange(hours) * HOUR for _ in range(count))
    amounts = [chance.randrange(1, 2000) for _ in range(6)]
    institution = [chance.randrange(3) for _ in range(accounts)]
    made: list[Payment] = []
    for seq, time in enumerate(times):
        if made and chance.random() < 0.15:
            again = chance.choice(made)
            payer, payee = again.payer, again.payee
        else:
            payer, payee = chance.randrange(accounts), chance.randrange(accounts)
        amount = chance.choice(amounts) + chance.randrange(-3, 4)
        currency = chance.randrange(currencies) if chance.random() < 0.3 else 0
        value = amount * 2 if chance.random() < 0.5 else -1
        made.append(
            Payment(
                seq,
                time,
                payer,
                payee,
                max(amount, 0),
                currency,
                institution[payer],
                institution[payee],
                value,
            )  # fmt: skip
        )
    return made


def in_window(all_payments: list[Payment], at: int, window: int) -> list[Payment]:
    """Payments up to the ``at``-th that are less than a window older, itself included."""
    now = all_payments[at].time
    return [p for p in all_payments[: at + 1] if p.time > now - window]


def alike(one: Payment, other: Payment, permille: int) -> bool:
    """Whether one's amount is like the other's: in one currency, or by known values."""
    if one.currency == other.currency:
        a, b = one.amount, other.amount
    elif min(one.value, other.value) < 0:
        return False
    else:
        a, b = one.value, other.value
    return abs(a - b) <= b * permille // 1000


def account_cycles(
    live: list[Payment], longest: int, permille: int | None = None
) -> Iterator[tuple[int, ...]]:
    """Sequences of different accounts, payee to payer of the last payment, that it closes into a
    cycle in order; with ``permille`` only by payments alike in amount to it."""
    closing = live[-1]
    between: dict[tuple[int, int], list[Payment]] = {}
    for payment in live[:-1]:
        if permille is None or alike(payment, closing, permille):
            between.setdefault((payment.payer, payment.payee), []).append(payment)

    def walk(path: tuple[int, ...], after: int) -> Iterator[tuple[int, ...]]:
        for (payer, payee), made in between.items():
            if payer != path[-1] or payee in path:
                continue
            # The earliest that is late enough leaves most for what follows.
            step = next((p.seq for p in made if p.seq > after), None)
            if step is None:
                continue
            if payee == closing.payer:
                yield (*path, payee)
            elif len(path) + 2 <= longest:
                yield from walk((*path, payee), step)

    if closing.payer != closing.payee:
        yield from walk((closing.payee,), -1)


def cycle_payments(live: list[Payment], accounts: tuple[int, ...]) -> list[Payment]:
    """The payments of a cycle: each the earliest after the one before, the last one the newest."""
    steps = list(pairwise(accounts))
    found: list[Payment] = []
    after = -1
    for payer, payee in steps:
        made = [p for p in live[:-1] if (p.payer, p.payee) == (payer, payee) and p.seq > after]
        found.append(made[-1] if found and len(found) == len(steps) - 1 else made[0])
        after = found[-1].seq
    return found


def ways(live: list[Payment], source: int, target: int) -> set[int]:
    """Accounts that the source pays before they pay the target."""
    made = {p.payee for p in live if p.payer == source} - {source, target}
    return {
        middle
        for middle in made
        if any(
            first.payer == source and first.payee == middle
            and then.payer == middle and then.payee == target and first.seq < then.seq
            for first in live for then in live
        )
    }  # fmt: skip


def fan(live: list[Payment], account: int, out: bool) -> set[int]:
    """Distinct counterparties, the account itself apart."""
    if out:
        return {p.payee for p in live if p.payer == account} - {account}
    return {p.payer for p in live if p.payee == account} - {account}
