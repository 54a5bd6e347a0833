"""What happens beside a payment at its accounts within a week: one strange payment is seldom alone.

Of what the payer and the payee made and received: the strangest payments, those of alike amounts,
and chains by which an alike amount came to the payer and goes on from the payee.
"""

from __future__ import annotations

from typing import Final

from detectors.anomaly.catalogue import NOVELTY, Feature

WINDOW_DAYS: Final = 7
ALIKE: Final = 0.15
"""Difference of logarithms up to which amounts of one currency are alike."""
LOOKED_AT_MAX: Final = 128
"""Payments of one account and direction that are looked at: hubs are not gone through."""
_PLACES: Final = (
    ("payer_out", "the payer made", "付款方付出的款项"),
    ("payer_in", "the payer received", "付款方收到的款项"),
    ("payee_out", "the payee made", "收款方付出的款项"),
    ("payee_in", "the payee received", "收款方收到的款项"),
)


def _beside(later: bool) -> tuple[Feature, ...]:
    when, when_zh = ("after", "后一周") if later else ("before", "前一周")
    made: list[Feature] = []
    for place, said, zh in _PLACES:
        group = f"near_{when}_{place}"
        names = (
            ("strangest", "nats", "how unusual the most unusual partner is",
             "最少见新对手的异常程度", NOVELTY),
            ("strange_next", "nats", "how unusual the two next are",
             "其次两位新对手的异常程度", NOVELTY),
            ("alike", "payments", "payments of much the same amount", "金额相近的笔数", ""),
            ("strange_alike", "nats", "how unusual the partners of these are",
             "金额相近者对手的异常程度", NOVELTY),
            ("count", "log", "how many there are", "笔数", ""),
        )  # fmt: skip
        made += [
            Feature(
                f"{name}_{place}_{when}", unit, group,
                {"en": f"of what {said} in the week {when}: {words}",
                 "zh": f"{when_zh}{zh}：{words_zh}"}, "context", leans,
            )
            for name, unit, words, words_zh, leans in names
        ]  # fmt: skip
    way = "on from the payee" if later else "to the payer"
    way_zh = "自收款方转出" if later else "流入付款方"
    made.append(
        Feature(
            f"chain_{when}", "nats", "near_chain",
            {"en": f"much the same amount went {way} by unusual partners",
             "zh": f"相近金额经少见对手{way_zh}"}, "context", NOVELTY,
        )
    )  # fmt: skip
    return tuple(made)


NEAR_BEFORE: Final = _beside(later=False)
NEAR_AFTER: Final = _beside(later=True)
"""Columns beside a payment; those after a payment take as long as they look ahead."""


def nearby_features(settle_days: int) -> tuple[Feature, ...]:
    """The features there are."""
    return (*NEAR_BEFORE, *(NEAR_AFTER if settle_days else ()))
