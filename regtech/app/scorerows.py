"""The rows that anomaly models read: behaviour, shapes and surroundings of each payment once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.catalogue import LEANINGS, Feature, features_of
from detectors.anomaly.features import BehaviourFeatures
from detectors.anomaly.imagined import imagine
from detectors.anomaly.nearby import nearby_features
from detectors.anomaly.payments import Float64, Payments
from detectors.anomaly.recent import around_payments
from detectors.anomaly.usage import USAGE, UsageFeatures
from regtech.app.paymenttable import NOBODY, PaymentTable
from regtech.app.shapes import SHAPES, Shapes
from regtech.columns.batch import Int64
from regtech.errors import UsageError

_HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """``kept``: places in the table of payments that count; ``cut``: how many of them come before
    the end of training. ``train`` has a row for each of these, ``later`` for each that follows."""

    kept: Int64
    cut: int
    features: tuple[Feature, ...]
    train: Float64
    later: Float64


def leaning(text: str | None) -> tuple[str, ...]:
    """``novelty,amount`` as names; ``UsageError`` for one that is not known."""
    names = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    for name in names:
        if name not in LEANINGS:
            raise UsageError(
                f"no feature leans on {name!r}", hint="there are " + ", ".join(LEANINGS)
            )
    return names


def features_without(settle_days: int, without: Iterable[str] = ()) -> tuple[Feature, ...]:
    """All features but those that lean on certain habits of simulators."""
    left_out = set(without)
    return tuple(one for one in all_features(settle_days) if one.leans_on not in left_out)


def rows_at_once(payments: Payments) -> Float64:
    """``all_features(0)`` of payments in order of time."""
    return _Past.of(payments).rows(0)


def all_features(settle_days: int) -> tuple[Feature, ...]:
    """Every feature, in the order of the columns that are computed."""
    return (*features_of(settle_days), *SHAPES, *USAGE, *nearby_features(settle_days))


def payments_of(table: PaymentTable, kept: Int64) -> Payments:
    """Some payments of a table as the features take them."""
    payer, payee = table.payer[kept], table.payee[kept]
    home, away = table.payer_country[kept], table.payee_country[kept]
    # Who acts is the payer, or who pays cash in.
    kind = np.where(payer != NOBODY, table.payer_kind[kept], table.payee_kind[kept])
    return Payments(
        time_us=table.time_us[kept],
        payer=payer,
        payee=payee,
        amount=table.amount[kept],
        currency=table.currency[kept],
        channel=table.channel[kept],
        abroad=(home != away) & (home >= 0) & (away >= 0),
        peer=kind,
        hour=table.time_us[kept] // _HOUR_US % 24,
        payer_kind=table.payer_kind[kept],
        payee_kind=table.payee_kind[kept],
        payer_country=home,
        payee_country=away,
    )


def make_rows(
    table: PaymentTable, until_us: int, settle_days: int, without: Iterable[str] = ()
) -> Rows:
    """Rows of all payments, cut at the end of training.

    What surrounds a payment of the training time is looked at within the training time alone, so
    that nothing that comes after it can teach a model.
    """
    kept = np.flatnonzero(table.same_as == np.arange(len(table)))
    payments = payments_of(table, kept)
    cut = int(np.searchsorted(payments.time_us, until_us, side="left"))
    features = features_without(settle_days, without)
    chosen = _columns(features, settle_days)
    past = _Past.of(payments)
    train = past.part(payments, cut).rows(settle_days)[:, chosen]
    later = past.rows(settle_days)[cut:, chosen]
    return Rows(kept, cut, features, train, later)


def _columns(features: Iterable[Feature], settle_days: int) -> Int64:
    names = [feature.name for feature in all_features(settle_days)]
    return np.array([names.index(feature.name) for feature in features], np.int64)


@dataclass(frozen=True, slots=True)
class _Past:
    """What is known of payments at once, without what follows them."""

    payments: Payments
    behaviour: Float64
    strange: Float64
    shapes: Float64
    usage: Float64

    @classmethod
    def of(cls, payments: Payments) -> _Past:
        behaviour, strange = BehaviourFeatures().update(payments)
        shapes, usage = Shapes().update(payments), UsageFeatures().update(payments)
        return cls(payments, behaviour, strange, shapes, usage)

    def part(self, payments: Payments, cut: int) -> _Past:
        """The first payments alone: nothing in them hangs on what follows."""
        return _Past(
            payments.part(0, cut), self.behaviour[:cut], self.strange[:cut], self.shapes[:cut],
            self.usage[:cut],
        )  # fmt: skip

    def rows(self, settle_days: int) -> Float64:
        """All columns, with what surrounds each payment among these."""
        around, beside = around_payments(self.payments, self.strange, settle_days)
        return np.hstack([self.behaviour, around, self.shapes, self.usage, beside])


IMAGINED_SHARE: Final = 0.03
IMAGINED_LEAST: Final = 4_000
"""So many imagined payments are wanted at least; short streams are gone through several times."""
IMAGINED_TURNS_MAX: Final = 3
LAWFUL_FOR_ONE: Final = 10
"""Payments of the traffic that are kept for an imagined one."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Rows of imagined attempts among rows of the traffic that they were put in."""

    rows: Float64
    imagined: npt.NDArray[np.bool_]
    attempts: int


def make_lessons(
    table: PaymentTable, rows: Rows, start: int, settle_days: int, seed: int,
    cases: npt.NDArray[np.bool_] | None = None,
) -> Lessons:  # fmt: skip
    """Attempts imagined among the payments of the training time, from ``start`` on.

    Features are computed with the attempts in the stream, as they would be if these had happened.
    ``cases``: payments of the training time that are known to be cases, which are no ordinary
    traffic and are left out.
    """
    payments = payments_of(table, rows.kept[: rows.cut])
    begins = int(payments.time_us[start])
    chosen = _columns(rows.features, settle_days)
    turns = -(-IMAGINED_LEAST // max(int(IMAGINED_SHARE * rows.cut), 1))
    parts, marks, attempts = [], [], 0
    for turn in range(min(turns, IMAGINED_TURNS_MAX)):
        made = imagine(payments, IMAGINED_SHARE, seed + turn * 1000)
        fits = made.payments.time_us >= begins
        if cases is not None:
            fits[made.attempt < 0] &= ~cases
        planted, lawful = made.attempt >= 0, np.flatnonzero(fits & (made.attempt < 0))
        drawn = np.random.default_rng([seed, turn]).permutation(lawful)
        few = drawn[: LAWFUL_FOR_ONE * int((planted & fits).sum())]
        places = np.sort(np.concatenate([np.flatnonzero(planted & fits), few]))
        parts.append(_Past.of(made.payments).rows(settle_days)[places][:, chosen])
        marks.append(planted[places])
        attempts += int(made.attempt.max()) + 1
    return Lessons(np.vstack(parts), np.concatenate(marks), attempts)


def digest_of(table: PaymentTable, places: Int64, labels: Int64 | None) -> str:
    """SHA-256 over what a model was trained on: ids, times, amounts, parties, outcomes."""
    digest = hashlib.sha256()
    for name in ("time_us", "payer", "payee", "amount", "currency"):
        digest.update(np.ascontiguousarray(getattr(table, name)[places]).tobytes())
    digest.update("\n".join(table.ids[k] for k in places.tolist()).encode())
    if labels is not None:
        digest.update(np.ascontiguousarray(labels).tobytes())
    return digest.hexdigest()
