"""One block through the kernels: facts, rows, filters, measures, rules. Hits come out.

``Judge`` owns the state and the scratch arrays; it knows nothing of alerts, files or order.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.engine.asking import Asking
from regtech.engine.block import EventStore, Sequence
from regtech.engine.columns import FACTS
from regtech.engine.eventdays import EventDays
from regtech.engine.kernels import hits as H
from regtech.engine.kernels import measures as K
from regtech.engine.kernels import rows as R
from regtech.engine.kernels.order import list_sizes
from regtech.engine.kernels.programs import VECTOR, run_groups
from regtech.engine.kernels.raw import MIN
from regtech.engine.plan import DAY_US, TYPE_INDEX, Plan, eras
from regtech.engine.program import N_TYPES, Builder, EraProgram, Workshop, rule_period
from regtech.engine.state import State
from regtech.engine.subjects import PREFIXES
from regtech.errors import InternalError
from regtech.model.fields import EVENT_TYPES
from regtech.reference.profiles import EVERYWHERE

Int64 = npt.NDArray[np.int64]
BLOCK_EVENTS: Final = 8192
_CALENDAR_MARGIN_DAYS: Final = 400
_FIGURE: Final = TYPE_INDEX["figure"]
_WORDS_KEPT: Final = 100_000


@dataclass(slots=True)
class Hits:
    """Rows that met a rule (outcome 2) or could not be told (1), first of their period, in order.

    ``rule`` is a variant's index (beyond the variants: the closing of a deadline); ``row``,
    ``event`` are
    positions in the judge's present block; ``label`` the period's number.
    """

    rule: Int64
    row: Int64
    event: Int64
    outcome: Int64
    label: Int64

    def __len__(self) -> int:
        return len(self.rule)


class Judge:
    """Judges blocks of events in canonical order by a plan."""

    def __init__(self, plan: Plan, home: str | None = None) -> None:
        self.plan = plan
        self.state = State(plan)
        self.events = EventStore()
        self.event_days = EventDays(plan, self.state.event_days)
        self.columns = plan.columns
        self.era_cuts = [int(cut) for cut in eras(plan)]
        self._programs: dict[int, EraProgram] = {}
        self._workshop = Workshop()
        self._words: dict[int, str] = {}
        self.places: dict[tuple[str, str], tuple[int, int, int]] = {}
        """Event type and path to columns, see ``rowenv``."""
        self.program: EraProgram | None = None
        self.rule_counts = np.zeros((2 * max(len(plan.variants), 1), 2), np.int64)
        self.counters = np.zeros(2, np.int64)
        self.errors = np.zeros(1, np.int64)
        self.asking: Asking | None = None
        if plan.questions:
            self.asking = Asking(
                plan.questions, plan.detectors, self.columns, plan.vocabulary,
                [profile.id for profile in plan.jurisdictions],
            )  # fmt: skip
        self._capacity = -1  # the first block makes room, even where no rule looks at any event
        self._slots = dict.fromkeys("FVSX", 0)
        self._block_capacity = 0
        self._counts = np.zeros(len(plan.jurisdictions), np.int64)
        self._starts = np.zeros(len(plan.jurisdictions) + 1, np.int64)
        self.group_starts = np.zeros(len(plan.jurisdictions) * N_TYPES + 1, np.int64)
        self._hit_count = np.zeros(1, np.int64)
        self._no_hits = Hits(*(np.zeros(0, np.int64) for _ in range(5)))
        self._longest_us = max((s.retention_us for s in plan.keyspaces), default=0)
        if self.asking is not None:
            self._longest_us = max(self._longest_us, self.asking.reach_us)
        self.LO = np.zeros((0, 0), np.int64)
        self.HI = np.zeros((0, 0), np.int64)
        self.B = np.zeros((0, 0), np.uint8)
        self.hit_row = np.zeros(0, np.int64)
        self.hit_rule = np.zeros(0, np.int64)
        self.hit_outcome = np.zeros(0, np.int64)
        self._prepare_governing(home)
        self._prepare_facts()
        self._prepare_zones()
        self._prepare_rates()
        self._prepare_rules()

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
        fill: list[tuple[int, int, int]] = []
        derived: list[tuple[int, int, int]] = []
        fill_from, derived_from = [0], [0]
        for event_type in EVENT_TYPES:
            for prefix in sorted(PREFIXES[event_type]):
                for name, k in number.items():
                    path = f"{prefix}.{name}"
                    if path in index:
                        fill.append((index[f"{prefix}.id"], k, index[path]))
            for made in self.columns.derived.values():
                prefix = made.path.rpartition(".")[0]
                if prefix in PREFIXES[event_type] or prefix == "reporter":
                    derived.append((index[made.source], number[made.fact], index[made.path]))
            fill_from.append(len(fill))
            derived_from.append(len(derived))
        self.fill = np.array(fill or [(0, 0, 0)], np.int64)
        self.fill_from = np.array(fill_from, np.int64)
        self.derived = np.array(derived or [(0, 0, 0)], np.int64)
        self.derived_from = np.array(derived_from, np.int64)

    def _prepare_zones(self) -> None:
        from regtech.reference.zones import standard_offset_us, transition_table

        tables = [transition_table(p.zone) for p in self.plan.jurisdictions]
        longest = max((len(t[0]) for t in tables), default=1)
        n = len(tables)
        self.zone_starts = np.zeros((max(n, 1), longest), np.int64)
        self.zone_offsets = np.zeros((max(n, 1), longest), np.int64)
        self.zone_lengths = np.zeros(max(n, 1), np.int64)
        self.standard = np.zeros(max(n, 1), np.int64)
        for j, (starts, offsets) in enumerate(tables):
            self.zone_starts[j, : len(starts)] = starts
            self.zone_offsets[j, : len(offsets)] = offsets
            self.zone_lengths[j] = len(starts)
            self.standard[j] = standard_offset_us(self.plan.jurisdictions[j].zone)
        self.working_from = 0
        self.next_working = np.zeros((max(n, 1), 0), np.int64)

    def _prepare_rates(self) -> None:
        plan = self.plan
        rates = plan.reference.rates
        span = rates.span() or (0, 0)
        self.rate_first = span[0]
        codes = [c for c in plan.currencies.codes if any(c in pair for pair in rates._series)]
        self.rate_rows = np.full(len(plan.currencies), -1, np.int64)
        for k, code in enumerate(codes):
            self.rate_rows[plan.currencies[code].index] = k
        shape = (max(len(plan.rate_targets), 1), max(len(codes), 1), span[1] - span[0] + 1)
        self.rate_num = np.zeros(shape, np.int64)
        self.rate_den = np.zeros(shape, np.int64)
        for target, row in plan.rate_targets.items():
            if codes and target in codes:
                num, den = rates.table_for_kernel(codes, target, *span)
                self.rate_num[row], self.rate_den[row] = num, den

    def _prepare_rules(self) -> None:
        variants = self.plan.variants
        self.rule_periods = np.full(2 * max(len(variants), 1), H.PASS, np.int64)
        self.rule_lengths = np.zeros(2 * max(len(variants), 1), np.int64)
        self.rule_months = np.zeros(2 * max(len(variants), 1), np.int64)
        self.rule_numbers = np.zeros(2 * max(len(variants), 1), np.int64)
        for variant in variants:
            kind, length, months = rule_period(self.plan, variant)
            self.rule_periods[variant.index] = kind
            self.rule_lengths[variant.index] = length
            self.rule_months[variant.index] = months
            self.rule_numbers[variant.index] = variant.rule_number

    def preset_fact(self, party: str, fact: str, word: str) -> None:
        """State a fact about a party before the first event (as a ``party`` event would)."""
        code, value = self.plan.vocabulary.code_of(party), self.plan.vocabulary.code_of(word)
        self.state.room_for_facts(len(self.plan.vocabulary), 1)
        self.state.set_fact(code, self.fact_names.index(fact), value ^ int(MIN))

    # --- eras

    def era_end(self, at: int) -> int:
        """Instant at which the law in force changes next."""
        k = bisect_right(self.era_cuts, at)
        return self.era_cuts[k] if k < len(self.era_cuts) else 1 << 62

    def _enter_era(self, at: int) -> EraProgram:
        k = bisect_right(self.era_cuts, at)
        program = self._programs.get(k)
        if program is None:
            start = self.era_cuts[k - 1] if k > 0 else -(1 << 62)
            program = Builder(self.plan, self._workshop, start, self.era_end(at)).build()
            self._programs[k] = program
            self._grow_registers(program)
        if program is not self.program:
            M = self.state.M[: len(program.active)]
            begins = (program.active != 0) & (M[:, K.M_ACTIVE] == 0) & (M[:, K.M_LOG] >= 0)
            heads = self.state.log_descriptors[M[begins, K.M_LOG], K.L_HEAD]
            M[begins, K.M_CURSOR] = np.maximum(M[begins, K.M_CURSOR], heads)
            M[:, K.M_ACTIVE] = program.active
            M[:, K.M_OUT] = program.out[: len(program.active)]
            self.program = program
        return program

    def _grow_registers(self, program: EraProgram) -> None:
        slots = program.slots
        if self.LO.shape[0] < slots["numbers"] + 1:
            # a row is padded so that equal columns of two registers do not share a cache set
            shape = (slots["numbers"] + 1, VECTOR + 24)
            self.LO, self.HI = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        if self.B.shape[0] < slots["truths"] + 1:
            self.B = np.zeros((slots["truths"] + 1, VECTOR + 64), np.uint8)

    # --- scratch

    def _scratch_events(self, n: int) -> None:
        if n <= self._block_capacity:
            return
        size = max(n, 256)
        self.governed = np.zeros(size, np.uint64)
        self.legs = np.zeros(size, np.int64)
        self.leg_masks = np.zeros((2, size), np.uint64)
        self.leg_institutions = np.full((2, size), MIN, np.int64)
        self._block_capacity = size

    def _scratch_rows(self, n: int, program: EraProgram) -> None:
        if n <= self._capacity and all(program.slots[name] <= self._slots[name] for name in "FVSX"):
            return
        size = max(n + n // 4, self._capacity, 256)
        slots = self._slots
        for name in "FVSX":
            slots[name] = max(slots[name], program.slots[name])
        stride = size + 24

        def grid(count: int, kind: Any = np.int64) -> npt.NDArray[Any]:
            return np.zeros((count + 1, stride), kind)

        self.row_event = np.zeros(size, np.int64)
        self.row_source = np.zeros(size, np.int64)
        self.row_side = np.zeros(size, np.int64)
        self.row_flags = np.zeros(size, np.int64)
        self.row_institution = np.zeros(size, np.int64)
        self.group_rows = np.zeros(size, np.int64)
        self.day = np.zeros(size, np.int64)
        self.month = np.zeros(size, np.int64)
        self.clock = np.zeros(size, np.int64)
        self.shifted = np.zeros(size, np.int64)
        self.business_day = np.zeros(size, np.int64)
        self.X, self.XH = grid(slots["X"]), grid(slots["X"])
        self.V, self.S = grid(slots["V"]), grid(slots["S"])
        self.F = grid(slots["F"], np.uint8)
        self.E = grid(len(self.state.logs))
        self._capacity = size

    # --- judging

    def judge(self, events: Sequence) -> Hits:
        """Judge events that lie within one era; the arrays stay valid until the next call."""
        plan, state, n = self.plan, self.state, events.count
        block, src = events.block, events.order
        cols = block.columns
        index = self.columns.index
        types, times = cols[index["type"]][src], cols[index["time"]][src]
        self.block, self.source, self.types, self.times = block, src, types, times
        program = self._enter_era(int(times[0]))
        state.room_for_facts(len(plan.vocabulary), n)
        R.apply_facts(
            cols, src, n, index["type"], index["reporter"], index["party.id"], self.set_pairs,
            self.fill,
            self.fill_from, self.derived, self.derived_from, state.fact_places, state.facts,
            state.facts_used, TYPE_INDEX["party"],
        )  # fmt: skip
        self._scratch_events(n)
        counts, starts = self._counts, self._starts
        counts[:] = 0
        # what is older than any window of the block's first event may be let go, and no more: the
        # evidence of an alert must not depend on how the events were cut into blocks
        now = int(times[0])
        state.room_for_payments(n, now)
        R.govern(
            cols, src, n, self.wanted, self.roles, self.role_masks, self.country_masks,
            self.intl, self.home, state.special[1], self.governed,
            self.legs, self.leg_masks, self.leg_institutions, counts, self.counters,
            np.uint64((1 << len(plan.jurisdictions)) - 1),
        )  # fmt: skip
        reporters = cols[index["reporter"]][src]
        self.event_days.count(types, times, reporters, self.governed)
        if self.asking is not None:
            state.room_for_edges(n, now)
            edges = np.zeros(n, np.bool_)
            R.find_edges(cols, src, n, self.wanted, state.special[3], edges)
            self.asking.ask(block, src, self.events.next, edges, self.governed[:n])
        counts.cumsum(out=starts[1:])
        starts[0] = 0
        total = int(starts[-1])
        self._scratch_rows(total, program)
        R.make_rows(
            types, src, n, N_TYPES, self.governed, self.leg_masks, self.leg_institutions,
            starts, self.row_event, self.row_source, self.row_side, self.row_flags,
            self.row_institution,
            self.group_starts, self.group_rows,
        )  # fmt: skip
        self.starts = starts
        R.local_periods(
            times, starts, self.row_event, self.zone_starts, self.zone_offsets, self.zone_lengths,
            self.standard, self.day, self.month, self.clock, self.shifted, self.counters,
        )  # fmt: skip
        if plan.needs_business_days:
            self._business_days(starts)
        persons = list_sizes(block.person_offsets, src)
        rows = np.diff(self.group_starts).reshape(len(plan.jurisdictions), N_TYPES)
        state.make_room(rows, program.added, persons, now)
        first_event = self.events.next
        self.first_event = first_event
        self.events.append(events, times, reporters)
        last = program.last_a
        if (types == _FIGURE).any():
            # whoever has a figure in this block must have a slot before others ask for it
            last = program.last_others
            self._run(program.code_a, program.first_a, program.last_figures, program, total)
        self._run(program.code_a, program.first_a, last, program, total)
        K.append_logs(
            state.log_descriptors[: len(state.logs)], starts, self.row_event, types, times,
            first_event, self.F, self.V, self.S, self.E, program.log_keys, program.filters,
            program.filter_from, program.values, program.value_from, state.value_addresses, N_TYPES,
        )  # fmt: skip
        K.run_measures(
            state.M[: len(plan.measures)], program.roles, state.log_descriptors, starts,
            self.row_event, self.row_source, types, times, self.day, self.month, self.business_day,
            self.shifted, self.standard, self.F, self.V, self.S, self.E, self.X, self.XH,
            state.table_descriptors, state.value_addresses, block.person_offsets,
            block.person_values, self.errors,
        )  # fmt: skip
        return self._hits(
            self._run(program.code_b, program.first_b, program.last_b, program, total)
        )

    def _run(self, code: Int64, first: Int64, last: Int64, program: EraProgram, rows: int) -> int:
        if len(self.hit_row) <= rows * program.most_rules:
            groups = np.diff(self.group_starts)
            bound = int((groups * program.rules_per_group).sum()) + 1
            if len(self.hit_row) < bound:
                self.hit_row = np.zeros(bound, np.int64)
                self.hit_rule = np.zeros(bound, np.int64)
                self.hit_outcome = np.zeros(bound, np.int64)
        counts = self._hit_count
        counts[0] = 0
        run_groups(
            code, first, last, N_TYPES, self.group_starts, self.group_rows, self.row_event,
            self.row_source, self.row_side, self.row_flags, self.row_institution,
            self.block.columns, self.times, self.day, self.clock, self.next_working,
            self.working_from, self.X, self.XH, self.F, self.V, self.S, self.LO, self.HI, self.B,
            program.pool, self.rate_rows, self.rate_first,
            self.rate_num, self.rate_den, self.state.key_descriptors, self.hit_row, self.hit_rule,
            self.hit_outcome, counts, self.rule_counts, self.zone_starts, self.zone_offsets,
            self.zone_lengths,
        )  # fmt: skip
        return int(counts[0])

    def _hits(self, n: int) -> Hits:
        if n == 0:
            return self._no_hits
        row, rule = self.hit_row[:n], self.hit_rule[:n]
        outcome = self.hit_outcome[:n]
        event = self.row_event[row]
        # in one event an action ends a duty before another opens
        closing = rule >= len(self.plan.variants)
        order = np.lexsort((rule, row, ~closing, event))
        row, rule, outcome, event = row[order], rule[order], outcome[order], event[order]
        keep = np.zeros(n, np.int64)
        label = np.zeros(n, np.int64)
        self.state.alerted.ensure(n)
        assert self.program is not None
        H.first_in_period(
            n, row, rule, outcome, self.row_event, self.types, self.times, self.shifted, self.day,
            self.month, self.business_day, self.S, self.rule_periods, self.rule_lengths,
            self.rule_months, self.rule_numbers, self.program.rule_key, self.state.special[2],
            self.first_event, keep, label,
        )  # fmt: skip
        kept = keep != 0
        return Hits(rule[kept], row[kept], event[kept], outcome[kept], label[kept])

    def _business_days(self, starts: Int64) -> None:
        while not R.business_days(
            starts, self.day, self.next_working, self.working_from, self.business_day
        ):
            days = self.day[: int(starts[-1])]
            first = int(days.min()) - _CALENDAR_MARGIN_DAYS
            last = int(days.max()) + _CALENDAR_MARGIN_DAYS
            self.next_working = np.zeros((len(self.plan.jurisdictions), last - first + 1), np.int64)
            self.working_from = first
            for j, profile in enumerate(self.plan.jurisdictions):
                self.next_working[j] = _next_working(profile.calendar, first, last)

    def word(self, code: int) -> str:
        """Text of a symbol; the same few thousand words come up again and again."""
        found = self._words.get(code)
        if found is None:
            if len(self._words) > _WORDS_KEPT:
                self._words.clear()
            found = self._words[code] = self.plan.vocabulary.text(code)
        return found

    def id_of(self, event: int) -> str:
        """Id of an event of the present block."""
        return self.block.id_of(int(self.source[event]))

    def place_of(self, event: int) -> tuple[int, int]:
        """Source index and line of an event of the present block."""
        at = int(self.source[event])
        return int(self.block.source[at]), int(self.block.line[at])

    def now_forget(self, now_us: int) -> None:
        """Let go of event ids older than any evidence reaches."""
        self.events.forget(now_us - self._longest_us - 2 * DAY_US)


def _next_working(calendar: Any, first: int, last: int) -> Int64:
    working = calendar.table(first, last + 31)
    days = np.arange(first, last + 32, dtype=np.int64)
    ahead = np.where(working != 0, days, np.iinfo(np.int64).max)
    return np.minimum.accumulate(ahead[::-1])[::-1][: last - first + 1]
