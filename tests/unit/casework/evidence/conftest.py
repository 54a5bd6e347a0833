"""A small world: one chain with two cases in it, keys that were rotated once, and its bundle.

Nothing here is random: seeds and salts are counted, so that a failure can be shown again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from casework.cases.chain import FIRST_PREVIOUS
from casework.cases.commitments import Committed, commit
from casework.evidence.bundle import Chain, Entry, Reveal, Rule, build_bundle, show_all
from casework.evidence.checkpoints import Checkpoint, sign_checkpoint
from casework.evidence.keys import KeyRing, SigningKey, first_ring, succeeded
from casework.evidence.merkle import Frontier

TENANT = "bank-a"
CASE = "C-0123456789abcdef0123"
GRADED = frozenset({"/subject/name", "/payer/name", "/payer/account", "/text"})
PACK = "2c80ca69f498dc7b0b5c1690cc40e317aa335c4128f96dbc1f4fa7f575ba4eaf"


@dataclass(frozen=True)
class World:
    """What a store would hold."""

    entries: list[Entry]
    ring: KeyRing
    checkpoints: list[Checkpoint]
    case: Committed
    alerts: dict[str, Committed]
    events: dict[str, Committed]
    rules: list[Rule]

    @property
    def own(self) -> list[Entry]:
        """The entries of the case that is exported."""
        return [entry for entry in self.entries if entry.content["case"] == CASE]

    def bundle(self, reveal: Reveal = show_all, **changed: Any) -> bytes:
        """The bytes of the bundle, with other arguments where they are given."""
        arguments: dict[str, Any] = {
            "case_id": CASE,
            "case": self.case,
            "timeline": self.own,
            "alerts": self.alerts,
            "events": self.events,
            "rules": self.rules,
            "chain": Chain(TENANT, [entry.hash() for entry in self.entries], self.checkpoints),
            "keys": self.ring,
            "reveal": reveal,
            "now_us": 1_800_000_000_000_000,
        }
        return build_bundle(**{**arguments, **changed})


def make_world(entries: int = 14) -> World:
    numbers = itertools.count(1)

    def salt() -> bytes:
        return hashlib.sha256(f"salt {next(numbers)}".encode()).digest()

    def committed(document: dict[str, Any]) -> Committed:
        return commit(document, GRADED.__contains__, salt)

    alert = committed(
        {
            "id": "a1", "rule": "cn-lvtr-0501", "pack": "cn-aml", "pack_digest": PACK,
            "subject": {"id": "P1", "name": "王芳"}, "measures": {"cny": 50000},
            "cite": {"instrument": "order-2016-3", "article": "5(1)(1)"}, "events": ["t1", "t9"],
        }
    )  # fmt: skip
    events = {
        "t1": committed(
            {"id": "t1", "type": "transaction", "amount": "50000.00", "score": 0.25,
             "payer": {"id": "P1", "name": "王芳", "account": "6222"}}
        )
    }  # fmt: skip
    digest = hashlib.sha256(
        json.dumps(
            alert.content, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        ).encode()
    ).hexdigest()
    chain: list[Entry] = []
    previous = FIRST_PREVIOUS
    for position in range(1, entries + 1):
        mine = position % 3 != 0
        content: dict[str, Any] = {
            "case": CASE if mine else "C-ffff",
            "kind": "comment",
            "actor": "u1",
            "text": f"remark {position} about 王芳",
        }
        if position == 1:
            content["detail"] = {"documents": {"alerts/a1": digest}}
        held = committed(content)
        entry = Entry(position, previous, held.content, held.openings)
        chain.append(entry)
        previous = entry.hash()

    old = SigningKey.of_seed(b"\x01" * 32)
    ring = first_ring(old, 1_700_000_000_000_000)
    frontier, checkpoints = Frontier(), []
    half = entries // 2
    frontier.extend(entry.hash() for entry in chain[:half])
    checkpoints.append(
        sign_checkpoint(old, TENANT, frontier, chain[half - 1].hash(), None, 1_710_000_000_000_000)
    )
    ring = succeeded(ring, SigningKey.of_seed(b"\x02" * 32), 1_720_000_000_000_000)
    frontier.extend(entry.hash() for entry in chain[half:])
    checkpoints.append(
        sign_checkpoint(
            ring.active, TENANT, frontier, previous, checkpoints[0], 1_730_000_000_000_000
        )
    )
    return World(
        entries=chain,
        ring=ring,
        checkpoints=checkpoints,
        case=committed({"id": CASE, "state": "closed", "subject": {"id": "P1", "name": "王芳"}}),
        alerts={"a1": alert},
        events=events,
        rules=[
            Rule(
                id="cn-lvtr-0501", version="1.0.0", pack="cn-aml", pack_digest=PACK,
                text="rules:\n  - id: cn-lvtr-0501  # 当日现金收支五万元以上\n",
                cite={"instrument": "order-2016-3", "article": "5(1)(1)"},
            )
        ],
    )  # fmt: skip


@pytest.fixture(scope="session")
def world() -> World:
    """Session-wide: nothing changes it."""
    return make_world()


@pytest.fixture(scope="session")
def bundle(world: World) -> bytes:
    """The world's bundle, everything shown."""
    return world.bundle()


@pytest.fixture(name="make_world")
def _make_world() -> Callable[[int], World]:
    """A world with so many entries in its chain."""
    return make_world
