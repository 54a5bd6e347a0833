"""The rows that anomaly models read: behaviour, shapes and surroundings of each payment once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.anomaly.catalogue import Feature
from detectors.anomaly.features import BehaviourFeatures, features_of, surroundings
from detectors.anomaly.payments import Float64, Payments
from regtech.app.paymenttable import NOBODY, PaymentTable
from regtech.app.shapes import SHAPES, shapes_of
from regtech.columns.batch import Int64
from regtech.errors import UsageError

LEANINGS: Final = ("novelty", "emptiness", "amount")
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
    every = (*features_of(settle_days), *SHAPES)
    return tuple(feature for feature in every if feature.leans_on not in left_out)


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
    behaviour, strange = BehaviourFeatures().update(payments)
    shapes = shapes_of(table, kept)
    before = surroundings(payments.part(0, cut), strange[:cut], settle_days)
    after = surroundings(payments, strange, settle_days)[cut:]
    features = features_without(settle_days, without)
    names = [feature.name for feature in (*features_of(settle_days), *SHAPES)]
    columns = np.array([names.index(feature.name) for feature in features])
    return Rows(
        kept,
        cut,
        features,
        np.hstack([behaviour[:cut], before, shapes[:cut]])[:, columns],
        np.hstack([behaviour[cut:], after, shapes[cut:]])[:, columns],
    )


def digest_of(table: PaymentTable, places: Int64, labels: Int64 | None) -> str:
    """SHA-256 over what a model was trained on: ids, times, amounts, parties, outcomes."""
    digest = hashlib.sha256()
    for name in ("time_us", "payer", "payee", "amount", "currency"):
        digest.update(np.ascontiguousarray(getattr(table, name)[places]).tobytes())
    digest.update("\n".join(table.ids[k] for k in places.tolist()).encode())
    if labels is not None:
        digest.update(np.ascontiguousarray(labels).tobytes())
    return digest.hexdigest()
