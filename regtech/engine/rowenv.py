"""What one row says, as the Python reading of expressions needs it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from regtech.columns.hashing import hash_bytes
from regtech.engine.columns import has_path, kind_of, sides, words_of
from regtech.engine.durations import end_of
from regtech.engine.evaluate import UNKNOWN, Interval, Value, point
from regtech.engine.judge import Judge
from regtech.engine.kernels.raw import MAX, MIN
from regtech.engine.lowering import natural_unit
from regtech.engine.subjects import PREFIXES
from regtech.engine.variants import Variant
from regtech.model.fields import DECIMAL_SCALE, EVENT_TYPES, Kind
from regtech.rulelang.ir import Duration, FieldRef, Measure

_MIN, _MAX = int(MIN), int(MAX)


class RowEnvironment:
    """One row of the judge's present block, seen by one rule."""

    def __init__(self, judge: Judge, variant: Variant, row: int) -> None:
        self.judge, self.variant, self.row = judge, variant, row
        self.currencies = judge.plan.currencies
        self.event = int(judge.row_event[row])
        self.source = int(judge.row_source[row])
        self.side = int(judge.row_side[row])
        self.event_type = EVENT_TYPES[int(judge.types[self.event])]
        self.rates_used: dict[str, Any] = {}
        self._event_id = ""

    def seen_by(self, variant: Variant) -> RowEnvironment:
        """The same row as another rule sees it; rates used are noted in one place."""
        if variant is self.variant:
            return self
        other = RowEnvironment(self.judge, variant, self.row)
        other.rates_used = self.rates_used
        return other

    def column(self, path: str) -> int:
        """The stored integer of a path on this row, or MIN."""
        column = self.place(path)
        return _MIN if column < 0 else int(self.judge.block.columns[column, self.source])

    def place(self, path: str) -> int:
        """Column of a path on rows like this one; -1: none."""
        found = self.judge.places.get((self.event_type, path))
        if found is None:
            found = self.judge.places[(self.event_type, path)] = self._places(path)
        return found[self.side]

    def _places(self, path: str) -> tuple[int, int, int]:
        """Columns of a path when the subject pays, is paid, and on a row without a side; -1:
        none."""
        index = self.judge.columns.index
        if path == "direction":
            raise KeyError(path)
        if path in PREFIXES[self.event_type]:
            path = f"{path}.id"
        if self.event_type == "transaction" and (pair := sides(path)) is not None:
            if pair[0] not in index or pair[1] not in index:
                return -1, -1, -1
            return index[pair[0]], index[pair[1]], -1
        if not has_path(self.event_type, path) or path not in index:
            return -1, -1, -1
        return index[path], index[path], index[path]

    def event_name(self) -> str:
        """Reporter and id, which name the event among all."""
        return f"{self.field('reporter')}/{self.event_id()}"

    def event_id(self) -> str:
        """Id of the event, which its reporter gave it."""
        if not self._event_id:
            self._event_id = self.judge.id_of(self.event)
        return self._event_id

    def field(self, path: str) -> Value:
        """A field as a value: see ``evaluate.Environment``."""
        if path == "direction":
            if self.event_type != "transaction" or self.side > 1:
                return None
            return ("out", "in")[self.side]
        raw = self.column(path)
        if raw == _MIN:
            return None
        if path in PREFIXES[self.event_type]:
            path = f"{path}.id"
        return self.decode(path, raw)

    def decode(self, path: str, raw: int) -> Value:
        """A stored integer as a value."""
        kind = kind_of(path)
        if kind is Kind.SYMBOL:
            return self.judge.word(raw)
        if kind is Kind.CURRENCY:
            return str(self.currencies.at(raw).code)
        if kind is Kind.FLAGS:
            return self.flags(path, raw)
        if kind is Kind.TEXT:
            if self.judge.columns.keeps(path):
                raw = hash_bytes(self.judge.word(raw).encode()) >> 1
            return f"#{raw:x}"
        if kind is Kind.DECIMAL:
            return point(Fraction(raw, DECIMAL_SCALE))
        return point(raw)

    def flags(self, path: str, raw: int) -> frozenset[str]:
        """A stored set of words."""
        found = {word for k, word in enumerate(words_of(path)) if raw >> k & 1}
        if raw >> 62 & 1:
            found.add("?")
        return frozenset(found)

    def measure(self, measure: Measure) -> Interval:
        """A measure of the rule at this row."""
        if measure.kind == "distinct" and isinstance(measure.value, FieldRef):
            if measure.value.path == "persons":
                ids, largest, total = (
                    self.kernel(part, strict) for part, strict in self.judge.plan.parts_of(measure)
                )
                low = ids.low
                if low is not None and largest.low is not None:
                    low = max(low, largest.low)
                high = None
                if ids.high is not None and total.high is not None:
                    high = ids.high + total.high
                return Interval(low, high)
        strict = self.judge.plan.is_strict(self.variant, measure)
        return self.kernel(measure, strict)

    def raw_measure(self, measure: Measure, strict: bool) -> tuple[int, int]:
        """Both ends of a kernel measure as stored."""
        spec = self.judge.plan.measure_of(self.variant, measure, strict)
        assert self.judge.program is not None
        slot = int(self.judge.program.out[spec.index])
        return int(self.judge.X[slot, self.row]), int(self.judge.XH[slot, self.row])

    def kernel(self, measure: Measure, strict: bool) -> Interval:
        """A kernel measure as an interval."""
        return as_interval(*self.raw_measure(measure, strict), measure)

    def converted(self, path: str, currency: str) -> Interval:
        """A money field of the row in a currency."""
        amount, source = self.column(path), self.column("currency")
        if amount == _MIN or source == _MIN:
            return UNKNOWN
        code = self.currencies.at(source).code
        if code == currency:
            return point(amount)
        day = int(self.judge.day[self.row])
        if self.event_type == "figure" and (as_of := self.column("as_of")) != _MIN:
            day = as_of
        rates = self.judge.plan.reference.rates
        result = rates.convert(amount, code, currency, day)
        quote = rates.quote(code, currency, day)
        if result is None or quote is None:
            return UNKNOWN
        self.rates_used[f"{code}/{currency}"] = quote
        return point(result)

    def clock_end(self, start_us: int, length: Duration) -> Interval:
        """When months or working days from a time are over, in the jurisdiction's zone."""
        profile = self.judge.plan.reference.profile(self.variant.jurisdiction)
        return point(end_of(start_us, length, profile))

    def local(self, what: str) -> Fraction | None:
        """Calendar facts of the row in its jurisdiction's zone."""
        judge, row = self.judge, self.row
        day, clock = int(judge.day[row]), int(judge.clock[row])
        time = int(judge.times[self.event])
        if what == "day":
            return Fraction(day)
        if what == "hour":
            return Fraction(clock // 3_600_000_000)
        if what == "weekday":
            return Fraction((day + 3) % 7 + 1)
        if what == "time":
            return Fraction(time)
        if what == "offset":
            return Fraction(day * 86_400_000_000 + clock - time)
        profile = judge.plan.reference.profile(self.variant.jurisdiction)
        return Fraction(int(profile.calendar.is_working(day)))


def as_interval(low: int, high: int, measure: Measure) -> Interval:
    """Stored ends of a measure as an interval in the unit of its type."""
    unit = natural_unit(measure.type)
    return Interval(
        None if low == _MIN else low * unit,
        None if high == _MAX else high * unit,
    )
