"""What a start costs and what it may not change: the same alerts, and no library that is not used.

How long it takes is measured by ``benchmarks/start.py``; a test on a busy machine cannot.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from regtech.app.progress import NoProgress
from regtech.app.run import run_command
from regtech.app.simulate import simulate_command
from regtech.rulelang import packs as reader

UNUSED = (
    "polars",
    "pyarrow",
    "rich",
    "regtech.rulelang.packs",
    "regtech.rulelang.check",
    "regtech.rulelang.testcases",
    "regtech.adapters.tables.parquetfile",
)
CODE = """
import json, sys
from regtech.cli.main import run
status = run(sys.argv[1:])
print(json.dumps([status, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Events with a finding of every rule."""
    path = tmp_path_factory.mktemp("events") / "simulated.ndjson"
    simulate_command(path, events=200, seed=5, progress=NoProgress())
    return path


def test_kept_packs_find_the_same_to_the_byte(
    events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setattr("regtech.content.cache.cache_root", lambda: cache)
    first = run_command(events=(str(events),), out=str(tmp_path / "first.ndjson"))
    kept = [path.name for path in (cache / "kept").iterdir()]
    assert len([name for name in kept if not name.startswith("calendars-")]) == 1

    def not_again(*_: object) -> None:
        raise AssertionError("the packs were read again")

    monkeypatch.setattr(reader, "require_packs", not_again)
    second = run_command(events=(str(events),), out=str(tmp_path / "second.ndjson"))
    assert first.alerts > 0
    assert (tmp_path / "second.ndjson").read_bytes() == (tmp_path / "first.ndjson").read_bytes()
    assert second.digest == first.digest
    assert second.rules == first.rules


def test_a_second_start_imports_only_what_it_uses(tmp_path: Path) -> None:
    file = tmp_path / "one.ndjson"
    file.write_text("{}\n", encoding="utf-8")
    command = [sys.executable, "-c", CODE, "run", str(file), "--out", str(tmp_path / "out.ndjson")]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    assert "regtech.engine.engine" in modules
    assert [name for name in UNUSED if name in modules] == []


def test_help_imports_neither_the_engine_nor_numpy() -> None:
    command = [sys.executable, "-c", CODE, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    heavy = {"numpy", "numba", "polars", "pyarrow", "yaml", "regtech.engine", "regtech.rulelang"}
    assert sorted(heavy & set(modules)) == []
