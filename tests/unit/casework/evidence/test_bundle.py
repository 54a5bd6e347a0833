"""Bundles: whole ones verify, redacted ones too, and whatever is done to one is found and named.

Long because every way to change a bundle is tried on the same one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.cases.chain import canonical
from casework.evidence import bundle as bundles
from casework.evidence import verify_bundle
from casework.evidence.bundle import Chain, Entry, redact, show_none
from casework.evidence.checkpoints import sign_checkpoint
from casework.evidence.keys import SigningKey, first_ring
from casework.evidence.merkle import Frontier
from casework.evidence.verify_bundle import MESSAGES, Report, Unreadable, as_json, told, verify
from regtech.errors import CapacityError, InputError, StoreError
from tests.support.examples import examples

World = Any  # of conftest.py, which tests cannot import

OWN = [1, 2, 4, 5, 7, 8, 10, 11, 13, 14]


@pytest.fixture(autouse=True, scope="module")
def signatures_once() -> Iterator[None]:
    """Each signature is verified once: most changes of a bundle leave some of its own as they are.

    They are verified in plain Python, which took most of the time of these tests.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify_bundle, "ed25519_verify", cache(verify_bundle.ed25519_verify))
        yield


def codes(report: Report) -> list[tuple[str, str]]:
    return [(found.code, found.where) for found in report.findings]


def edited(bundle: bytes, edit: Callable[[dict[str, Any]], object]) -> Report:
    """The findings after a change of the parsed bundle, in canonical form again."""
    value = json.loads(bundle)
    edit(value)
    return verify(canonical(value) + b"\n")


# --- whole ----------------------------------------------------------------------------------------


def test_a_bundle_verifies_and_says_what_it_holds(world: World, bundle: bytes) -> None:
    report = verify(bundle)
    assert report.findings == []
    assert report.status == 0
    facts = report.facts
    assert (facts["case"], facts["tenant"]) == ("C-0123456789abcdef0123", "bank-a")
    assert facts["key"] == world.ring.active.id
    assert (facts["entries"], facts["alerts"], facts["events"], facts["rules"]) == (10, 1, 1, 1)
    assert (facts["shown"], facts["withheld"]) == (14, 0)
    assert facts["missing_events"] == 1
    assert facts["anchored"] == 1
    assert facts["checkpoint"]["size"] == 14
    assert facts["trusted"] is None


def test_the_same_input_gives_the_same_bytes(world: World, bundle: bytes) -> None:
    assert world.bundle(timeline=list(reversed(world.own))) == bundle


def test_nothing_of_the_other_case_is_in_it(bundle: bytes) -> None:
    assert b"C-ffff" not in bundle
    assert b"remark 3 " not in bundle


@pytest.mark.parametrize("size", [2, 3, 7, 8, 9, 33])
def test_chains_of_any_length_verify(size: int, make_world: Callable[[int], World]) -> None:
    assert verify(make_world(size).bundle()).findings == []


# --- redaction ------------------------------------------------------------------------------------


def test_a_redacted_bundle_verifies_and_shows_nothing(world: World) -> None:
    hidden = world.bundle(show_none)
    report = verify(hidden)
    assert report.findings == []
    assert (report.facts["shown"], report.facts["withheld"]) == (0, 14)
    assert "王芳".encode() not in hidden
    assert b"6222" not in hidden


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 13)))
def test_any_choice_of_values_can_be_withheld_later(bundle: bytes, kept: set[int]) -> None:
    places = [(one["in"], one["at"]) for one in json.loads(bundle)["openings"]]
    shown = {places[at] for at in kept}
    report = verify(redact(bundle, lambda part, at: (part, at) in shown))
    assert report.findings == []
    assert report.facts["shown"] == len(kept)


@pytest.mark.parametrize("at", range(14))
def test_a_value_that_differs_fails_and_is_named(bundle: bytes, at: int) -> None:
    def edit(value: dict[str, Any]) -> None:
        value["openings"][at]["value"] += " "

    place = json.loads(bundle)["openings"][at]
    where = f"opening of {place['in']} {place['at']}"
    assert codes(edited(bundle, edit)) == [("opening_changed", where)]


def test_openings_without_a_place_or_twice_are_named(bundle: bytes) -> None:
    def stray(value: dict[str, Any]) -> None:
        value["openings"][0]["at"] = "/state"

    def twice(value: dict[str, Any]) -> None:
        value["openings"].append(value["openings"][0])

    assert codes(edited(bundle, stray)) == [
        ("opening_unplaced", "opening of documents/case /state")
    ]
    assert codes(edited(bundle, twice)) == [
        ("opening_twice", "opening of documents/case /subject/name")
    ]


# --- changed --------------------------------------------------------------------------------------


@settings(
    deadline=None,
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_flipped_bit_is_found(bundle: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(bundle) - 1))
    flipped = bytearray(bundle)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    report = verify(bytes(flipped))
    assert report.status == 1
    assert report.findings[0].where
    assert told(report, "bundle")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_byte_removed_doubled_or_cut_off_is_found(bundle: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(40, len(bundle) - 1))
    for changed in (
        bundle[:at] + bundle[at + 1 :],
        bundle[:at] + bundle[at : at + 1] + bundle[at:],
        bundle[:at],
    ):
        assert verify(changed).status == 1 or changed == bundle


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 9))
def test_a_removed_entry_is_named(bundle: bytes, at: int) -> None:
    report = edited(bundle, lambda value: value["timeline"].pop(at))
    assert ("entry_missing", f"timeline entry {OWN[at]}") in codes(report)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 9), min_size=2, max_size=2, unique=True))
def test_reordered_entries_are_named(bundle: bytes, two: list[int]) -> None:
    def edit(value: dict[str, Any]) -> None:
        line = value["timeline"]
        line[two[0]], line[two[1]] = line[two[1]], line[two[0]]

    assert codes(edited(bundle, edit)) == [("entry_order", f"timeline entry {OWN[max(two)]}")]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 9), st.integers(0, 9))
def test_a_doubled_entry_is_named(bundle: bytes, at: int, to: int) -> None:
    report = edited(bundle, lambda value: value["timeline"].insert(to, value["timeline"][at]))
    assert codes(report) == [("entry_twice", f"timeline entry {OWN[at]}")]


@pytest.mark.parametrize("at", range(10))
def test_a_changed_entry_is_named(bundle: bytes, at: int) -> None:
    def edit(value: dict[str, Any]) -> None:
        value["timeline"][at]["content"]["actor"] = "u2"

    where = f"timeline entry {OWN[at]}"
    found = codes(edited(bundle, edit))
    assert found[0] == ("entry_unproved", where)
    assert ("entry_changed", where) in found


def test_an_inserted_entry_is_named(bundle: bytes) -> None:
    def edit(value: dict[str, Any]) -> None:
        value["timeline"].insert(2, {**value["timeline"][1], "position": 3})

    found = codes(edited(bundle, edit))
    assert ("entry_added", "timeline entry 3") in found
    assert ("entry_unproved", "timeline entry 3") in found


@pytest.mark.parametrize("name", ["case", "alerts/a1", "events/t1", "rules/cn-lvtr-0501"])
def test_documents_changed_removed_or_inserted_are_named(bundle: bytes, name: str) -> None:
    where = f"documents {name}"

    def change(value: dict[str, Any]) -> None:
        value["documents"][name]["id"] = "other"

    def rename(value: dict[str, Any]) -> None:
        value["documents"]["events/other"] = value["documents"].pop(name)

    assert ("document_changed", where) in codes(edited(bundle, change))
    found = codes(edited(bundle, rename))
    assert ("document_missing", where) in found
    assert ("document_added", "documents events/other") in found


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "manifest": (lambda v: v["manifest"].update(case="C-2"), "manifest_signature", "manifest"),
    "checkpoint time": (
        lambda v: v["checkpoints"][0].update(time="2020-01-01T00:00:00.000000Z"),
        "checkpoint_signature",
        "checkpoint 1",
    ),
    "checkpoints swapped": (
        lambda v: v["checkpoints"].reverse(),
        "checkpoint_chain",
        "checkpoint 2",
    ),
    "a checkpoint removed": (
        lambda v: v["checkpoints"].pop(0),
        "section_changed",
        "checkpoints",
    ),
    "no checkpoint": (lambda v: v["checkpoints"].clear(), "shape", "checkpoints"),
    "key lineage": (lambda v: v["keys"][1].update(created="x"), "key_lineage", "key 2"),
    "first key": (lambda v: v["keys"][0].update(created="x"), "section_changed", "keys"),
    "key id": (lambda v: v["keys"][0].update(key="0" * 32), "key_id", "key 1"),
    "format": (lambda v: v.update(format="regtech-evidence/2"), "shape", "format"),
    "one more part": (lambda v: v.update(more=1), "shape", "bundle"),
    "no timeline": (lambda v: v.pop("timeline"), "shape", "bundle"),
    "a path of another type": (
        lambda v: v["timeline"][0].update(path=1),
        "shape",
        "timeline entry 1 path",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_other_parts_are_named_too(bundle: bytes, name: str) -> None:
    edit, code, where = EDITS[name]
    assert (code, where) in codes(edited(bundle, edit))


def forge(world: World, change: Callable[[list[Entry]], list[Entry]]) -> bytes:
    """A bundle of a chain that was written anew from the first entry on and signed by another."""
    entries = change(list(world.entries))
    chain: list[Entry] = []
    previous = bytes(32)
    for position, entry in enumerate(entries, 1):
        chain.append(Entry(position, previous, entry.content, entry.openings))
        previous = chain[-1].hash()
    key = SigningKey.of_seed(b"\x66" * 32)
    frontier = Frontier()
    frontier.extend(entry.hash() for entry in chain)
    checkpoint = sign_checkpoint(key, "bank-a", frontier, previous, None, 0)
    own = [entry for entry in chain if entry.content["case"] == "C-0123456789abcdef0123"]
    made: bytes = world.bundle(
        timeline=own,
        keys=first_ring(key, 0),
        chain=Chain("bank-a", [entry.hash() for entry in chain], [checkpoint]),
    )
    return made


def test_who_signs_anew_is_found_by_the_key(world: World, bundle: bytes) -> None:
    forged = forge(world, lambda entries: entries[:-1])
    assert verify(forged).findings == []  # in itself it is whole: only the key tells
    first, second = (record["key"] for record in world.ring.lineage)
    for trusted in (first, second, world.ring.active.public_key.hex()):
        assert codes(verify(forged, [trusted])) == [("key_untrusted", "manifest")]
        report = verify(bundle, [trusted])
        assert (report.findings, report.facts["trusted"]) == ([], True)


def test_entries_that_were_signed_without_being_linked_are_named(world: World) -> None:
    """A tree alone would prove them: the chain is checked as well where neighbours are shown."""
    first = world.entries[0]
    second = Entry(2, b"\x01" * 32, world.entries[1].content, world.entries[1].openings)
    frontier = Frontier()
    frontier.extend([first.hash(), second.hash()])
    key = world.ring.active
    checkpoint = sign_checkpoint(key, "bank-a", frontier, second.hash(), None, 0)
    made = world.bundle(
        timeline=[first, second],
        chain=Chain("bank-a", [first.hash(), second.hash()], [checkpoint]),
    )
    assert codes(verify(made)) == [("entry_unlinked", "timeline entry 2")]


def test_a_rule_of_another_pack_than_the_alert_rests_on_is_named(world: World) -> None:
    from dataclasses import replace

    other = world.bundle(rules=[replace(world.rules[0], pack_digest="0" * 64)])
    assert codes(verify(other)) == [("rule_pack", "documents alerts/a1")]


def test_an_alert_that_is_not_the_one_in_the_timeline_is_named(world: World) -> None:
    from dataclasses import replace

    alert = world.alerts["a1"]
    changed = replace(alert, content={**alert.content, "measures": {"cny": 49999}})
    assert codes(verify(world.bundle(alerts={"a1": changed}))) == [
        ("document_anchor", "documents alerts/a1")
    ]


@pytest.mark.parametrize(
    ("inside", "where"),
    [
        (b'"kind":"comment"', "timeline entry 1"),
        (b'"amount":"50000.00"', "documents events/t1"),
        (b'"state":"closed"', "documents case"),
        (b'"size":14', "checkpoints"),
        (b'"succeeds":null', "keys"),
        (b'"salt":"', "openings"),
        (b'"created":"2027', "manifest"),
    ],
)
def test_damage_that_is_no_json_any_more_is_placed(
    bundle: bytes, inside: bytes, where: str
) -> None:
    assert bundle.count(inside) >= 1
    report = verify(bundle.replace(inside, inside.replace(b":", b";"), 1))
    assert codes(report) == [("syntax", where)]
    assert "byte" in report.findings[0].text()


# --- hostile --------------------------------------------------------------------------------------

HEAD = b'{"checkpoints":[],"format":"regtech-evidence/1",'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (HEAD + b'"a":1,"a":2}', "duplicate_key"),
        (HEAD + b'"a":{"documents":1,"documents":2}}', "duplicate_key"),
        (HEAD + b'"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
        (HEAD + b'"a":' + b"[" * 70 + b"]" * 70 + b"}", "too_deep"),
        (HEAD + b'"a":' + b"9" * 100_000 + b"}", "shape"),
        (HEAD + b'"a":1e999}', "shape"),
        (HEAD + b'"a":NaN}', "shape"),
        (HEAD + b'"a":"\\ud800"}', "shape"),
        (HEAD + b'"a":"\xff"}', "syntax"),
        (HEAD + b'"a":', "syntax"),
        (HEAD + b'"a": 1}', "not_canonical"),
        (b"[" + HEAD + b'"a":1}]', "not_canonical"),
    ],
)
def test_hostile_input_is_refused_with_a_reason(data: bytes, code: str) -> None:
    report = verify(data)
    assert [found.code for found in report.findings] == [code]


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04" + bytes(100), b"{}", b'{"format":"other"}', bytes(1000)]
)
def test_what_is_no_bundle_at_all_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        verify(data)
    assert caught.value.finding.code == "not_a_bundle"


def test_too_large_a_file_is_not_looked_at(tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.write(HEAD)
        file.truncate(verify_bundle.MAX_BYTES + 1)  # sparse: takes no room
    with pytest.raises(Unreadable, match="too_large"):
        verify_bundle.read(str(huge))
    with pytest.raises(Unreadable, match="too_many_values"):
        verify(HEAD + b"[]," * (verify_bundle.MAX_VALUES // 2 + 1))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("0" * 64),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(
    deadline=None,
    max_examples=examples(50),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data(), anything)
def test_a_value_of_any_shape_anywhere_is_found_and_never_breaks_the_verifier(
    bundle: bytes, data: st.DataObject, put: Any
) -> None:
    value = json.loads(bundle)
    node: Any = value
    where = []
    while True:
        step = data.draw(
            st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node)))
        )
        where.append(step)
        inner = node[step]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        node = inner
    same = node[step] == put and type(node[step]) is type(put)
    node[step] = put
    if where == ["openings"] and put == []:
        same = True  # withholding is no change
    assert (verify(canonical(value) + b"\n").status == 0) == same


# --- building -------------------------------------------------------------------------------------


def test_an_entry_that_is_not_in_the_chain_is_not_exported(world: World) -> None:
    entry = world.own[3]
    false = Entry(entry.position, entry.previous, {**entry.content, "actor": "u2"})
    with pytest.raises(StoreError, match="not the one in the chain"):
        world.bundle(timeline=[false])


def test_an_entry_of_another_case_is_not_exported(world: World) -> None:
    with pytest.raises(InputError, match="another case"):
        world.bundle(timeline=[world.entries[2]])


def test_a_chain_that_was_changed_is_not_exported(world: World) -> None:
    hashes = [entry.hash() for entry in world.entries]
    hashes[5] = bytes(32)
    with pytest.raises(StoreError, match="not the one that the checkpoint"):
        world.bundle(chain=Chain("bank-a", hashes, world.checkpoints))


def test_entries_after_the_last_checkpoint_need_a_new_one(world: World) -> None:
    hashes = [entry.hash() for entry in world.entries]
    with pytest.raises(InputError, match="newer than the last checkpoint"):
        world.bundle(chain=Chain("bank-a", hashes, world.checkpoints[:1]))
    with pytest.raises(InputError, match="no checkpoint"):
        world.bundle(chain=Chain("bank-a", hashes, []))


def test_checkpoints_of_others_are_not_exported(world: World) -> None:
    hashes = [entry.hash() for entry in world.entries]
    stranger = first_ring(SigningKey.of_seed(b"\x77" * 32), 0)
    with pytest.raises(StoreError, match="not signed by our keys"):
        world.bundle(keys=stranger)
    with pytest.raises(StoreError, match="not signed by our keys"):
        world.bundle(chain=Chain("bank-b", hashes, world.checkpoints))


def test_a_bundle_that_verifiers_would_refuse_is_not_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "MAX_BYTES", 1000)
    with pytest.raises(CapacityError, match="verifiers take"):
        world.bundle()


# --- the file as a program ------------------------------------------------------------------------


def alone(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The single file, copied out, with nothing but the standard library."""
    assert verify_bundle.__file__ is not None
    script = tmp_path / "verify_bundle.py"
    script.write_bytes(Path(verify_bundle.__file__).read_bytes())
    return subprocess.run(
        [sys.executable, "-I", "-S", str(script), *arguments],
        capture_output=True, text=True, encoding="utf-8", env={"PYTHONUTF8": "1"}, cwd=tmp_path,
        check=False,
    )  # fmt: skip


def test_it_runs_alone(tmp_path: Path, world: World, bundle: bytes) -> None:
    path = tmp_path / "case.json"
    path.write_bytes(bundle)
    done = alone(tmp_path, str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "whole" in done.stdout
    assert world.ring.active.id in done.stdout
    assert alone(tmp_path, str(path), "--key", world.ring.active.id).returncode == 0
    assert alone(tmp_path, str(path), "--key", "f" * 32).returncode == 1
    assert alone(tmp_path, str(path), "--key", "nonsense").returncode == 2
    record = tmp_path / "0001.json"
    record.write_text(json.dumps(world.ring.lineage[0]))
    assert alone(tmp_path, str(path), "--key", str(record)).returncode == 0
    path.write_bytes(bundle.replace(b"50000.00", b"50000.01"))
    done = alone(tmp_path, str(path), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["where"] == "documents events/t1"
    assert "被更改" in alone(tmp_path, str(path), "--lang", "zh").stdout
    assert alone(tmp_path, str(tmp_path / "nowhere")).returncode == 3
    assert alone(tmp_path, str(tmp_path / "verify_bundle.py")).returncode == 3


def test_what_is_said_is_there_in_both_languages(bundle: bytes) -> None:
    from string import Formatter

    for english, chinese in MESSAGES.values():
        names = [
            {name for _, name, _, _ in Formatter().parse(text) if name}
            for text in (english, chinese)
        ]
        assert names[0] == names[1]
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
    assert "完整" in told(verify(bundle), "case.json", "zh")
    assert as_json(verify(bundle))["whole"] is True


def test_one_is_told_as_one(bundle: bytes) -> None:
    report = verify(bundle)
    for name in ("entries", "alerts", "events", "rules", "shown", "missing_events"):
        report.facts[name] = 1
    report.facts["checkpoint"]["size"] = 1
    said = told(report, "case.json")
    assert "1 entry, 1 alert, 1 event, 1 rule; 1 graded value shown, " in said
    assert ": 1 entry of the chain" in said and "note: 1 event that alerts name not in" in said
    report.facts["alerts"] = 2
    assert "2 alerts, " in told(report, "case.json")
