"""Models as rules ask for them: by name, with what stands against using them, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from detectors.anomaly.model import Model

Words = Mapping[str, str]
CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"


@dataclass(frozen=True, slots=True)
class Standing:
    """A model of the registry: its version, what it is there, the digest of its numbers."""

    version: str
    role: str
    digest: str
    model: Model
    settle_days: int
    without: tuple[str, ...]
    trained_until: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no model to score by, in words."""

    reason: Words


Find = Callable[[str], Standing | Missing]
"""A model by its version, or ``CHAMPION``, or ``CHALLENGER`` for the newest one."""


def usable(
    found: Standing | Missing, *, shadow: bool, without: tuple[str, ...], features: tuple[str, ...]
) -> Standing | Missing:
    """The model, or why it cannot be used in a stream as it is asked for.

    ``features``: names of the columns that the stream has.
    """
    if isinstance(found, Missing):
        return found
    if found.role == CHALLENGER and not shadow:
        return _missing(
            f"model {found.version} was not promoted by two people: only a rule with "
            "'status: shadow' may ask it",
            f"模型 {found.version} 未经两人批准：仅“status: shadow”的规则可以使用",
        )
    if found.settle_days:
        return _missing(
            f"model {found.version} waits {found.settle_days} days for what follows a payment: "
            "only one that was trained with --settle 0 decides at once",
            f"模型 {found.version} 须等待其后 {found.settle_days} 天：仅以 --settle 0 "
            "训练的模型可即时判断",
        )
    if set(without) - set(found.without):
        left = ", ".join(sorted(set(without) - set(found.without)))
        return _missing(
            f"model {found.version} was not trained without {left}",
            f"模型 {found.version} 训练时未排除 {left}",
        )
    if not set(found.model.features) <= set(features):
        return _missing(
            f"model {found.version} reads other features than there are: train it again",
            f"模型 {found.version} 使用的特征已不存在，请重新训练",
        )
    return found


def _missing(en: str, zh: str) -> Missing:
    return Missing({"en": en, "zh": zh})
