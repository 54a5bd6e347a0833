"""Expressions: from text to typed nodes, and every way to get them wrong without a crash."""

from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.content.faults import Mark
from regtech.rulelang.expressions import Reader
from regtech.rulelang.faults import Faults
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
    ParamVersion,
    Span,
    Type,
    Value,
    Window,
)
from regtech.rulelang.scanner import LENGTH_MAX
from regtech.rulelang.scope import Names, Scope

BOOL, SYMBOL, INT = Type("bool"), Type("symbol"), Type("int")
CNY = Type("money", currency="CNY")
CHANNEL = FieldRef("channel", SYMBOL)
AMOUNT = FieldRef("amount", Type("money"))


@dataclass(frozen=True)
class Line:
    text: str

    def mark(self, offset: int) -> Mark:
        return Mark("e", 1, offset + 1)


def _param(name: str, type_: Type, *values: Value, basis: Any = "law") -> Param:
    return Param(name, basis, type_, tuple(ParamVersion(Span(), value) for value in values))


PARAMS = {
    param.name: param
    for param in (
        _param("limit", CNY, Money(Fraction(5), "CNY")),
        _param("dated", Type("money", currency="*dated"), Money(Fraction(5), "EUR")),
        _param("many", Type("int", unit="persons"), 5),
        _param("lookback", Type("duration"), Duration(30, "days"), basis="default"),
        _param("slow", Type("duration"), Duration(3, "working_days")),
        _param("share", Type("ratio"), Fraction(1, 4)),
        _param("codes", Type("words"), frozenset({"a"})),
    )
}


def read(
    text: str,
    on: str | tuple[str, ...] = "transaction",
    lets: dict[str, Expr] | None = None,
    **more: Any,
) -> tuple[Expr | None, Faults]:
    types = (on,) if isinstance(on, str) else on
    faults = Faults()
    scope = Scope(types, ("customer",), PARAMS, Names(), faults)
    scope.lets = {**(lets or {})}
    scope.let_names = tuple(scope.lets)
    return Reader(Line(text), scope, **more).read(), faults


def good(text: str, *args: Any, **more: Any) -> Expr:
    expr, faults = read(text, *args, **more)
    assert list(faults) == []
    assert expr is not None
    return expr


def codes(text: str, *args: Any, **more: Any) -> list[tuple[str, int]]:
    expr, faults = read(text, *args, **more)
    assert expr is None or list(faults) == []
    return [(fault.code, fault.mark.column) for fault in faults.ordered()]


def const(value: Value, name: Any = "int", unit: str | None = None) -> Const:
    return Const(value, Type(name, unit=unit))


DAY = Window("calendar", period="day")
COUNT = Measure(
    "count", None, DAY, None, ("transaction",), None, None, (), (), Type("int", unit="events")
)
IN_CNY = Call("amount_in", (AMOUNT, Const("CNY", SYMBOL)), CNY)

MEANING: list[tuple[str, Expr]] = [
    ("true", const(True, "bool")),
    ("0.10", const(Fraction(1, 10), "ratio")),
    ("007", const(7)),
    ("-5", const(-5)),
    ("1.0", const(Fraction(1), "ratio")),
    ("7d", const(Duration(7, "days"), "duration")),
    ("24h", const(Duration(86400, "seconds"), "duration")),
    ("30min", const(Duration(1800, "seconds"), "duration")),
    ("12mo", const(Duration(12, "months"), "duration")),
    ("channel", CHANNEL),
    ("payer", FieldRef("payer.id", SYMBOL)),
    ("payer.identifiers.lei", FieldRef("payer.identifiers.lei", SYMBOL)),
    ("counterparty.institution_country", FieldRef("counterparty.institution_country", SYMBOL)),
    ("reporter.flags", FieldRef("reporter.flags", Type("flags"))),
    ("is_cash", Compare("==", CHANNEL, Const("cash", SYMBOL))),
    ("not is_cash", Not(Compare("==", CHANNEL, Const("cash", SYMBOL)))),
    (
        "attempted and occasional and verified",
        Logic("and", tuple(FieldRef(p, BOOL) for p in ("attempted", "occasional", "verified"))),
    ),
    (
        "1 < hour() <= 5",
        Logic(
            "and",
            (
                Compare("<", const(1), Call("hour", (), INT)),
                Compare("<=", Call("hour", (), INT), const(5)),
            ),
        ),
    ),
    ('channel in ("cash", "wire", "cash")', In(CHANNEL, words=("cash", "wire"))),
    ('channel not in ["cash"]', In(CHANNEL, words=("cash",), negated=True)),
    ('payer.country in set("eea")', In(FieldRef("payer.country", SYMBOL), set_name="eea")),
    ('in_set(payer.country, "eea")', In(FieldRef("payer.country", SYMBOL), set_name="eea")),
    (
        '"ciio" in payer.flags',
        In(Const("ciio", SYMBOL), flags=FieldRef("payer.flags", Type("flags"))),
    ),
    (
        'purpose in param("codes")',
        In(FieldRef("purpose", SYMBOL), param=ParamRef("codes", Type("words"))),
    ),
    ('amount_in("CNY")', IN_CNY),
    (
        'amount_in(param("dated"))',
        Call(
            "amount_in",
            (AMOUNT, ParamRef("dated", Type("money", currency="*dated"))),
            Type("money", currency="*dated"),
        ),
    ),
    (
        'param("limit") * 0.5',
        Arith("*", ParamRef("limit", CNY), const(Fraction(1, 2), "ratio"), CNY),
    ),
    (
        'amount_in("CNY") / param("limit")',
        Arith("/", IN_CNY, ParamRef("limit", CNY), Type("ratio")),
    ),
    (
        "1 if is_cash else 2",
        IfElse(good_cash := Compare("==", CHANNEL, Const("cash", SYMBOL)), const(1), const(2), INT),
    ),
    (
        "given(suspicion, false)",
        Call("given", (FieldRef("suspicion", BOOL), const(False, "bool")), BOOL),
    ),
    ("missing(payer.name)", Call("missing", (FieldRef("payer.name", Type("text")),), BOOL)),
    ("count(over=day)", COUNT),
    (
        'sum(amount_in("CNY"), over=7d, where=is_cash, by=currency)',
        Measure(
            "sum",
            IN_CNY,
            Window("rolling", length=Duration(7, "days")),
            good_cash,
            ("transaction",),
            None,
            None,
            ("currency",),
            (),
            CNY,
        ),
    ),
    (
        'count(over=param("lookback"), on=loan, key=borrower, read=payer)',
        Measure(
            "count",
            None,
            Window("rolling", length=ParamRef("lookback", Type("duration")), default=True),
            None,
            ("loan",),
            (FieldRef("borrower.id", SYMBOL),),
            (FieldRef("payer.id", SYMBOL),),
            (),
            (),
            Type("int", unit="events"),
            rule_where=False,
        ),
    ),
    (
        "since_last(where=is_cash)",
        Measure(
            "since_last",
            None,
            Window("ever"),
            good_cash,
            ("transaction",),
            None,
            None,
            (),
            (),
            Type("duration"),
        ),
    ),
    (
        "days_since(payer.since) > 30d",
        Compare(
            ">",
            Arith(
                "*",
                Call(
                    "days_since", (FieldRef("payer.since", Type("date")),), Type("int", unit="days")
                ),
                const(Duration(1, "days"), "duration"),
                Type("duration"),
            ),
            const(Duration(30, "days"), "duration"),
        ),
    ),
]


@pytest.mark.parametrize(("text", "meaning"), MEANING, ids=[text for text, _ in MEANING])
def test_meaning(text: str, meaning: Expr) -> None:
    assert good(text) == meaning


def test_derived_conditions_do_not_call_what_is_absent_unknown() -> None:
    exempt = good('exempt("a", "b")')
    exemption = FieldRef("exemption", SYMBOL)
    assert exempt == Logic(
        "and",
        (
            Call("known", (exemption,), BOOL),
            In(exemption, words=("a", "b")),
            Not(Call("given", (FieldRef("suspicion", BOOL), Const(False, BOOL)), BOOL)),
        ),
    )
    border = good("is_cross_border")
    # Countries of the institutions where both are known, else of the parties.
    assert isinstance(border, IfElse)
    assert isinstance(border.then, Compare) and isinstance(border.otherwise, Compare)
    assert border.then.left == FieldRef("payer.institution_country", SYMBOL)
    assert border.otherwise.right == FieldRef("payee.country", SYMBOL)


def test_measures_of_other_types() -> None:
    found = good('figure("net_capital", of=lender, currency="CNY", at="quarter_end")', "loan")
    assert isinstance(found, Measure)
    assert (found.kind, found.figure, found.at) == ("figure", "net_capital", "quarter_end")
    assert found.on == ("figure",) and found.type == CNY
    assert found.read == (FieldRef("lender.id", SYMBOL),)
    assert found.key == (FieldRef("of.id", SYMBOL),)
    balance = good('outstanding(amount_in("CNY"), item=[counterparty, kind])', "exposure")
    assert isinstance(balance, Measure) and balance.window == Window("ever")
    assert [ref.path for ref in balance.item if isinstance(ref, FieldRef)] == [
        "counterparty.id",
        "kind",
    ]
    persons = good("distinct(persons, over=year)", "data_transfer")
    assert persons.type == Type("int", unit="persons")


def test_the_field_from_is_no_keyword() -> None:
    assert good("from < until", "ownership") == Compare(
        "<", FieldRef("from", Type("date")), FieldRef("until", Type("date"))
    )


def test_lets_are_named_outside_measures_and_written_out_inside() -> None:
    plain = good("is_cash")
    assert good("cash and attempted", lets={"cash": plain}) == Logic(
        "and", (LetRef("cash", BOOL), FieldRef("attempted", BOOL))
    )
    inside = good("count(over=day, where=cash)", lets={"cash": plain})
    assert isinstance(inside, Measure) and inside.where == plain
    measured = {"n": good("count(over=day)")}
    assert codes("count(over=day, where=n > 1) > 1", lets=measured) == [("RL214", 23)]
    assert codes("n > 1", lets=measured, allow_measures="where filters rows") == [("RL214", 1)]


WRONG: list[tuple[str, str, int]] = [
    # the subset: code and column
    ("__import__('os').system('x')", "RL202", 1),
    ("(lambda: 1)()", "RL201", 8),
    ("payer.id()", "RL202", 1),
    ("hour() in [x for x in payer]", "RL202", 11),
    ("f'{payer}'", "RL202", 1),
    ("b'a' == channel", "RL202", 1),
    ('channel == "a" "b"', "RL201", 16),
    ('channel == """a"""', "RL201", 14),
    ("hour() ** 2 > 3", "RL202", 1),
    ("hour() // 2", "RL202", 1),
    ("hour() % 2", "RL201", 8),
    ("hour() & 2", "RL201", 8),
    ("~hour()", "RL201", 1),
    ("hour() == 1j", "RL109", 11),
    ("hour() == 1e9", "RL201", 11),
    ("hour() == 0x1f", "RL201", 11),
    ("hour() == 1_000", "RL201", 11),
    ("hour() = 5", "RL201", 8),
    ("hour() == 5 # why", "RL201", 13),
    ("hour() == 5; 1", "RL201", 12),
    ("payer[0]", "RL202", 1),
    ("count(*payer)", "RL202", 7),
    ("count(**payer)", "RL202", 9),
    ("hour(x := 1)", "RL201", 8),
    ("is_cash AND attempted", "RL201", 9),
    ('channel == "cash', "RL201", 12),
    ("(hour() > 5", "RL201", 1),
    ("hour() is 5", "RL202", 1),
    ("+hour() > 5", "RL202", 1),
    ("-hour() > 5", "RL202", 1),
    ("None", "RL202", 1),
    ("", "RL201", 1),
    ("   ", "RL201", 1),
    ("a" * (LENGTH_MAX + 1), "RL201", 1),
    ("hour() > 5 and", "RL201", 15),
    # types, units, currencies
    ("hour() and is_cash", "RL206", 1),
    ("not hour()", "RL206", 5),
    ("channel > 5", "RL206", 1),
    ("time > 5", "RL206", 8),
    ("payer.since == time", "RL206", 16),
    ("payer.flags == payee.flags", "RL206", 1),
    ("since_last() < 12mo", "RL206", 16),
    ('since_last() < param("slow")', "RL206", 16),
    ("amount + 1", "RL206", 10),
    ("amount * amount", "RL206", 10),
    ("count(over=day) / amount", "RL206", 19),
    ("count(over=day) * layers(payer)", "RL207", 19),
    ("count(over=day) / 0", "RL206", 19),
    ("1 if hour() else 2", "RL206", 6),
    ('1 if is_cash else "a"', "RL206", 19),
    ('amount_in("CNY") > amount_in("USD")', "RL208", 20),
    ('amount_in("EUR") > param("dated")', "RL208", 20),
    ('amount > param("limit")', "RL208", 10),
    ("sum(amount, over=day) > 1", "RL208", 5),
    ("sum(channel, over=day) > 1", "RL206", 5),
    ("sum(attempted, over=day) > 1", "RL206", 5),
    ('count(over=day) > param("many")', "RL207", 19),
    ("channel in (1, 2)", "RL206", 13),
    ("channel in ()", "RL205", 12),
    ('channel in "cash"', "RL206", 12),
    ("channel in payer.country", "RL206", 12),
    ("payer in payer.flags", "RL206", 1),
    ('time in set("eea")', "RL206", 1),
    ('param("codes") == "a"', "RL206", 1),
    ('set("eea")', "RL205", 1),
    ("given(payer.flags, 1)", "RL206", 20),
    ("amount_in(channel)", "RL205", 11),
    ('amount_in("CNY", payer)', "RL206", 18),
    ('amount_in(param("many"))', "RL206", 11),
    ("days_since(channel)", "RL206", 12),
    ("time_since(payer.since)", "RL206", 12),
    ("length(channel)", "RL206", 8),
    ('screened(amount, "un")', "RL206", 10),
    ("missing(hour())", "RL206", 9),
    ("hour(1)", "RL205", 1),
    ("missing(payer, over=day)", "RL205", 16),
    # measures
    ("count(3, over=day)", "RL205", 7),
    ("sum(over=day)", "RL205", 1),
    ("count(ovr=day)", "RL205", 7),
    ("count(over=day, over=week)", "RL205", 17),
    ("count(over=5)", "RL213", 12),
    ('count(over=param("slow"))', "RL213", 12),
    ("count(over=day, on=lone)", "RL203", 20),
    ("count(over=day, on=figure)", "RL217", 1),
    ("count(over=day, read=payer)", "RL111", 1),
    ("count(over=day, on=loan, key=[borrower, lender])", "RL205", 1),
    ("count(over=day, by=hour())", "RL206", 20),
    ("count(over=day, on=loan, key=borrower, by=channell)", "RL203", 43),
    ("count(over=day, on=loan, key=borrower, by=exemption)", "RL215", 43),
    ("count(over=day, where=hour())", "RL206", 23),
    ('outstanding(amount_in("CNY"))', "RL205", 1),
    ('figure("x", of=payer, currency="CNY", over=day)', "RL212", 39),
    ('figure("x", currency="CNY")', "RL205", 1),
    ('figure("x", of=payer)', "RL205", 1),
    ('figure(x, of=payer, currency="CNY")', "RL205", 8),
    ('figure("x", of=payer, currency="CNY", at="month_end")', "RL104", 42),
]


@pytest.mark.parametrize(("text", "code", "column"), WRONG, ids=[text[:40] for text, _, _ in WRONG])
def test_what_is_wrong_is_told_at_its_column(text: str, code: str, column: int) -> None:
    assert (code, column) in codes(text)


def test_columns_count_characters_not_bytes() -> None:
    assert codes('channel == "现金" or chanel == "现金" or kindd == "退"') == [
        ("RL216", 12),
        ("RL203", 20),
        ("RL203", 38),
    ]


def test_every_mistake_is_told_once() -> None:
    assert codes("amont > 5 and foo(1) and hour(2) == 3 and payer.kind == 7") == [
        ("RL203", 1),
        ("RL204", 15),
        ("RL205", 26),
        ("RL206", 57),
    ]


def test_deep_and_long_expressions_end_quickly() -> None:
    started = time.perf_counter()
    for text in (
        "(" * 1900 + "1" + ")" * 1900,
        "not " * 900 + "is_cash",
        "-" * 3900 + "1",
        " and ".join(["is_cash"] * 400),
        "hour() + " * 400 + "1",
        "[" * 3000,
        "a." * 1500 + "a",
        "f(" * 1000 + ")" * 1000,
        "1 < " * 900 + "1",
        "1 if is_cash else " * 200 + "1",
    ):
        read(text)
    assert time.perf_counter() - started < 5


_WORDS = st.sampled_from(
    """channel amount payer payer.country hour() is_cash count(over=day) sum( over= day where= 7d
    amount_in( "CNY" param( "limit" "share" ) ( [ ] , and or not in == != < <= > >= + - * / if else
    true false 5 0.25 "cash" '退' missing( given( has( set( from lambda : . ** ~ # \\ " ' 0x1 24h
    """.split()
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(_WORDS, max_size=14))
def test_no_mixture_of_words_crashes_the_reader(parts: list[str]) -> None:
    text = " ".join(parts)
    expr, faults = read(text)
    assert (expr is None) == (len(faults) > 0)
    assert all(1 <= fault.mark.column <= len(text) + 1 for fault in faults)


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40))
def test_no_text_crashes_the_reader(text: str) -> None:
    expr, faults = read(text)
    assert (expr is None) == (len(faults) > 0)
