"""Random rulepacks that are valid in the rule language, as plain dicts.

Every kind of measure, window, filter, subject and outcome turns up; limits sit near what the
streams of ``generate.events`` add up to, so that met, not met and cannot tell are all common.
Long because a third of it is tables of vocabulary, best read beside the code that draws from them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from tests.property.generate.common import (
    CALENDAR,
    CURRENCY,
    EXEMPTIONS,
    LIMITS,
    PURPOSES,
    ROLLING,
    Chance,
    sized,
)

Document = dict[str, Any]

COMPARE = (">=", ">=", ">", "<", "<=")
PER = {
    "transaction": (
        "customer",
        "customer",
        "account",
        "party",
        "group",
        "institution",
        "event",
        "payee",
        "linked",
        ["payer", "payee"],
        ["customer", "currency"],
    ),
    "loan": ("customer", "borrower", "lender", "institution", "event", "loan_id", "group"),
    "data_transfer": ("exporter", "recipient", "institution", "group", ["exporter", "recipient"]),
    "exposure": ("holder", "counterparty", "group", "institution", ["holder", "counterparty"]),
    "incident": ("event", "institution"),
    "action": ("institution", "event", "subject"),
}
BY = {
    "transaction": ("direction", "currency", "channel", "counterparty.country", "kind"),
    "loan": ("purpose", "channel", "currency"),
    "data_transfer": ("destination", "recipient"),
    "exposure": ("kind",),
    "incident": ("kind",),
    "action": ("kind",),
}
FILTERS = {
    "transaction": (
        "is_cash",
        "not is_cash",
        'channel == "cash"',
        'channel in ("cash", "card")',
        'kind != "fx"',
        'currency == "{own}"',
        'currency not in ("{own}", "USD")',
        f'not exempt("{EXEMPTIONS[0]}", "{EXEMPTIONS[1]}")',
        f'not exempt("{EXEMPTIONS[0]}")',
        f'purpose == "{PURPOSES[0]}"',
        f'given(purpose, "{PURPOSES[0]}") == "{PURPOSES[0]}"',
        "is_cross_border",
        'payer.country in ("CN", "GB")',
        'payee.institution_country != "CN"',
        'in_set(payee.country, "eea")',
        'payer.country not in set("eea")',
        'has(payee.flags, "ciio", "casp")',
        'only(payer.flags, "dealer", "casp")',
        '"dealer" in payee.flags',
        "missing(purpose)",
        "known(payee.group)",
        "occasional",
        'payee.kind == "person"',
        "hour() >= 22 or hour() < 8",
        "weekday() >= 6",
        "working_day()",
        "days_since(payee.since) < 30",
        'reporter.country == "CN"',
        'amount_in("{own}") >= param("{small}")',
        'amount_in(param("{small}")) < param("{limit}")',
        "payer.country == payee.country",
    ),
    "loan": (
        'action == "grant"',
        'action in ("grant", "draw")',
        "secured",
        "apr_all_in > 0.24",
        "tenor_months <= 6",
        'purpose != "tax"',
        'channel == "app"',
        'amount_in("{own}", fees) >= param("{small}")',
        "known(borrower.country)",
    ),
    "data_transfer": (
        'destination != "CN"',
        'in_set(destination, "eu-adequacy")',
        'has(data.sensitivity, "sensitive")',
        'only(data.category, "personal")',
        "data.level >= 2",
        "encrypted",
        'tool == "scc"',
        "days_until(tool_expires) >= 0",
        "length(persons) >= 2",
        '"ciio" in exporter.flags',
        "missing(tool)",
        "month_end(tool_expires)",
    ),
    "exposure": (
        'kind == "loan"',
        'given(kind, "loan") != "interbank"',
        "known(counterparty.group)",
        'has(counterparty.flags, "casp")',
        "days_since(as_of) <= 30",
        "quarter_end(as_of)",
        "not year_end(as_of)",
    ),
    "incident": (
        'given(risk, "high") != "low"',
        'grade == "i"',
        "time_since(aware) >= 10min",
        'kind == "breach"',
        "days_since(aware) < 2 or working_day()",
    ),
    "action": ('kind == "notified"', 'to == "authority"', "known(about)"),
}
SHARED_FILTERS = ('purpose == "rent"', 'currency == "{own}"', "working_day()", "missing(channel)")
DISTINCT = {
    "transaction": ("payee.id", "payer.country", "channel", "currency", "payee.institution"),
    "loan": ("borrower.id", "purpose", "loan_id"),
    "data_transfer": ("persons", "persons", "destination", "recipient.id"),
    "exposure": ("counterparty.id", "kind"),
    "incident": ("kind", "grade"),
    "action": ("kind", "about"),
}
WHOLE = {
    "data_transfer": ("person_count", "devices", "data.level", "length(persons)"),
    "incident": ("persons_affected",),
    "loan": ("tenor_months",),
}
MONEY_TYPES = ("transaction", "loan", "exposure")
SIDE_PARTS = ("customer", "account", "party", "group")


class Rules:
    """Writes one pack."""

    def __init__(self, chance: Chance, jurisdiction: str, around: date) -> None:
        self.chance = chance
        self.jurisdiction = jurisdiction
        self.own = CURRENCY[jurisdiction]
        self.around = around
        self.params: Document = {}
        self.rules: list[Document] = []

    def pack(self, name: str, count: int) -> Document:
        while len(self.rules) < count:
            make = self.chance.one((self._plain,) * 6 + (self._bands, self._again, self._deadline))
            make(f"{name}-{len(self.rules) + 1}")
        written = str(self.rules)
        self.params = {p: value for p, value in self.params.items() if f'param("{p}")' in written}
        document: Document = {
            "pack": name,
            "version": "1.0.0",
            "jurisdiction": self.jurisdiction,
            "title": {"en": "Random", "zh": "随机"},
            "instruments": {
                "act": {
                    "title": {"en": "An act", "zh": "某法"},
                    "in_force": {"from": date(2010, 1, 1)},
                },
                "new-act": {
                    "title": {"en": "A new act", "zh": "某新法"},
                    "in_force": {"from": self.around},
                },
            },
            "params": self.params,
            "rules": self.rules,
        }
        return document

    # --- parameters ---

    def _param(self, *values: str | int) -> str:
        """A parameter with one of these values, or dated ones that change while events come."""
        chance = self.chance
        name = f"p{len(self.params) + 1}"
        if chance.often(0.7) or len(values) == 1:
            self.params[name] = {"value": chance.one(values), "basis": "law"}
        else:
            change = self.around + timedelta(days=chance.number(-1, 2))
            gap = timedelta(days=1 if chance.often(0.15) else 0)
            before, after = chance.some(values, 2, 2)
            dated = [{"until": change, "value": before}]
            dated += [{"from": change + timedelta(days=1) + gap, "value": after}]
            self.params[name] = {"basis": "law", "values": dated}
        return name

    def _money_param(self, scale: float = 1) -> str:
        chance = self.chance
        limits = [
            f"{self.own} {sized(limit * scale, self.own)}" for limit in chance.some(LIMITS, 2, 2)
        ]
        return self._param(*limits)

    # --- pieces of expressions ---

    def _filter(self, types: list[str]) -> str:
        chance = self.chance
        choices = FILTERS[types[0]] if len(types) == 1 else SHARED_FILTERS
        parts = []
        for text in chance.some(choices, 1, 2):
            if "{small}" in text:
                text = text.replace("{small}", self._money_param(0.2))
            if "{limit}" in text:
                text = text.replace("{limit}", self._money_param())
            parts.append(text.replace("{own}", self.own))
        if len(parts) == 1:
            return parts[0]
        glue = chance.one((" and ", " or "))
        return glue.join(f"({part})" if " or " in part else part for part in parts)

    def _window(self) -> str:
        chance = self.chance
        kind = chance.random.random()
        if kind < 0.45:
            return f"over={chance.one(CALENDAR)}"
        if kind < 0.8:
            return f"over={chance.one(ROLLING)}"
        if kind < 0.88:
            return f'over=param("{self._param("24 hours", "7 days", "30 days", "1 month")}")'
        return "over=ever"

    def _arguments(self, rule: Document, value: str = "", *, window: bool = True) -> str:
        chance = self.chance
        types: list[str] = rule["on"]
        parts = [value] if value else []
        if window:
            parts.append(self._window())
        if chance.often(0.35):
            parts.append(f"where={self._filter(types)}")
        if chance.often(0.15):
            parts.append(f"by={chance.one(BY[types[0]] if len(types) == 1 else ('currency',))}")
        if chance.often(0.08) and len(types) == 1:
            parts.append(f"on={types[0]}")
        return ", ".join(parts)

    def _amount(self, types: list[str]) -> str:
        chance = self.chance
        money = f'amount_in("{self.own}")'
        if types == ["exposure"] and chance.often(0.3):
            return f'{money} - amount_in("{self.own}", collateral)'
        if types == ["loan"] and chance.often(0.2):
            return f'amount_in("{self.own}", fees)'
        if chance.often(0.1):
            return f'amount_in(param("{self._money_param()}"))'
        return money

    def _condition(self, rule: Document, lets: dict[str, str]) -> str:
        """One comparison of a measure, which is put into ``let`` or written in place."""
        chance = self.chance
        types: list[str] = rule["on"]
        kinds: list[Callable[[Document], tuple[str, str]]] = [
            self._count,
            self._distinct,
            self._elapsed,
        ]
        if all(kind in MONEY_TYPES for kind in types):
            kinds += [self._sum, self._sum, self._sum, self._statistic, self._ratio, self._combined]
        if types == ["exposure"]:
            kinds += [self._outstanding, self._outstanding, self._figure_ratio, self._figure_ratio]
        if types == ["loan"]:
            kinds += [self._figure_ratio]
        if types[0] in WHOLE and len(types) == 1:
            kinds += [self._whole, self._whole]
        if types in (["transaction"], ["loan"], ["data_transfer"]):
            kinds += [self._elsewhere]
        measure, comparison = chance.one(kinds)(rule)
        if chance.often(0.75):
            name = f"m{len(lets) + 1}"
            lets[name] = measure
            return f"{name} {comparison}"
        return f"{measure} {comparison}"

    def _compare(self, limit: str) -> str:
        return f"{self.chance.one(COMPARE)} {limit}"

    def _sum(self, rule: Document) -> tuple[str, str]:
        amount = self._amount(rule["on"])
        return f"sum({self._arguments(rule, amount)})", self._limit()

    def _limit(self) -> str:
        factor = "" if self.chance.often(0.85) else self.chance.one((" * 2", " * 0.5"))
        return self._compare(f'param("{self._money_param()}"){factor}')

    def _count(self, rule: Document) -> tuple[str, str]:
        limit = str(self.chance.number(1, 4))
        if self.chance.often(0.2):
            limit = f'param("{self._param(2, 3)}")'
        return f"count({self._arguments(rule)})", self._compare(limit)

    def _distinct(self, rule: Document) -> tuple[str, str]:
        types = rule["on"]
        value = self.chance.one(DISTINCT[types[0]]) if len(types) == 1 else "currency"
        limit = self.chance.number(2, 4 if value == "persons" else 3)
        return f"distinct({self._arguments(rule, value)})", self._compare(str(limit))

    def _elapsed(self, rule: Document) -> tuple[str, str]:
        kind = self.chance.one(("since_last", "first_seen"))
        limit = self.chance.one(("1h", "24h", "7d", "30min", "72h"))
        return f"{kind}({self._arguments(rule)})", self._compare(limit)

    def _statistic(self, rule: Document) -> tuple[str, str]:
        kind = self.chance.one(("min", "max", "mean", "stddev", "last"))
        scale = 0.2 if kind in ("min", "stddev") else 0.5
        comparison = self._compare(f'param("{self._money_param(scale)}")')
        return f"{kind}({self._arguments(rule, self._amount(rule['on']))})", comparison

    def _ratio(self, rule: Document) -> tuple[str, str]:
        chance = self.chance
        money = f'amount_in("{self.own}")'
        window = self._window()
        part = f"sum({money}, {window}, where={self._filter(rule['on'])})"
        whole = f"sum({money}, {window})"
        if chance.often(0.3):
            part, whole = f"count({window}, where={self._filter(rule['on'])})", f"count({window})"
        limit = chance.one(("0.25", "0.5", "0.333", f'param("{self._param("25%", "50%")}")'))
        return f"{part} / {whole}", self._compare(limit)

    def _combined(self, rule: Document) -> tuple[str, str]:
        chance = self.chance
        money = f'amount_in("{self.own}")'
        a, b = (f"sum({self._arguments(rule, money)})" for _ in range(2))
        choice = chance.one(("add", "subtract", "least", "greatest", "if"))
        if choice == "if":
            return f"({a} if {self._filter(rule['on'])} else {b})", self._limit()
        if choice in ("least", "greatest"):
            return f"{choice}({a}, {b})", self._limit()
        return f"{a} {'+' if choice == 'add' else '-'} {b}", self._limit()

    def _whole(self, rule: Document) -> tuple[str, str]:
        value = self.chance.one(WHOLE[rule["on"][0]])
        kind = self.chance.one(("sum", "sum", "max", "last", "mean", "stddev"))
        limit = self.chance.number(1, 3) if kind == "stddev" else self.chance.number(3, 8)
        return f"{kind}({self._arguments(rule, value)})", self._compare(str(limit))

    def _outstanding(self, rule: Document) -> tuple[str, str]:
        amount = self._amount(rule["on"])
        item = self.chance.one(("[counterparty, kind]", "counterparty", "[holder, counterparty]"))
        arguments = self._arguments(rule, amount, window=False)
        return f"outstanding({arguments}, item={item})", self._limit()

    def _figure_ratio(self, rule: Document) -> tuple[str, str]:
        chance = self.chance
        of = {"exposure": "holder", "loan": "lender"}[rule["on"][0]]
        at = chance.one(("", ', at="quarter_end"', ', at="year_end"'))
        figure = f'figure("net_capital", of={of}, currency="{self.own}"{at})'
        money = f'amount_in("{self.own}")'
        if chance.often(0.3):
            return f"sum({money}, {self._window()})", self._compare(f"0.25 * {figure}")
        return f"sum({money}, {self._window()}) / {figure}", self._compare(
            chance.one(("0.25", "0.5"))
        )

    def _elsewhere(self, rule: Document) -> tuple[str, str]:
        """A measure over another type, or by another field of the row."""
        chance = self.chance
        window, kind, per = self._window(), rule["on"][0], rule["per"]
        limit = self._compare(str(chance.number(1, 2)))
        if kind == "data_transfer":
            return f"count({window}, on=data_transfer, key=exporter, read=recipient)", limit
        if per == "customer":
            return f"count({window}, on=action, key=subject)", limit
        if kind == "transaction" and chance.often(0.5):
            return f"count({window}, on=transaction, key=payer, read=payee)", limit
        if kind == "transaction":
            return f"count({window}, on=loan, key=borrower, read=payee)", limit
        return f"count({window}, on=transaction, key=payee, read=borrower)", limit

    # --- rules ---

    def _frame(self, name: str, types: list[str]) -> Document:
        chance = self.chance
        rule: Document = {"id": name, "title": {"en": name, "zh": name}, "on": types}
        instrument = "new-act" if chance.often(0.15) else "act"
        rule["cite"] = {"instrument": instrument, "article": "1", "confidence": "from_memory"}
        if chance.often(0.1):
            edge = self.around + timedelta(days=chance.number(-1, 3))
            rule["in_force"] = {chance.one(("from", "until")): edge}
            rule["cite"]["instrument"] = "act"
        subjects = PER[types[0]] if len(types) == 1 else ("customer", "institution")
        rule["per"] = copy.copy(chance.one(subjects))
        if chance.often(0.25):
            by = BY[types[0]] if len(types) == 1 else ("currency", "purpose")
            rule["by"] = chance.one(by)
        if chance.often(0.45):
            rule["where"] = self._filter(types)
        rule["alert"] = {"kind": "report", "severity": "medium"}
        # The checker wants a test of each kind; nobody runs these.
        rule["tests"] = [
            {
                "name": "met",
                "events": [{"time": "2026-03-02T09:00:00Z"}],
                "expect": {"alert": {"subject": "X"}},
            },
            {"name": "not", "events": [{"time": "2026-03-02T09:00:00Z"}], "expect": "none"},
        ]
        return rule

    def _types(self) -> list[str]:
        single = ("transaction",) * 6 + (
            "loan",
            "data_transfer",
            "exposure",
            "exposure",
            "incident",
        )
        if self.chance.often(0.06):
            return ["transaction", "loan"]
        return [self.chance.one((*single, "action"))]

    def _plain(self, name: str) -> None:
        chance = self.chance
        rule = self._frame(name, self._types())
        lets: dict[str, str] = {}
        conditions = [self._condition(rule, lets) for _ in range(chance.one((1, 1, 2, 3)))]
        if chance.often(0.15):
            conditions.append(self._filter(rule["on"]))
        when = chance.one((" and ", " or ")).join(f"({part})" for part in conditions)
        rule["when"] = f"not ({when})" if chance.often(0.06) else when
        if lets:
            rule["let"] = lets
        if chance.often(0.15):
            rule["period"] = chance.one(
                ("event", "day", "week", "month", "quarter", "year", "ever")
            )
        if chance.often(0.3):
            rule["cannot_tell"] = "alert"
        if chance.often(0.1):
            rule["status"] = "advisory"
        self.rules.append(rule)

    def _bands(self, name: str) -> None:
        """Two or three rules of one subject with rising limits, each giving way to those above."""
        chance = self.chance
        types = [chance.one(("transaction", "transaction", "loan"))]
        frame = self._frame(name, types)
        measure = f"sum({self._arguments(frame, self._amount(types))})"
        count = chance.number(2, 3)
        limits = sorted(chance.some(LIMITS, count, count))
        for position, limit in enumerate(limits):
            param = self._param(f"{self.own} {sized(limit, self.own)}")
            rule = copy.deepcopy(frame) | {"id": f"{name}{'abc'[position]}", "let": {"s": measure}}
            rule["when"] = f's >= param("{param}")'
            above = [f"{name}{letter}" for letter in "abc"[position + 1 : count]]
            if above:
                rule["yields_to"] = above if chance.often(0.7) else above[:1]
            if chance.often(0.3):
                rule["cannot_tell"] = "alert"
            self.rules.append(rule)

    def _again(self, name: str) -> None:
        chance = self.chance
        rule = self._frame(name, [chance.one(("transaction", "exposure", "loan"))])
        if chance.often(0.5):
            rule["let"] = {"v": f"sum({self._arguments(rule, self._amount(rule['on']))})"}
            rule["when"] = f'v >= param("{self._money_param(0.5)}")'
            step = f'param("{self._money_param(chance.one((0.2, 0.5)))}")'
        elif chance.often(0.5):
            rule["let"] = {"v": f"count({self._arguments(rule)})"}
            rule["when"] = f"v >= {chance.number(1, 3)}"
            step = str(chance.number(1, 2))
        else:
            measure, _ = self._ratio(rule)
            rule["let"] = {"v": measure}
            rule["when"] = "v > 0.1"
            step = chance.one(("0.1", "0.05"))
        rule["again"] = {"value": "v", "step": step}
        self.rules.append(rule)

    def _deadline(self, name: str) -> None:
        chance = self.chance
        kind = chance.one(("incident", "incident", "loan", "action"))
        rule = self._frame(name, [kind])
        rule.pop("by", None)
        closed = (
            'kind == "notified"',
            'kind == "notified" and to == "authority"',
            'kind != "consent_refused"',
        )
        lengths = ("72 hours", "24 hours", "2 days", "2 working days", "5 working days", "1 month")
        deadline: Document = {"closed_by": chance.one(closed), "within": chance.one(lengths)}
        if chance.often(0.4):
            deadline["within"] = f'param("{self._param(*lengths[:4])}")'
        rule["per"] = "event"
        if kind == "incident" and chance.often(0.5):
            deadline["start"] = "aware"
        elif kind == "loan" and chance.often(0.7):
            deadline["about"] = "loan_id"
            rule["per"] = chance.one(("loan_id", "institution", "borrower"))
        elif chance.often(0.4):
            deadline["start_period_end"] = chance.one(("month", "quarter", "year"))
            rule["per"] = "institution"
        if chance.often(0.5):
            deadline["warn"] = chance.one(("12 hours", "1 hours", "1 days"))
        if chance.often(0.3):
            rule["let"] = {"n": f"count({self._arguments(rule)})"}
            rule["when"] = f"n >= {chance.number(1, 2)}"
        elif "where" not in rule:
            rule["where"] = self._filter([kind])
        rule["deadline"] = deadline
        rule["alert"] = {"kind": "deadline", "severity": "high"}
        self.rules.append(rule)
