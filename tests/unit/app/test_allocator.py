"""Large arrays of a process that judges have memory of their own, unless its environment says."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

CODE = """
import numpy as np
from regtech.app.allocator import LARGE_BYTES, map_large_arrays
map_large_arrays()
for _ in range(3):  # what raises the bound of a C library that is left to itself
    np.zeros(3 * LARGE_BYTES, np.uint8)[:] = 1
large = [np.zeros(LARGE_BYTES + 1, np.uint8) for _ in range(3)]
with open("/proc/self/maps") as maps:
    heap = [line.split()[0].split("-") for line in maps if line.rstrip().endswith("[heap]")]
parts = [range(int(first, 16), int(last, 16)) for first, last in heap]
print(sum(any(array.ctypes.data in part for part in parts) for array in large))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
@pytest.mark.parametrize(
    ("own", "in_the_heap"), [({}, "0"), ({"MALLOC_MMAP_THRESHOLD_": "33554432"}, "3")]
)
def test_large_arrays_stand_apart_from_the_heap(own: dict[str, str], in_the_heap: str) -> None:
    names = ("MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    found = subprocess.run(
        [sys.executable, "-c", CODE],
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path), **own},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == in_the_heap
