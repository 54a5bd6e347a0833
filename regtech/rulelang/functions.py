"""The functions of the language: one entry each, with its signature, its words and its checks.

Adding one means an entry here, a row in the reference page and tests.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtech.content.faults import did_you_mean
from regtech.content.saying import either, say
from regtech.rulelang.ir import (
    Call,
    Compare,
    Const,
    Expr,
    FieldRef,
    IfElse,
    In,
    Logic,
    Not,
    ParamRef,
    Type,
)
from regtech.rulelang.membership import in_set
from regtech.rulelang.types import (
    BOOL,
    DATE,
    DAYS,
    DURATION,
    INT,
    RATIO,
    SYMBOL,
    TIME,
    Mismatch,
    common,
    describe,
)

if TYPE_CHECKING:
    from regtech.rulelang.expressions import Reader

Handler = Callable[["Reader", "Function", ast.Call], Expr | None]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: how it is written, what it gives, how many arguments it takes."""

    name: str
    signature: str
    doc: str
    handler: Handler
    least: int
    most: int | None  # None: any number


def read(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    """Checks the number of arguments, then leaves the rest to the function's own reader."""
    if node.keywords:
        keyword = node.keywords[0]
        reader.fault(
            "RL205",
            say("%(name)s has no argument %(arg)r", name=function.name, arg=keyword.arg),
            keyword,
            say("write %(signature)s", signature=function.signature),
        )
        return None
    count = len(node.args)
    if count < function.least or (function.most is not None and count > function.most):
        reader.fault(
            "RL205",
            say("%(name)s takes other arguments", name=function.name),
            node,
            say("write %(signature)s", signature=function.signature),
        )
        return None
    return function.handler(reader, function, node)


# --- money -------------------------------------------------------------------------------------

_MAIN_MONEY: Final = ("amount", "value", "loss")


def currency_of_target(target: Const | ParamRef) -> str | None:
    """Currency of what ``amount_in`` and ``figure`` convert into, as in ``Type.currency``."""
    if isinstance(target, Const):
        return str(target.value)
    return target.type.currency


def read_currency(reader: Reader, node: ast.expr, what: str) -> Const | ParamRef | None:
    """A currency code in quotes, or ``param("x")`` whose currency is meant."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "param":
        ref = reader.param(node)
        if ref is None:
            return None
        if ref.type.name != "money":
            reader.fault("RL206", say("the parameter %(name)r is not money", name=ref.name), node)
            return None
        return ref
    code = reader.text(node, what)
    if code is None:
        return None
    known = reader.scope.names.currencies
    if known is not None and code not in known:
        reader.fault(
            "RL209", say("unknown currency %(code)r", code=code), node, did_you_mean(code, known)
        )
        return None
    return Const(code, SYMBOL, reader.mark(node))


def _amount_in(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    target = read_currency(reader, node.args[0], say("a currency"))
    money = reader.expr(node.args[1]) if len(node.args) == 2 else main_money(reader, node)
    if target is None or money is None:
        return None
    if not isinstance(money, FieldRef) or money.type.name != "money":
        reader.fault("RL206", say("amount_in converts a money field of the event"), node.args[-1])
        return None
    return Call(
        "amount_in",
        (money, target),
        Type("money", currency=currency_of_target(target)),
        reader.mark(node),
    )


def main_money(reader: Reader, node: ast.AST) -> FieldRef | None:
    """The amount of the event: ``amount``, a figure's ``value``, an incident's ``loss``."""
    from regtech.rulelang.fieldviews import Resolved, resolve_path

    for path in _MAIN_MONEY:
        found = resolve_path(path, reader.types)
        if isinstance(found, Resolved) and found.type.name == "money":
            return FieldRef(path, found.type, reader.mark(node))
    reader.fault("RL215", say("%(types)s has no amount", types=either(reader.types)), node)
    return None


# --- presence ----------------------------------------------------------------------------------


def _presence(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    ref = reader.field_ref(node.args[0])
    return Call(function.name, (ref,), BOOL, reader.mark(node)) if ref else None


def _given(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    ref = reader.field_ref(node.args[0])
    default = reader.expr(node.args[1])
    if ref is None or default is None:
        return None
    default = reader.fit(default, ref, node.args[0])
    if default is None:
        return None
    try:
        type_ = common(ref.type, default.type, say("choose between"))
    except Mismatch as error:
        reader.mismatch(error, node.args[1])
        return None
    if type_.name in ("flags", "persons", "words"):
        reader.fault("RL206", say("%(type)s has no default", type=describe(type_)), node.args[0])
        return None
    return Call("given", (ref, default), type_, reader.mark(node))


def _exempt(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    mark = reader.mark(node)
    words = [reader.text(argument, say("an exemption code")) for argument in node.args]
    if any(word is None for word in words):
        return None
    from regtech.rulelang.fieldviews import Unresolved, resolve_path

    for path in ("exemption", "suspicion"):
        found = resolve_path(path, reader.types)
        if isinstance(found, Unresolved):
            reader.fault(
                "RL215",
                say("%(types)s has no %(path)s", types=either(reader.types), path=path),
                node,
                found.hint,
            )
            return None
    exemption = FieldRef("exemption", SYMBOL, mark)
    suspicion = FieldRef("suspicion", BOOL, mark)
    # No code means that no exemption is claimed: known() makes that decided, not "cannot tell".
    return Logic(
        "and",
        (
            Call("known", (exemption,), BOOL, mark),
            In(exemption, words=tuple(word for word in words if word is not None), mark=mark),
            Not(Call("given", (suspicion, Const(False, BOOL, mark)), BOOL, mark), mark=mark),
        ),
        mark=mark,
    )


# --- membership --------------------------------------------------------------------------------


def _in_set(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    return in_set(reader, node, node.args[0], node, negated=False)


def _flags(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    ref = reader.field_ref(node.args[0])
    if ref is not None and ref.type.name != "flags":
        reader.fault(
            "RL206",
            say("%(path)s is %(type)s, not flags", path=ref.path, type=describe(ref.type)),
            node.args[0],
        )
        ref = None
    words: list[Expr] = []
    for argument in node.args[1:]:
        word = reader.text(argument, say("a flag"))
        if word is None or ref is None or not reader.word_fits(word, ref, reader.mark(argument)):
            continue
        words.append(Const(word, SYMBOL, reader.mark(argument)))
    if ref is None or len(words) != len(node.args) - 1:
        return None
    return Call(function.name, (ref, *words), BOOL, reader.mark(node))


# --- time --------------------------------------------------------------------------------------


def _of_moment(result: Type, kinds: tuple[Type, ...]) -> Handler:
    def handler(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
        ref = reader.field_ref(node.args[0])
        if ref is None:
            return None
        if ref.type.name not in {type_.name for type_ in kinds}:
            reader.fault(
                "RL206",
                say(
                    "%(name)s needs %(kinds)s, %(path)s is %(type)s",
                    name=function.name,
                    kinds=either(describe(type_) for type_ in kinds),
                    path=ref.path,
                    type=describe(ref.type),
                ),
                node.args[0],
            )
            return None
        return Call(function.name, (ref,), result, reader.mark(node))

    return handler


def _of_now(result: Type) -> Handler:
    def handler(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
        return Call(function.name, (), result, reader.mark(node))

    return handler


# --- numbers -----------------------------------------------------------------------------------


def _extreme(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    arguments = [reader.expr(argument) for argument in node.args]
    known = [argument for argument in arguments if argument is not None]
    if len(known) != len(arguments):
        return None
    type_ = known[0].type
    for argument, argument_node in zip(known[1:], node.args[1:], strict=True):
        try:
            type_ = common(type_, argument.type, say("compare"))
        except Mismatch as error:
            reader.mismatch(error, argument_node)
            return None
    if type_.name not in ("int", "ratio", "money", "duration", "time", "date"):
        reader.fault("RL206", say("%(type)s has no order", type=describe(type_)), node.args[0])
        return None
    return Call(function.name, tuple(known), type_, reader.mark(node))


def _length(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    ref = reader.field_ref(node.args[0])
    if ref is None:
        return None
    if ref.type.name != "persons":
        reader.fault("RL206", say("%(path)s is not a list of persons", path=ref.path), node.args[0])
        return None
    return Call("length", (ref,), Type("int", unit="persons"), reader.mark(node))


# --- detectors ---------------------------------------------------------------------------------


def _asked(result: Type, named_list: bool = False) -> Handler:
    def handler(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
        parties = node.args[:-1] if named_list else node.args
        arguments: list[Expr] = []
        for argument in parties:
            ref = reader.field_ref(argument)
            if ref is not None and ref.type.name != "symbol":
                reader.fault("RL206", say("%(path)s is not a party", path=ref.path), argument)
                ref = None
            if ref is not None:
                arguments.append(ref)
        if named_list:
            name = reader.text(node.args[-1], say("the name of a list"))
            known = reader.scope.names.lists
            if name is not None and known is not None and name not in known:
                hint = did_you_mean(name, known)
                reader.fault("RL210", say("unknown list %(name)r", name=name), node.args[-1], hint)
                name = None
            if name is not None:
                arguments.append(Const(name, SYMBOL, reader.mark(node.args[-1])))
        if len(arguments) != len(node.args):
            return None
        return Call(function.name, tuple(arguments), result, reader.mark(node))

    return handler


def _param(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    ref = reader.param(node)
    if ref is not None and ref.type.name == "words":
        reader.fault(
            "RL206",
            say("a list of words is used after in"),
            node,
            say('x in param("%(name)s")', name=ref.name),
        )
        return None
    return ref


def _set(reader: Reader, function: Function, node: ast.Call) -> Expr | None:
    reader.fault("RL205", say("a set is used after in"), node, say('write field in set("name")'))
    return None


_ALL: Final = (
    Function("param", 'param("name")', "the parameter's value on the event's day", _param, 1, 1),
    Function(
        "amount_in",
        'amount_in("CNY")',
        "the amount (or a money field, second argument) in a currency, or in a parameter's",
        _amount_in,
        1,
        2,
    ),
    Function(
        "exempt", 'exempt("code", …)', "claimed exemption, unless suspected", _exempt, 1, None
    ),
    Function("missing", "missing(field)", "whether the field is absent", _presence, 1, 1),
    Function("known", "known(field)", "whether the field is present", _presence, 1, 1),
    Function("given", "given(field, default)", "the field, or the default", _given, 2, 2),
    Function("in_set", 'in_set(field, "name")', "membership in a dated set", _in_set, 2, 2),
    Function("set", 'field in set("name")', "a dated set, after in", _set, 0, None),
    Function(
        "has", 'has(flags, "word", …)', "any of the words is among the flags", _flags, 2, None
    ),
    Function("only", 'only(flags, "word", …)', "no other words are among them", _flags, 2, None),
    Function(
        "days_since",
        "days_since(date)",
        "days from a date or time to the event's day",
        _of_moment(DAYS, (DATE, TIME)),
        1,
        1,
    ),
    Function(
        "days_until",
        "days_until(date)",
        "days from the event's day to a date or time",
        _of_moment(DAYS, (DATE, TIME)),
        1,
        1,
    ),
    Function(
        "time_since",
        "time_since(time)",
        "length of time from a time to the event",
        _of_moment(DURATION, (TIME,)),
        1,
        1,
    ),
    Function("hour", "hour()", "local hour, 0 to 23", _of_now(INT), 0, 0),
    Function("weekday", "weekday()", "local day of the week, Monday is 1", _of_now(INT), 0, 0),
    Function("working_day", "working_day()", "whether it is a working day", _of_now(BOOL), 0, 0),
    Function(
        "month_end", "month_end(date)", "last day of a month", _of_moment(BOOL, (DATE,)), 1, 1
    ),
    Function(
        "quarter_end",
        "quarter_end(date)",
        "last day of a quarter",
        _of_moment(BOOL, (DATE,)),
        1,
        1,
    ),
    Function("year_end", "year_end(date)", "last day of a year", _of_moment(BOOL, (DATE,)), 1, 1),
    Function("least", "least(a, b, …)", "the lowest", _extreme, 2, None),
    Function("greatest", "greatest(a, b, …)", "the highest", _extreme, 2, None),
    Function("length", "length(persons)", "number of persons listed", _length, 1, 1),
    Function(
        "screened",
        'screened(party, "list")',
        "whether the party's name is on the list",
        _asked(BOOL, named_list=True),
        2,
        2,
    ),
    Function("owner_share", "owner_share(owner, owned)", "share held in all", _asked(RATIO), 2, 2),
    Function("same_owner", "same_owner(a, b)", "whether one owner holds both", _asked(BOOL), 2, 2),
    Function(
        "layers", "layers(product)", "layers of nesting", _asked(Type("int", unit="layers")), 1, 1
    ),
)

FUNCTIONS: Final[dict[str, Function]] = {function.name: function for function in _ALL}

ASKED: Final = ("screened", "owner_share", "same_owner", "layers")
"""Functions that a detector answers; a rule that uses one waits until it is wired."""


# --- derived names -----------------------------------------------------------------------------


def _needs_transaction(reader: Reader, name: str, node: ast.expr) -> bool:
    if "transaction" in reader.types:
        return True
    reader.fault(
        "RL215",
        say("%(name)r is not a field of %(types)s", name=name, types=either(reader.types)),
        node,
    )
    return False


def _is_cash(reader: Reader, node: ast.expr) -> Expr | None:
    if not _needs_transaction(reader, "is_cash", node):
        return None
    mark = reader.mark(node)
    return Compare("==", FieldRef("channel", SYMBOL, mark), Const("cash", SYMBOL, mark), mark=mark)


def _is_cross_border(reader: Reader, node: ast.expr) -> Expr | None:
    if not _needs_transaction(reader, "is_cross_border", node):
        return None
    mark = reader.mark(node)
    payer = FieldRef("payer.institution_country", SYMBOL, mark)
    payee = FieldRef("payee.institution_country", SYMBOL, mark)
    # An institution of one side beside the residence of the other would compare unlike things.
    both = Logic(
        "and", (Call("known", (payer,), BOOL, mark), Call("known", (payee,), BOOL, mark)), mark=mark
    )
    residents = Compare(
        "!=",
        FieldRef("payer.country", SYMBOL, mark),
        FieldRef("payee.country", SYMBOL, mark),
        mark=mark,
    )
    return IfElse(both, Compare("!=", payer, payee, mark=mark), residents, BOOL, mark)


DERIVED: Final[dict[str, Callable[[Reader, ast.expr], Expr | None]]] = {
    "is_cash": _is_cash,
    "is_cross_border": _is_cross_border,
}
