"""The whole state of an engine as named arrays, and back.

Tables are written without their empty places, logs without what they have forgotten, so what is
written is what is held, not what is reserved. Addresses are never written: a restored engine has
its own.
Where the arrays are kept, and how they are protected, is the business of
``regtech.adapters.snapshots``.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from dataclasses import fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from regtech.columns.vocabulary import Vocabulary
from regtech.engine.arrays import Log, Table
from regtech.engine.block import Block, EventStore
from regtech.engine.deadlines import Deadlines, alert_data, alert_from
from regtech.engine.engine import Engine
from regtech.engine.intake import Intake, Late, SetAside
from regtech.engine.kernels import measures as K
from regtech.engine.plan import Plan
from regtech.engine.state import State
from regtech.errors import SnapshotError

Arrays = dict[str, npt.NDArray[Any]]
_PENDING: Final = tuple(f.name for f in fields(Block) if f.name != "count")
_MEASURE_WORDS: Final = (K.M_CURSOR, K.M_PMASK, K.M_PHEAD, K.M_PCURSOR, K.M_ACTIVE, K.M_OUT)
"""What changes in a measure's descriptor, addresses apart."""
_STATE_LAYOUT: Final = 8
"""Raised whenever state changes its meaning without changing a name or a size."""


def fingerprint(plan: Plan) -> str:
    """SHA-256 of all that state depends on: packs, reference data, and how state is laid out."""
    reference = plan.reference
    document = {
        "layout": [_STATE_LAYOUT, K.MEASURE_WORDS, K.LOG_WORDS, K.CELL_WORDS, K.KINDS],
        "packs": [[p.id, p.version, p.digest] for p in plan.packs],
        "rules": [rule.id for _, rule in plan.rules],
        "rates": [reference.rates.name, reference.rates.digest],
        "currencies": reference.currencies.digest(),
        "columns": list(plan.columns.index),
        "detectors": sorted({q.asks for q in plan.questions.values()}),
        "variants": [[v.rule.id, v.first_us, v.end_us] for v in plan.variants],
        "keyspaces": [
            [s.jurisdiction, s.keys, s.logged, len(s.filters), len(s.values), s.retention_us]
            for s in plan.keyspaces
        ],
        "measures": [
            [
                m.kind, m.window, m.period, m.length, m.jurisdiction, m.keyspace.index, m.bit,
                m.value_at, m.nonnegative, None if m.item_space is None else m.item_space.index,
            ]
            for m in plan.measures
        ],
    }  # fmt: skip
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()


def capture(engine: Engine, persons: Vocabulary) -> Arrays:
    """All of an engine's state between two pushes. ``persons``: the decoder's second vocabulary."""
    return capture_ahead(engine, persons) | capture_judging(engine)


def capture_ahead(engine: Engine, persons: Vocabulary) -> Arrays:
    """What is known before events are judged: words, facts, what was seen, asked and held back."""
    preparing, intake, state = engine.judge.preparing, engine.intake, engine.judge.state
    made: Arrays = {}
    for name, words in (("symbols", engine.plan.vocabulary), ("persons", persons)):
        made |= _named(f"{name}.", words.export_arrays())
    made |= _named("state.", _facts(state, len(engine.plan.vocabulary)))
    made |= capture_detectors(engine)
    made["judge.counters"] = preparing.counters.copy()
    pending = intake.pending()
    if pending is not None and pending.count:
        made |= {f"pending.{name}": getattr(pending, name) for name in _PENDING}
        made["pending.columns"] = pending.columns[:, : pending.count].copy()
    made["intake"] = _packed(_plain_intake(intake))
    return made


def capture_detectors(engine: Engine) -> Arrays:
    """The detectors that are asked in this process."""
    asking = engine.judge.preparing.asking
    return {} if asking is None else _named("detectors.", asking.export())


def capture_judging(engine: Engine) -> Arrays:
    """What comes of judging: measures with their windows, alerts that are not final, duties."""
    judge = engine.judge
    made = _named("events.", judge.events.export()) | _named("state.", _state(judge.state))
    made["judge.rule_counts"] = judge.rule_counts.copy()
    made["judge.errors"] = judge.errors.copy()
    made["engine"] = _packed(_plain_state(engine))
    return made


def vocabularies(arrays: Arrays) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies of symbols and of persons: a plan is compiled, and a decoder made, with
    them."""
    try:
        return (
            Vocabulary.from_arrays(_under("symbols.", arrays)),
            Vocabulary.from_arrays(_under("persons.", arrays)),
        )
    except KeyError as error:
        raise SnapshotError(f"the snapshot has no {error} of a vocabulary") from None


def restore(engine: Engine, arrays: Arrays) -> None:
    """Put a captured state into a fresh engine whose plan was compiled with its vocabulary.

    The engine may have more sources than the captured one; the first are the same.
    """
    try:
        _restore(engine, arrays)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise SnapshotError(f"the state does not fit the rules: {error!r}") from None


def _restore(engine: Engine, arrays: Arrays) -> None:
    judge, intake = engine.judge, engine.intake
    judge.events = EventStore.from_arrays(_under("events.", arrays))
    _restore_state(judge.state, _under("state.", arrays))
    if judge.preparing.asking is not None:
        judge.preparing.asking.restore(_under("detectors.", arrays))
    judge.event_days.tell_again()
    judge.rule_counts[:] = arrays["judge.rule_counts"]
    judge.preparing.counters[:] = arrays["judge.counters"]
    judge.errors[:] = arrays["judge.errors"]
    if "pending.columns" in arrays:
        parts = {name: arrays[f"pending.{name}"] for name in _PENDING}
        intake.hold(Block(count=len(parts["line"]), **parts))
    taken = json.loads(arrays["intake"].tobytes())
    intake.newest[: len(taken["newest"])] = taken["newest"]
    intake.set_aside = [SetAside(*item) for item in taken["set_aside"]]
    intake.undecided = [
        Late(a, b, content, before, SetAside(*event))
        for a, b, content, before, *event in taken["undecided"]
    ]
    intake.repeats, intake.late = taken["repeats"], taken["late"]
    intake.conflicts = taken["conflicts"]
    plain = json.loads(arrays["engine"].tobytes())
    engine.now_us, engine.events, engine.alerts = plain["now"], plain["events"], plain["alerts"]
    engine._serial, engine.early = plain["serial"], plain["early"]
    engine.raised = {
        (rule, subject): (period, step, at) for rule, subject, period, step, at in plain["raised"]
    }
    held = [(alert_from(data), serial) for serial, data in plain["held"]]
    engine.held = [(alert.order, serial, alert) for alert, serial in held]
    heapq.heapify(engine.held)
    engine.deadlines = Deadlines.from_data(plain["duties"], plain["untold"])
    engine.deadlines.last_period = {
        (rule, subject): period for rule, subject, period in plain["last_period"]
    }


def _plain_intake(intake: Intake) -> dict[str, Any]:
    return {
        "newest": list(intake.newest),
        "set_aside": [[s.source, s.line, s.id, s.code] for s in intake.set_aside],
        "undecided": [
            [late.a, late.b, late.content, late.before_us]
            + [late.event.source, late.event.line, late.event.id, late.event.code]
            for late in intake.undecided
        ],
        "repeats": intake.repeats,
        "late": intake.late,
        "conflicts": intake.conflicts,
    }


def _plain_state(engine: Engine) -> dict[str, Any]:
    deadlines = engine.deadlines
    return {
        "now": engine.now_us,
        "events": engine.events,
        "early": engine.early,
        "alerts": engine.alerts,
        "serial": engine._serial,
        "raised": [[*key, *value] for key, value in sorted(engine.raised.items())],
        "held": [[serial, alert_data(alert)] for _, serial, alert in sorted_held(engine)],
        "duties": deadlines.export(),
        "untold": deadlines.untold,
        "last_period": [[*key, value] for key, value in sorted(deadlines.last_period.items())],
    }


def sorted_held(engine: Engine) -> list[tuple[tuple[Any, ...], int, Any]]:
    """The alerts that are not final yet, in order."""
    return sorted(engine.held, key=lambda entry: entry[:2])


# --- arrays of state


def _facts(state: State, parties: int) -> Arrays:
    made: Arrays = {
        "fact_places": state.fact_places[:parties].copy(),
        "facts": state.facts[: int(state.facts_used[0])].copy(),
    }
    for name, table in _seen(state).items():
        made |= _named(f"{name}.", _table(table))
    return made


def _state(state: State) -> Arrays:
    made: Arrays = {"measures": state.M[:, list(_MEASURE_WORDS)].copy()}
    for k, table in enumerate(state.keys):
        made |= _named(f"keys{k}.", _table(table))
    for index, table in state.distinct.items():
        made |= _named(f"distinct{index}.", _table(table))
    for name, table in _told(state).items():
        made |= _named(f"{name}.", _table(table))
    made["cells"], places = state.cells_in_order()
    for space, of_space in enumerate(places):
        made[f"places{space}"] = of_space
    for spec in state.plan.measures:
        if spec.item_space is not None:
            used = state.keys[spec.item_space.index].count * 2
            made[f"items{spec.index}"] = state.items[spec.index][:used].copy()
        if spec.index in state.people:
            row = state.M[spec.index]
            live = _places(int(row[K.M_PCURSOR]), int(row[K.M_PHEAD]), int(row[K.M_PMASK]))
            made[f"people{spec.index}"] = np.stack([a[live] for a in state.people[spec.index]])
    for number, log in enumerate(state.logs):
        made |= _named(f"log{number}.", _log(state, log))
    return made


def _seen(state: State) -> dict[str, Table]:
    return {
        "seen_ids": state.seen_ids,
        "seen_payments": state.seen_payments,
        "seen_edges": state.seen_edges,
    }


def _told(state: State) -> dict[str, Table]:
    return {"alerted": state.alerted, "event_days": state.event_days}


def _table(table: Table) -> Arrays:
    entries = table.entries.reshape(-1, table.words)
    return {
        "entries": entries[entries[:, 0] != 0],
        "places": np.array([len(entries)], np.int64),
    }


def _places(tail: int, head: int, mask: int) -> npt.NDArray[np.int64]:
    """Where the live entries of a ring are, oldest first."""
    return np.arange(tail, head, dtype=np.int64) & mask


def _deques(state: State, log: Log) -> dict[int, list[npt.NDArray[np.int64]]]:
    """Rings that lie beside a log, entry for entry, by measure."""
    measures = state.plan.measures
    return {i: pair for i, pair in state.deques.items() if measures[i].keyspace is log.space}


def _log(state: State, log: Log) -> Arrays:
    head, tail = int(log.descriptor[K.L_HEAD]), int(log.descriptor[K.L_TAIL])
    live = slice(tail - log.base, head - log.base)
    made: Arrays = {"ends": np.array([tail, head], np.int64)}
    for name, array in log.arrays.items():
        made[name] = array[live].copy()
    made["heads"] = log.heads[: state.keys[log.space.index].count].copy()
    for index, pair in _deques(state, log).items():
        made[f"deque{index}"] = np.stack([array[live] for array in pair])
    return made


def _restore_state(state: State, arrays: Arrays) -> None:
    state.M[:, list(_MEASURE_WORDS)] = arrays["measures"]
    places, facts = arrays["fact_places"], arrays["facts"]
    state.room_for_facts(len(places), len(facts))
    state.fact_places[: len(places)] = places
    state.facts[: len(facts)] = facts
    state.facts_used[0] = len(facts)
    for k, table in enumerate(state.keys):
        _restore_table(table, _under(f"keys{k}.", arrays))
    for index, table in state.distinct.items():
        _restore_table(table, _under(f"distinct{index}.", arrays))
    for name, table in (_seen(state) | _told(state)).items():
        _restore_table(table, _under(f"{name}.", arrays))
    for number, log in enumerate(state.logs):
        _restore_log(state, log, _under(f"log{number}.", arrays))
    for space in state.plan.keyspaces:
        state.slots[space.index] = max(state.slots[space.index], state.keys[space.index].count)
        length = state.slots[space.index] * state.strides[space.index]
        state.places[space.index] = _filled(arrays[f"places{space.index}"], length)
    state.use_cells(arrays["cells"])
    for spec in state.plan.measures:
        index = spec.index
        if spec.item_space is not None:
            slots = state.slots[spec.item_space.index] * 2
            state.items[index] = _filled(arrays[f"items{index}"], slots)
        if index in state.people:
            row = state.M[index]
            mask = int(row[K.M_PMASK])
            live = _places(int(row[K.M_PCURSOR]), int(row[K.M_PHEAD]), mask)
            state.people[index] = [_ring(part, live, mask + 1) for part in arrays[f"people{index}"]]
        state._refresh_measure(index)
    for log in state.logs:
        log.heads = _filled(log.heads, state.slots[log.space.index])
        log.refresh()
    # Nothing is promised yet: the next block makes its own head-room.
    state.keep_no_promises()


def _restore_table(table: Table, arrays: Arrays) -> None:
    entries = np.ascontiguousarray(arrays["entries"], np.int64)
    table.fill(entries, int(arrays["places"][0]))


def _restore_log(state: State, log: Log, arrays: Arrays) -> None:
    tail, head = (int(x) for x in arrays["ends"])
    log.base, log.capacity = tail, max(head - tail, log.capacity)
    log.arrays = {name: _filled(arrays[name], log.capacity) for name in log.arrays}
    log.heads = np.ascontiguousarray(arrays["heads"], np.int64)
    log.descriptor[K.L_HEAD], log.descriptor[K.L_TAIL] = head, tail
    for index in _deques(state, log):
        state.deques[index][:] = [_filled(part, log.capacity) for part in arrays[f"deque{index}"]]


def _ring(
    entries: npt.NDArray[Any], live: npt.NDArray[np.int64], capacity: int
) -> npt.NDArray[Any]:
    made = np.zeros(capacity, entries.dtype)
    made[live] = entries
    return made


def _filled(entries: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    made = np.zeros(max(length, len(entries)), entries.dtype)
    made[: len(entries)] = entries
    return made


# --- names and plain data


def _named(prefix: str, arrays: Arrays) -> Arrays:
    return {prefix + name: array for name, array in arrays.items()}


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _packed(data: dict[str, Any]) -> npt.NDArray[np.uint8]:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
