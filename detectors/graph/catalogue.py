"""The features of a payment: their order, names, units and meaning, for models and pages.

Counts, sums and means are over the window that ends with the payment, the payment itself included;
idle times, and the distances of the amount from the usual, are against what came before it. Nothing
looks ahead. Amounts are in minor units of the payment's own currency; the logarithms are to the
base 2 with straight lines between powers of two (exact whole numbers underneath, at most 0.09 off).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of ``PaymentFeatures.update``. ``leans_on``: the habit of simulators that it may
    follow (novelty of pairs, emptiness of accounts, level of amounts), "" where there is none."""

    name: str
    unit: str
    doc: str
    leans_on: str = ""


def _sides() -> tuple[Feature, ...]:
    made = []
    for role in ("payer", "payee"):
        for direction, verb, other in (("out", "made", "payees"), ("in", "received", "payers")):
            name = f"{role}_{direction}"
            said = f"payments {verb} by the {role}"
            made += [
                Feature(f"{name}_count", "payments", f"{said} in the window"),
                Feature(f"{name}_fan", "accounts", f"distinct {other} of the {role}"),
                Feature(f"{name}_sum", "minor units", f"sum of {said} in this currency", "amount"),
                Feature(f"{name}_mean", "minor units", f"mean of {said} in this currency",
                        "amount"),
                Feature(f"{name}_log_mean", "log2", f"mean logarithm of {said}", "amount"),
                Feature(f"{name}_log_sd", "log2", f"standard deviation of the logarithm of {said}"),
                Feature(f"{name}_idle", "hours", f"time since the last of {said}; -1 where none",
                        "emptiness"),
                Feature(f"{name}_cross_institution", "payments",
                        f"{said} to or from another institution"),
                Feature(f"{name}_currencies", "currencies", f"distinct currencies of {said}"),
            ]  # fmt: skip
    return tuple(made)


FEATURES: Final[tuple[Feature, ...]] = (
    Feature("amount_log", "log2", "logarithm of the amount", "amount"),
    *_sides(),
    Feature("payer_amount_distance", "standard deviations",
            "logarithm of the amount against the payer's payments made before; 0 below two"),
    Feature("payee_amount_distance", "standard deviations",
            "logarithm of the amount against the payee's payments received before; 0 below two"),
    Feature("pair_count", "payments", "payments of this payer to this payee", "novelty"),
    Feature("pair_idle", "hours", "time since the last of them; -1 where none", "novelty"),
    Feature("pair_new", "0 or 1", "none of them before in the window", "novelty"),
    Feature("reverse_count", "payments", "payments of this payee to this payer"),
    Feature("cycles_2", "cycles", "cycles of 2 accounts in time order that the payment closes"),
    Feature("cycles_3", "cycles", "the same of 3 accounts"),
    Feature("cycles_4", "cycles", "the same of 4 accounts"),
    Feature("cycles_5", "cycles", "the same of 5 accounts"),
    Feature("cycles_multi_currency", "cycles", "of these cycles, those in several currencies"),
    Feature("cycles_cross_institution", "cycles",
            "of these cycles, those with a payment between institutions"),
    Feature("amount_cycles", "cycles",
            "cycles of up to 10 accounts in time order with amounts like this payment's"),
    Feature("amount_cycle_length", "accounts", "accounts of the longest of them"),
    Feature("scatter_gather_ways", "accounts",
            "most accounts by which one source paid the payee, the payer one of them; 0 below 2"),
    Feature("scatter_gather_sources", "accounts", "sources with two such ways or more"),
    Feature("payer_gather_scatter", "accounts", "the smaller of the payer's two fans"),
    Feature("payee_gather_scatter", "accounts", "the smaller of the payee's two fans"),
    Feature("payer_pass_through", "ratio",
            "sum made by the payer over sum received, this currency; 0 where nothing was received"),
    Feature("cross_institution", "0 or 1", "payer and payee are at different institutions"),
    Feature("self_payment", "0 or 1", "payer and payee are one account"),
    Feature("payer_age", "hours", "time since the payer's first payment made or received",
            "emptiness"),
    Feature("payee_age", "hours", "the same of the payee", "emptiness"),
    Feature("cut", "0 or 1", "a search for this payment was cut at its bound: counts are too low"),
)  # fmt: skip
"""Every feature, in the order of the columns."""

NAMES: Final = tuple(feature.name for feature in FEATURES)
"""Their names alone."""
