"""Addresses of virtual assets on dated lists: whose they are, and from when up to when."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.graph.asked_addresses import Listed, ListedAddress
from detectors.names.standing import standings
from detectors.names.support import wallet_key
from regtech.reference.watchlists import ListVersion


def listed_addresses(versions: Sequence[ListVersion]) -> Listed:
    """All of them, by address as ``wallet_key`` writes it."""
    found: dict[str, list[ListedAddress]] = {}
    for standing in standings(versions):
        entry = standing.entry
        for kind, value in entry.identifiers:
            if kind == "wallet":
                name = entry.names[0].text if entry.names else ""
                found.setdefault(wallet_key(value.strip()), []).append(
                    ListedAddress(
                        standing.list, entry.id, name, standing.since_us, standing.until_us
                    )
                )
    return found
