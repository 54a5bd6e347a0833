"""Why one version of the rules raises an alert and another does not.

The evidence of the alert that is there is held against the other version's rule: the statements of
it that are not met are the difference. What the other version asks and this evidence does not say
is named as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regtech.engine.evaluate import MAYBE, UNKNOWN, Interval, Value, truth
from regtech.engine.plan import Plan, in_force
from regtech.engine.shape import higher_rules
from regtech.engine.variants import Variant, condition
from regtech.model.alert import Alert
from regtech.rulelang.ir import Expr, LetRef, Measure
from regtech.rulelang.vocabulary import LANGUAGES, pick
from regtech.rulelang.walk import walk
from regtech.rulelang.wording import words
from regtech.sandbox.arithmetic import (
    Step,
    condition_steps,
    failing,
    params_in_force,
    value_of,
)
from regtech.sandbox.evidence import Evidence, EvidenceEnvironment, EvidenceFault
from regtech.sandbox.saying import Saying

_TEXTS = {
    "added": ("the rule is new", "规则为新增"),
    "removed": ("the rule is gone", "规则已删除"),
    "disabled": ("the rule is disabled in the {0} rules", "该规则在{0}规则中停用"),
    "waiting": ("the rule waits for a detector in the {0} rules", "该规则在{0}规则中等待检测器"),
    "force": ("the rule is not in force then in the {0} rules", "该规则在{0}规则中当时未生效"),
    "yields": ("in the {0} rules it gives way to {1}", "在{0}规则中让位于{1}"),
    "deadline": ("the deadline is another", "期限不同"),
    "counting": (
        "met by both; periods, repeats or the rules it gives way to differ",
        "两版均触发；期间、重复提示或让位规则不同",
    ),
}
_SIDES = {"base": ("earlier", "原"), "head": ("later", "新")}


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason of a difference.

    ``kind``: ``measure`` (a statement about it is not met), ``value`` (it came out differently),
    ``rule``, ``yields``, ``deadline`` or ``counting``. ``name``: the measure or statement by which
    causes are counted. ``side``: whose rules the text speaks of.
    """

    kind: str
    name: str
    side: str
    text: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"kind": self.kind, "name": self.name, "side": self.side, "text": self.text}


def causes_of(
    base: Alert | None, head: Alert | None, base_plan: Plan, head_plan: Plan
) -> list[Cause]:
    """Why the two sides differ on one finding."""
    if base is not None and head is not None:
        found = _values(base, head)
        if found:
            return found
        if base.order[0] == head.order[0]:
            return [_cause("counting", "deadline" if base.due != head.due else "consequence")]
    earlier_is_base = head is None or (base is not None and base.order[0] <= head.order[0])
    if earlier_is_base:
        assert base is not None
        return _against(base, base_plan, head_plan, "head")
    assert head is not None
    return _against(head, head_plan, base_plan, "base")


def _values(base: Alert, head: Alert) -> list[Cause]:
    """The measures whose values differ, where both raise the alert at the same event."""
    if base.order[0] != head.order[0]:
        return []
    names = [n for n in (*base.measures, *(k for k in head.measures if k not in base.measures))]
    found = []
    for name in names:
        before, after = base.measures.get(name), head.measures.get(name)
        if before != after:
            text = f"{name}: {plain(before)} → {plain(after)}"
            found.append(Cause("value", name, "head", dict.fromkeys(LANGUAGES, text)))
    return found


def plain(value: Any) -> str:
    """A measure's written value in short."""
    if isinstance(value, dict):
        if "amount" in value:
            return f"{value['currency']} {value['amount']}"
        return ", ".join(f"{key.replace('_', ' ')} {plain(item)}" for key, item in value.items())
    return "–" if value is None else str(value)


def _cause(kind: str, name: str, side: str = "head", *rest: str, text: str = "") -> Cause:
    words_of = _TEXTS[text or kind]
    said = {
        language: pick(words_of, language).format(pick(_SIDES[side], language), *rest)
        for language in LANGUAGES
    }
    return Cause(kind, name, side, said)


def _against(alert: Alert, own: Plan, other: Plan, side: str) -> list[Cause]:
    """Why the other side's rules (``side``) do not raise an alert at this event."""
    rules = {rule.id: rule for _, rule in other.rules}
    name = alert.rule
    if name not in rules:
        return [_cause("rule", name, side, text="removed" if side == "head" else "added")]
    if name in other.disabled:
        return [_cause("rule", name, side, text="disabled")]
    if name in other.waiting:
        return [_cause("rule", name, side, text="waiting")]
    try:
        evidence = Evidence(alert.as_dict(), own)
    except EvidenceFault:
        return [_cause("counting", name, side)]
    now = {v.rule.id: v for v in in_force(other, evidence.event_us)}
    if name not in now:
        return [_cause("rule", name, side, text="force")]
    variant = now[name]
    env = _OtherEnvironment(evidence, evidence.variant, variant)
    found = _unmet(variant, env, side)
    if not found:
        found = _yielding(evidence, variant, now, side)
    if not found and variant.deadline != evidence.variant.deadline:
        found = [_cause("deadline", "deadline", side)]
    return found or [_cause("counting", name, side)]


def _unmet(variant: Variant, env: _OtherEnvironment, side: str) -> list[Cause]:
    """The statements of the other side's rule that the evidence does not meet."""
    rule = variant.rule
    steps: list[Step] = []
    for written, resolved in ((rule.where, variant.where), (rule.when, variant.when)):
        if written is not None and resolved is not None:
            steps += failing(condition_steps(written, resolved, env))
    made: dict[str, Cause] = {}
    params = params_in_force(variant)
    for step in steps:
        names = [node.name for node in walk(step.written) if isinstance(node, LetRef)]
        name = names[0] if names else words(step.written, "en", params)
        text = {}
        for language in LANGUAGES:
            saying = Saying(language, env.currencies, env.evidence.profile.zone, env.currency)
            values = [
                saying.value(env.value(term.resolved), term.resolved.type)
                for term in step.terms
                if term.kind in ("name", "part", "field")
            ]
            said = words(step.written, language, params)
            which = pick(_SIDES[side], language)
            joined = saying.pick(", ", "、").join(values)
            if step.outcome == MAYBE:
                text[language] = saying.pick(
                    f"the {which} rules ask what this alert does not say: {said}",
                    f"{which}规则另要求本预警未载明的事项：{said}",
                )
                continue
            text[language] = saying.pick(
                f"not met in the {which} rules: {said} ({joined})",
                f"{which}规则中不成立：{said}（{joined}）",
            )
        made.setdefault(name, Cause("measure", name, side, text))
    return list(made.values())


def _yielding(
    evidence: Evidence, variant: Variant, now: dict[str, Variant], side: str
) -> list[Cause]:
    own = {evidence.variant.rule.id: evidence.variant}
    own.update({other.rule.id: other for other, _ in evidence.shape.higher})
    found = []
    for other in higher_rules(variant, now):
        mine = own.get(other.rule.id, evidence.variant)
        if truth(condition(other), _OtherEnvironment(evidence, mine, other)):
            found.append(_cause("yields", other.rule.id, side, other.rule.id))
    return found


class _OtherEnvironment(EvidenceEnvironment):
    """One side's evidence as the other side's rule reads it.

    A measure that both sides define alike has its value; any other is unknown, and so is a field
    that the alert's own rule did not read.
    """

    def __init__(self, evidence: Evidence, own: Variant, other: Variant) -> None:
        super().__init__(evidence, own)
        self._filtered_alike = own.where == other.where
        self.currency = None
        currency = evidence.facts.get("currency")
        if isinstance(currency, str):
            self.currency = currency

    def field(self, path: str) -> Value:
        return self.evidence.facts.get(path, UNKNOWN)

    def measure(self, measure: Measure) -> Interval:
        if measure.rule_where and not self._filtered_alike:
            return UNKNOWN
        return super().measure(measure)

    def value(self, resolved: Expr) -> Value:
        """Value of a term."""
        return value_of(resolved, self)
