"""Memory by address, as rows of 64-bit words: what kernels get in place of many arrays.

An array is nine arguments to a kernel (data, shape, strides and who owns it), for every call and
every kernel that calls it; a bundle of fifteen made most of the time it took to compile them.
``Words`` is one: an address, with the width of its rows known to the compiler. The arrays are owned
and sized by Python, which keeps them alive during the call. Nothing here is bounds-checked.

    ROWS = rows_of(4)

    @kernel(nrt=False)
    def total(address):
        rows = ROWS(address)
        rows[0, 3] += rows[1, 2]     # a word
        row = rows[7]                # a row, of words
        return row[0]
"""

from __future__ import annotations

import operator
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, lower_builtin, register_model, type_callable

_I64: Final = ir.IntType(64)
_declare: Any = cgutils.get_or_insert_function
_register: Any = register_model
_infer: Any = type_callable
_lower: Any = lower_builtin


class Words(types.Type):
    """An address of rows of ``width`` words."""

    def __init__(self, width: int) -> None:
        self.width = width
        begin: Any = super().__init__
        begin(name=f"Words({width})")


@_register(Words)
class _WordsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Words) -> None:
        begin: Any = super().__init__
        begin(manager, kind, _I64)


def rows_of(width: int) -> Any:
    """What makes rows of so many words of an address, in kernels."""

    def rows(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return args[0]

        return Words(width)(types.int64), codegen

    return intrinsic(rows)


def _read(context: Any) -> Any:
    """What an index into words is the type of."""

    def typer(words: Any, index: Any) -> Any:
        if not isinstance(words, Words):
            return None
        if isinstance(index, types.BaseTuple):
            return types.int64 if len(index) == 2 else None
        if isinstance(index, types.Integer):
            return types.int64 if words.width == 1 else Words(1)
        return None

    return typer


def _written(context: Any) -> Any:
    def typer(words: Any, index: Any, value: Any) -> Any:
        return types.none if isinstance(words, Words) else None

    return typer


_infer(operator.getitem)(_read)
_infer(operator.setitem)(_written)


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Address of the word that an index means."""
    words: Words = signature.args[0]
    index: Any = signature.args[1]
    pair = isinstance(index, types.BaseTuple)
    if pair:
        row, column = (
            context.cast(builder, builder.extract_value(args[1], k), kind, types.int64)
            for k, kind in enumerate(index.types)
        )
        at = builder.add(builder.mul(row, _I64(words.width)), column)
    else:
        row = context.cast(builder, args[1], index, types.int64)
        at = builder.mul(row, _I64(words.width))
    return builder.add(args[0], builder.shl(at, _I64(3)))


def _load(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    place = _place(context, builder, signature, args)
    if isinstance(signature.return_type, Words):
        return place
    return builder.load(builder.inttoptr(place, _I64.as_pointer()))


def _store(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    place = _place(context, builder, signature, args)
    value = context.cast(builder, args[2], signature.args[2], types.int64)
    builder.store(value, builder.inttoptr(place, _I64.as_pointer()))
    return context.get_dummy_value()


for _index in (types.Integer, types.BaseTuple):
    _lower(operator.getitem, Words, _index)(_load)
    _lower(operator.setitem, Words, _index, types.Any)(_store)


def _prefetch(typingctx: Any, address: Any, index: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.inttoptr(
            builder.add(args[0], builder.mul(args[1], _I64(8))), ir.IntType(8).as_pointer()
        )
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, number, number, number])
        name = "llvm.prefetch.p0" if str(place.type) == "ptr" else "llvm.prefetch.p0i8"
        builder.call(_declare(builder.module, kind, name), [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


def _expect(typingctx: Any, words: Any, row: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        index = builder.mul(args[1], _I64(signature.args[0].width))
        return _prefetch(typingctx, None, None)[1](context, builder, signature, (args[0], index))

    if not isinstance(words, Words):
        return None
    return types.void(words, types.int64), codegen


prefetch64: Any = intrinsic(_prefetch)
"""``prefetch64(address, index)``: start loading the cache line of the index-th int64."""
expect: Any = intrinsic(_expect)
"""``expect(words, row)``: start loading the cache line where a row begins."""
