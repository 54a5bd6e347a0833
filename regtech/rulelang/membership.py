"""``in``: words in a list, a set or a parameter, and flags."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from regtech.content.faults import did_you_mean
from regtech.content.saying import say
from regtech.rulelang.ir import Compare, Const, Expr, FieldRef, In, Logic, Not
from regtech.rulelang.types import Mismatch, common, describe

if TYPE_CHECKING:
    from regtech.rulelang.expressions import Reader


def read_in(
    reader: Reader, node: ast.Compare, item_node: ast.expr, container: ast.expr, negated: bool
) -> Expr | None:
    mark = reader.mark(node)
    if isinstance(container, ast.Call) and isinstance(container.func, ast.Name):
        if container.func.id == "set":
            return in_set(reader, node, item_node, container, negated)
        if container.func.id == "param":
            item, ref = reader.expr(item_node), reader.param(container)
            if item is None or ref is None:
                return None
            if ref.type.name != "words" or item.type.name != "symbol":
                reader.fault("RL206", say("in needs a word and a parameter of words"), container)
                return None
            return In(item, param=ref, negated=negated, mark=mark)
    if isinstance(container, ast.List | ast.Tuple):
        return _in_words(reader, node, item_node, container, negated)
    if isinstance(container, ast.Constant):
        reader.fault(
            "RL206", say("in needs a list"), container, say('write in ("a", "b") or use ==')
        )
        return None
    item, flags = reader.expr(item_node), reader.expr(container)
    if item is None or flags is None:
        return None
    if flags.type.name != "flags":
        reader.fault(
            "RL206",
            say("in needs words, a set or flags, this is %(type)s", type=describe(flags.type)),
            container,
        )
        return None
    if not isinstance(item, Const) or not isinstance(item.value, str):
        reader.fault("RL206", say("a word in quotes is expected before in"), item_node)
        return None
    if isinstance(flags, FieldRef) and not reader.word_fits(item.value, flags, item.mark):
        return None
    return In(item, flags=flags, negated=negated, mark=mark)


def _in_words(
    reader: Reader,
    node: ast.Compare,
    item_node: ast.expr,
    container: ast.List | ast.Tuple,
    negated: bool,
) -> Expr | None:
    item = reader.expr(item_node)
    elements = [reader.expr(element) for element in container.elts]
    if not container.elts:
        reader.fault("RL205", say("the list is empty"), container)
        return None
    if item is None or any(element is None for element in elements):
        return None
    mark = reader.mark(node)
    if item.type.name == "symbol":
        words: list[str] = []
        for element, element_node in zip(elements, container.elts, strict=True):
            if not isinstance(element, Const) or not isinstance(element.value, str):
                reader.fault("RL206", say("the list holds words in quotes"), element_node)
                return None
            if reader.fit(element, item, item_node) is None:
                return None
            words.append(element.value)
        return In(item, words=tuple(dict.fromkeys(words)), negated=negated, mark=mark)
    equal: list[Expr] = []
    for element, element_node in zip(elements, container.elts, strict=True):
        assert element is not None
        fitted = reader.fit(element, item, item_node)
        if fitted is None:
            return None
        try:
            common(item.type, fitted.type, say("compare"))
        except Mismatch as error:
            reader.mismatch(error, element_node)
            return None
        equal.append(Compare("==", item, fitted, mark=mark))
    either = equal[0] if len(equal) == 1 else Logic("or", tuple(equal), mark=mark)
    return Not(either, mark=mark) if negated else either


def in_set(
    reader: Reader, node: ast.expr, item_node: ast.expr, call: ast.Call, negated: bool
) -> Expr | None:
    """``field in set("name")`` and ``in_set(field, "name")``: the name is the last argument."""
    item = reader.expr(item_node)
    if not call.args or call.keywords:
        reader.fault("RL205", say('a set is named: set("name")'), call)
        return None
    name = reader.text(call.args[-1], say("the name of a set"))
    if item is None or name is None:
        return None
    if item.type.name != "symbol":
        reader.fault(
            "RL206",
            say("only words are in sets, this is %(type)s", type=describe(item.type)),
            item_node,
        )
        return None
    known = reader.scope.names.sets
    if known is not None and name not in known:
        reader.fault(
            "RL210",
            say("unknown set %(name)r", name=name),
            call.args[-1],
            did_you_mean(name, known),
        )
        return None
    return In(item, set_name=name, negated=negated, mark=reader.mark(node))
