"""Machine words that numba does not offer: memory by address, 128-bit products, exact conversion.

State lives in many arrays whose number depends on the packs. Kernels receive one table of
addresses instead of hundreds of arguments; the arrays are owned and sized by
``regtech.engine.state``, which checks head-room before every call. Nothing here is bounds-checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from regtech.columns.jit import inline_kernel, kernel

MIN = np.int64(-(1 << 63))
"""Lower end of an unknown value; also the NULL of every column."""
MAX = np.int64((1 << 63) - 1)
"""Upper end of an unknown or unbounded value."""

_I64 = ir.IntType(64)
_I128 = ir.IntType(128)


def _pointer(builder: Any, args: Any, bits: int) -> Any:
    offset = builder.mul(args[1], ir.Constant(_I64, bits // 8))
    return builder.inttoptr(builder.add(args[0], offset), ir.IntType(bits).as_pointer())


def _loader(bits: int) -> Any:
    def load(typingctx: Any, address: Any, index: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = builder.load(_pointer(builder, args, bits))
            value.align = bits // 8
            return value if bits == 64 else builder.sext(value, _I64)

        return types.int64(types.int64, types.int64), codegen

    return load


def _storer(bits: int) -> Any:
    def store(typingctx: Any, address: Any, index: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            word = args[2] if bits == 64 else builder.trunc(args[2], ir.IntType(bits))
            instruction = builder.store(word, _pointer(builder, args, bits))
            instruction.align = bits // 8
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen

    return store


load64: Any = intrinsic(_loader(64))
"""``load64(address, index)``: the index-th int64 at an address."""
load32: Any = intrinsic(_loader(32))
store64: Any = intrinsic(_storer(64))
store32: Any = intrinsic(_storer(32))


def _compare_products(typingctx: Any, a: Any, ca: Any, b: Any, cb: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = [builder.sext(x, _I128) for x in args]
        left = builder.mul(wide[0], wide[1])
        right = builder.mul(wide[2], wide[3])
        greater = builder.zext(builder.icmp_signed(">", left, right), _I64)
        less = builder.zext(builder.icmp_signed("<", left, right), _I64)
        return builder.sub(greater, less)

    return types.int64(types.int64, types.int64, types.int64, types.int64), codegen


def _multiply_high(typingctx: Any, a: Any, b: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.mul(builder.zext(args[0], _I128), builder.zext(args[1], _I128))
        return builder.trunc(builder.lshr(product, ir.Constant(_I128, 64)), _I64)

    return types.uint64(types.uint64, types.uint64), codegen


compare_products: Any = intrinsic(_compare_products)
"""``compare_products(a, ca, b, cb)``: sign of ``a*ca - b*cb``, exact in 128 bits: -1, 0 or 1."""
multiply_high: Any = intrinsic(_multiply_high)
"""``multiply_high(a, b)``: the upper 64 bits of the unsigned 128-bit product."""


@inline_kernel(nrt=False, inner=True)
def mix(a: Any, b: Any) -> Any:
    """Hash of two words."""
    h = (np.uint64(a) ^ np.uint64(0x2D358DCCAA6C78A5)) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(29))) + np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
    h = (h ^ (h >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return h ^ (h >> np.uint64(29))


@kernel(nrt=False, inner=True)
def scale_rounded(amount: Any, numerator: Any, denominator: Any) -> Any:
    """``amount * numerator / denominator`` rounded half to even; MIN where it does not fit.

    ``numerator`` and ``denominator`` are positive; exact in 128 bits.
    """
    negative = amount < 0
    magnitude = np.uint64(-amount) if negative else np.uint64(amount)
    n = np.uint64(numerator)
    d = np.uint64(denominator)
    high = multiply_high(magnitude, n)
    low = magnitude * n
    if high == np.uint64(0):
        quotient = low // d
        remainder = low - quotient * d
    else:
        if high >= d:
            return MIN
        # Long division bit by bit; d < 2**63, so the shifted remainder never overflows.
        quotient = np.uint64(0)
        remainder = high
        for k in range(64):
            bit = (low >> np.uint64(63 - k)) & np.uint64(1)
            remainder = (remainder << np.uint64(1)) | bit
            quotient = quotient << np.uint64(1)
            if remainder >= d:
                remainder -= d
                quotient |= np.uint64(1)
    rest = d - remainder
    if remainder > rest or (remainder == rest and (quotient & np.uint64(1)) != np.uint64(0)):
        quotient += np.uint64(1)
    if quotient > np.uint64(MAX):
        return MIN
    return -np.int64(quotient) if negative else np.int64(quotient)
