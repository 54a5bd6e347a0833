"""Measures: numbers over a subject's rows in a window, and how their arguments are read."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtech.content.faults import did_you_mean
from regtech.content.saying import Hint, say
from regtech.model.fields import EVENT_TYPES
from regtech.rulelang.fieldviews import (
    Unresolved,
    resolve_path,
    resolve_subject,
)
from regtech.rulelang.functions import currency_of_target, main_money, read_currency
from regtech.rulelang.ir import (
    Call,
    Const,
    Duration,
    Expr,
    FieldRef,
    LetRef,
    Measure,
    MeasureKind,
    ParamRef,
    Type,
    Window,
)
from regtech.rulelang.types import DURATION, describe
from regtech.rulelang.walk import walk

if TYPE_CHECKING:
    from regtech.rulelang.expressions import Reader

PERIODS: Final = ("day", "week", "month", "quarter", "year", "business_day")

_NUMERIC: Final = ("int", "ratio", "money", "duration")
_FILTERS: Final = ("over", "where", "by", "on", "key", "read")


@dataclass(frozen=True, slots=True)
class MeasureSpec:
    """How a measure is written. ``window``: required, optional (default ``ever``) or none."""

    kind: MeasureKind
    signature: str
    doc: str
    value: bool
    window: str  # "required", "optional", "ever", "none"
    value_types: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


_ALL: Final = (
    MeasureSpec("sum", "sum(value, over=…)", "total", True, "required", _NUMERIC),
    MeasureSpec("count", "count(over=…)", "number of rows", False, "required"),
    MeasureSpec(
        "distinct",
        "distinct(value, over=…)",
        "number of different values",
        True,
        "required",
        ("symbol", "persons", "text", "int", "date", "money", "ratio"),
    ),
    MeasureSpec(
        "min", "min(value, over=…)", "lowest value", True, "required", (*_NUMERIC, "time", "date")
    ),
    MeasureSpec(
        "max", "max(value, over=…)", "highest value", True, "required", (*_NUMERIC, "time", "date")
    ),
    MeasureSpec("mean", "mean(value, over=…)", "arithmetic mean", True, "required", _NUMERIC),
    MeasureSpec(
        "stddev",
        "stddev(value, over=…)",
        "population standard deviation",
        True,
        "required",
        _NUMERIC,
    ),
    MeasureSpec(
        "last",
        "last(value, over=…)",
        "latest value",
        True,
        "optional",
        (*_NUMERIC, "time", "date", "symbol", "bool"),
    ),
    MeasureSpec(
        "since_last", "since_last()", "time since the previous such row", False, "optional"
    ),
    MeasureSpec("first_seen", "first_seen()", "time since the first such row", False, "optional"),
    MeasureSpec(
        "outstanding",
        "outstanding(value, item=[…])",
        "sum of the latest balance of each item",
        True,
        "ever",
        ("money", "int", "ratio"),
        ("item",),
    ),
    MeasureSpec(
        "figure",
        'figure("name", of=party, currency="CNY")',
        "the latest reported figure of a party",
        False,
        "none",
        (),
        ("of", "currency", "at"),
    ),
)

MEASURES: Final[dict[str, MeasureSpec]] = {spec.kind: spec for spec in _ALL}


def has_measure(expr: Expr) -> bool:
    """Whether a measure, or a let (which may be one), is inside."""
    return any(isinstance(part, Measure | LetRef) for part in walk(expr))


def read(reader: Reader, name: str, node: ast.Call) -> Expr | None:
    """Reads a call of a measure; None after faults."""
    spec = MEASURES[name]
    before = len(reader.scope.faults)
    keywords = _keywords(reader, spec, node)
    if spec.kind == "figure":
        return _figure(reader, spec, node, keywords, before)
    window = _window(reader, spec, node, keywords.get("over"))
    types = _types(reader, keywords.get("on"))
    if types is None:
        return None
    value = _value(reader, spec, node, types)
    where: Expr | None = None
    items: tuple[Expr, ...] = ()
    key: tuple[Expr, ...] | None = None
    read_by: tuple[Expr, ...] | None = None
    with reader.inside(name, types):
        if "where" in keywords:
            where = reader.condition(keywords["where"])
        if "item" in keywords:
            items = _paths_as_refs(reader, keywords["item"])
        if "key" in keywords:
            key = _paths_as_refs(reader, keywords["key"])
    if "read" in keywords:
        with reader.inside(name, reader.scope.types):
            read_by = _paths_as_refs(reader, keywords["read"])
    by = _by(reader, keywords.get("by"), types)
    _check_keys(reader, node, types, key, read_by)
    if spec.kind == "outstanding" and "item" not in keywords:
        reader.fault(
            "RL205",
            say("outstanding needs item="),
            node,
            say("write %(signature)s", signature=spec.signature),
        )
    if len(reader.scope.faults) != before or window is None:
        return None
    if spec.value and value is None:
        return None  # a let whose own fault is told where it stands
    return Measure(
        kind=spec.kind,
        value=value,
        window=window,
        where=where,
        on=types,
        key=key,
        read=read_by,
        by=by,
        item=items,
        type=_type(spec, value),
        rule_where="on" not in keywords,
        mark=reader.mark(node),
    )


def _keywords(reader: Reader, spec: MeasureSpec, node: ast.Call) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    allowed = (*spec.extra, *(_FILTERS if spec.kind != "figure" else ()))
    for keyword in node.keywords:
        name = str(keyword.arg)
        if name in found:
            reader.fault("RL205", say("%(name)s= is given twice", name=name), keyword)
        elif name == "over" and spec.window == "none":
            reader.fault(
                "RL212",
                say("%(kind)s has no window", kind=spec.kind),
                keyword,
                say("leave over= out"),
            )
        elif name not in allowed:
            reader.fault(
                "RL205",
                say("%(kind)s has no argument %(name)r", kind=spec.kind, name=name),
                keyword,
                did_you_mean(name, allowed) or say("write %(signature)s", signature=spec.signature),
            )
        else:
            found[name] = keyword.value
    return found


def _window(
    reader: Reader, spec: MeasureSpec, node: ast.Call, over: ast.expr | None
) -> Window | None:
    if over is None:
        if spec.window == "required":
            reader.fault(
                "RL211",
                say("%(kind)s needs a window", kind=spec.kind),
                node,
                say("for example over=day"),
            )
            return None
        return Window("ever")
    length = reader.duration(over)
    if length is None and isinstance(over, ast.Name):
        if over.id == "ever":
            return Window("ever")
        if spec.window == "ever":
            reader.fault(
                "RL212", say("%(kind)s has no window", kind=spec.kind), over, say("leave over= out")
            )
            return None
        if over.id in PERIODS:
            return Window("calendar", period=over.id)
        hint = did_you_mean(over.id, (*PERIODS, "ever"))
        reader.fault(
            "RL213",
            say("unknown window %(over)r", over=over.id),
            over,
            hint or say("for example over=7d"),
        )
        return None
    if spec.window == "ever":
        reader.fault(
            "RL212", say("%(kind)s has no window", kind=spec.kind), over, say("leave over= out")
        )
        return None
    if length is not None:
        return Window("rolling", length=length)
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "param":
        ref = reader.param(over)
        if ref is None:
            return None
        param = reader.scope.params[ref.name]
        lengths = [version.value for version in param.versions]
        if not all(isinstance(v, Duration) and v.unit != "working_days" for v in lengths):
            reader.fault(
                "RL213",
                say("the parameter %(name)r is not a length a window can have", name=ref.name),
                over,
            )
            return None
        return Window("rolling", length=ref, default=param.basis == "default")
    reader.fault(
        "RL213",
        say("a window is a period, a length or a parameter"),
        over,
        say("over=day, over=7d"),
    )
    return None


def _types(reader: Reader, on: ast.expr | None) -> tuple[str, ...] | None:
    if on is None:
        return reader.scope.types
    nodes = on.elts if isinstance(on, ast.List | ast.Tuple) else [on]
    found: list[str] = []
    for node in nodes:
        name = node.value if isinstance(node, ast.Constant) else reader.path(node)
        if not isinstance(name, str) or name not in EVENT_TYPES:
            hint = did_you_mean(name, EVENT_TYPES) if isinstance(name, str) else ""
            reader.fault("RL203", say("unknown event type %(name)r", name=name), node, hint)
            return None
        found.append(name)
    return tuple(dict.fromkeys(found))


def _value(
    reader: Reader, spec: MeasureSpec, node: ast.Call, types: tuple[str, ...]
) -> Expr | None:
    if not spec.value:
        if node.args:
            reader.fault(
                "RL205",
                say("%(kind)s takes no value", kind=spec.kind),
                node.args[0],
                say("write %(signature)s", signature=spec.signature),
            )
        return None
    if len(node.args) != 1:
        reader.fault(
            "RL205",
            say("%(kind)s takes one value", kind=spec.kind),
            node,
            say("write %(signature)s", signature=spec.signature),
        )
        return None
    with reader.inside(spec.kind, types):
        value = reader.expr(node.args[0])
    if value is None:
        return None
    if value.type.name not in spec.value_types:
        hint: Hint = ""
        if value.type.name == "persons":
            hint = say("use distinct(persons, …)")
        elif value.type.name == "bool":
            hint = say("use count(where=…)")
        reader.fault(
            "RL206",
            say("%(kind)s cannot be taken of %(type)s", kind=spec.kind, type=describe(value.type)),
            node.args[0],
            hint,
        )
        return None
    if value.type.name == "money" and value.type.currency is None and spec.kind != "distinct":
        reader.fault(
            "RL208",
            say("%(kind)s of amounts whose currencies may differ", kind=spec.kind),
            node.args[0],
            say('use amount_in("CNY") or the like'),
        )
        return None
    return value


def _type(spec: MeasureSpec, value: Expr | None) -> Type:
    if spec.kind == "count":
        return Type("int", unit="events")
    if spec.kind in ("since_last", "first_seen"):
        return DURATION
    assert value is not None
    if spec.kind == "distinct":
        return Type("int", unit="persons" if value.type.name == "persons" else None)
    if spec.kind in ("mean",) and value.type.name == "int":
        return Type("ratio", unit=value.type.unit)
    return value.type


def _list(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.List | ast.Tuple) else [node]


def _paths_as_refs(reader: Reader, node: ast.expr) -> tuple[Expr, ...]:
    refs = [reader.field_ref(item) for item in _list(node)]
    return tuple(ref for ref in refs if ref is not None)


def _by(reader: Reader, node: ast.expr | None, types: tuple[str, ...]) -> tuple[str, ...]:
    if node is None:
        return ()
    found: list[str] = []
    for item in _list(node):
        resolved = reader.field(item)
        if resolved is None:
            continue
        there = resolve_path(resolved.path, types)
        if isinstance(there, Unresolved):
            reader.fault(there.code, there.message, item, say("by= must be a field of both rows"))
            continue
        found.append(resolved.path)
    return tuple(found)


def _check_keys(
    reader: Reader,
    node: ast.Call,
    types: tuple[str, ...],
    key: tuple[Expr, ...] | None,
    read_by: tuple[Expr, ...] | None,
) -> None:
    scope = reader.scope
    if key is None:
        if read_by is not None:
            reader.fault("RL111", say("read= needs key="), node)
        elif types != scope.types:
            for word in scope.per:
                missing = resolve_subject(word, types)
                if missing is not None and resolve_subject(word, scope.types) is None:
                    reader.fault("RL217", missing.message, node, say("name the field with key="))
        return
    expected = len(read_by) if read_by is not None else len(scope.per)
    if len(key) != expected:
        what = "read=" if read_by is not None else "the rule's per"
        reader.fault(
            "RL205",
            say(
                "key= has %(key)s parts, %(what)s has %(expected)s",
                key=len(key),
                what=what,
                expected=expected,
            ),
            node,
        )


_AT: Final = ("quarter_end", "year_end")


def _figure(
    reader: Reader, spec: MeasureSpec, node: ast.Call, keywords: dict[str, ast.expr], before: int
) -> Expr | None:
    if len(node.args) != 1:
        reader.fault(
            "RL205",
            say("figure takes one name"),
            node,
            say("write %(signature)s", signature=spec.signature),
        )
        return None
    name = reader.text(node.args[0], say("the name of a figure"))
    party: FieldRef | None = None
    if "of" not in keywords:
        reader.fault(
            "RL205",
            say("figure needs of="),
            node,
            say("write %(signature)s", signature=spec.signature),
        )
    else:
        party = reader.field_ref(keywords["of"])
        if party is not None and party.type.name != "symbol":
            reader.fault("RL206", say("%(path)s is not a party", path=party.path), keywords["of"])
    target: Const | ParamRef | None = None
    if "currency" not in keywords:
        reader.fault(
            "RL205",
            say("figure needs currency="),
            node,
            say("write %(signature)s", signature=spec.signature),
        )
    else:
        target = read_currency(reader, keywords["currency"], "currency=")
    at: str | None = None
    if "at" in keywords:
        at = reader.text(keywords["at"], "at=")
        if at is not None and at not in _AT:
            hint = did_you_mean(at, _AT) or say("one of %(at)s", at=", ".join(_AT))
            reader.fault("RL104", say("unknown day %(at)r", at=at), keywords["at"], hint)
    if len(reader.scope.faults) != before or party is None or target is None:
        return None
    with reader.inside("figure", ("figure",)):
        money = main_money(reader, node)
    assert money is not None
    type_ = Type("money", currency=currency_of_target(target))
    mark = reader.mark(node)
    return Measure(
        kind="figure",
        value=Call("amount_in", (money, target), type_, mark),
        window=Window("ever"),
        where=None,
        on=("figure",),
        key=(FieldRef("of.id", Type("symbol"), mark),),
        read=(party,),
        by=(),
        item=(),
        type=type_,
        figure=name,
        at=at,
        rule_where=False,
        mark=mark,
    )
