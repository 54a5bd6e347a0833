"""The share of one owner where nobody stands behind any: most parties that events name.

What ``reach`` computes of any graph is one look at what is held there: nothing is multiplied.
"""

from __future__ import annotations

from detectors.ownership.register import Register
from detectors.ownership.rows import SHARES
from detectors.ownership.terms import ENDS, WHOLE, Interest, Moment

_BESIDE = frozenset({*Interest} - {*SHARES, Interest.NOMINEE})
"""Interests that are no shares and change none. Of totals and nominees ``reach`` knows more."""


def near_share(register: Register, owned: int, owner: int, at: Moment) -> tuple[int, int] | None:
    """What another party holds of one of which no owner was ever reported to be owned: the least
    and, if all that nobody reported were its own, the most; times ``WHOLE``.

    None where something is left open: ranges, more than the whole, nominees, declared totals.
    """
    kinds = register.kinds
    share, total, unseen = 0, 0, 0
    for holder, interest, change in register.in_force(owned, at):
        if interest in SHARES:
            if change.low != change.high:
                return None
            total += change.low
            if holder == owner:
                share += change.low
            elif kinds[holder] and kinds[holder] not in ENDS:
                unseen += change.low  # of a company or a product it is not known who owns it
        elif interest not in _BESIDE:
            return None
    if total > WHOLE:
        return None
    return share, share + unseen + WHOLE - total
