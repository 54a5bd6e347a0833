"""The cache: whole entries or none, nobody else's, and names that follow every byte."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from regtech.content.cache import ENTRIES_MAX, Inputs, keep, kept, sources_of

DIGEST = "0a" * 32
DATA = bytes(range(256)) * 3


def entry(root: Path) -> Path:
    (found,) = (root / "kept").iterdir()
    return found


def test_what_was_kept_is_found_under_its_own_name_only(tmp_path: Path) -> None:
    assert kept("packs", DIGEST, tmp_path) is None
    keep("packs", DIGEST, DATA, tmp_path)
    assert kept("packs", DIGEST, tmp_path) == DATA
    assert kept("packs", "0b" * 32, tmp_path) is None
    assert kept("other", DIGEST, tmp_path) is None


def test_a_damaged_entry_is_not_there_and_can_be_written_again(tmp_path: Path) -> None:
    keep("packs", DIGEST, DATA, tmp_path)
    path = entry(tmp_path)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        for place in range(len(whole))
    ]
    damaged += [whole + b"\0", whole + whole]
    for data in damaged:
        path.write_bytes(data)
        assert kept("packs", DIGEST, tmp_path) is None
    keep("packs", DIGEST, DATA, tmp_path)
    assert kept("packs", DIGEST, tmp_path) == DATA


def test_an_entry_under_the_name_of_another_is_not_whole(tmp_path: Path) -> None:
    keep("packs", DIGEST, DATA, tmp_path)
    path = entry(tmp_path)
    path.rename(path.with_name(path.name.replace(DIGEST, "0b" * 32)))
    assert kept("packs", "0b" * 32, tmp_path) is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners and modes of POSIX")
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_not_read(tmp_path: Path, mode: int) -> None:
    keep("packs", DIGEST, DATA, tmp_path)
    (tmp_path / "kept").chmod(mode)
    assert kept("packs", DIGEST, tmp_path) is None
    (tmp_path / "kept").chmod(0o700)
    assert kept("packs", DIGEST, tmp_path) == DATA


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners and modes of POSIX")
def test_the_folder_of_another_user_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep("packs", DIGEST, DATA, tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: (tmp_path / "kept").stat().st_uid + 1)
    assert kept("packs", DIGEST, tmp_path) is None


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    keep("packs", DIGEST, DATA, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").symlink_to(tmp_path / "kept")
    assert kept("packs", DIGEST, other) is None


def test_a_folder_that_cannot_be_written_is_tolerated(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.touch()
    for root in (occupied, occupied / "below", tmp_path / "missing"):
        keep("packs", DIGEST, DATA, root)
        assert kept("packs", DIGEST, root) is None


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() == 0, reason="root writes where nobody may"
)
def test_entries_of_a_read_only_folder_are_read(tmp_path: Path) -> None:
    keep("packs", DIGEST, DATA, tmp_path)
    (tmp_path / "kept").chmod(0o500)
    try:
        keep("packs", "0b" * 32, DATA, tmp_path)
        assert kept("packs", DIGEST, tmp_path) == DATA
        assert kept("packs", "0b" * 32, tmp_path) is None
    finally:
        (tmp_path / "kept").chmod(0o700)


@pytest.mark.parametrize("step", ["NamedTemporaryFile", "replace"])
def test_a_failing_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os if step == "replace" else tempfile, step, fails)
        keep("packs", DIGEST, DATA, tmp_path)
    assert list((tmp_path / "kept").iterdir()) == []
    assert kept("packs", DIGEST, tmp_path) is None


def test_only_the_newest_entries_stay(tmp_path: Path) -> None:
    names = [f"{number:064x}" for number in range(ENTRIES_MAX + 3)]
    for number, name in enumerate(names):
        keep("packs", name, DATA, tmp_path)
        written = next(path for path in (tmp_path / "kept").iterdir() if name in path.name)
        os.utime(written, ns=(number, number))  # in order, however coarse the file system's clock
    left = [name for name in names if kept("packs", name, tmp_path) is not None]
    assert len(left) == ENTRIES_MAX
    assert left == names[-ENTRIES_MAX:]


def test_many_that_write_and_read_at_once_see_whole_entries_only(tmp_path: Path) -> None:
    names = [f"{number:064x}" for number in range(ENTRIES_MAX + 4)]
    wrong: list[str] = []

    def work(turn: int) -> None:
        name = names[turn % len(names)]
        data = name.encode() * 4000
        keep("packs", name, data, tmp_path)
        if kept("packs", name, tmp_path) not in (data, None):
            wrong.append(name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(400)))
    assert wrong == []
    assert all(path.suffix == ".kept" for path in (tmp_path / "kept").iterdir())


# --- names


def test_inputs_differ_by_every_part(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"ab")
    two.write_bytes(b"ab")
    base = Inputs(("x", "y"), (one,))
    assert base == Inputs(("x", "y"), (one,))
    assert base.digest == Inputs(("x", "y"), (one,)).digest
    others = [
        Inputs(("xy",), (one,)),
        Inputs(("x", "y", ""), (one,)),
        Inputs(("y", "x"), (one,)),
        Inputs(("x", "y"), (two,)),
        Inputs(("x", "y"), (one, two)),
        Inputs(("x", "y"), ()),
    ]
    one.write_bytes(b"aB")
    others.append(Inputs(("x", "y"), (one,)))
    assert len({base.digest, *(other.digest for other in others)}) == len(others) + 1


def test_a_file_written_in_between_is_noticed_even_when_its_bytes_are_back(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"ab")
    before = Inputs((), (path,))
    path.write_bytes(b"cd")
    path.write_bytes(b"ab")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    after = Inputs((), (path,))
    assert after.digest == before.digest
    assert after != before
    with pytest.raises(OSError):
        Inputs((), (tmp_path / "missing",))


def test_the_sources_of_a_file_are_all_that_it_imports() -> None:
    import regtech.rulelang.packs as packs

    names = {path.stem for path in sources_of(Path(packs.__file__))}
    # Directly, through others, inside functions, and of the layers below.
    assert {"packs", "rules", "expressions", "yamlmarks", "fields", "ir", "errors"} <= names
    assert not names & {"run", "choice", "engine", "main"}
