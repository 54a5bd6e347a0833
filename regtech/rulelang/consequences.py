"""Reads what follows when a rule is met: alert, repetition, deadline, detector."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final, cast

from regtech.content.saying import say
from regtech.content.yamlmarks import Mapping, Node, Scalar, Sequence, plain
from regtech.rulelang.expressions import Reader
from regtech.rulelang.fieldviews import Unresolved, resolve_path
from regtech.rulelang.ir import (
    Again,
    AlertSpec,
    Basis,
    Deadline,
    Detect,
    Duration,
    Expr,
    LetRef,
    ParamRef,
)
from regtech.rulelang.nodes import NodeReader, ScalarSource
from regtech.rulelang.params import BASES
from regtech.rulelang.scope import Scope
from regtech.rulelang.types import Mismatch, common, describe

ALERT_KINDS: Final = (
    "breach",
    "report",
    "suspicion",
    "limit",
    "deadline",
    "quality",
    "duty",
    "indicator",
)
SEVERITIES: Final = ("critical", "high", "medium", "low", "info")
_ALERT_KEYS: Final = ("kind", "severity", "report", "due", "due_from", "due_basis")
_DEADLINE_KEYS: Final = ("within", "start", "start_period_end", "closed_by", "warn", "about")
_PERIOD_ENDS: Final = ("day", "week", "month", "quarter", "year")
_PARAM_CALL: Final = re.compile(r"""\s*param\(\s*["']([^"']*)["']\s*\)\s*\Z""")


class ConsequenceReader:
    """The part of reading a rule that its conditions do not need; ``rules`` adds the rest."""

    def __init__(self, reader: NodeReader, mapping: Mapping) -> None:
        self.reader = reader
        self.mapping = mapping
        self.entries = mapping.entries

    def _expression(
        self, node: Node | None, scope: Scope, no_measures: str, *, must: bool = False
    ) -> Expr | None:
        """An expression; ``must``: it must be a condition."""
        if node is None:
            return None
        if not isinstance(node, Scalar):
            hint = say("quote it: YAML reads [ and { as lists and mappings")
            self.reader.fault("RL103", say("an expression is a text"), node, hint)
            return None
        source = ScalarSource(self.reader.document, node)
        found = Reader(source, scope, allow_measures=no_measures).read()
        if found is not None and must and found.type.name != "bool":
            self.reader.fault(
                "RL206",
                say("a condition is expected, this is %(type)s", type=describe(found.type)),
                node,
            )
            return None
        return found

    def _again(self, scope: Scope) -> Again | None:
        mapping = self.reader.mapping(self.entries.get("again"), "again")
        if mapping is None:
            return None
        self.reader.keys(mapping, ("value", "step"), ("value", "step"), "again")
        value = self._expression(mapping.entries.get("value"), scope, "")
        step = self._expression(mapping.entries.get("step"), scope, say("a step is a figure"))
        if value is None or step is None:
            return None
        if not isinstance(value, LetRef):
            self.reader.fault("RL103", say("value names a let"), mapping.entries["value"])
            return None
        try:
            common(value.type, step.type, say("compare"))
        except Mismatch as error:
            self.reader.fault(error.code, error.message, mapping.entries["step"], error.hint)
            return None
        return Again(value, step)

    # --- what follows --------------------------------------------------------------------------

    def _alert(self, scope: Scope) -> AlertSpec | None:
        reader = self.reader
        mapping = reader.mapping(self.entries.get("alert"), "alert")
        if mapping is None:
            return None
        reader.keys(mapping, _ALERT_KEYS, ("kind", "severity"), "alert")
        kind = reader.word(mapping.entries.get("kind"), "kind", ALERT_KINDS)
        severity = reader.word(mapping.entries.get("severity"), "severity", SEVERITIES)
        due = reader.duration(mapping.entries.get("due"), "due")
        basis = reader.word(mapping.entries.get("due_basis"), "due_basis", BASES)
        due_from = reader.string(mapping.entries.get("due_from"), "due_from")
        if due_from is not None:
            found = resolve_path(due_from, scope.types)
            node = mapping.entries["due_from"]
            if isinstance(found, Unresolved):
                reader.fault(found.code, found.message, node, found.hint)
            elif found.type.name not in ("time", "date"):
                reader.fault(
                    "RL206",
                    say("due_from is a time, this is %(type)s", type=describe(found.type)),
                    node,
                )
        for key in ("due_from", "due_basis"):
            if key in mapping.entries and "due" not in mapping.entries:
                reader.fault("RL111", say("%(key)s needs due", key=key), mapping.keys[key])
        if kind is None or severity is None:
            return None
        return AlertSpec(
            kind,
            severity,
            reader.string(mapping.entries.get("report"), "report"),
            due,
            cast(Basis, basis or "law"),
            due_from or "time",
        )

    def _length(self, node: Node | None, scope: Scope, what: str) -> Duration | ParamRef | None:
        """``72 hours``, or ``param("x")`` that is a length of time."""
        if isinstance(node, Scalar) and "param" in node.text:
            found = self._expression(node, scope, say("a length is a figure"))
            if found is None:
                return None
            if isinstance(found, ParamRef) and found.type.name == "duration":
                return found
            self.reader.fault("RL206", say("%(what)s is a length of time", what=what), node)
            return None
        return self.reader.duration(node, what)

    def _deadline(self, scope: Scope) -> Deadline | None:
        reader = self.reader
        mapping = reader.mapping(self.entries.get("deadline"), "deadline")
        if mapping is None:
            return None
        entries = mapping.entries
        reader.keys(mapping, _DEADLINE_KEYS, ("within", "closed_by"), "deadline")
        within = self._length(entries.get("within"), scope, "within")
        warn = reader.duration(entries.get("warn"), "warn")
        about = self._expression(entries.get("about"), scope, say("a duty is named by a field"))
        if about is not None and about.type.name not in ("symbol", "text"):
            reader.fault("RL206", say("about is a field that names the duty"), entries["about"])
        start = self._expression(entries.get("start"), scope, say("the clock starts at a field"))
        if start is not None and start.type.name not in ("time", "date"):
            reader.fault(
                "RL206",
                say("start is a time, this is %(type)s", type=describe(start.type)),
                entries["start"],
            )
        period_end = reader.word(entries.get("start_period_end"), "period", _PERIOD_ENDS)
        if "start" in entries and "start_period_end" in entries:
            key = mapping.keys["start_period_end"]
            reader.fault("RL111", say("the clock starts at start or at a period's end"), key)
        closing = Scope(("action",), ("event",), scope.params, scope.names, scope.faults)
        closed_by = self._expression(
            entries.get("closed_by"), closing, "an action closes the duty", must=True
        )
        scope.params_used |= closing.params_used
        if within is None or closed_by is None:
            return None
        return Deadline(within, closed_by, about, start, period_end, warn)

    def _detect(self, scope: Scope) -> Detect | None:
        mapping = self.reader.mapping(self.entries.get("detect"), "detect")
        if mapping is None:
            return None
        name = self.reader.string(mapping.entries.get("detector"), "detector")
        if name is None:
            self.reader.fault("RL102", say("detect needs 'detector'"), mapping)
            return None
        params: dict[str, Any] = {}
        for key, node in mapping.entries.items():
            if key != "detector":
                params[key] = self._detect_value(node, scope)
        return Detect(name, params)

    def _detect_value(self, node: Node, scope: Scope) -> Any:
        """Plain data; ``param("x")`` in a value becomes a ``ParamRef``."""
        if isinstance(node, Mapping):
            return {key: self._detect_value(child, scope) for key, child in node.entries.items()}
        if isinstance(node, Sequence):
            return [self._detect_value(child, scope) for child in node.items]
        if _PARAM_CALL.match(node.text) and node.style in ("", "'", '"'):
            return self._expression(node, scope, "")
        value = plain(node)
        return value.isoformat() if isinstance(value, date) else value
