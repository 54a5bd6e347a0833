"""Snapshot files: what was written or a refusal, never something in between."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from regtech.adapters.snapshots import (
    VERSION,
    SnapshotFolder,
    read_snapshot,
    write_snapshot,
)
from regtech.errors import SnapshotError, StoreError

SAID = {"rules": [["cn", "1.0.0"]], "text": "反洗钱"}


def arrays() -> dict[str, np.ndarray]:
    return {
        "numbers": np.arange(-5, 1000, dtype=np.int64).reshape(5, 201),
        "bytes": np.frombuffer(b"some bytes", np.uint8),
        "empty": np.zeros(0, np.int64),
        "none": np.zeros((3, 0), np.int32),
        "digests": np.array([2**64 - 1, 0], np.uint64),
        "strided": np.arange(100, dtype=np.int64)[::7],
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "0000000001.snapshot"
    write_snapshot(made, SAID, arrays())
    return made


def test_what_is_read_is_what_was_written(path: Path) -> None:
    found = read_snapshot(path)
    assert found.said == SAID
    assert list(found.arrays) == list(arrays())
    for name, array in arrays().items():
        assert found.arrays[name].dtype == array.dtype
        assert np.array_equal(found.arrays[name], array)
        assert found.arrays[name].flags.writeable
    assert not list(path.parent.glob("*.part"))


def test_every_flipped_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    reserved = range(12, 16)
    for place in {*range(48), *range(48, len(content), 37), len(content) - 1} - {*reserved}:
        damaged = bytearray(content)
        damaged[place] ^= 0x40
        path.write_bytes(damaged)
        with pytest.raises(SnapshotError):
            read_snapshot(path)


def test_every_cut_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for length in (0, 1, 8, 39, 40, 41, 200, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(SnapshotError):
            read_snapshot(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(SnapshotError):
        read_snapshot(path)


def test_another_format_is_named(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8:12] = (VERSION + 1).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SnapshotError, match=f"format {VERSION + 1}; .* format {VERSION}"):
        read_snapshot(path)


def test_a_folder_keeps_two(tmp_path: Path) -> None:
    with SnapshotFolder(tmp_path / "state") as folder:
        for number in range(5):
            folder.write({"number": number}, arrays())
        assert [path.name for path in folder.paths()] == [
            "0000000005.snapshot",
            "0000000004.snapshot",
        ]
        found, refused = folder.newest()
    assert (found.said, refused) == ({"number": 4}, [])


def test_the_one_before_a_damaged_one_is_used_and_kept(tmp_path: Path) -> None:
    with SnapshotFolder(tmp_path) as folder:
        for number in (1, 2):
            folder.write({"number": number}, arrays())
        newest = folder.paths()[0]
        newest.write_bytes(newest.read_bytes()[:-3])
    with SnapshotFolder(tmp_path) as folder:
        found, refused = folder.newest()
        assert found.said == {"number": 1}
        assert len(refused) == 1 and str(newest) in refused[0].message
        folder.write({"number": 3}, arrays())
        # The damaged one goes; the whole one that the run began with stays.
        assert [path.name for path in folder.paths()] == [
            "0000000003.snapshot",
            "0000000001.snapshot",
        ]


def test_none_whole_is_an_error_that_says_all(tmp_path: Path) -> None:
    with SnapshotFolder(tmp_path) as folder:
        with pytest.raises(SnapshotError, match="no snapshot in"):
            folder.newest()
        for number in (1, 2):
            path = folder.write({"number": number}, {})
            path.write_bytes(b"x")
        with pytest.raises(SnapshotError, match=r"1\.snapshot.*is no snapshot"):
            folder.newest()


def test_one_run_a_folder(tmp_path: Path) -> None:
    with SnapshotFolder(tmp_path), pytest.raises(StoreError, match="another run"):
        SnapshotFolder(tmp_path)
    with SnapshotFolder(tmp_path):
        pass


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 100 kB: what a full disk looks like to the one who writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_the_one_before(tmp_path: Path, small_files: None) -> None:
    with SnapshotFolder(tmp_path) as folder:
        folder.write({"number": 1}, arrays())
        with pytest.raises(StoreError, match="could not be written"):
            folder.write({"number": 2}, {"large": np.zeros(1_000_000, np.int64)})
        assert folder.newest()[0].said == {"number": 1}
    assert not list(tmp_path.glob("*.part"))


def test_a_file_in_the_way_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreError, match="cannot be kept"):
        SnapshotFolder(tmp_path / "state")
