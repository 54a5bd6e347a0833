"""One prepared block through the kernels: rows, filters, measures, rules. Hits come out.

``Judge`` owns the state and the scratch arrays; it knows nothing of alerts, files or order.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.engine.block import EventStore, Sequence
from regtech.engine.eventdays import EventDays
from regtech.engine.kernels import hits as H
from regtech.engine.kernels import measures as K
from regtech.engine.kernels import periods as C
from regtech.engine.kernels import rows as R
from regtech.engine.kernels.order import list_sizes
from regtech.engine.kernels.programs import VECTOR, run_sections
from regtech.engine.plan import DAY_US, TYPE_INDEX, Plan, eras
from regtech.engine.preparing import Prepared, Preparing
from regtech.engine.program import N_TYPES, Builder, EraProgram, Workshop, rule_period
from regtech.engine.state import State
from regtech.reference.civil import civil_from_days
from regtech.reference.keptcalendars import learn_years

Int64 = npt.NDArray[np.int64]
BLOCK_EVENTS: Final = 8192
_CALENDAR_MARGIN_DAYS: Final = 400
_AHEAD_DAYS: Final = 31  # so far behind a day the next working day is looked for
_FIGURE: Final = TYPE_INDEX["figure"]
_WORDS_KEPT: Final = 100_000


@dataclass(slots=True)
class Hits:
    """Rows that met a rule (outcome 2) or could not be told (1), first of their period, in order.

    ``rule`` is a variant's index (beyond the variants: the closing of a deadline); ``row``,
    ``event`` are positions in the judge's present block; ``label`` the period's number.
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
        self.preparing = Preparing(plan, self.state, home)
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
        self.errors = np.zeros(1, np.int64)
        self._capacity = -1  # the first block makes room, even where no rule looks at any event
        self._slots = dict.fromkeys("FVSX", 0)
        self._starts = np.zeros(len(plan.jurisdictions) + 1, np.int64)
        self.group_starts = np.zeros(len(plan.jurisdictions) * N_TYPES + 1, np.int64)
        self._hit_count = np.zeros(1, np.int64)
        self._section_rows = np.zeros(VECTOR, np.int64)
        self._no_hits = Hits(*(np.zeros(0, np.int64) for _ in range(5)))
        self._longest_us = max((s.retention_us for s in plan.keyspaces), default=0)
        self.LO = np.zeros((0, 0), np.int64)
        self.HI = np.zeros((0, 0), np.int64)
        self.B = np.zeros((0, 0), np.uint8)
        self.hit_row = np.zeros(0, np.int64)
        self.hit_rule = np.zeros(0, np.int64)
        self.hit_outcome = np.zeros(0, np.int64)
        self._prepare_zones()
        self._prepare_rates()
        self._prepare_rules()

    # --- fixed tables

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
        self.visited = np.zeros(size + 1, np.int64)
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

    def prepare(self, events: Sequence) -> Prepared:
        """Prepare the events that are judged next."""
        return self.preparing.prepare(events, self.events.next)

    def judge(self, prepared: Prepared) -> Hits:
        """Judge events that lie within one era; the arrays stay valid until the next call."""
        plan, state, events = self.plan, self.state, prepared.events
        n, block, src = events.count, events.block, events.order
        index = self.columns.index
        types, times = prepared.types, prepared.times
        self.prepared = prepared
        self.block, self.source, self.types, self.times = block, src, types, times
        self.first_event = first_event = prepared.first
        program = self._enter_era(int(times[0]))
        # what is older than any window of the block's first event may be let go, and no more: the
        # evidence of an alert must not depend on how the events were cut into blocks
        now = int(times[0])
        counts, starts = prepared.rows, self._starts
        reporters = block.columns[index["reporter"]][src]
        self.event_days.count(types, times, reporters, prepared.governed)
        counts.cumsum(out=starts[1:])
        starts[0] = 0
        total = int(starts[-1])
        self._scratch_rows(total, program)
        R.make_rows(
            types, src, n, N_TYPES, prepared.governed, prepared.leg_masks,
            prepared.leg_institutions,
            starts, self.row_event, self.row_source, self.row_side, self.row_flags,
            self.row_institution,
            self.group_starts, self.group_rows,
        )  # fmt: skip
        self.starts = starts
        C.local_periods(
            times, starts, self.row_event, self.zone_starts, self.zone_offsets, self.zone_lengths,
            self.standard, self.day, self.month, self.clock, self.shifted,
        )  # fmt: skip
        if plan.needs_business_days:
            self._business_days(starts)
        persons = list_sizes(block.person_offsets, src)
        rows = np.diff(self.group_starts).reshape(len(plan.jurisdictions), N_TYPES)
        state.make_room(rows, program.added, persons, now)
        self.events.append(events, times)
        sections = program.sections_a
        if (types == _FIGURE).any():
            # whoever has a figure in this block must have a slot before others ask for it
            self._run(program.code_a, program.sections_figures, program, total)
            sections = program.sections_others
        self._run(program.code_a, sections, program, total)
        K.append_logs(
            state.log_descriptors[: len(state.logs)], starts, self.row_event, self.group_starts,
            self.group_rows, types, times, first_event, self.F, self.V, self.S, self.E,
            program.log_keys, program.filters, program.filter_from, program.values,
            program.value_from, state.value_addresses, N_TYPES,
        )  # fmt: skip
        begin = 0
        while begin >= 0:
            state.room_for_cells()
            begin = K.run_measures(
                begin, state.M[: len(plan.measures)], program.roles, program.sole,
                state.log_descriptors,
                starts, self.row_event, self.row_source, types, self.group_starts, self.group_rows,
                times, self.day, self.month, self.business_day, self.shifted, self.standard,
                self.F, self.V, self.S, self.E, self.X, self.XH, state.pool, state.most_words,
                state.table_descriptors, state.value_addresses, block.person_offsets,
                block.person_values, self.errors, self.visited,
            )  # fmt: skip
        return self._hits(self._run(program.code_b, program.sections_b, program, total))

    def _run(self, code: Int64, sections: Int64, program: EraProgram, rows: int) -> int:
        if len(self.hit_row) <= rows * program.most_rules:
            groups = np.diff(self.group_starts)
            bound = int((groups * program.rules_per_group).sum()) + 1
            if len(self.hit_row) < bound:
                self.hit_row = np.zeros(bound, np.int64)
                self.hit_rule = np.zeros(bound, np.int64)
                self.hit_outcome = np.zeros(bound, np.int64)
        counts = self._hit_count
        counts[0] = 0
        run_sections(
            code, sections, self._section_rows, N_TYPES, self.group_starts, self.group_rows,
            self.row_event, self.row_source, self.row_side, self.row_flags, self.row_institution,
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
        while not C.business_days(
            starts, self.day, self.next_working, self.working_from, self.business_day
        ):
            days = self.day[: int(starts[-1])]
            first = int(days.min()) - _CALENDAR_MARGIN_DAYS
            last = int(days.max()) + _CALENDAR_MARGIN_DAYS
            self.next_working = np.zeros((len(self.plan.jurisdictions), last - first + 1), np.int64)
            self.working_from = first
            years = civil_from_days(first)[0], civil_from_days(last + _AHEAD_DAYS)[0]
            learn_years([profile.calendar for profile in self.plan.jurisdictions], *years)
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
        longest = max(self._longest_us, self.preparing.reach_us)
        self.events.forget(now_us - longest - 2 * DAY_US)


def _next_working(calendar: Any, first: int, last: int) -> Int64:
    working = calendar.table(first, last + _AHEAD_DAYS)
    days = np.arange(first, last + _AHEAD_DAYS + 1, dtype=np.int64)
    ahead = np.where(working != 0, days, np.iinfo(np.int64).max)
    return np.minimum.accumulate(ahead[::-1])[::-1][: last - first + 1]
