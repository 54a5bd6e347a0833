"""Why a score is what it is: the features that made it, against what is usual, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from detectors.anomaly.catalogue import Feature
from detectors.anomaly.model import Model
from detectors.anomaly.payments import Float64, Int64

REASONS: Final = 3
_NOTHING: Final = {"en": "nothing about it is unusual", "zh": "未见异常特征"}
_USUALLY: Final = {"en": "{text}: {value} ({unit}), usually {low} to {high}",
                   "zh": "{text}：{value}（{unit}），通常为 {low} 至 {high}"}  # fmt: skip
_UNITS_ZH: Final = {
    "nats": "奈特",
    "standard deviations": "标准差",
    "log of usual gaps": "与平常间隔之比的对数",
    "log ratio": "比值的对数",
    "share": "比例",
    "log": "对数",
    "0 or 1": "0 或 1",
    "days": "天",
    "log of nats": "奈特的对数",
    "nats a payment": "每笔奈特",
    "cycles": "环",
    "accounts": "账户",
    "ratio": "比值",
    "payments": "笔",
    "zeros": "个零",
    "log of days": "天数的对数",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One feature of one payment: its value, what it added, and the range of 90 % in training."""

    feature: str
    value: float
    added: float
    low: float
    high: float


def strongest(model: Model, features: Sequence[Feature], rows: Float64) -> tuple[Int64, Float64]:
    """The columns that added most to each score, one of a group, and what each added.

    ``[n, REASONS]``; a column is -1 where nothing more added anything. A code says nothing to a
    person and is no reason.
    """
    told = [(c, feature.group) for c, feature in enumerate(features) if feature.unit != "code"]
    names = sorted({group for _, group in told})
    added = model.contributions(rows)
    column = np.zeros((len(rows), len(names)), np.int64)
    weight = np.zeros((len(rows), len(names)))
    for k, name in enumerate(names):
        mine = np.array([c for c, group in told if group == name])
        best = added[:, mine].argmax(axis=1)
        column[:, k] = mine[best]
        weight[:, k] = added[np.arange(len(rows)), column[:, k]]
    order = np.argsort(-weight, axis=1, kind="stable")[:, :REASONS]
    place = np.arange(len(rows))[:, None]
    found, gained = column[place, order], weight[place, order]
    return np.where(gained > 0, found, -1), np.maximum(gained, 0.0)


def reasons_of(
    model: Model, columns: Sequence[int], added: Sequence[float], row: Float64
) -> list[Reason]:
    """The reasons of one payment."""
    return [
        Reason(
            model.features[c], float(row[c]), float(gain),
            float(model.typical[c, 0]), float(model.typical[c, 1]),
        )
        for c, gain in zip(columns, added, strict=True)
        if c >= 0
    ]  # fmt: skip


def sentence(reason: Reason, feature: Feature, lang: str) -> str:
    """A reason in words."""
    unit = _UNITS_ZH.get(feature.unit, feature.unit) if lang == "zh" else feature.unit
    return _USUALLY[lang].format(
        text=feature.text[lang],
        value=f"{reason.value:.3g}",
        unit=unit,
        low=f"{reason.low:.3g}",
        high=f"{reason.high:.3g}",
    )


def reason_data(reason: Reason, feature: Feature) -> dict[str, Any]:
    """A reason as plain data: figures, and words in both languages."""
    return {
        "feature": reason.feature,
        "text": dict(feature.text),
        "value": f"{reason.value:.3g}",
        "unit": {"en": feature.unit, "zh": _UNITS_ZH.get(feature.unit, feature.unit)},
        "usually": [f"{reason.low:.3g}", f"{reason.high:.3g}"],
        "added": f"{reason.added:.3g}",
    }


def nothing(lang: str) -> str:
    """What is said where no feature added anything."""
    return _NOTHING[lang]
