"""The behaviour features of a payment: their order, meaning, direction and words for people.

``side`` says where the unusual lies: a high value, or (``context``) nowhere by itself: such a
feature helps a model that learns from outcomes, and made the ensemble worse. ``leans_on`` names the
habit of simulators that a feature may follow instead of behaviour: ``novelty`` of pairs,
``emptiness`` of accounts, level of ``amount``; "" where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Side = Literal["high", "context"]
NOVELTY: Final = "novelty"
EMPTINESS: Final = "emptiness"
AMOUNT: Final = "amount"
LEANINGS: Final = (NOVELTY, EMPTINESS, AMOUNT)


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: name, unit, group of related ones, direction, words (``en``, ``zh``)."""

    name: str
    unit: str
    group: str
    text: Mapping[str, str]
    side: Side = "high"
    leans_on: str = ""


_WHO: Final = {"payer": ("the payer", "付款方"), "payee": ("the payee", "收款方")}
_DOES: Final = {"payer": ("pays", "付款"), "payee": ("is paid", "收款")}
_OTHER: Final = {"payer": ("is paid", "收款"), "payee": ("pays", "付款")}


def _side(role: str) -> tuple[Feature, ...]:
    who, who_zh = _WHO[role]
    does, does_zh = _DOES[role]
    other, other_zh = _OTHER[role]
    return (
        Feature(
            f"{role}_novelty", "nats", "novelty",
            {"en": f"how seldom {who} has a new partner, and this one is new",
             "zh": f"{who_zh}很少出现新对手，而本次对手是新的"}, leans_on=NOVELTY,
        ),
        Feature(
            f"{role}_burst_days", "standard deviations", role,
            {"en": f"{who} {does} more often in these days than usual",
             "zh": f"{who_zh}近几日{does_zh}次数高于平常"},
        ),
        Feature(
            f"{role}_new_burst_days", "standard deviations", role,
            {"en": f"{who} {does} with more new partners in these days than usual",
             "zh": f"{who_zh}近几日{does_zh}的新对手多于平常"}, leans_on=NOVELTY,
        ),
        Feature(
            f"{role}_burst_weeks", "standard deviations", role,
            {"en": f"{who} {does} more often in these weeks than usual",
             "zh": f"{who_zh}近几周{does_zh}次数高于平常"},
        ),
        Feature(
            f"{role}_new_burst_weeks", "standard deviations", role,
            {"en": f"{who} {does} with more new partners in these weeks than usual",
             "zh": f"{who_zh}近几周{does_zh}的新对手多于平常"}, leans_on=NOVELTY,
        ),
        Feature(
            f"{role}_new_other_days", "standard deviations", "flow",
            {"en": f"{who} {other} with more new partners in the days before than usual",
             "zh": f"{who_zh}前几日{other_zh}的新对手多于平常"}, leans_on=NOVELTY,
        ),
        Feature(
            f"{role}_amount_distance", "standard deviations", "amount",
            {"en": f"the amount is far from what {who} usually {does}",
             "zh": f"金额偏离{who_zh}平常{does_zh}金额"},
        ),
        Feature(
            f"{role}_silence", "log of usual gaps", "time",
            {"en": f"{who} was silent for long before", "zh": f"{who_zh}此前长期不活跃"},
        ),
    )  # fmt: skip


BEHAVIOUR: Final[tuple[Feature, ...]] = (
    *_side("payer"),
    *_side("payee"),
    Feature("hour_surprise", "nats", "time",
            {"en": "the hour is unusual for the account and its peers",
             "zh": "交易时段对该账户及同类账户少见"}),
    Feature("channel_surprise", "nats", "way",
            {"en": "the channel is unusual for the account and its peers",
             "zh": "交易渠道对该账户及同类账户少见"}),
    Feature("country_surprise", "nats", "way",
            {"en": "the other side's country is unusual for the account and its peers",
             "zh": "对手所在国家对该账户及同类账户少见"}),
    Feature("peer_amount_distance", "standard deviations", "amount",
            {"en": "the amount is far from what the account's peers usually pay",
             "zh": "金额偏离同类账户平常付款金额"}),
    Feature("pair_amount_distance", "log ratio", "amount",
            {"en": "the amount is far from what passes between the two",
             "zh": "金额偏离双方之间的平常金额"}),
    Feature("pass_through", "share", "flow",
            {"en": "much the same amount came in to the payer shortly before",
             "zh": "付款方不久前收到金额相近的款项"}),
    Feature("strange_pass_through", "nats", "flow",
            {"en": "and that came from an unusual new partner",
             "zh": "且该款项来自少见的新对手"}, leans_on=NOVELTY),
    Feature("both_novelty", "nats", "novelty",
            {"en": "the two are new to each other, which is seldom for them",
             "zh": "双方首次往来，对双方均属少见"}, leans_on=NOVELTY),
    Feature("least_novelty", "nats", "novelty",
            {"en": "the two are new to each other, which is seldom for either",
             "zh": "双方首次往来，对任一方都少见"}, leans_on=NOVELTY),
    Feature("payer_paid", "log", "context",
            {"en": "payments the payer made before", "zh": "付款方此前付款笔数"},
            "context", EMPTINESS),
    Feature("payer_received", "log", "context",
            {"en": "payments the payer received before", "zh": "付款方此前收款笔数"},
            "context", EMPTINESS),
    Feature("payee_received", "log", "context",
            {"en": "payments the payee received before", "zh": "收款方此前收款笔数"},
            "context", EMPTINESS),
    Feature("payee_paid", "log", "context",
            {"en": "payments the payee made before", "zh": "收款方此前付款笔数"},
            "context", EMPTINESS),
    Feature("pair_before", "log", "context",
            {"en": "payments of the two before", "zh": "双方此前往来笔数"}, "context", NOVELTY),
    Feature("reverse_before", "0 or 1", "context",
            {"en": "the payee has paid the payer before", "zh": "收款方曾向付款方付款"},
            "context", NOVELTY),
    Feature("payer_age", "days", "context",
            {"en": "days since the payer was first seen", "zh": "付款方首次出现至今天数"},
            "context", EMPTINESS),
    Feature("payee_age", "days", "context",
            {"en": "days since the payee was first seen", "zh": "收款方首次出现至今天数"},
            "context", EMPTINESS),
    Feature("amount_level", "log ratio", "context",
            {"en": "the amount against all amounts of its currency",
             "zh": "金额相对同币种全部金额"}, "context", AMOUNT),
)  # fmt: skip
"""The columns of ``BehaviourFeatures.update``."""

WINDOWS_DAYS: Final = (3, 14)
_PLACES: Final = (
    ("payer_out", "payments that the payer made", "付款方付出的款项"),
    ("payer_in", "payments that the payer received", "付款方收到的款项"),
    ("payee_out", "payments that the payee made", "收款方付出的款项"),
    ("payee_in", "payments that the payee received", "收款方收到的款项"),
)


def _around(days: int, after: bool) -> tuple[Feature, ...]:
    when, zh = ("after", "此后") if after else ("before", "此前")
    made = []
    for place, said, said_zh in _PLACES:
        group = f"{'after' if after else 'before'}_{place}"
        made += [
            Feature(
                f"strange_{place}_{when}_{days}d", "log of nats", group,
                {"en": f"unusual new partners in {said} in the {days} days {when}",
                 "zh": f"{zh}{days}日内{said_zh}中少见的新对手"}, leans_on=NOVELTY,
            ),
            Feature(
                f"strange_share_{place}_{when}_{days}d", "nats a payment", group,
                {"en": f"share of unusual new partners in {said} in the {days} days {when}",
                 "zh": f"{zh}{days}日内{said_zh}中少见新对手的占比"}, "context", NOVELTY,
            ),
        ]  # fmt: skip
    return tuple(made)


BEFORE: Final = tuple(one for days in WINDOWS_DAYS for one in _around(days, after=False))
AFTER: Final = tuple(one for days in WINDOWS_DAYS for one in _around(days, after=True))
"""Columns about what surrounds a payment; those after it take as long as they look ahead."""


def features_of(settle_days: int) -> tuple[Feature, ...]:
    """The features there are: behaviour, what came before, and what comes after."""
    return (*BEHAVIOUR, *BEFORE, *(AFTER if settle_days else ()))
