"""Payments of a block of events as the anomaly features take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.anomaly.payments import Payments
from regtech.model.fields import EVENT_TYPES
from regtech.ports.detection import UNKNOWN, Events, Int64

TRANSACTION: Final = EVENT_TYPES.index("transaction")
READ: Final = (
    "amount", "currency", "channel",
    *(f"{side}.{name}" for side in ("payer", "payee")
      for name in ("id", "account", "kind", "country")),
)  # fmt: skip
"""The fields of transactions that are read."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Texts that become numbers: channels and kinds of parties, each by its place."""

    channels: Sequence[str]
    kinds: Sequence[str]


class Reader:
    """Accounts and codes by the symbols of one run."""

    def __init__(self, codes: Codes) -> None:
        self._codes = codes
        self._number_of: Int64 = np.zeros(0, np.int64)
        """Account of each code of the vocabulary, -1 for none."""
        self._accounts = 0
        self._channels: dict[int, int] = {}
        self._kinds: dict[int, int] = {}

    def places(self, events: Events) -> Int64:
        """Payments that nobody has reported before, of a known amount; cash has one side."""
        both = (events.column("payer.id") != UNKNOWN) & (events.column("payee.id") != UNKNOWN)
        counted = (events.types == TRANSACTION) & (events.payments | ~both)
        counted &= (events.column("amount") > 0) & (events.column("currency") != UNKNOWN)
        counted &= (_party(events, "payer") != UNKNOWN) | (_party(events, "payee") != UNKNOWN)
        return np.flatnonzero(counted)

    def payments(self, events: Events, places: Int64) -> Payments:
        payer = self._accounts_of(_party(events, "payer")[places])
        payee = self._accounts_of(_party(events, "payee")[places])
        kinds = [
            self._coded(events, f"{side}.kind", places, self._kinds, self._codes.kinds, 1)
            for side in ("payer", "payee")
        ]
        home, away = (events.column(f"{side}.country")[places] for side in ("payer", "payee"))
        times = events.times[places]
        return Payments(
            time_us=times,
            payer=payer,
            payee=payee,
            amount=events.column("amount")[places],
            currency=events.column("currency")[places],
            channel=self._coded(events, "channel", places, self._channels, self._codes.channels, 0),
            abroad=(home != away) & (home != UNKNOWN) & (away != UNKNOWN),
            # Who acts is the payer, or who pays cash in.
            peer=np.where(payer >= 0, kinds[0], kinds[1]),
            hour=times // 3_600_000_000 % 24,
            payer_kind=kinds[0],
            payee_kind=kinds[1],
            payer_country=np.where(home == UNKNOWN, -1, home),
            payee_country=np.where(away == UNKNOWN, -1, away),
        )

    def _accounts_of(self, codes: Int64) -> Int64:
        """Accounts numbered as they come: the vocabulary has far more. -1 for nobody."""
        known = codes != UNKNOWN
        if not known.any():
            return np.full(len(codes), -1)
        highest = int(codes[known].max())
        if highest >= len(self._number_of):
            more = max(highest + 1, 2 * len(self._number_of)) - len(self._number_of)
            self._number_of = np.pad(self._number_of, (0, more), constant_values=-1)
        new, first = np.unique(codes[known], return_index=True)
        order = np.argsort(first, kind="stable")
        new = new[order][self._number_of[new[order]] < 0]
        self._number_of[new] = self._accounts + np.arange(len(new))
        self._accounts += len(new)
        made = np.full(len(codes), -1)
        made[known] = self._number_of[codes[known]]
        return made

    def _coded(
        self, events: Events, path: str, places: Int64, known: dict[int, int],
        words: Sequence[str], more: int,
    ) -> Int64:  # fmt: skip
        """A symbol's place among ``words``, ``more`` added; 0 where it is missing or another."""
        symbols, which = np.unique(events.column(path)[places], return_inverse=True)
        for symbol in symbols.tolist():
            if symbol not in known:
                text = "" if symbol == UNKNOWN else events.text(symbol)
                known[symbol] = words.index(text) + more if text and text in words else 0
        table = np.array([known[symbol] for symbol in symbols.tolist()], np.int64)
        return table[which.reshape(-1)]

    def state(self) -> Int64:
        """Codes of the accounts, in the order of their numbers."""
        codes = np.flatnonzero(self._number_of >= 0)
        made: Int64 = codes[np.argsort(self._number_of[codes])].astype(np.int64)
        return made

    def restore(self, codes: Int64) -> None:
        """Take over ``state``."""
        self._accounts = len(codes)
        self._number_of = np.full(int(codes.max(initial=-1)) + 1, -1)
        self._number_of[codes] = np.arange(len(codes))


def _party(events: Events, side: str) -> Int64:
    """A party's id, or its account where it has none."""
    named = events.column(f"{side}.id")
    return np.where(named != UNKNOWN, named, events.column(f"{side}.account"))
