"""Memory access that numba has no words for: unaligned loads, 64-byte compares, prefetch.

No index is checked. Whoever loads from an array keeps ``PADDING`` readable bytes after its data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

PADDING: Final = 128
"""Readable bytes that every byte buffer given to a kernel has after its last byte."""

# Numba has no types: without these names strict checking refuses the calls.
_declare: Any = cgutils.get_or_insert_function
_masks: Any = types.UniTuple

_BYTE: Final = ir.IntType(8)
_WORD: Final = ir.IntType(64)


def _address(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.gep(array.data, [args[1]])


def _load8(typing: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(builder.load(_address(context, builder, signature, args)), _WORD)

    return types.int64(array, types.int64), generate


def _load64(typing: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.bitcast(_address(context, builder, signature, args), _WORD.as_pointer())
        value = builder.load(pointer)
        value.align = 1
        return value

    return types.uint64(array, types.int64), generate


def _trailing_zeros(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


def _signed(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return args[0]

    return types.int64(types.uint64), generate


def _bit_count(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


def _prefetch(typing: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.bitcast(_address(context, builder, signature, args), _BYTE.as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        name = "llvm.prefetch.p0" if str(pointer.type) == "ptr" else "llvm.prefetch.p0i8"
        function = _declare(builder.module, kind, name)
        builder.call(function, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


def _json_masks(typing: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(_BYTE, 64)
        pointer = builder.bitcast(_address(context, builder, signature, args), vector.as_pointer())
        value = builder.load(pointer)
        value.align = 1

        def mask(compare: str, byte: int, signed: bool = False) -> Any:
            other = ir.Constant(vector, [byte] * 64)
            test = builder.icmp_signed if signed else builder.icmp_unsigned
            return builder.bitcast(test(compare, value, other), _WORD)

        masks = [
            mask("==", 0x22),
            mask("==", 0x5C),
            mask("<", 0x20),
            mask("==", 0x0A),
            mask("<", 0, signed=True),
        ]
        return context.make_tuple(builder, signature.return_type, masks)

    return _masks(types.uint64, 5)(array, types.int64), generate


Intrinsic = Callable[..., Any]

load8: Intrinsic = intrinsic(_load8)
"""``load8(array, i)``: byte ``i`` as int64."""
load64: Intrinsic = intrinsic(_load64)
"""``load64(array, i)``: the eight bytes at element ``i`` as uint64, little endian, unaligned."""
signed: Intrinsic = intrinsic(_signed)
"""A uint64 as the int64 of the same bits."""
trailing_zeros: Intrinsic = intrinsic(_trailing_zeros)
"""Zero bits below the lowest set bit of a uint64; 64 for zero."""
bit_count: Intrinsic = intrinsic(_bit_count)
"""Number of set bits of a uint64."""
prefetch: Intrinsic = intrinsic(_prefetch)
"""``prefetch(array, i)``: start loading the cache line of element ``i``."""
json_masks: Intrinsic = intrinsic(_json_masks)
"""``json_masks(array, i)``: 64 bytes as five bit masks.

Quotes, backslashes, bytes below 0x20, newlines, bytes from 0x80 on.
"""
