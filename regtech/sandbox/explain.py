"""Why an alert was raised, in a person's words: law, facts, arithmetic, and what follows.

The page is Markdown that reads well as plain text. Every value on it is computed again from the
alert's own evidence; where the pack here is not the one that decided, the page says so and keeps to
what stands in the alert.

More than 500 lines: one page, one part after the other, in the order in which it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from regtech.engine.columns import has_path, sides
from regtech.engine.evaluate import truth
from regtech.engine.plan import Plan
from regtech.engine.shape import decide
from regtech.engine.subjects import PREFIXES
from regtech.rulelang.ir import Const, Duration, Expr, FieldRef, LetRef, ParamRef
from regtech.rulelang.show import span_words
from regtech.rulelang.vocabulary import (
    BASES,
    CONFIDENCES,
    KINDS,
    PARTIES,
    PERIODS,
    SEVERITIES,
    TYPES,
    pick,
)
from regtech.rulelang.walk import walk
from regtech.rulelang.wording import duration_words, field_words, figure_words, words
from regtech.sandbox.arithmetic import (
    Step,
    Term,
    condition_steps,
    params_in_force,
    parts_of,
    value_of,
)
from regtech.sandbox.evidence import Evidence, EvidenceFault, instant
from regtech.sandbox.findings import FindingLines
from regtech.sandbox.labels import ADVISORY, LABELS, NEAR, OUTCOMES, SUBJECTS, UNTOLD, WHOLE
from regtech.sandbox.replay import Replayed, deadline_start, replay
from regtech.sandbox.saying import Saying

EVENTS_SHOWN: Final = 20
MASK: Final = "•••"


def explain(
    alert: Mapping[str, Any],
    plan: Plan,
    language: str = "en",
    *,
    hidden: Callable[[str], bool] | None = None,
) -> str:
    """The page of an alert. ``plan`` is compiled of the alert's pack, disabled rules included.

    ``hidden`` says of a value, by its path in the alert (``subject.id``, ``facts.payer.name``),
    whether a mark stands in its place; a number that is worked out from it is shown all the same.
    Nothing is raised for what stands in the alert; what cannot be read is said on the page.
    """
    checked = replay(alert, plan)
    evidence = None
    if any(pack.digest == alert.get("pack_digest") for pack in plan.packs):
        try:
            evidence = Evidence(alert, plan)
        except EvidenceFault:
            evidence = None  # the result of the replay says what is wrong with it
    return _Page(alert, plan, language, checked, evidence, hidden or (lambda _: False)).text()


class _Page:
    def __init__(
        self,
        alert: Mapping[str, Any],
        plan: Plan,
        language: str,
        checked: Replayed,
        evidence: Evidence | None,
        hidden: Callable[[str], bool],
    ) -> None:
        self.alert, self.plan, self.language = alert, plan, language
        self.hidden = hidden
        self.checked, self.evidence = checked, evidence
        self.zh = language == "zh"
        self.colon = "：" if self.zh else ": "
        profile = plan.reference.profiles.get(str(alert.get("jurisdiction")))
        facts = alert.get("facts")
        currency = facts.get("currency") if isinstance(facts, dict) else None
        self.say = Saying(
            language,
            plan.currencies,
            profile.zone if profile is not None else "UTC",
            currency if isinstance(currency, str) else None,
        )
        self.lines: list[str] = []
        self.figures_shown: set[str] = set()

    # --- small parts

    def label(self, name: str) -> str:
        return pick(LABELS[name], self.language)

    def heading(self, name: str) -> None:
        self.lines += ["", f"## {self.label(name)}", ""]

    def item(self, name: str, text: str, depth: int = 0) -> None:
        self.lines.append(f"{'    ' * depth}- {name}{self.colon}{text}")

    def said(self, text: Any) -> str:
        if not isinstance(text, dict):
            return ""
        return str(text.get(self.language) or text.get("en") or "")

    def moment(self, text: Any) -> str:
        """A written time or day as the reader's clocks have it."""
        try:
            return self.say.moment(instant(str(text)))
        except EvidenceFault:
            return str(text)

    # --- the page

    def text(self) -> str:
        self._head()
        self._whom()
        self._law()
        if self.evidence is not None:
            self._event(self.evidence)
            self._arithmetic(self.evidence)
            self._deadline(self.evidence)
        else:
            self._as_written()
        self._found()
        self._events()
        self._rates()
        self._follows()
        self._notes()
        self._replay()
        return "\n".join(self.lines)

    def _head(self) -> None:
        alert = self.alert
        self.lines.append(f"# {self.said(alert.get('explanation')) or alert.get('rule')}")
        self.lines.append("")
        if alert.get("outcome") == "cannot_tell":
            found = pick(UNTOLD, self.language)
        elif alert.get("warning"):
            found = pick(NEAR, self.language)
        else:
            kind = str(alert.get("kind"))
            found = pick(KINDS[kind], self.language) if kind in KINDS else kind
        stop = "。" if self.zh else "."
        moment = self.moment(alert.get("time"))
        if not alert.get("warning") and alert.get("kind") != "deadline":
            # Not the day by which something is due: when the event was that met the rule.
            moment = self.say.pick(f"event of {moment}", f"事件时间 {moment}")
        self.lines.append(f"{found}{self.colon}{moment}{stop}")
        if not self.checked.same:
            warn = self.say.pick("Caution", "注意")
            why = self.checked.fault or "; ".join(str(d) for d in self.checked.differences)
            self.lines += ["", f"**{warn}{self.colon}{why}**"]
        if alert.get("law_as_of") is not None:
            rehearsal = self.say.pick(
                f"A rehearsal: judged by the law of {alert['law_as_of']}",
                f"演练：按{alert['law_as_of']}的法律判定",
            )
            self.lines += ["", f"**{rehearsal}{stop}**"]
        if alert.get("status") == "advisory":
            self.lines += ["", f"**{pick(ADVISORY, self.language)}{stop}**"]

    def _whom(self) -> None:
        self.heading("whom")
        subject = self.alert.get("subject") or {}
        names = [self._subject_word(word) for word in str(subject.get("per")).split(",")]
        joined = self.say.pick(" and ", "与").join(names)
        self.item(joined, MASK if self.hidden("subject.id") else str(subject.get("id")))
        if "institution" in subject:
            self.item(self.say.pick("institution", "机构"), str(subject["institution"]))
        for path, value in (subject.get("by") or {}).items():
            self.item(field_words(path, self.language), self.say.word(str(value)))
        self.item(self.label("period"), self._period())
        self.item(self.label("rule"), f"`{self.alert.get('rule')}`")

    def _subject_word(self, word: str) -> str:
        if word in SUBJECTS:
            return pick(SUBJECTS[word], self.language)
        if word in PARTIES:
            return pick(PARTIES[word], self.language).removeprefix("the ")
        return field_words(word, self.language)

    def _period(self) -> str:
        text = str(self.alert.get("period"))
        if self.evidence is None:
            return text
        kind = self.evidence.shape.period[0]
        if self.evidence.variant.again is not None:
            text, _, step = text.rpartition("#")
            also = self.say.pick(f", step {step}", f"，第{step}级")
            return self._period_words(text, kind) + also
        return self._period_words(text, kind)

    def _period_words(self, text: str, kind: int) -> str:
        assert self.evidence is not None
        if self.evidence.variant.deadline is not None:
            return self.say.pick(f"the duty {text}", f"义务 {text}")
        names = ("day", "week", "month", "quarter", "year", "business_day", "ever")
        if 0 <= kind < len(names):
            name = pick(PERIODS[names[kind]], self.language)
            return self.say.pick(f"{text} ({name})", f"{text}（{name}）")
        if kind < 0:
            return self.say.pick(f"the event {text}", f"事件 {text}")
        return self.say.pick(f"from {self.moment(text)} on", f"自 {self.moment(text)} 起")

    def _law(self) -> None:
        self.heading("law")
        cite = self.alert.get("cite")
        if isinstance(cite, dict):
            comma = self.say.pick(", ", "，")
            title = self.said(cite.get("title")) or str(cite.get("instrument"))
            article = f"{self.label('article')} {cite.get('article')}"
            self.lines.append(f"- {title}{comma}{article}")
            confidence = str(cite.get("confidence"))
            text = pick(CONFIDENCES[confidence], self.language) if confidence in CONFIDENCES else ""
            self.item(self.label("confidence"), text or confidence)
        else:
            self.lines.append(f"- {self.label('no_law')}")
        if self.alert.get("obligation"):
            self.item(self.label("obligation"), ", ".join(self.alert["obligation"]))
        if self.evidence is not None:
            span = self.evidence.variant.rule.span
            self.item(self.label("force"), span_words(span, self.language))

    def _found(self) -> None:
        """What detectors say to the facts that they answered."""
        findings = self.alert.get("findings")
        if not isinstance(findings, dict):
            return
        self.heading("found")
        written = FindingLines(self.say.pick, self.colon)
        for data in findings.values():
            if isinstance(data, dict):
                self.lines += written.lines(data)

    def _event(self, evidence: Evidence) -> None:
        self.heading("event")
        source = self.alert.get("source")
        place = self.say.pick("source not recorded", "来源未记录")
        if isinstance(source, dict):
            place = f"{source.get('file')}:{source.get('line')}"
        kind = pick(TYPES[evidence.event_type], self.language)
        reporter = str(evidence.facts.get("reporter"))
        self.lines.append(
            self.say.pick(
                f"- `{evidence.event_id}` ({kind}), reported by {reporter}, {place}",
                f"- `{evidence.event_id}`（{kind}），报告机构 {reporter}，{place}",
            )
        )
        self.item(field_words("time", self.language), self.say.moment(evidence.event_us))
        for path, value in evidence.facts.items():
            if path not in ("type", "time", "reporter") and self._is_of(evidence.event_type, path):
                self.item(field_words(path, self.language), self._fact(path, value))

    def _fact(self, path: str, value: Any) -> str:
        """A fact as a reader of the page may see it; that nothing is there is no secret."""
        return (
            MASK
            if value is not None and self.hidden(f"facts.{path}")
            else self.say.fact(path, value)
        )

    @staticmethod
    def _is_of(event_type: str, path: str) -> bool:
        """Whether events of the type have the field at all."""
        if path in PREFIXES[event_type] or has_path(event_type, path):
            return True
        return event_type == "transaction" and (path == "direction" or sides(path) is not None)

    # --- arithmetic

    def _arithmetic(self, evidence: Evidence) -> None:
        self.heading("steps")
        variant, env = evidence.variant, evidence.env
        self.params = params_in_force(variant)
        rule = variant.rule
        if rule.where is not None and variant.where is not None:
            self._condition("where", condition_steps(rule.where, variant.where, env))
        for name, expr in rule.lets.items():
            self._named(name, expr, variant.lets[name], evidence)
        if rule.when is not None and variant.when is not None:
            self._condition("when", condition_steps(rule.when, variant.when, env))
        for other, expr in evidence.shape.higher:
            outcome = truth(expr, evidence.seen_by(other))
            title = self.said(dict(other.rule.title))
            result = pick(WHOLE[outcome], self.language)
            self.item(self.label("yields"), f"`{other.rule.id}` {title}{self.colon}{result}")
        if variant.again is not None and rule.again is not None:
            value = self._shown(rule.again.value, variant.again.value, evidence)
            step = self._shown(rule.again.step, variant.again.step, evidence)
            self.lines.append(
                self.say.pick(
                    f"- Raised again for each further {step}; reached {value}",
                    f"- 每增加{step}再次提示；现为{value}",
                )
            )
        outcome = decide(evidence.shape, evidence.seen_by)
        whole = pick(WHOLE[outcome], self.language)
        self.lines.append(self.say.pick(f"- **Outcome: {whole}**", f"- **结果：{whole}**"))
        rest = [name for name in variant.params if name not in self.figures_shown]
        deadline = rule.deadline
        if deadline is not None and isinstance(deadline.within, ParamRef):
            rest = [name for name in rest if deadline.within.name != name]
        if rest:
            self.lines.append(f"- {self.label('figures')}{self.colon.strip()}")
            for name in rest:
                self.lines.append(f"    - {self._figure(name)}")

    def _condition(self, label: str, step: Step) -> None:
        outcome = pick(OUTCOMES[step.outcome], self.language)
        self.lines.append(f"- {self.label(label)}{self.colon}{self._tree_head(step)} → {outcome}")
        self._tree_rest(step, 1)

    def _tree_head(self, step: Step) -> str:
        if step.op:
            return self.label("all" if step.op == "and" else "any")
        return words(step.written, self.language, self.params)

    def _tree_rest(self, step: Step, depth: int) -> None:
        for part in step.parts:
            outcome = pick(OUTCOMES[part.outcome], self.language)
            self.lines.append(f"{'    ' * depth}- {self._tree_head(part)} → {outcome}")
            self._tree_rest(part, depth + 1)
        for term in step.terms:
            self._term(term, depth)

    def _named(self, name: str, written: Expr, resolved: Expr, evidence: Evidence) -> None:
        quoted = f"“{name}”" if self.zh else f'"{name}"'
        text = words(written, self.language, self.params)
        equal = " = " if not self.zh else " ＝ "
        self.lines.append(f"- {quoted}{self.colon}{text}{equal}{self._value(resolved, evidence)}")
        for term in parts_of(written, resolved):
            self._term(term, 1)

    def _term(self, term: Term, depth: int) -> None:
        evidence = self.evidence
        assert evidence is not None
        if term.kind == "figure":
            self.lines.append(f"{'    ' * depth}- {self._figure(term.name)}")
            return
        if term.kind == "field":
            value = evidence.facts.get(term.name)
            self.item(field_words(term.name, self.language), self._fact(term.name, value), depth)
            return
        text = words(term.written, self.language, self.params)
        self.item(text, self._value(term.resolved, evidence), depth)

    def _shown(self, written: Expr, resolved: Expr, evidence: Evidence) -> str:
        if isinstance(written, LetRef | Const | ParamRef):
            return self._value(resolved, evidence)
        text = words(written, self.language, self.params)
        return self.say.pick(
            f"{self._value(resolved, evidence)} ({text})",
            f"{self._value(resolved, evidence)}（{text}）",
        )

    def _value(self, resolved: Expr, evidence: Evidence) -> str:
        if isinstance(resolved, Const):
            return figure_words(resolved.value, resolved.type, self.language)
        if self._tells(resolved):
            return MASK
        return self.say.value(value_of(resolved, evidence.env), resolved.type)

    def _tells(self, expr: Expr) -> bool:
        """Whether the value of an expression is itself what is to be hidden."""
        if expr.type.name not in ("text", "persons", "symbol"):
            return False
        read = (part.path for part in walk(expr) if isinstance(part, FieldRef))
        return any(self.hidden(f"facts.{path}") for path in read)

    def _figure(self, name: str) -> str:
        """A figure with its value and whether it stands in the law."""
        self.figures_shown.add(name)
        evidence = self.evidence
        assert evidence is not None
        const, param = evidence.variant.params[name], evidence.variant.pack.params[name]
        value = figure_words(const.value, param.type, self.language)
        basis = pick(BASES[param.basis], self.language)
        if param.confidence is not None:
            basis += self.say.pick("; ", "；") + pick(CONFIDENCES[param.confidence], self.language)
        shown = name.replace("_", " ")
        return self.say.pick(
            f"the figure {shown}: {value} ({basis})", f"规定数值“{shown}”：{value}（{basis}）"
        )

    def _deadline(self, evidence: Evidence) -> None:
        written, deadline = evidence.variant.rule.deadline, evidence.variant.deadline
        if written is None or deadline is None or not isinstance(deadline.within, Duration):
            return
        self.heading("deadline")
        start = deadline_start(evidence, deadline)
        if deadline.start_period_end is not None:
            period = pick(PERIODS[deadline.start_period_end], self.language)
            name = self.say.pick(f"the end of the {period}", f"{period}结束")
        elif written.start is not None:
            name = words(written.start, self.language, self.params)
        else:
            name = self.say.pick("the time of the event", "事件时间")
        shown = "" if start is None else self.say.moment(start)
        self.item(self.say.pick("The clock starts at", "起算"), f"{name}{self.colon}{shown}")
        within = duration_words(deadline.within, self.language)
        if isinstance(written.within, ParamRef):
            within = self._figure(written.within.name)
        self.item(self.say.pick("It runs for", "时限"), within)
        self.item(self.say.pick("It ends at", "届满"), self.moment(self.alert.get("due")))
        closed = words(written.closed_by, self.language, self.params)
        self.item(self.say.pick("An action would have ended it", "履行方式"), closed)
        if deadline.warn is not None:
            before = duration_words(deadline.warn, self.language)
            text = self.say.pick(f"{before} before the end", f"届满前{before}")
            self.item(self.say.pick("A warning comes", "预警"), text)
        if self.alert.get("warning"):
            last = self.say.pick(
                "No such action had come when the warning was due",
                "至预警时尚未收到上述处理动作",
            )
        else:
            last = self.say.pick("No such action came in time", "届满前未收到上述处理动作")
        self.lines.append(f"- **{last}**")

    def _as_written(self) -> None:
        """What stands in the alert, where the pack that decided it is not here."""
        self.heading("steps")
        for name, value in (self.alert.get("measures") or {}).items():
            self.item(f'"{name}"', _plain(value))
        for name, param in (self.alert.get("params") or {}).items():
            if isinstance(param, dict):
                basis = BASES.get(str(param.get("basis")), ("", ""))
                text = f"{param.get('value')} ({pick(basis, self.language)})"
                self.item(name.replace("_", " "), text)
        self.heading("event")
        for path, value in (self.alert.get("facts") or {}).items():
            masked = value is not None and self.hidden(f"facts.{path}")
            self.item(field_words(path, self.language), MASK if masked else _plain(value))

    # --- around it

    def _events(self) -> None:
        self.heading("events")
        ids, count = self.alert.get("events") or [], self.alert.get("event_count")
        shown = [str(x) for x in ids[-EVENTS_SHOWN:]]
        number = self.say.pick(f"{count} event" + ("" if count == 1 else "s"), f"共{count}笔事件")
        text = ", ".join(f"`{x}`" for x in shown)
        if isinstance(count, int) and count > len(shown):
            text = self.say.pick(
                f"the last {len(shown)} are {text}", f"最近{len(shown)}笔为 {text}"
            )
        self.lines.append(f"{number}{self.colon}{text}")

    def _rates(self) -> None:
        rate = self.alert.get("rate")
        if not isinstance(rate, dict):
            return
        self.heading("rates")
        for pair, quote in (rate.get("used") or {}).items():
            source, _, target = pair.partition("/")
            self.lines.append(
                self.say.pick(
                    f"- {source} 1 = {target} {quote['value']} on {quote['date']}",
                    f"- {source} 1 ＝ {target} {quote['value']}（{quote['date']}）",
                )
            )
        self.lines.append(
            self.say.pick(
                f"- Table {rate.get('table')}; rounded once to the smallest unit, half to even; "
                "earlier events were converted at the rate of their own day",
                f"- 汇率表 {rate.get('table')}；按最小货币单位取整一次（银行家舍入）；"
                "此前各笔按其当日汇率换算",
            )
        )

    def _follows(self) -> None:
        self.heading("follows")
        alert = self.alert
        severity = str(alert.get("severity"))
        known = severity in SEVERITIES
        self.item(
            self.label("severity"),
            pick(SEVERITIES[severity], self.language) if known else severity,
        )
        spec = self.evidence.variant.rule.alert if self.evidence is not None else None
        if spec is not None and spec.report is not None:
            self.item(self.label("report"), spec.report)
        if alert.get("due") is not None:
            text = self.moment(alert["due"])
            if spec is not None and spec.due is not None:
                length = duration_words(spec.due, self.language)
                basis = pick(BASES[spec.due_basis], self.language)
                start = field_words(spec.due_from, self.language)
                if spec.due_from == "time":
                    start = self.say.pick("the event", "事件发生")
                text += self.say.pick(
                    f" ({length} from {start}; {basis})",
                    f"（自{start}起{length}；{basis}）",
                )
            self.item(self.label("due"), text)

    def _notes(self) -> None:
        if self.evidence is None:
            return
        rule = self.evidence.variant.rule
        for name, text in (("note", rule.explain), ("unseen", rule.misses)):
            if text is not None:
                self.heading(name)
                self.lines.append(self.said(dict(text)))

    def _replay(self) -> None:
        self.heading("replay")
        if self.checked.same:
            self.lines.append(
                self.say.pick(
                    "Decided again from the alert's own evidence for this page: the same.",
                    "生成本页时已依据预警自身证据重新判定：结果一致。",
                )
            )
        else:
            self.lines.append(self.checked.text())
        command = f"`regtech replay {self.alert.get('id')} --alerts FILE`"
        self.lines.append(
            self.say.pick(
                f"To do so yourself: {command}, FILE being the file that the alert stands in.",
                f"自行重新判定：{command}（FILE 为该预警所在文件）。",
            )
        )


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key} {item}" for key, item in value.items())
    return str(value)
