"""Checks beyond single expressions: of a rule as a whole, of a pack, and of all packs together."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from regtech.content.faults import Faults, Mark, did_you_mean
from regtech.content.saying import both, say
from regtech.content.yamlmarks import Mapping, Scalar
from regtech.rulelang.digest import canonical_bytes
from regtech.rulelang.ir import (
    Compare,
    Const,
    Expr,
    Logic,
    Measure,
    Not,
    Pack,
    ParamRef,
    Rule,
    Span,
)
from regtech.rulelang.logic import always_met, never_met, spans_of_params, substitute
from regtech.rulelang.nodes import NodeReader
from regtech.rulelang.register import Register
from regtech.rulelang.rules import expressions_of, params_of
from regtech.rulelang.walk import rewrite, walk

STRENGTH: Final = ("from_memory_medium", "from_memory", "verified_secondary", "verified")
"""Confidence from weakest to strongest."""

_LAW_KINDS: Final = ("breach", "report", "limit", "duty", "deadline")


def check_pack(pack: Pack, mapping: Mapping, reader: NodeReader, register: Register) -> None:
    """Checks one pack; ``mapping`` is its document, for the places."""
    nodes = _rule_nodes(mapping)
    _obligations(pack, mapping, nodes, reader, register)
    for rule in pack.rules:
        _default_as_law(rule, pack, reader.faults)
        _possible(rule, pack, reader.faults)
    if len(nodes) == len(pack.rules):  # a citing rule that cannot be read may use the figure
        _law_without_text(pack, reader.faults)
    _yields(pack, nodes, reader)


def check_packs(packs: Sequence[Pack], faults: Faults) -> None:
    """Checks across packs: ids used twice, rules that shadow or contradict, obligations."""
    _duplicates(packs, faults)
    _decided_and_not(packs, faults)
    _overlaps(packs, faults)


def _rule_nodes(mapping: Mapping) -> dict[str, Mapping]:
    """Rule mappings of the document by id."""
    rules = mapping.entries.get("rules")
    found: dict[str, Mapping] = {}
    for node in getattr(rules, "items", ()):
        if isinstance(node, Mapping):
            identifier = node.entries.get("id")
            if isinstance(identifier, Scalar):
                found.setdefault(identifier.text, node)
    return found


def _scalars(node: object) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    for item in getattr(node, "items", ()):
        if isinstance(item, Scalar):
            yield item


# --- the register ------------------------------------------------------------------------------


def _obligations(
    pack: Pack,
    mapping: Mapping,
    nodes: dict[str, Mapping],
    reader: NodeReader,
    register: Register,
) -> None:
    known = register.obligations
    if not known:
        return
    not_decided = mapping.entries.get("not_decided")
    if isinstance(not_decided, Mapping):
        for name, key in not_decided.keys.items():
            if name not in known:
                hint = did_you_mean(name, known)
                reader.fault("RL307", say("unknown obligation %(name)r", name=name), key, hint)
    for node in nodes.values():
        named: list[str] = []
        for scalar in _scalars(node.entries.get("obligation")):
            if scalar.text not in known:
                hint = did_you_mean(scalar.text, known)
                reader.fault(
                    "RL307", say("unknown obligation %(text)r", text=scalar.text), scalar, hint
                )
                continue
            named.append(scalar.text)
            owner = scalar.text.partition("-")[0]
            if owner in register.jurisdictions and owner != pack.jurisdiction:
                # Coverage would call a duty of another law decided.
                reader.fault(
                    "RL307",
                    say(
                        "%(text)s is an obligation of %(owner)s, and the pack is of %(pack)s",
                        text=scalar.text, owner=owner, pack=pack.jurisdiction,
                    ),
                    scalar,
                )  # fmt: skip
        cite = node.entries.get("cite")
        confidence = cite.entries.get("confidence") if isinstance(cite, Mapping) else None
        if not named or not isinstance(confidence, Scalar) or confidence.text not in STRENGTH:
            continue
        strongest = max(STRENGTH.index(known[name].strongest) for name in named)
        if STRENGTH.index(confidence.text) > strongest:
            reader.fault(
                "RL408",
                say(
                    "the register has %(named)s at most as %(strength)s",
                    named=both(named),
                    strength=STRENGTH[strongest],
                ),
                confidence,
            )


def _decided_and_not(packs: Sequence[Pack], faults: Faults) -> None:
    decided = {name: rule for pack in packs for rule in pack.rules for name in rule.obligations}
    for pack in packs:
        for name in pack.not_decided:
            rule = decided.get(name)
            if rule is not None:
                faults.add(
                    "RL407",
                    say(
                        "%(name)s is named as not decided in %(pack)s, but %(rule)s decides it",
                        name=name,
                        pack=pack.id,
                        rule=rule.id,
                    ),
                    rule.mark,
                )


# --- law and defaults --------------------------------------------------------------------------


def deciding_params(rule: Rule) -> tuple[set[str], bool]:
    """Parameters that comparisons of the rule rest on, and whether a literal figure is among them.

    Lengths of windows do not count: a default look-back is shown as such and decides no amount.
    """
    names: set[str] = set()
    literal = False
    for expr in expressions_of(rule):
        for part in walk(expr):
            if isinstance(part, Compare):
                for side in (part.left, part.right):
                    for inner in _outside_windows(side):
                        if isinstance(inner, ParamRef):
                            names.add(inner.name)
                        elif isinstance(inner, Const) and inner.type.name in (
                            "int",
                            "ratio",
                            "duration",
                        ):
                            literal = True
    return names, literal


def _outside_windows(expr: Expr) -> Iterator[Expr]:
    for part in walk(expr):
        if isinstance(part, Measure):
            return
        yield part


def _default_as_law(rule: Rule, pack: Pack, faults: Faults) -> None:
    if rule.cite is None or rule.alert.kind not in _LAW_KINDS:
        return
    names, literal = deciding_params(rule)
    if names and not literal and all(pack.params[name].basis == "default" for name in names):
        figures = ", ".join(sorted(names))
        faults.add(
            "RL403",
            say(
                "%(rule)s cites law, but its figures are product defaults: %(figures)s",
                rule=rule.id,
                figures=figures,
            ),
            rule.cite.mark,
            say("kind: indicator, or figures of the cited text"),
        )


def _law_without_text(pack: Pack, faults: Faults) -> None:
    """Figures and terms said to stand in a cited text where no rule that uses them cites one.

    An indicator may look at a figure of the law that another rule of the pack cites.
    """
    cited, uncited = set[str](), set[str]()
    for rule in pack.rules:
        (uncited if rule.cite is None else cited).update(params_of(rule))
        if rule.cite is None and rule.alert.due is not None and rule.alert.due_basis == "law":
            faults.add(
                "RL410",
                say("%(rule)s has a term that is law, but cites no text", rule=rule.id),
                rule.mark,
                say("write due_basis: default, or give the rule a citation"),
            )
    for name in sorted(uncited - cited):
        if pack.params[name].basis == "law":
            faults.add(
                "RL410",
                say("%(name)r is law, but no rule that uses it cites a text", name=name),
                pack.params[name].mark,
                say("write basis: default, or give a rule a citation"),
            )


# --- conditions --------------------------------------------------------------------------------


def condition_of(rule: Rule) -> Expr | None:
    """``where`` and ``when`` together, with every let replaced by what it stands for."""
    parts = [substitute(part, rule.lets) for part in (rule.where, rule.when) if part is not None]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Logic("and", tuple(parts))


def _possible(rule: Rule, pack: Pack, faults: Faults) -> None:
    spans = spans_of_params(rule, pack.params)
    if not spans:
        if not (rule.span.first and rule.span.last and rule.span.first > rule.span.last):
            faults.add(
                "RL501",
                say(
                    "%(rule)s is never in force: its figures have no value on a common day",
                    rule=rule.id,
                ),
                rule.mark,
            )
        return
    whole = condition_of(rule)
    if whole is None:
        return
    place = (rule.when or rule.where or whole).mark
    if place.line == 0:
        place = rule.mark
    if all(never_met(whole, values) for _, values in spans):
        faults.add(
            "RL501",
            say("%(rule)s can never be met: its condition contradicts itself", rule=rule.id),
            place,
        )
    elif rule.when is not None:
        when = substitute(rule.when, rule.lets)
        if all(always_met(when, values) for _, values in spans):
            faults.add(
                "RL504",
                say("%(rule)s is always met where its facts are known", rule=rule.id),
                place,
            )


# --- rules beside each other -------------------------------------------------------------------


def _yields(pack: Pack, nodes: dict[str, Mapping], reader: NodeReader) -> None:
    rules = {rule.id: rule for rule in pack.rules}
    for identifier, node in nodes.items():
        for scalar in _scalars(node.entries.get("yields_to")):
            rule, other = rules.get(identifier), rules.get(scalar.text)
            if scalar.text not in nodes:
                hint = did_you_mean(scalar.text, nodes)
                reader.fault("RL309", say("unknown rule %(text)r", text=scalar.text), scalar, hint)
            elif scalar.text == identifier:
                reader.fault("RL309", say("a rule cannot yield to itself"), scalar)
            elif rule is not None and other is not None:
                if (rule.on, rule.per, rule.by) != (other.on, other.per, other.by):
                    reader.fault(
                        "RL309",
                        say("%(text)s has another on, per or by", text=scalar.text),
                        scalar,
                        say("bands share them"),
                    )
                elif _reaches(other, rule.id, rules):
                    reader.fault(
                        "RL309",
                        say(
                            "%(text)s yields to %(identifier)s in turn",
                            text=scalar.text,
                            identifier=identifier,
                        ),
                        scalar,
                    )


def _reaches(rule: Rule, wanted: str, rules: dict[str, Rule]) -> bool:
    seen: set[str] = set()
    pending = list(rule.yields_to)
    while pending:
        name = pending.pop()
        if name == wanted:
            return True
        if name not in seen and name in rules:
            seen.add(name)
            pending.extend(rules[name].yields_to)
    return False


def _duplicates(packs: Sequence[Pack], faults: Faults) -> None:
    packs_seen: dict[str, Mark] = {}
    rules_seen: dict[str, Mark] = {}
    for pack in packs:
        if pack.id in packs_seen:
            first = packs_seen[pack.id]
            faults.add(
                "RL110",
                say("the pack %(pack)r is already at %(first)s", pack=pack.id, first=first),
                pack.mark,
            )
        packs_seen.setdefault(pack.id, pack.mark)
        for rule in pack.rules:
            if rule.id in rules_seen:
                first = rules_seen[rule.id]
                faults.add(
                    "RL110",
                    say("the rule %(rule)r is already at %(first)s", rule=rule.id, first=first),
                    rule.mark,
                )
            rules_seen.setdefault(rule.id, rule.mark)


def _overlaps(packs: Sequence[Pack], faults: Faults) -> None:
    seen: dict[Hashable, list[tuple[Rule, Pack]]] = {}
    for pack in packs:
        for rule in pack.rules:
            if rule.status == "disabled":
                continue
            key = _signature(rule, pack)
            for other, _ in seen.get(key, ()):
                if other.id != rule.id and _meet(rule.span, other.span):
                    _overlap(rule, other, faults)
            seen.setdefault(key, []).append((rule, pack))


def _overlap(rule: Rule, other: Rule, faults: Faults) -> None:
    ours, theirs = set(rule.obligations), set(other.obligations)
    if ours and theirs and not ours & theirs:
        return  # two duties that the same facts bring about
    if (rule.alert.kind, rule.alert.severity, rule.alert.due) != (
        other.alert.kind,
        other.alert.severity,
        other.alert.due,
    ):
        faults.add(
            "RL503",
            say(
                "%(rule)s has the condition of %(other)s (%(mark)s) but another consequence",
                rule=rule.id,
                other=other.id,
                mark=other.mark,
            ),
            rule.mark,
        )
    elif rule.alert.report == other.alert.report:
        faults.add(
            "RL502",
            say(
                "%(rule)s has the condition of %(other)s (%(mark)s)",
                rule=rule.id,
                other=other.id,
                mark=other.mark,
            ),
            rule.mark,
        )


def _meet(one: Span, two: Span) -> bool:
    return max(one.first or date.min, two.first or date.min) <= min(
        one.last or date.max, two.last or date.max
    )


def _signature(rule: Rule, pack: Pack) -> Hashable:
    """What decides a rule, however it is put: equal for the same condition on the same subjects."""
    figures = {
        name: repr([(version.span, version.value) for version in pack.params[name].versions])
        for name in params_of(rule)
    }
    condition = condition_of(rule)
    deadline = rule.deadline
    return (
        pack.jurisdiction,
        frozenset(rule.on),
        rule.per,
        frozenset(rule.by),
        _normal(condition, figures) if condition is not None else None,
        (
            _normal(deadline.closed_by, figures),
            _normal(deadline.within, figures)
            if isinstance(deadline.within, ParamRef)
            else deadline.within,
            deadline.start,
            deadline.start_period_end,
            deadline.about,
        )
        if deadline
        else None,
        canonical_bytes(rule.detect) if rule.detect else None,
        rule.period,
        rule.again is not None,
        frozenset(rule.yields_to),
    )


def _normal(expr: Expr, figures: dict[str, str]) -> Hashable:
    """Operands of ``and`` and ``or`` without order; parameters named by their figures."""

    def change(part: Expr) -> Expr:
        if isinstance(part, ParamRef) and part.name in figures:
            return replace(part, name=figures[part.name])
        return part

    return _unordered(rewrite(expr, change))


def _unordered(expr: Expr) -> Hashable:
    if isinstance(expr, Logic):
        return expr.op, frozenset(_unordered(operand) for operand in expr.operands)
    if isinstance(expr, Not):
        return "not", _unordered(expr.operand)
    return expr
