"""The kernel cache: found again, renewed when a callee in another file changes, never required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CALLEE = """
from regtech.columns.jit import inline_kernel

@inline_kernel(nrt=False)
def step(x):
    return x + {step}
"""
CALLER = """
from regtech.columns.jit import kernel
from regtech.columns.callee_in_test import (
    step,
)

@kernel(nrt=False)
def run(x):
    return step(x)

if __name__ == "__main__":
    from regtech.columns.jit import uncompiled

    waiting = len(uncompiled())
    print(run(1), sum(run.stats.cache_hits.values()), waiting, len(uncompiled()))
"""


def _package(folder: Path) -> None:
    package = folder / "regtech" / "columns"
    for made in (folder / "regtech", package, folder / "regtech" / "content"):
        made.mkdir(parents=True, exist_ok=True)
        (made / "__init__.py").touch()
    for name in (
        "columns/jit.py",
        "columns/late_code.py",
        "columns/lean_numba.py",
        "content/cache.py",
    ):
        (folder / "regtech" / name).write_bytes((ROOT / "regtech" / name).read_bytes())
    (package / "caller_in_test.py").write_text(CALLER)


def _run(folder: Path, cache: Path, **environment: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "regtech.columns.caller_in_test"],
        cwd=folder,
        env={**os.environ, "REGTECH_CACHE_DIR": str(cache), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip(), done.stderr


def test_an_edited_callee_in_another_file_is_noticed(tmp_path: Path) -> None:
    _package(tmp_path)
    callee = tmp_path / "regtech" / "columns" / "callee_in_test.py"
    callee.write_text(CALLEE.format(step=1))
    cache = tmp_path / "cache"
    assert _run(tmp_path, cache)[0] == "2 0 2 0"
    assert _run(tmp_path, cache)[0] == "2 1 0 0"
    callee.write_text(CALLEE.format(step=2))
    assert _run(tmp_path, cache)[0] == "3 0 2 0"


def test_without_a_writable_folder_kernels_still_run(tmp_path: Path) -> None:
    _package(tmp_path)
    callee = tmp_path / "regtech" / "columns" / "callee_in_test.py"
    callee.write_text(CALLEE.format(step=1))
    occupied = tmp_path / "file"
    occupied.touch()
    nowhere = occupied / "cache"
    code = (
        f"import tempfile; tempfile.tempdir = {str(nowhere)!r}; import runpy;"
        "runpy.run_module('regtech.columns.caller_in_test', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "REGTECH_CACHE_DIR": str(nowhere)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "2 0 2 2"
    assert "set REGTECH_CACHE_DIR to a writable folder" in done.stderr
