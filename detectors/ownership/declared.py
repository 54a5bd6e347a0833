"""Totals that were declared beside the chains: "30 % through others".

A declared total is what the register says of the part that goes through others. It narrows what the
chains leave open. Where the chains contradict it, both stand, and a finding says so.
"""

from __future__ import annotations

from fractions import Fraction

from detectors.ownership.reach import Reach
from detectors.ownership.terms import WHOLE, Finding, Share, range_text
from detectors.ownership.view import View


def declared_total(view: View, root: int, party: int) -> Share | None:
    """Direct share and declared share through others together; None where none was declared."""
    held = view.holdings(root)
    total = held.declared.get(party)
    if total is None:
        return None
    low, high, _ = total
    place = held.shares.places.get(party << 1)
    if place is not None:
        low, high = low + held.shares.low[place], high + held.shares.high[place]
    most = Fraction(min(high, WHOLE), WHOLE)
    return Share(Fraction(min(low, WHOLE), WHOLE), most, most)


def narrowed(computed: Share, total: Share | None) -> tuple[Share, bool]:
    """A computed share within a declared total; whether they contradict each other."""
    if total is None:
        return computed, False
    if computed.low > total.high or computed.open < total.low:
        low, high = min(computed.low, total.low), max(computed.open, total.high)
        return Share(low, high, high), True
    low = max(computed.low, total.low)
    open_ = min(computed.open, total.open)
    return Share(low, max(low, min(computed.high, total.high)), max(low, open_)), False


def together(view: View, found: Reach, parties: frozenset[int]) -> Share:
    """The share of several parties together."""
    share = found.share_of(*parties)
    totals = [total for p in parties if (total := declared_total(view, found.root >> 1, p))]
    if len(parties) == 1:
        return narrowed(share, totals[0] if totals else None)[0]
    low = max([share.low, *(total.low for total in totals)])
    return Share(low, max(low, share.high), max(low, share.open))


def contradiction(view: View, root: int, party: int, computed: Share, total: Share) -> Finding:
    """What the register and the chains say."""
    names = view.register.names
    said = range_text(total.low, total.high)
    detail = f"{said} / {range_text(computed.low, computed.open)}"
    ref = view.holdings(root).declared[party][2]
    return Finding("declared_differs", names[root], names[party], detail, ref)
