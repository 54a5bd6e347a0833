"""Output files: whole under their name or not there; nothing lost or doubled by a kill."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from regtech.adapters.alerts import AlertFile
from regtech.adapters.committed import CommittedFile, Position
from regtech.errors import InternalError, SnapshotError, StoreError, UsageError


def test_the_name_appears_only_at_the_clean_end(tmp_path: Path) -> None:
    out = tmp_path / "alerts.ndjson"
    file = AlertFile(str(out))
    file.write([b'{"id":1}', b'{"id":2}'])
    file.position()
    assert not out.exists()
    assert (tmp_path / "alerts.ndjson.part").read_bytes() == b'{"id":1}\n{"id":2}\n'
    file.close()
    assert out.read_bytes() == b'{"id":1}\n{"id":2}\n'
    assert list(tmp_path.iterdir()) == [out]


def test_the_digest_leaves_out_where_an_event_was_found(tmp_path: Path) -> None:
    out = tmp_path / "alerts.ndjson"
    file = AlertFile(str(out))
    lines = [b'{"id":1,"source":%s,"explanation":{},"seal":"%s"}' % (s, s) for s in (b"2", b"3")]
    file.write(lines)
    file.write_block(lines[0] + b"\n")
    position = file.close()
    meant = b'{"id":1,"explanation":{}}\n'
    assert position == Position(len(out.read_bytes()), hashlib.sha256(3 * meant).hexdigest())
    assert file.digest == position.digest


@pytest.mark.parametrize("flushed", [0, 1, 100])
def test_a_resumed_file_is_that_of_an_uninterrupted_run(tmp_path: Path, flushed: int) -> None:
    """Whatever reached the disk after the snapshot is written again, once."""
    pieces = [f'{{"id":{n}}}'.encode() for n in range(200)]
    whole = AlertFile(str(tmp_path / "whole"))
    whole.write(pieces)
    expected = whole.close()

    out = tmp_path / "killed"
    first = AlertFile(str(out))
    first.write(pieces[:50])
    snapshot = first.position()
    first.write(pieces[50 : 50 + flushed])
    first.position()
    first.abandon()
    second = AlertFile(str(out), resume=snapshot)
    second.write(pieces[50:])
    assert second.close() == expected
    assert out.read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_finished_file_can_be_resumed_from_a_snapshot_before_its_end(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = AlertFile(str(out))
    first.write([b"one"])
    snapshot = first.position()
    first.write([b"two"])
    first.close()
    second = AlertFile(str(out), resume=snapshot)
    second.write([b"zwei", b"drei"])
    second.close()
    assert out.read_bytes() == b"one\nzwei\ndrei\n"


@pytest.mark.parametrize("damage", [b"", b"on", b"uno\n", b"One\ntwo\n"])
def test_a_file_that_is_not_the_snapshots_is_refused(tmp_path: Path, damage: bytes) -> None:
    out = tmp_path / "out"
    first = AlertFile(str(out))
    first.write([b"one"])
    snapshot = first.position()
    first.abandon()
    (tmp_path / "out.part").write_bytes(damage)
    with pytest.raises(SnapshotError, match="not the file that the snapshot goes with"):
        AlertFile(str(out), resume=snapshot)


def test_two_runs_cannot_write_the_same_file(tmp_path: Path) -> None:
    first = AlertFile(str(tmp_path / "out"))
    with pytest.raises(StoreError, match="another run is writing it"):
        AlertFile(str(tmp_path / "out"))
    first.abandon()
    AlertFile(str(tmp_path / "out")).close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
def test_a_full_disk_is_a_clear_error() -> None:
    file = CommittedFile("/dev/full", "alerts")
    file.write(b"x\n")
    with pytest.raises(StoreError, match="alerts could not be written to /dev/full: No space left"):
        file.flush()
    file.abandon()


def test_a_folder_in_the_place_of_the_file_is_a_clear_error(tmp_path: Path) -> None:
    out = tmp_path / "folder"
    out.mkdir()
    file = AlertFile(str(out))
    file.write([b"x"])
    with pytest.raises(StoreError, match="could not be renamed"):
        file.close()
    assert (tmp_path / "folder.part").exists()


def test_a_path_below_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="alerts could not be written to"):
        AlertFile(str(tmp_path / "file" / "out"))


def test_a_closed_pipe_is_a_clear_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    file = CommittedFile(f"/dev/fd/{write}", "alerts")
    file.write(b"x\n")
    with pytest.raises(StoreError, match="Broken pipe"):
        file.flush()
    file.abandon()
    os.close(write)


def test_standard_output_cannot_be_resumed() -> None:
    with pytest.raises(UsageError, match="cannot be resumed"):
        AlertFile("-", resume=Position(0, hashlib.sha256().hexdigest()))


def test_standard_output_takes_what_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    file = AlertFile("-")
    file.write([b'{"id":"\xe9\x99\x90"}'])
    file.close()
    assert capfd.readouterr().out == '{"id":"限"}\n'
    sys.stdout.flush()


def test_a_block_that_ends_inside_an_alert_is_a_defect(tmp_path: Path) -> None:
    file = AlertFile(str(tmp_path / "out"))
    with pytest.raises(InternalError):
        file.write_block(b'{"id":1}')
    file.abandon()
