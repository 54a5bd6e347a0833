"""Reads one rule: its keys, its expressions and what it says happens."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from regtech.content.faults import did_you_mean
from regtech.content.saying import say
from regtech.content.yamlmarks import Mapping, Node, Scalar
from regtech.model.fields import EVENT_TYPES
from regtech.rulelang.consequences import ConsequenceReader
from regtech.rulelang.fieldviews import Unresolved, resolve_path, resolve_subject
from regtech.rulelang.functions import ASKED
from regtech.rulelang.ir import (
    Call,
    Citation,
    Confidence,
    Expr,
    FieldRef,
    Instrument,
    Measure,
    Param,
    ParamRef,
    Rule,
    Span,
    Status,
)
from regtech.rulelang.nodes import NAME, NodeReader
from regtech.rulelang.params import CONFIDENCES
from regtech.rulelang.scope import Names, Scope
from regtech.rulelang.testcases import read_tests
from regtech.rulelang.types import describe
from regtech.rulelang.walk import walk

RULE_KEYS: Final = (
    "id",
    "title",
    "cite",
    "obligation",
    "in_force",
    "status",
    "on",
    "per",
    "by",
    "where",
    "let",
    "when",
    "period",
    "again",
    "yields_to",
    "cannot_tell",
    "deadline",
    "detect",
    "alert",
    "explain",
    "misses",
    "tests",
)
STATUSES: Final = get_args(Status)
PERIODS: Final = ("event", "day", "week", "month", "quarter", "year", "ever")
_CITE_KEYS: Final = ("instrument", "article", "confidence", "text_digest")


@dataclass(slots=True)
class PackContext:
    """What the rules of one pack share while they are read."""

    reader: NodeReader
    instruments: dict[str, Instrument]
    params: dict[str, Param]
    names: Names
    params_used: set[str]
    instruments_used: set[str]
    param_names: Collection[str] = ()


def read_rule(context: PackContext, node: Node) -> Rule | None:
    """One rule, or None where faults leave nothing to go on with."""
    reader = context.reader
    mapping = reader.mapping(node, say("a rule"))
    if mapping is None:
        return None
    return _RuleReader(context, mapping).rule()


class _RuleReader(ConsequenceReader):
    def __init__(self, context: PackContext, mapping: Mapping) -> None:
        super().__init__(context.reader, mapping)
        self.context = context

    def rule(self) -> Rule | None:
        reader, entries = self.reader, self.entries
        before = sum(1 for fault in reader.faults if fault.severity == "error")
        reader.keys(self.mapping, RULE_KEYS, ("id", "title", "on", "per", "alert"), say("a rule"))
        rule_id = reader.identifier(entries.get("id"), say("the id of a rule"))
        title = reader.texts(entries.get("title"), "title")
        cite = self._cite()
        span = self._span(cite)
        obligations = self._obligations()
        if cite is not None and not obligations and "obligation" not in entries:
            reader.fault(
                "RL409", say("the rule cites law but names no obligation"), entries["cite"]
            )
        status = reader.word(entries.get("status"), "status", STATUSES) or "enabled"
        on = self._on()
        per = self._per(on)
        scope = Scope(
            types=on or EVENT_TYPES,
            per=per,
            params=self.context.params,
            names=self.context.names,
            faults=reader.faults,
            param_names=self.context.param_names,
        )
        by = self._by(scope) if on else ()
        let_node = entries.get("let")
        scope.let_names = tuple(let_node.entries) if isinstance(let_node, Mapping) else ()
        where = self._expression(
            entries.get("where"), scope, "where filters single rows", must=True
        )
        lets = self._lets(scope)
        when = self._expression(entries.get("when"), scope, "", must=True)
        again = self._again(scope)
        deadline = self._deadline(scope)
        detect = self._detect(scope)
        if not any(key in entries for key in ("when", "deadline", "detect")):
            reader.fault("RL102", say("a rule needs 'when', 'deadline' or 'detect'"), self.mapping)
        alert = self._alert(scope)
        period = reader.word(entries.get("period"), "period", PERIODS)
        yields_to = tuple(self._strings("yields_to"))
        cannot_tell = reader.word(entries.get("cannot_tell"), "cannot_tell", ("count", "alert"))
        explain = reader.texts(entries.get("explain"), "explain")
        misses = reader.texts(entries.get("misses"), "misses")
        self._unused_lets(scope)
        self.context.params_used |= scope.params_used
        used: list[Expr | None] = [where, when, *lets.values()]
        waits = detect is not None or any(
            isinstance(part, Call) and part.function in ASKED
            for expr in used
            if expr is not None
            for part in walk(expr)
        )
        tests = read_tests(
            reader,
            entries.get("tests"),
            self.mapping,
            on=on,
            reached=self._reached(on),
            let_names=tuple(scope.let_names),
            names=self.context.names,
            waits=waits,
            single=per == ("event",) and not lets,
        )
        self._medium_memory(cite, status, scope.params_used)
        after = sum(1 for fault in reader.faults if fault.severity == "error")
        if after != before or rule_id is None or title is None or alert is None:
            return None
        return Rule(
            id=rule_id,
            title=title,
            cite=cite,
            obligations=obligations,
            on=on,
            per=per,
            by=by,
            where=where,
            lets=lets,
            when=when,
            period=period,
            again=again,
            yields_to=yields_to,
            alert=alert,
            status=cast(Status, status),
            span=span,
            cannot_tell="alert" if cannot_tell == "alert" else "count",
            deadline=deadline,
            detect=detect,
            explain=explain,
            misses=misses,
            tests=tests,
            mark=reader.mark(entries["id"]),
        )

    # --- law -----------------------------------------------------------------------------------

    def _cite(self) -> Citation | None:
        reader = self.reader
        node = self.entries.get("cite")
        mapping = reader.mapping(node, "cite")
        if mapping is None:
            return None
        reader.keys(mapping, _CITE_KEYS, ("instrument", "article"), "cite")
        instrument = reader.string(mapping.entries.get("instrument"), "instrument")
        article = reader.string(mapping.entries.get("article"), "article")
        confidence = None
        if "confidence" not in mapping.entries:
            hint = say("one of %(confidences)s", confidences=", ".join(CONFIDENCES))
            reader.fault("RL401", say("the citation has no confidence"), mapping, hint)
        else:
            confidence = reader.word(mapping.entries["confidence"], "confidence", CONFIDENCES)
        if instrument is not None:
            self.context.instruments_used.add(instrument)
            if instrument not in self.context.instruments:
                reader.fault(
                    "RL305",
                    say("unknown instrument %(instrument)r", instrument=instrument),
                    mapping.entries["instrument"],
                    did_you_mean(instrument, self.context.instruments),
                )
                return None
        if instrument is None or article is None or confidence is None:
            return None
        return Citation(
            instrument,
            article,
            cast(Confidence, confidence),
            reader.string(mapping.entries.get("text_digest"), "text_digest"),
            reader.mark(mapping),
        )

    def _span(self, cite: Citation | None) -> Span:
        own = self.reader.span(self.entries.get("in_force"), "in_force")
        if cite is None:
            return own
        law = self.context.instruments[cite.instrument].span
        firsts = [day for day in (own.first, law.first) if day is not None]
        lasts = [day for day in (own.last, law.last) if day is not None]
        span = Span(max(firsts, default=None), min(lasts, default=None))
        if span.first and span.last and span.first > span.last:
            self.reader.fault(
                "RL501",
                say("the rule is never in force: its days and the instrument's do not meet"),
                self.entries.get("in_force") or self.mapping,
            )
        return span

    def _obligations(self) -> tuple[str, ...]:
        return tuple(self._strings("obligation"))

    def _medium_memory(self, cite: Citation | None, status: str, used: Collection[str]) -> None:
        if status != "enabled":
            return
        hint = say("status: advisory, or disabled")
        if cite is not None and cite.confidence == "from_memory_medium":
            self.reader.fault(
                "RL404", say("law from medium memory cannot be enabled"), self.entries["cite"], hint
            )
        for name in sorted(used):
            param = self.context.params.get(name)
            if param is not None and param.confidence == "from_memory_medium":
                self.reader.fault(
                    "RL404",
                    say(
                        "the figure %(name)r is from medium memory: the rule cannot be enabled",
                        name=name,
                    ),
                    self.entries.get("id") or self.mapping,
                    hint,
                )

    # --- subject -------------------------------------------------------------------------------

    def _strings(self, key: str) -> list[str]:
        found: list[str] = []
        for item in self.reader.sequence(self.entries.get(key), key):
            text = self.reader.string(item, key)
            if text is not None:
                found.append(text)
        return found

    def _on(self) -> tuple[str, ...]:
        found: list[str] = []
        for item in self.reader.sequence(self.entries.get("on"), "on"):
            word = self.reader.word(item, say("event type"), EVENT_TYPES)
            if word is not None:
                found.append(word)
        return tuple(dict.fromkeys(found))

    def _per(self, on: tuple[str, ...]) -> tuple[str, ...]:
        found: list[str] = []
        for item in self.reader.sequence(self.entries.get("per"), "per"):
            word = self.reader.string(item, "per")
            if word is None:
                continue
            problem = resolve_subject(word, on) if on else None
            if problem is not None:
                self.reader.fault(problem.code, problem.message, item, problem.hint)
                continue
            found.append(word)
        return tuple(found)

    def _by(self, scope: Scope) -> tuple[str, ...]:
        found: list[str] = []
        for item in self.reader.sequence(self.entries.get("by"), "by"):
            word = self.reader.string(item, "by")
            if word is None:
                continue
            resolved = resolve_path(word, scope.types)
            if isinstance(resolved, Unresolved):
                self.reader.fault(resolved.code, resolved.message, item, resolved.hint)
            elif resolved.type.name in ("flags", "persons"):
                self.reader.fault(
                    "RL206",
                    say("%(type)s cannot split a subject", type=describe(resolved.type)),
                    item,
                )
            else:
                found.append(resolved.path)
        return tuple(found)

    # --- expressions ---------------------------------------------------------------------------

    def _lets(self, scope: Scope) -> dict[str, Expr]:
        mapping = self.reader.mapping(self.entries.get("let"), "let")
        if mapping is None:
            return {}
        for name, node in mapping.entries.items():
            key = mapping.keys[name]
            if not NAME.match(name):
                self.reader.fault("RL106", say("a name is lower case, digits and _"), key)
            elif not isinstance(resolve_path(name, scope.types), Unresolved) or name in (
                "is_cash",
                "is_cross_border",
                "true",
                "false",
            ):
                self.reader.fault(
                    "RL304",
                    say("%(name)r is the name of a field", name=name),
                    key,
                    say("choose another"),
                )
            found = self._expression(node, scope, "")
            scope.lets[name] = found
        return {name: expr for name, expr in scope.lets.items() if expr is not None}

    def _unused_lets(self, scope: Scope) -> None:
        mapping = self.entries.get("let")
        if not isinstance(mapping, Mapping):
            return
        unread = bool(self.reader.faults.errors)
        for name, node in mapping.entries.items():
            # An expression that cannot be parsed says nothing about its names: look at its words.
            if name in scope.lets_used or (unread and self._spelled(name, node)):
                continue
            self.reader.fault("RL303", say("%(name)r is never used", name=name), mapping.keys[name])

    def _spelled(self, name: str, own: Node) -> bool:
        """Whether an expression of the rule, other than its own, has this word."""
        todo = [self.entries.get(key) for key in ("let", "when", "again", "deadline")]
        while todo:
            node = todo.pop()
            if isinstance(node, Mapping):
                todo += node.entries.values()
            elif isinstance(node, Scalar) and node is not own:
                if re.search(rf"\b{re.escape(name)}\b", node.text):
                    return True
        return False

    def _reached(self, on: tuple[str, ...]) -> frozenset[str]:
        return frozenset(on)


def names_of_params(text: str) -> list[str]:
    """Parameters named in an expression that could not be read, so that they count as used."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return re.findall(r"""param\(\s*["']([^"']+)["']""", text)
    return [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "param"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]


def measures_of(rule: Rule) -> list[Measure]:
    """Every measure of a rule, in the order of its lets and then its condition."""
    found: list[Measure] = []
    for expr in expressions_of(rule):
        found.extend(part for part in walk(expr) if isinstance(part, Measure))
    return found


def expressions_of(rule: Rule) -> list[Expr]:
    """Every expression of a rule: where, lets, when, again, deadline."""
    found: list[Expr | None] = [rule.where, *rule.lets.values(), rule.when]
    if rule.again is not None:
        found += [rule.again.value, rule.again.step]
    if rule.deadline is not None:
        within = rule.deadline.within
        found += [rule.deadline.closed_by, rule.deadline.about, rule.deadline.start]
        if isinstance(within, ParamRef):
            found.append(within)
    return [expr for expr in found if expr is not None]


def params_of(rule: Rule) -> list[str]:
    """Names of the parameters that a rule uses, in order, each once."""
    found: dict[str, None] = {}
    for expr in expressions_of(rule):
        found.update((part.name, None) for part in walk(expr) if isinstance(part, ParamRef))
    if rule.detect is not None:
        _params_in_data(rule.detect.params, found)
    return list(found)


def _params_in_data(data: Any, found: dict[str, None]) -> None:
    if isinstance(data, ParamRef):
        found[data.name] = None
    elif isinstance(data, dict):
        for value in data.values():
            _params_in_data(value, found)
    elif isinstance(data, list):
        for value in data:
            _params_in_data(value, found)


def fields_used(rule: Rule) -> list[str]:
    """Paths of the fields that a rule reads, in order, each once."""
    found: dict[str, None] = {}
    for expr in expressions_of(rule):
        found.update((part.path, None) for part in walk(expr) if isinstance(part, FieldRef))
    return list(found)
