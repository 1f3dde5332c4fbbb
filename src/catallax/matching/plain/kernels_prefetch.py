"""A hint to the processor: this memory will be needed soon.

On large graphs a kernel waits for memory most of its time, because it learns where to read next
only from what it has just read. Whoever knows some steps ahead asks in advance.
"""

# pyright: reportMissingParameterType=false

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import config, types
from numba.extending import intrinsic

__all__ = ["prefetch"]


def _prefetch(_context, array, index):
    """Ask for `array[index]`, or the beginning of that row, without waiting for it.

    An index out of bounds does no harm: nothing is read.
    """

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        index = context.cast(builder, arguments[1], signature.args[1], types.intp)
        offset = builder.mul(index, builder.extract_value(array.strides, 0))
        byte = ir.IntType(8).as_pointer()
        address = builder.gep(builder.bitcast(array.data, byte), [offset])
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        hint = builder.module.declare_intrinsic("llvm.prefetch", (byte,), kind)
        # To read, to be kept in every cache, as data.
        builder.call(hint, [address, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


def _nothing(_array, _index):
    """Stand in where kernels run as plain Python, to be debugged (NUMBA_DISABLE_JIT)."""


prefetch: Any = _nothing if vars(config)["DISABLE_JIT"] else intrinsic(_prefetch)
