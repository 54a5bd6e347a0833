"""A rule as a lawyer's page in English or Chinese: every figure with its basis and dates."""

from __future__ import annotations

from typing import Final

from regtech.rulelang.ir import Pack, Param, ParamRef, Rule, Span, Text
from regtech.rulelang.rules import params_of
from regtech.rulelang.vocabulary import (
    BASES,
    CONFIDENCES,
    KINDS,
    PARTIES,
    PERIODS,
    SEVERITIES,
    STATUSES,
    SUBJECTS,
    TYPES,
    pick,
)
from regtech.rulelang.wording import duration_words, field_words, figure_words, words

_LABELS: Final = {
    "rule": ("Rule", "规则"),
    "pack": ("Rulepack", "规则包"),
    "law": ("Law", "法律依据"),
    "no_law": ("An indicator of the product; no law is cited.", "产品自有指标，未引用法律。"),
    "article": ("article", "条款"),
    "confidence": ("Confidence of the citation", "引用可信度"),
    "obligation": ("Obligation", "义务"),
    "force": ("In force", "施行期间"),
    "status": ("Status", "状态"),
    "whom": ("Whom it looks at", "适用对象"),
    "condition": ("Condition", "条件"),
    "counted": ("What counts", "计入范围"),
    "named": ("Named values", "名称释义"),
    "when": ("Met when", "触发条件"),
    "figures": ("Figures", "数值"),
    "figure": ("Figure", "数值"),
    "value": ("Value", "取值"),
    "days": ("Days", "期间"),
    "basis": ("Basis", "依据"),
    "follows": ("What happens", "处理结果"),
    "severity": ("severity", "等级"),
    "report": ("report", "报告"),
    "due": ("due within", "期限"),
    "once": ("At most once per subject and", "每一对象每一期间至多一次："),
    "yields": ("Gives way to", "让位于"),
    "missing": (
        "Where a fact is missing the outcome is *cannot tell*, never *not met*.",
        "缺少事实时结果为“无法判断”，不会视为“未触发”。",
    ),
    "explain": ("Explanation", "说明"),
    "misses": ("What it does not see", "局限"),
    "deadline": ("Deadline", "期限"),
    "detector": ("Decided by the detector", "由检测器判断"),
}


def show(rule: Rule, pack: Pack, language: str = "en") -> str:
    """The page of a rule in Markdown; reads well as plain text too."""
    return _Page(rule, pack, language).text()


def span_words(span: Span, language: str = "en") -> str:
    """Days in force in words."""
    zh = language == "zh"
    if span.first and span.last:
        return f"{span.first} 至 {span.last}" if zh else f"from {span.first} until {span.last}"
    if span.first:
        return f"自 {span.first} 起" if zh else f"from {span.first}"
    if span.last:
        return f"至 {span.last} 止" if zh else f"until {span.last}"
    return "不限" if zh else "at all times"


class _Page:
    def __init__(self, rule: Rule, pack: Pack, language: str) -> None:
        self.rule = rule
        self.pack = pack
        self.language = language
        self.zh = language == "zh"
        self.lines: list[str] = []

    def label(self, name: str) -> str:
        return pick(_LABELS[name], self.language)

    def said(self, text: Text) -> str:
        return text.get(self.language) or text.get("en", "")

    def item(self, name: str, text: str) -> None:
        colon = "：" if self.zh else ": "
        self.lines.append(f"- **{self.label(name)}**{colon}{text}")

    def heading(self, name: str) -> None:
        self.lines += ["", f"## {self.label(name)}", ""]

    def text(self) -> str:
        rule = self.rule
        self.lines += [f"# {self.said(rule.title)}", ""]
        self.item("rule", f"`{rule.id}`")
        title = self.said(self.pack.title)
        self.item(
            "pack", f"{title} (`{self.pack.id}` {self.pack.version}, {self.pack.jurisdiction})"
        )
        self.item("status", pick(STATUSES[rule.status], self.language))
        self._law()
        self._subject()
        self._condition()
        self._figures()
        self._consequence()
        for name, said in (("explain", rule.explain), ("misses", rule.misses)):
            if said is not None:
                self.heading(name)
                self.lines.append(self.said(said))
        return "\n".join(self.lines) + "\n"

    def _law(self) -> None:
        rule = self.rule
        self.heading("law")
        if rule.cite is None:
            self.lines.append(self.label("no_law"))
        else:
            instrument = self.pack.instruments[rule.cite.instrument]
            comma = "，" if self.zh else ", "
            cited = (
                f"{self.said(instrument.title)}{comma}{self.label('article')} {rule.cite.article}"
            )
            self.item("law", cited)
            self.item("confidence", pick(CONFIDENCES[rule.cite.confidence], self.language))
        if rule.obligations:
            self.item("obligation", ", ".join(rule.obligations))
        self.item("force", span_words(rule.span, self.language))

    def _subject(self) -> None:
        rule = self.rule
        names = []
        for word in rule.per:
            if word in SUBJECTS:
                names.append(pick(SUBJECTS[word], self.language))
            elif word in PARTIES:
                whose = pick(PARTIES[word], self.language)
                names.append(f"每一{whose}" if self.zh else f"each {whose.removeprefix('the ')}")
            else:
                name = field_words(word, self.language)
                names.append(f"每一{name}" if self.zh else f"each {name.removeprefix('the ')}")
        subject = ("与" if self.zh else " and ").join(names)
        types = ("、" if self.zh else ", ").join(
            pick(TYPES[name], self.language) for name in rule.on
        )
        text = f"{types}中的{subject}" if self.zh else f"{subject}, on {types}"
        if rule.by:
            split = [field_words(path, self.language) for path in rule.by]
            text += f"，按{'、'.join(split)}分别计算" if self.zh else f", by {' and '.join(split)}"
        self.heading("whom")
        self.lines.append(text)

    def _condition(self) -> None:
        rule = self.rule
        self.heading("condition")
        if rule.where is not None:
            self.item("counted", words(rule.where, self.language, self.pack.params))
        for name, expr in rule.lets.items():
            quoted = f"“{name}”" if self.zh else f'"{name}"'
            colon = "：" if self.zh else ": "
            self.lines.append(f"- {quoted}{colon}{words(expr, self.language, self.pack.params)}")
        if rule.when is not None:
            self.item("when", words(rule.when, self.language, self.pack.params))
        if rule.deadline is not None:
            self._deadline()
        if rule.detect is not None:
            self.item("detector", f"`{rule.detect.detector}`")
        self.lines += ["", self.label("missing")]

    def _deadline(self) -> None:
        deadline = self.rule.deadline
        assert deadline is not None
        if isinstance(deadline.within, ParamRef):
            within = words(deadline.within, self.language, self.pack.params)
        else:
            within = duration_words(deadline.within, self.language)
        closed = words(deadline.closed_by, self.language, self.pack.params)
        if deadline.start_period_end is not None:
            period = pick(PERIODS[deadline.start_period_end], self.language)
            start = f"{period}结束" if self.zh else f"the end of the {period}"
        elif deadline.start is not None:
            start = words(deadline.start, self.language)
        else:
            start = "事件时间" if self.zh else "the time of the event"
        if self.zh:
            text = f"自{start}起{within}内须有处理动作（{closed}）"
        else:
            text = f"within {within} from {start}, an action must follow ({closed})"
        if deadline.warn is not None:
            warn = duration_words(deadline.warn, self.language)
            text += f"；到期前{warn}预警" if self.zh else f"; a warning comes {warn} before"
        self.item("deadline", text)

    def _figures(self) -> None:
        params = [
            self.pack.params[name] for name in params_of(self.rule) if name in self.pack.params
        ]
        if not params:
            return
        self.heading("figures")
        heads = [self.label(name) for name in ("figure", "value", "days", "basis")]
        self.lines += [f"| {' | '.join(heads)} |", "|---|---|---|---|"]
        for param in params:
            for version in param.versions:
                cells = (
                    param.name.replace("_", " "),
                    figure_words(version.value, param.type, self.language),
                    span_words(version.span, self.language),
                    self._basis(param),
                )
                self.lines.append(f"| {' | '.join(cells)} |")

    def _basis(self, param: Param) -> str:
        text = pick(BASES[param.basis], self.language)
        if param.confidence is not None:
            text += f"; {pick(CONFIDENCES[param.confidence], self.language)}"
        return text

    def _consequence(self) -> None:
        rule = self.rule
        alert = rule.alert
        self.heading("follows")
        parts = [pick(KINDS[alert.kind], self.language)]
        parts.append(f"{self.label('severity')} {pick(SEVERITIES[alert.severity], self.language)}")
        if alert.report is not None:
            parts.append(f"{self.label('report')} {alert.report}")
        if alert.due is not None:
            text = f"{self.label('due')} {duration_words(alert.due, self.language)}"
            if alert.due_from != "time":
                start = field_words(alert.due_from, self.language)
                text += f"（自{start}起）" if self.zh else f" of the {start}"
            if alert.due_basis == "default":
                text += f" ({pick(BASES['default'], self.language)})"
            parts.append(text)
        self.lines.append(("；" if self.zh else "; ").join(parts) + ("。" if self.zh else "."))
        if rule.period is not None:
            period = pick(PERIODS[rule.period], self.language)
            self.lines += ["", f"{self.label('once')}{'' if self.zh else ' '}{period}"]
        if rule.yields_to:
            self.item("yields", ", ".join(f"`{name}`" for name in rule.yields_to))
