"""Which scores are alerts: as many as a budget allows, by what was scored in the weeks before."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.anomaly.payments import Float64, Int64

DAY_US: Final = 86_400_000_000
WEEKS_US: Final = 28 * DAY_US
SCORES_MIN: Final = 1_000


def levels_by_day(
    before: Float64, before_us: Int64, scores: Float64, times_us: Int64, budget: float
) -> Float64:
    """The score to alert at for each of ``scores``: what a share of ``budget`` exceeded before.

    For each UTC day it is made from the four weeks before that day (or the last ``SCORES_MIN``
    scores, where these were fewer), ``before`` being the scores of training. A level never uses the
    day itself or what follows, and so it follows slow changes of the traffic.
    """
    every, when = np.concatenate([before, scores]), np.concatenate([before_us, times_us])
    levels = np.zeros(len(scores))
    days = times_us // DAY_US
    for day in np.unique(days).tolist():
        end = int(np.searchsorted(when, day * DAY_US, side="left"))
        end = max(end, len(before))
        start = int(np.searchsorted(when, day * DAY_US - WEEKS_US, side="left"))
        start = max(min(start, end - SCORES_MIN), 0)
        levels[days == day] = np.quantile(every[start:end], 1.0 - budget)
    return levels
