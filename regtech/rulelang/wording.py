"""Expressions in a person's words, English and Chinese: for lawyers' pages and explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from regtech.rulelang.askedwords import asked_words
from regtech.rulelang.ir import (
    Arith,
    Call,
    Compare,
    Const,
    Duration,
    Expr,
    FieldRef,
    IfElse,
    In,
    LetRef,
    Logic,
    Measure,
    Money,
    Not,
    Param,
    ParamRef,
    Type,
    Value,
    Window,
)
from regtech.rulelang.values import duration_text, number_text, value_text
from regtech.rulelang.vocabulary import (
    COMMON_WORDS,
    FIELDS,
    PARTIES,
    PERIODS,
    TYPES,
    UNITS,
    pick,
)

_COMPARISONS: Final = {
    ">=": ("is at least", "不低于"),
    ">": ("exceeds", "超过"),
    "<": ("is below", "低于"),
    "<=": ("is at most", "不超过"),
    "==": ("is", "为"),
    "!=": ("is not", "不为"),
}
_TIME_COMPARISONS: Final = {
    **_COMPARISONS,
    ">=": ("is not before", "不早于"),
    ">": ("is after", "晚于"),
    "<": ("is before", "早于"),
    "<=": ("is not after", "不晚于"),
}
_MEASURES: Final = {
    "sum": ("the sum of {0}", "{0}合计"),
    "count": ("the number of {0}", "{0}笔数"),
    "distinct": ("the number of different {0}", "不同{0}的数量"),
    "min": ("the lowest {0}", "{0}的最低值"),
    "max": ("the highest {0}", "{0}的最高值"),
    "mean": ("the mean of {0}", "{0}的平均值"),
    "stddev": ("the standard deviation of {0}", "{0}的标准差"),
    "last": ("the latest {0}", "最近一次的{0}"),
    "since_last": ("the time since the previous of the {0}", "距上一次{0}的时间"),
    "first_seen": ("the time since the first of the {0}", "距首次{0}的时间"),
    "outstanding": ("the outstanding total of {0}", "{0}的余额合计"),
}
_CALLS: Final = {
    "missing": ("{0} is missing", "缺少{0}"),
    "known": ("{0} is given", "已提供{0}"),
    "given": ("{0} (or {1} where it is not given)", "{0}（未提供时按{1}）"),
    "days_since": ("the days since {0}", "自{0}起的天数"),
    "days_until": ("the days until {0}", "距{0}的天数"),
    "time_since": ("the time since {0}", "自{0}起的时间"),
    "hour": ("the local hour", "当地钟点"),
    "weekday": ("the day of the week (Monday is 1)", "星期（周一为1）"),
    "working_day": ("it is a working day", "当日为工作日"),
    "month_end": ("{0} is the last day of a month", "{0}为月末"),
    "quarter_end": ("{0} is the last day of a quarter", "{0}为季末"),
    "year_end": ("{0} is the last day of a year", "{0}为年末"),
    "length": ("the number of {0}", "{0}的数量"),
    "screened": ("the name of {0} is on the list {1}", "{0}的名称在名单{1}上"),
    "owner_share": ("the share of {1} that {0} holds in all", "{0}合计持有{1}的比例"),
    "same_owner": ("{0} and {1} have one owner", "{0}与{1}同属一个所有者"),
    "layers": ("the layers of {0}", "{0}的嵌套层数"),
}


def words(
    expr: Expr,
    language: str = "en",
    params: Mapping[str, Param] | None = None,
    lets: Mapping[str, Expr] | None = None,
) -> str:
    """An expression in words.

    ``params``: figures with one value are written out; dated ones, and all without ``params``, are
    named. ``lets``: named values are replaced by what they stand for; without it they are named.
    """
    wording = _Wording(language, params or {}, lets or {})
    return wording.condition(expr) if expr.type.name == "bool" else wording.text(expr)


def figure_words(value: Value, type_: Type, language: str = "en") -> str:
    """A figure in words."""
    if language != "zh":
        return value_text(value, type_)
    if isinstance(value, Duration):
        return duration_words(value, language)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Money | frozenset | str):
        return value_text(value, type_).replace(
            ", ", "、" if isinstance(value, frozenset) else ", "
        )
    if type_.unit in UNITS:
        return number_text(value, grouped=True) + UNITS[type_.unit][1]
    return value_text(value, type_)


def duration_words(length: Duration, language: str = "en") -> str:
    """A length of time in words."""
    if language != "zh":
        return duration_text(length)
    units = {
        "second": "秒",
        "minute": "分钟",
        "hour": "小时",
        "day": "天",
        "month": "个月",
        "working day": "个工作日",
    }
    count, _, unit = duration_text(length).partition(" ")
    return f"{count}{units[unit.removesuffix('s')]}"


def field_words(path: str, language: str = "en") -> str:
    """A field in words: ``payer.country`` is "the payer's country"."""
    if path in FIELDS:
        return pick(FIELDS[path], language)
    party, _, leaf = path.partition(".")
    if party in PARTIES and leaf in FIELDS:
        whose = pick(PARTIES[party], language)
        if leaf == "id":
            return whose
        name = pick(FIELDS[leaf], language)
        return f"{whose}的{name}" if language == "zh" else f"{whose}'s {name}"
    asked = asked_words(path, language, lambda part: _party_words(part, language))
    return asked or path.replace("_", " ")


def _party_words(path: str, language: str) -> str:
    return pick(PARTIES[path], language) if path in PARTIES else field_words(path, language)


def _is_cross_border(expr: IfElse) -> bool:
    """Whether this is what the reader writes out for ``is_cross_border``."""
    then = expr.then
    return (
        isinstance(then, Compare)
        and then.op == "!="
        and isinstance(then.left, FieldRef)
        and isinstance(then.right, FieldRef)
        and then.left.path == "payer.institution_country"
        and then.right.path == "payee.institution_country"
    )


class _Wording:
    def __init__(
        self, language: str, params: Mapping[str, Param], lets: Mapping[str, Expr]
    ) -> None:
        self._language = language
        self._zh = language == "zh"
        self._params = params
        self._lets = lets

    def text(self, expr: Expr) -> str:
        match expr:
            case Const():
                return self._const(expr)
            case FieldRef():
                return self._field(expr)
            case ParamRef():
                return self._param(expr)
            case LetRef():
                if expr.name in self._lets:
                    return self.text(self._lets[expr.name])
                return f"“{expr.name}”" if self._zh else f'"{expr.name}"'
            case Measure():
                return self._measure(expr)
            case Call():
                return self._call(expr)
            case Not():
                return self._not(expr)
            case Logic():
                return self._logic(expr)
            case Compare():
                return self._compare(expr)
            case In():
                return self._in(expr)
            case Arith():
                return self._arith(expr)
            case IfElse():
                if _is_cross_border(expr):
                    if self._zh:
                        return "双方（机构或当事人）不在同一国家或地区"
                    return "the two sides are in different countries"
                parts = (self.text(expr.then), self.text(expr.condition), self.text(expr.otherwise))
                if self._zh:
                    return f"（若{parts[1]}则为{parts[0]}，否则为{parts[2]}）"
                return f"({parts[0]} if {parts[1]}, otherwise {parts[2]})"

    def _word(self, word: str) -> str:
        if self._zh and word in COMMON_WORDS:
            return COMMON_WORDS[word]
        return word.replace("_", " ")

    def _words(self, found: Sequence[str]) -> str:
        shown = [self._word(word) for word in found]
        if self._zh:
            return "、".join(shown)
        return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"

    def _const(self, expr: Const) -> str:
        if isinstance(expr.value, str):
            return self._word(expr.value)
        if isinstance(expr.value, bool):
            return ("是" if expr.value else "否") if self._zh else ("yes" if expr.value else "no")
        return figure_words(expr.value, expr.type, self._language)

    def _field(self, expr: Expr) -> str:
        return field_words(expr.path, self._language) if isinstance(expr, FieldRef) else ""

    def _param(self, expr: ParamRef) -> str:
        param = self._params.get(expr.name)
        if param is not None and len(param.versions) == 1:
            return figure_words(param.versions[0].value, param.type, self._language)
        name = expr.name.replace("_", " ")
        return f"规定数值“{name}”" if self._zh else f'the figure "{name}"'

    def condition(self, expr: Expr) -> str:
        """A condition as a statement; a bare boolean field is one."""
        if isinstance(expr, FieldRef):
            return self._field(expr)
        if isinstance(expr, Call) and expr.function == "given" and expr.type.name == "bool":
            name, default = self._field(expr.args[0]), expr.args[1]
            if isinstance(default, Const) and not default.value:
                return name  # what is not said does not hold
            if isinstance(default, Const):
                return f"{name}（未说明时视为是）" if self._zh else f"{name} (unless denied)"
        return self.text(expr)

    def _exempt(self, expr: Logic) -> str | None:
        """``exempt("code", …)``, which the reader writes out."""
        if expr.op != "and" or len(expr.operands) < 3:
            return None
        claimed = expr.operands[1]
        if not (
            isinstance(expr.operands[0], Call)
            and expr.operands[0].function == "known"
            and isinstance(claimed, In)
            and isinstance(claimed.item, FieldRef)
            and claimed.item.path == "exemption"
            and isinstance(expr.operands[2], Not)
            and expr.operands[0].args == (claimed.item,)
        ):
            return None
        codes = self._words(claimed.words or ())
        if self._zh:
            text = f"适用豁免（{codes}）且报告机构未怀疑"
        else:
            text = f"an exemption is claimed ({codes}) and the reporter does not suspect it"
        rest = expr.operands[3:]
        if not rest:
            return text
        joint = "，且" if self._zh else " and "
        return joint.join([text, *(self.condition(operand) for operand in rest)])

    def _not(self, expr: Not) -> str:
        inner = self.condition(expr.operand)
        return f"并非（{inner}）" if self._zh else f"not ({inner})"

    def _logic(self, expr: Logic) -> str:
        exempt = self._exempt(expr)
        if exempt is not None:
            return exempt
        parts = []
        for operand in expr.operands:
            part = self.condition(operand)
            if isinstance(operand, Logic):
                part = f"（{part}）" if self._zh else f"({part})"
            parts.append(part)
        if self._zh:
            return "，且".join(parts) if expr.op == "and" else "，或".join(parts)
        return f" {expr.op} ".join(parts)

    def _compare(self, expr: Compare) -> str:
        if isinstance(expr.right, Const) and isinstance(expr.right.value, bool):
            wanted = expr.right.value == (expr.op == "==")
            return self.text(expr.left if wanted else Not(expr.left))
        table = _TIME_COMPARISONS if expr.left.type.name in ("time", "date") else _COMPARISONS
        left, right = self.text(expr.left), self.text(expr.right)
        between = pick(table[expr.op], self._language)
        return f"{left}{between}{right}" if self._zh else f"{left} {between} {right}"

    def _in(self, expr: In) -> str:
        if expr.flags is not None:
            word, whose = self.text(expr.item), self.text(expr.flags)
            if self._zh:
                return f"{whose}{'不' if expr.negated else ''}包括{word}"
            return f"{whose} {'does not include' if expr.negated else 'includes'} {word}"
        item = self.text(expr.item)
        if expr.set_name is not None:
            if self._zh:
                return f"{item}{'不' if expr.negated else ''}在名录“{expr.set_name}”中"
            return f"{item} is {'not ' if expr.negated else ''}in the set {expr.set_name}"
        listed = self.text(expr.param) if expr.param is not None else self._words(expr.words or ())
        if self._zh:
            return f"{item}{'不' if expr.negated else ''}是{listed}" + (
                "之一" if "、" in listed else ""
            )
        return f"{item} is {'neither ' if expr.negated else ''}{self._nor(listed, expr.negated)}"

    @staticmethod
    def _nor(listed: str, negated: bool) -> str:
        if not negated:
            return listed
        head, separator, tail = listed.rpartition(" or ")
        return f"{head} nor {tail}" if separator else f"this nor any other of {listed}"

    def _arith(self, expr: Arith) -> str:
        if expr.op == "*" and isinstance(expr.right, Const) and expr.left.type.unit == "days":
            if isinstance(expr.right.value, Duration):
                return self.text(expr.left)  # days made a length of time by the checker
        sign = {"+": "+", "-": "−", "*": "×", "/": "÷"}[expr.op]
        sides = []
        for side in (expr.left, expr.right):
            part = self.text(side)
            sides.append(f"({part})" if isinstance(side, Arith) else part)
        return f"{sides[0]} {sign} {sides[1]}"

    def _window(self, window: Window) -> str:
        if window.kind == "ever":
            return "历来" if self._zh else "so far"
        if window.kind == "calendar":
            period = pick(PERIODS[str(window.period)], self._language)
            return f"同一{period}内" if self._zh else f"within the {period}"
        length = window.length
        if isinstance(length, Duration):
            text = duration_words(length, self._language)
        elif length is not None:
            text = self.text(length)
        else:
            text = ""
        if window.default:
            text += "（产品默认值）" if self._zh else " (a default of the product)"
        return f"最近{text}内" if self._zh else f"within the last {text}"

    def _measure(self, expr: Measure) -> str:
        if expr.kind == "figure":
            return self._figure(expr)
        if expr.value is not None:
            value = self.text(expr.value)
        else:
            joint = "和" if self._zh else " and "
            value = joint.join(pick(TYPES[name], self._language) for name in expr.on)
        text = pick(_MEASURES[expr.kind], self._language).format(value)
        if expr.kind != "outstanding":
            window = self._window(expr.window)
            text = f"{window}{text}" if self._zh else f"{text} {window}"
        if expr.by:
            same = [field_words(path, self._language) for path in expr.by]
            if self._zh:
                text += f"（{'、'.join(same)}相同者）"
            else:
                text += f", for the same {' and '.join(name.removeprefix('the ') for name in same)}"
        if expr.where is not None:
            where = self.condition(expr.where)
            text += f"（仅计{where}）" if self._zh else f", counting only where {where}"
        return text

    def _figure(self, expr: Measure) -> str:
        name = str(expr.figure)
        party = self.text(expr.read[0]) if expr.read else ""
        at = {
            None: ("", ""),
            "quarter_end": (" at the last quarter's end", "上季末"),
            "year_end": (" at the last year's end", "上年末"),
        }[expr.at]
        if self._zh:
            return f"{party}{at[1]}的{name}"
        return f"{party}'s {name.replace('_', ' ')}{at[0]}"

    def _call(self, expr: Call) -> str:
        arguments = [self.text(argument) for argument in expr.args]
        match expr.function:
            case "amount_in":
                target = expr.args[1]
                if isinstance(target, ParamRef):
                    code = target.type.currency or ""
                    arguments[1] = arguments[1] if code.startswith("*") else code
                if self._zh:
                    return f"以{arguments[1]}计的{arguments[0]}"
                return f"the {arguments[0].removeprefix('the ')} in {arguments[1]}"
            case "has" | "only":
                listed = self._words([str(a.value) for a in expr.args[1:] if isinstance(a, Const)])
                if expr.function == "has":
                    return (
                        f"{arguments[0]}包括{listed}"
                        if self._zh
                        else (f"{arguments[0]} includes {listed}")
                    )
                return (
                    f"{arguments[0]}仅有{listed}"
                    if self._zh
                    else (f"{arguments[0]} includes only {listed}")
                )
            case "least" | "greatest":
                if self._zh:
                    which = "较低者" if expr.function == "least" else "较高者"
                    return f"（{'、'.join(arguments)}中的{which}）"
                which = "lower" if expr.function == "least" else "higher"
                return f"the {which} of {' and '.join(arguments)}"
        return pick(_CALLS[expr.function], self._language).format(*arguments)
