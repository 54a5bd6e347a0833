"""What is usual for accounts, pairs and kinds of parties, beyond bursts and levels.

Which way money goes between two, by which channel such parties pay each other, how round amounts
are, how regular a pair is: habits that those who launder through accounts of others seldom keep.
All of it helps models that learn; none is unusual by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from detectors.anomaly.catalogue import AMOUNT, EMPTINESS, NOVELTY, Feature
from detectors.anomaly.features import usable_state
from detectors.anomaly.kernels.behaviour import CHANNELS
from detectors.anomaly.kernels.usage import KINDS, LATEST, PAIR_WORDS, SIDE_WORDS, WAYS_PRIOR
from detectors.anomaly.kernels.usage import usage as usage_kernel
from detectors.anomaly.pairs import PairTable
from detectors.anomaly.payments import Float64, Int64, Payments


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
"""The columns of ``UsageFeatures.update``."""
_STATE: Final = ("sides", "latest", "ways", "everyone")


class UsageFeatures:
    """Each payment against what came before it.

    Payments come in order of time; batches may be cut anywhere. Memory is about 300 bytes an
    account and 48 to 96 bytes a pair that ever occurred.
    """

    def __init__(self) -> None:
        self._sides: Float64 = np.zeros((2, 0, SIDE_WORDS))
        self._latest: Int64 = np.zeros((0, LATEST), np.int64)
        self._ways: Float64 = np.full((KINDS, KINDS, CHANNELS), WAYS_PRIOR)
        self._everyone: Float64 = np.zeros(2)
        self._pairs = PairTable(PAIR_WORDS)

    def update(self, payments: Payments) -> Float64:
        """Add payments; ``[n, len(USAGE)]``."""
        made = np.zeros((len(payments), len(USAGE)))
        self._room(payments.accounts(), len(payments))
        pairs = self._pairs
        pairs.count += usage_kernel(
            payments.time_us, payments.payer, payments.payee, payments.amount, payments.channel,
            np.clip(payments.payer_kind, 0, KINDS - 1), np.clip(payments.payee_kind, 0, KINDS - 1),
            pairs.keys, pairs.values, self._sides, self._latest, self._ways, self._everyone, made,
        )  # fmt: skip
        return made

    def _room(self, accounts: int, coming: int) -> None:
        have = len(self._latest)
        if accounts > have:
            more = max(accounts, 2 * have) - have
            self._sides = np.pad(self._sides, ((0, 0), (0, more), (0, 0)))
            self._latest = np.pad(self._latest, ((0, more), (0, 0)), constant_values=-1)
        self._pairs.room(coming)

    def state(self) -> dict[str, Any]:
        """All state as arrays, for a snapshot."""
        made = {name: getattr(self, f"_{name}").copy() for name in _STATE}
        return {**made, **self._pairs.state()}

    def restore(self, arrays: Mapping[str, Any]) -> None:
        """Take over ``state``; ``SnapshotError`` where arrays are missing or of another shape."""
        usable_state("usage features", self.state(), arrays)
        for name in _STATE:
            setattr(self, f"_{name}", arrays[name].copy())
        self._pairs.restore(arrays)
