"""Findings about owners as plain JSON, as they stand in an alert: exact shares, paths, control."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from detectors.ownership.answer import Owner
from detectors.ownership.terms import WHOLE, Share


def owner_data(entity: str, owner: Owner) -> dict[str, Any]:
    """An owner of an entity, with the ways to it."""
    return {
        "entity": entity,
        "owner": owner.party,
        "reasons": list(owner.reasons),
        "shares": share_data(owner.shares),
        "votes": share_data(owner.votes),
        "control": owner.control.value,
        "paths": [
            [
                {
                    "owner": x.owner,
                    "owned": x.owned,
                    "share": _part(Fraction(x.low, WHOLE), Fraction(x.high, WHOLE)),
                }
                for x in p.links
            ]
            for p in owner.paths
        ],
        "control_chain": list(_chain(owner)),
        "more_paths": owner.paths_cut,
    }


def _chain(owner: Owner) -> Iterator[dict[str, Any]]:
    for link in owner.control_chain:
        yield {
            "holders": list(link.holders),
            "controlled": link.controlled,
            "means": link.means,
            "votes": str(link.votes),
        }


def share_data(share: Share) -> str | dict[str, str]:
    """A share as a fraction in text, or both ends of what it may be."""
    return _part(share.low, share.open)


def _part(low: Fraction, high: Fraction) -> str | dict[str, str]:
    """Exact: a fraction as text, or both ends of a range."""
    return str(low) if low == high else {"at_least": str(low), "at_most": str(high)}
