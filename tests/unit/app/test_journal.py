"""The journal: nothing that was answered is lost, whatever the moment and however it ends."""

from __future__ import annotations

import os
import random
import shutil
import threading
from pathlib import Path

import pytest

from regtech.app.journal import Journal
from regtech.app.segments import segments
from regtech.errors import ConflictError, StoreError


def lines_of(folder: Path, start: int = 0) -> list[bytes]:
    """All lines of a journal that is opened anew."""
    journal = Journal(folder)
    try:
        return [line for _, lines in journal.read(start) for line in lines]
    finally:
        journal.close()


def line(number: int) -> bytes:
    return b'{"id":"%d","more":"%s"}' % (number, b"x" * (number * 37 % 300))


def test_files_follow_one_another_and_read_as_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1000)
    ends = [journal.append([line(n)]) for n in range(50)]
    journal.sync()
    written = [path.stat().st_size for _, path in segments(tmp_path)]
    assert len(written) > 5 and min(written[:-1]) >= 1000
    assert [start for start, _ in segments(tmp_path)] == [
        sum(written[:k]) for k in range(len(written))
    ]
    for k in (0, 1, 17, 48):
        found = [x for _, lines in journal.read(ends[k]) for x in lines]
        assert found == [line(n) for n in range(k + 1, 50)]
    assert list(journal.read(ends[-1])) == []
    journal.close()
    assert lines_of(tmp_path) == [line(n) for n in range(50)]


def test_one_file_of_an_earlier_version_is_the_first(tmp_path: Path) -> None:
    (tmp_path / "events.ndjson").write_bytes(line(0) + b"\n" + line(1) + b"\n" + b'{"cut')
    journal = Journal(tmp_path, segment_bytes=10)
    journal.append([line(2)])
    journal.close()
    assert lines_of(tmp_path) == [line(0), line(1), line(2)]
    assert not (tmp_path / "events.ndjson").exists()


@pytest.mark.parametrize("seed", range(6))
def test_a_kill_at_any_moment_takes_nothing_that_was_written(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder, copy = tmp_path / "journal", tmp_path / "copy"
    journal = Journal(folder, segment_bytes=chance.choice((500, 5_000, 10_000_000)))
    written: list[bytes] = []
    for number in range(60):
        what = chance.random()
        if what < 0.2:
            journal.make_room()
        elif what < 0.4:
            journal.sync()
        elif what < 0.5:
            journal.close()
            journal = Journal(folder, segment_bytes=chance.choice((500, 5_000)))
        else:
            more = [line(number * 10 + k) for k in range(chance.randrange(1, 4))]
            journal.append(more)
            written += more
        if chance.random() < 0.3:
            # What a kill leaves: all that the system was handed, the room as well.
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(folder, copy)
            assert lines_of(copy) == written
    journal.close()
    assert all(b"\0" not in path.read_bytes() for _, path in segments(folder))


@pytest.mark.parametrize("seed", range(6))
def test_a_loss_of_power_takes_nothing_that_was_durable(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "journal"
    journal = Journal(folder)
    if seed % 2:
        journal.make_room()
    durable = journal.append([line(n) for n in range(20)])
    journal.sync()
    journal.append([line(n) for n in range(20, 200)])
    (_, path) = segments(folder)[-1]
    content = path.read_bytes()
    # Of what was not durable, any block may be there or be as before; the file as long or not.
    block = 512
    for _ in range(20):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        kept = bytearray(content)
        for at in range(durable // block * block, len(kept), block):
            if chance.random() < 0.5:
                first = max(at, durable)
                kept[first : at + block] = bytes(len(kept[first : at + block]))
        if chance.random() < 0.3:
            del kept[chance.randrange(durable, len(kept)) :]
        (copy / path.name).write_bytes(kept)
        found = lines_of(copy)
        assert found == [line(n) for n in range(len(found))] and len(found) >= 20
    journal.close()


def test_many_wait_and_all_of_theirs_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, segment_bytes=3_000)
    calls = 0
    real, busy = os.fdatasync, threading.Lock()

    def counted(descriptor: int) -> None:
        nonlocal calls
        with busy:
            calls += 1
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", counted)
    ends: list[int] = []

    def send(first: int) -> None:
        for number in range(first, first + 25):
            end = journal.append([line(number)])
            journal.wait(end)
            assert journal._durable >= end
            ends.append(end)

    threads = [threading.Thread(target=send, args=(k * 100,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    assert len(set(ends)) == 200 and calls <= 201
    assert sorted(lines_of(tmp_path)) == sorted(
        line(k * 100 + n) for k in range(8) for n in range(25)
    )


def test_an_error_of_the_disk_ends_it_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    end = journal.append([line(0)])

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(StoreError, match="Input/output error"):
        journal.wait(end)
    monkeypatch.undo()
    for again in (lambda: journal.append([line(1)]), lambda: journal.wait(end)):
        with pytest.raises(StoreError, match="Input/output error"):
            again()
    journal.close()


def test_a_file_that_is_missing_or_was_cut_is_said(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=500)
    for number in range(20):
        journal.append([line(number)])
    journal.close()
    parts = segments(tmp_path)
    content = parts[1].path.read_bytes()
    parts[1].path.unlink()
    with pytest.raises(StoreError, match="file after it is missing"):
        lines_of(tmp_path)
    parts[0].path.rename(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="gap"):
        lines_of(tmp_path)
    (tmp_path / "elsewhere").rename(parts[0].path)
    # From behind it on all is there: a memory may have what came before.
    assert lines_of(tmp_path, parts[2].start)
    parts[1].path.write_bytes(content[:-5])
    with pytest.raises(StoreError, match="shorter"):
        lines_of(tmp_path)
    parts[1].path.write_bytes(content)
    assert lines_of(tmp_path) == [line(n) for n in range(20)]


def test_who_comes_after_the_end_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    end = journal.append([line(0)])
    journal.close()
    journal.close()
    journal.wait(end)  # that is durable
    journal.make_room()
    with pytest.raises(StoreError, match="closed"):
        journal.append([line(1)])
    with pytest.raises(StoreError, match="closed"):
        journal.wait(end + 1)
    assert lines_of(tmp_path) == [line(0)]


def test_it_has_one_master(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(ConflictError, match="another server"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()
