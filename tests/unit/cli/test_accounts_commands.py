"""``regtech users`` and ``regtech keys`` where there is nothing to work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command


@pytest.mark.parametrize(
    "words",
    [
        ("users", "list"),
        ("users", "disable", "li"),
        ("keys", "list"),
        ("keys", "create", "li", "--label", "x"),
    ],
)
def test_a_store_that_is_not_there_is_not_made(
    regtech: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    store = tmp_path / "misspelled.db"
    done = regtech(*words, "--store", store)
    assert done.status == 3 and f"there is no store {store}" in done.err
    assert not store.exists()


def test_without_a_terminal_the_password_comes_from_a_file(
    regtech: Command, tmp_path: Path
) -> None:
    store = tmp_path / "cases.db"
    done = regtech("users", "create", "li", "--role", "supervisor", "--store", store)
    assert done.status == 2 and "--password-file" in done.err
    assert not store.exists()


def test_an_account_of_a_jurisdiction_that_is_none_is_refused(
    regtech: Command, tmp_path: Path
) -> None:
    at = ("--store", tmp_path / "cases.db", "--no-password")
    done = regtech("users", "create", "li", "--role", "supervisor", "--jurisdiction", "cn,sgp", *at)
    assert done.status == 2 and "unknown jurisdiction 'SGP'" in done.err, done.err
    assert "did you mean 'SG'? known: CN, EU," in done.err
    assert regtech("users", "create", "li", "--role", "supervisor", *at).status == 0
    key = ("keys", "create", "li", "--label", "x", "--store", tmp_path / "cases.db")
    done = regtech(*key, "--jurisdiction", "zz")
    assert done.status == 2 and "unknown jurisdiction 'ZZ'" in done.err
