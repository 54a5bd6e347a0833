"""Which model decides: four eyes, a log that is only added to, models that execute nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.anomaly.registry import Entry, Registry
from regtech.adapters.models import ModelFolder
from regtech.errors import (
    ConflictError,
    ForbiddenError,
    InputError,
    NotFoundError,
    SnapshotError,
)

ARRAYS = {"a": np.arange(5.0), "b": np.arange(6).reshape(2, 3)}
CARD = {"digest": "d", "features": ["x"]}


def trained(*versions: str) -> list[Entry]:
    return [Entry(1, "trained", version, "ann") for version in versions]


def promoted(log: list[Entry], version: str, *people: str) -> list[Entry]:
    for person in people:
        log = log + Registry.of(log).promote(version, person, "measured", 2)
    return log


def test_a_challenger_is_promoted_by_two_people() -> None:
    log = trained("one")
    log = promoted(log, "one", "ann")
    assert Registry.of(log).champion is None and Registry.of(log).role("one") == "challenger"
    log = promoted(log, "one", "bo")
    assert Registry.of(log).champion == "one"
    assert [entry.action for entry in log] == ["trained", "approved", "approved", "promoted"]


def test_one_person_is_never_both() -> None:
    log = promoted(trained("one"), "one", "ann")
    with pytest.raises(ForbiddenError, match="ann has approved one already"):
        Registry.of(log).promote("one", "ann", "again", 3)
    with pytest.raises(ForbiddenError, match="for a reason"):
        Registry.of(log).promote("one", "bo", " ", 3)


def test_what_cannot_be_promoted_says_why() -> None:
    log = promoted(trained("one"), "one", "ann", "bo")
    with pytest.raises(NotFoundError, match="no model 'two'"):
        Registry.of(log).promote("two", "ann", "why", 3)
    with pytest.raises(ConflictError, match="champion already"):
        Registry.of(log).promote("one", "cy", "why", 3)


def test_rolling_back_brings_the_champion_before_and_no_further() -> None:
    log = promoted(promoted(trained("one", "two"), "one", "ann", "bo"), "two", "bo", "cy")
    assert Registry.of(log).champion == "two" and Registry.of(log).role("one") == "retired"
    log += Registry.of(log).rollback("ann", "too many alerts", 9)
    registry = Registry.of(log)
    assert registry.champion == "one" and registry.role("two") == "challenger"
    with pytest.raises(ConflictError, match="no champion to go back to"):
        registry.rollback("ann", "again", 10)


def test_models_are_kept_as_numbers_and_read_back(tmp_path: Path) -> None:
    store = ModelFolder(tmp_path / "models")
    store.put("v1", ARRAYS, CARD)
    found = store.arrays("v1")
    assert set(found) == {"a", "b"} and all(np.array_equal(found[k], ARRAYS[k]) for k in ARRAYS)
    before = (tmp_path / "models/v1/model.npz").read_bytes()
    store.put("v1", ARRAYS, CARD)
    assert (tmp_path / "models/v1/model.npz").read_bytes() == before
    with pytest.raises(ConflictError, match="another model has the version v1"):
        store.put("v1", {"a": np.zeros(3)}, CARD)
    with pytest.raises(InputError, match="no version"):
        store.put("../v1", ARRAYS, CARD)
    with pytest.raises(NotFoundError, match="no model 'v2'"):
        store.card("v2")


class Payload:
    """What must never run: it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (Path.touch, (self.path,))


def test_a_model_that_was_changed_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    import hashlib

    store = ModelFolder(tmp_path)
    store.put("v1", ARRAYS, CARD)
    path, card_path = tmp_path / "v1" / "model.npz", tmp_path / "v1" / "card.json"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(SnapshotError, match="not what its card says"):
        store.arrays("v1")
    # Even where the digest was made to fit, objects are not read.
    sign = tmp_path / "ran"
    np.savez(path, a=np.array([Payload(sign)], object))
    card = json.loads(card_path.read_text())
    card["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    card_path.write_text(json.dumps(card))
    with pytest.raises(SnapshotError, match="damaged"):
        store.arrays("v1")
    assert not sign.exists()


def test_the_log_is_added_to_and_faults_are_named_by_line(tmp_path: Path) -> None:
    store = ModelFolder(tmp_path)
    assert store.log() == []
    store.append([entry.as_data() for entry in trained("one", "two")])
    assert [Entry.of(data, where) for where, data in store.log()] == trained("one", "two")
    with (tmp_path / "log.ndjson").open("a") as log:
        log.write('{"action":"eaten"}\n')
    where, data = store.log()[-1]
    with pytest.raises(InputError, match=r"log.ndjson:3 is no entry"):
        Entry.of(data, where)
