"""What is known of events before a rule looks at them: facts about their parties, whom they concern
by which law, and what detectors answer.

It rests on the events alone. So it can be made ahead of the judging, in another process too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from regtech.engine.asking import Asking
from regtech.engine.block import Sequence
from regtech.engine.columns import FACTS
from regtech.engine.kernels import rows as R
from regtech.engine.kernels.raw import MIN
from regtech.engine.plan import TYPE_INDEX, Plan
from regtech.engine.program import N_TYPES
from regtech.engine.state import State
from regtech.engine.subjects import PREFIXES
from regtech.errors import InternalError
from regtech.model.fields import EVENT_TYPES
from regtech.ports.detection import Finding
from regtech.reference.profiles import EVERYWHERE

Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]


class Findings(Protocol):
    """Why detectors answered as they did, for the events of one block."""

    def finding(self, path: str, side: int, event: int) -> tuple[str, Finding] | None:
        """The finding behind a field of a row, by the field's path and the row's side."""
        ...


@dataclass(slots=True)
class Prepared:
    """Events of one block, ready to be judged; its arrays stay valid until the next is prepared.

    ``first``: running number of the first. ``governed``: by event, a bit for each jurisdiction that
    governs it. ``leg_masks[s, i]``, ``leg_institutions[s, i]``: jurisdictions that have the leg
    ``s`` of event ``i``, and whose institution it is. ``rows``: how many rows each jurisdiction
    gets. ``payments``: which events are payments that nobody has reported before, where detectors
    are asked.
    """

    events: Sequence
    first: int
    types: Int64
    times: Int64
    governed: UInt64
    leg_masks: UInt64
    leg_institutions: Int64
    rows: Int64
    payments: npt.NDArray[np.bool_]
    findings: Findings | None


class Preparing:
    """Prepares the events of a run, in canonical order, for a ``Judge`` of the same plan."""

    def __init__(self, plan: Plan, state: State, home: str | None = None) -> None:
        self.plan, self.state = plan, state
        self.columns = plan.columns
        self.counters = np.zeros(2, np.int64)
        """Events that no national law governs; legs that somebody else has reported before."""
        self.asking: Asking | None = None
        if plan.questions:
            self.asking = Asking(
                plan.questions, plan.detectors, self.columns, plan.vocabulary,
                [profile.id for profile in plan.jurisdictions],
            )  # fmt: skip
        self._rows = np.zeros(len(plan.jurisdictions), np.int64)
        self._block_capacity = 0
        self._ahead = np.zeros(N_TYPES, np.int64)
        self._keys = np.zeros((4, R.STRETCH), np.int64)
        self._prepare_governing(home)
        self._prepare_facts()

    @property
    def reach_us(self) -> int:
        """So far back findings name events."""
        return 0 if self.asking is None else self.asking.reach_us

    def prepare(self, events: Sequence, first: int) -> Prepared:
        """Prepare events that follow those of the last call; their columns are filled in."""
        plan, state, n = self.plan, self.state, events.count
        cols, src = events.block.columns, events.order
        index = self.columns.index
        types, times = cols[index["type"]][src], cols[index["time"]][src]
        state.room_for_facts(len(plan.vocabulary), n)
        R.apply_facts(
            cols, src, n, index["type"], index["reporter"], index["party.id"], self.set_pairs,
            self.parties, self.parties_from, self.fill, self.derived, self.derived_from,
            state.fact_places, state.facts, state.facts_used, TYPE_INDEX["party"], self._ahead,
        )  # fmt: skip
        self._scratch(n)
        rows = self._rows
        rows[:] = 0
        # as old as the block's first event, however the events were cut into blocks
        now = int(times[0])
        state.room_for_payments(n, now)
        R.govern(
            cols, src, n, self.wanted, self.roles, self.role_masks, self.country_masks,
            self.intl, self.home, state.special[1], self._keys, self._governed,
            self._legs, self._leg_masks, self._leg_institutions, rows, self.counters,
            np.uint64((1 << len(plan.jurisdictions)) - 1),
        )  # fmt: skip
        governed, payments = self._governed[:n], np.zeros(n, np.bool_)
        if self.asking is not None:
            state.room_for_edges(n, now)
            R.find_edges(cols, src, n, self.wanted, state.special[3], self._keys, payments)
            self.asking.ask(events.block, src, first, payments, governed)
        return Prepared(
            events, first, types, times, governed, self._leg_masks, self._leg_institutions, rows,
            payments, self.asking,
        )  # fmt: skip

    def _scratch(self, n: int) -> None:
        if n <= self._block_capacity:
            return
        size = max(n, 256)
        self._governed = np.zeros(size, np.uint64)
        self._legs = np.zeros(size, np.int64)
        self._leg_masks = np.zeros((2, size), np.uint64)
        self._leg_institutions = np.full((2, size), MIN, np.int64)
        self._block_capacity = size

    def preset_fact(self, party: str, fact: str, word: str) -> None:
        """State a fact about a party before the first event (as a ``party`` event would)."""
        code, value = self.plan.vocabulary.code_of(party), self.plan.vocabulary.code_of(word)
        self.state.room_for_facts(len(self.plan.vocabulary), 1)
        self.state.set_fact(code, self.fact_names.index(fact), value ^ int(MIN))

    # --- fixed tables

    def _prepare_governing(self, home: str | None) -> None:
        plan = self.plan
        column = self.columns.column
        self.wanted = np.array(
            [column(p) for p in ("type", "time", "reporter", "payer.id", "payer.institution",
                                 "payee.id", "payee.institution", "reference", "amount", "currency",
                                 "payer.institution_country", "payee.institution_country")],
            np.int64,
        )  # fmt: skip
        paths: dict[str, list[str]] = {t: [] for t in EVENT_TYPES}
        for profile in plan.jurisdictions:
            for event_type in EVENT_TYPES:
                for path in profile.governing_paths(event_type):
                    if path not in paths[event_type]:
                        paths[event_type].append(path)
        widest = max((len(p) for p in paths.values()), default=0) or 1
        self.roles = np.full((N_TYPES, widest), -1, np.int64)
        self.role_masks = np.zeros((N_TYPES, widest), np.uint64)
        countries = 0
        for profile in plan.jurisdictions:
            for country in profile.countries:
                countries = max(countries, plan.vocabulary.code_of(country) + 1)
        self.country_masks = np.zeros(max(countries, 1), np.uint64)
        self.intl = np.uint64(0)
        national = []
        for j, profile in enumerate(plan.jurisdictions):
            bit = np.uint64(1 << j)
            if profile.id == EVERYWHERE:
                self.intl |= bit
                continue
            national.append((profile.id, bit))
            for country in profile.countries:
                self.country_masks[plan.vocabulary.code_of(country)] |= bit
            for event_type in EVENT_TYPES:
                t = TYPE_INDEX[event_type]
                for k, path in enumerate(paths[event_type]):
                    self.roles[t, k] = column(path)
                    if path in profile.governing_paths(event_type):
                        self.role_masks[t, k] |= bit
        self.counts_ungoverned = bool(national) and home is None
        self.home = np.uint64(0)
        if home is not None:
            self.home = next((bit for name, bit in national if name == home), np.uint64(0))
        elif len(national) == 1:
            self.home = national[0][1]

    def _prepare_facts(self) -> None:
        index = self.columns.index
        self.fact_names = [f for f in FACTS if f"party.{f}" in index]
        if "country" not in self.fact_names:
            raise InternalError("the country of parties is not decoded")
        number = {name: k for k, name in enumerate(self.fact_names)}
        pairs = [(k, index[f"party.{name}"]) for name, k in number.items()]
        self.set_pairs = np.array(pairs, np.int64)
        self.state.facts = np.zeros((1, len(self.fact_names)), np.int64)
        fill: list[tuple[int, int]] = []
        parties: list[tuple[int, int, int]] = []
        derived: list[tuple[int, int, int]] = []
        parties_from, derived_from = [0], [0]
        for event_type in EVENT_TYPES:
            for prefix in sorted(PREFIXES[event_type]):
                paths = ((k, f"{prefix}.{name}") for name, k in number.items())
                mine = [(k, index[path]) for k, path in paths if path in index]
                if mine:
                    first = len(fill)
                    parties.append((index[f"{prefix}.id"], first, first + len(mine)))
                    fill += mine
            for made in self.columns.derived.values():
                prefix = made.path.rpartition(".")[0]
                if prefix in PREFIXES[event_type] or prefix == "reporter":
                    derived.append((index[made.source], number[made.fact], index[made.path]))
            parties_from.append(len(parties))
            derived_from.append(len(derived))
        self.fill = np.array(fill or [(0, 0)], np.int64)
        self.parties = np.array(parties or [(0, 0, 0)], np.int64)
        self.parties_from = np.array(parties_from, np.int64)
        self.derived = np.array(derived or [(0, 0, 0)], np.int64)
        self.derived_from = np.array(derived_from, np.int64)
