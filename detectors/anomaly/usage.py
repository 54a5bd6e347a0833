"""What is usual for accounts, pairs and kinds of parties, beyond bursts and levels.

Which way money goes between two, by which channel such parties pay each other, how round amounts
are, how regular a pair is: habits that those who launder through accounts of others seldom keep.
All of it helps models that learn; none is unusual by itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.anomaly.catalogue import AMOUNT, EMPTINESS, NOVELTY, Feature
from detectors.anomaly.kernels.usage import KINDS, LATEST, PAIR_WORDS, SIDE_WORDS
from detectors.anomaly.kernels.usage import usage as usage_kernel
from detectors.anomaly.payments import Float64, Payments


def _side(role: str) -> tuple[Feature, ...]:
    who, who_zh = {"payer": ("the payer", "付款方"), "payee": ("the payee", "收款方")}[role]
    does = "pays" if role == "payer" else "is paid"
    does_zh = "付款" if role == "payer" else "收款"
    return (
        Feature(f"{role}_share", "share", f"use_{role}",
                {"en": f"share of {who}'s payments in which it {does}",
                 "zh": f"{who_zh}全部往来中{does_zh}的占比"}, "context"),
        Feature(f"{role}_channel", "nats", "use_channel",
                {"en": f"the channel is unusual where {who} {does}",
                 "zh": f"该渠道在{who_zh}{does_zh}中少见"}, "context"),
        Feature(f"{role}_roundness", "zeros", "use_round",
                {"en": f"the amount is rounder than usual where {who} {does}",
                 "zh": f"金额比{who_zh}平常{does_zh}金额更为整数"}, "context", AMOUNT),
        Feature(f"{role}_kind", "nats", f"use_{role}",
                {"en": f"a person or an entity, where {who} seldom deals with such",
                 "zh": f"{who_zh}少与此类主体（个人或单位）往来"}, "context"),
    )  # fmt: skip


_AGAIN: Final = Feature(
    "payer_amount_again", "0 or 1", "use_amount",
    {"en": "one of the payer's latest payments had the same amount",
     "zh": "付款方近期有一笔金额相同的付款"}, "context", AMOUNT,
)  # fmt: skip

USAGE: Final[tuple[Feature, ...]] = (
    Feature("roundness", "zeros", "use_round",
            {"en": "zeros at the end of the amount", "zh": "金额末尾零的个数"},
            "context", AMOUNT),
    Feature("channel", "code", "use_channel",
            {"en": "the channel", "zh": "交易渠道"}, "context"),
    Feature("kinds", "code", "use_kinds",
            {"en": "what payer and payee are", "zh": "付款方与收款方的主体类型"}, "context"),
    Feature("kinds_channel", "nats", "use_channel",
            {"en": "the channel is unusual between such parties",
             "zh": "该渠道在此类主体之间少见"}, "context"),
    *_side("payer"), _AGAIN, *_side("payee"),
    Feature("pair_payments", "payments", "use_pair",
            {"en": "payments of the payer to the payee before", "zh": "此前同向付款笔数"},
            "context", NOVELTY),
    Feature("pair_back", "payments", "use_pair",
            {"en": "payments of the payee to the payer before", "zh": "此前反向付款笔数"},
            "context", NOVELTY),
    Feature("payer_turned", "nats", "use_turned",
            {"en": "for the first time money goes the other way between the two, which is seldom "
                   "for the payer",
             "zh": "双方资金首次反向流动，对付款方少见"}, "context", NOVELTY),
    Feature("payee_turned", "nats", "use_turned",
            {"en": "for the first time money goes the other way between the two, which is seldom "
                   "for the payee",
             "zh": "双方资金首次反向流动，对收款方少见"}, "context", NOVELTY),
    Feature("pair_gap", "log of days", "use_gap",
            {"en": "time since the pair's last payment", "zh": "距双方上次付款的时间"},
            "context", NOVELTY),
    Feature("pair_gap_ratio", "log ratio", "use_gap",
            {"en": "that time against the pair's usual one", "zh": "该间隔与双方平常间隔之比"},
            "context"),
    Feature("pair_same_share", "share", "use_amount",
            {"en": "how often the pair's amounts repeat", "zh": "双方付款金额重复的占比"},
            "context", AMOUNT),
    Feature("pair_same", "0 or 1", "use_amount",
            {"en": "the amount is that of the pair's last payment",
             "zh": "金额与双方上一笔相同"}, "context", AMOUNT),
    Feature("payer_payees", "log", "use_fan",
            {"en": "payees the payer had before", "zh": "付款方此前的收款对手数"},
            "context", EMPTINESS),
    Feature("payee_payers", "log", "use_fan",
            {"en": "payers the payee had before", "zh": "收款方此前的付款对手数"},
            "context", EMPTINESS),
    Feature("payer_new_share", "share", "use_fan",
            {"en": "how often the payer had a new payee", "zh": "付款方出现新对手的占比"},
            "context", NOVELTY),
    Feature("payee_new_share", "share", "use_fan",
            {"en": "how often the payee had a new payer", "zh": "收款方出现新对手的占比"},
            "context", NOVELTY),
    Feature("payer_payers", "log", "use_fan",
            {"en": "payers the payer had before", "zh": "付款方此前的付款对手数"},
            "context", EMPTINESS),
    Feature("payee_payees", "log", "use_fan",
            {"en": "payees the payee had before", "zh": "收款方此前的收款对手数"},
            "context", EMPTINESS),
)  # fmt: skip
"""The columns of ``usage_of``."""


def usage_of(payments: Payments) -> Float64:
    """``[n, len(USAGE)]``: each payment against what came before it."""
    made = np.zeros((len(payments), len(USAGE)))
    both = (payments.payer >= 0) & (payments.payee >= 0)
    keys = np.where(both, (payments.payer << 32) | payments.payee, -1)
    known, pair = np.unique(keys, return_inverse=True)
    if not len(known):
        return made
    wanted = (payments.payee << 32) | payments.payer
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    back = np.where(both & (known[place] == wanted), place, -1)
    accounts = payments.accounts()
    usage_kernel(
        payments.time_us, payments.payer, payments.payee, payments.amount, payments.channel,
        np.clip(payments.payer_kind, 0, KINDS - 1), np.clip(payments.payee_kind, 0, KINDS - 1),
        pair.astype(np.int64), back.astype(np.int64), np.zeros((2, accounts, SIDE_WORDS)),
        np.zeros((len(known), PAIR_WORDS)), np.full((accounts, LATEST), -1, np.int64), made,
    )  # fmt: skip
    return made
