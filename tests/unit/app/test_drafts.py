"""Drafts of rulepacks: faults at their places, tests with a bound, and never a path."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date

import pytest

from regtech.app.choice import chosen_packs
from regtech.app.drafts import DRAFT_MAX, Drafts, tried
from regtech.app.rulebook import Rules
from regtech.content import content_root
from regtech.content.saying import from_data, kernel_catalogue, spoken
from regtech.errors import CapacityError, ConflictError, ContentError, InputError, NotFoundError

PACK = "cn-aml-large-value"


@pytest.fixture(scope="module")
def book() -> Rules:
    return Rules(chosen_packs((PACK,)))


@pytest.fixture(scope="module")
def drafts(book: Rules) -> Iterator[Drafts]:
    # The first run on a machine compiles for a while.
    made = Drafts(book, ready_s=300)
    yield made
    made.close()


def test_what_is_in_use_is_the_same_as_its_source(book: Rules, drafts: Drafts) -> None:
    draft, faults = drafts.check(book.source(PACK))
    assert draft is not None and faults == []
    assert (draft.pack, draft.in_use, draft.same) == (PACK, "1.0.0", True)
    assert draft.rules == len(book.rules())
    changed = book.source(PACK).replace("version: 1.0.0", "version: 1.1.0", 1)
    other, _ = drafts.check(changed)
    assert other is not None and (other.version, other.in_use) == ("1.1.0", "1.0.0")


def test_a_draft_is_held_against_the_other_packs_in_use(drafts: Drafts) -> None:
    taken = drafts.start().replace("id: new-rule", "id: cn-lvtr-0501")
    _, faults = drafts.check(taken)
    (fault,) = faults
    assert fault["code"] == "RL110"
    assert re.search(rf"is already at {PACK}\.yml:\d+:\d+$", str(fault["message"])), fault
    assert "cn-lvtr-0501" in taken.split("\n")[int(str(fault["line"])) - 1]


def test_a_pack_to_begin_from_is_whole_and_its_tests_pass(drafts: Drafts) -> None:
    draft, faults = drafts.check(drafts.start())
    assert draft is not None and faults == [] and draft.in_use == ""
    trial = drafts.run_tests(drafts.start())
    assert (trial.tests, trial.failed, dict(trial.waiting)) == (2, (), {})


def test_a_failed_test_says_what_was_expected_and_what_came(drafts: Drafts) -> None:
    wrong = drafts.start().replace("total: 10000", "total: 10001")
    found = tried(wrong)
    (failed,) = found["failed"]
    assert failed["rule"] == "new-rule"
    (problem,) = map(from_data, failed["problems"])
    assert problem == "total: expected 10001, got USD 10000.00"
    assert spoken(problem, kernel_catalogue("zh").gettext) == (
        "total：预期 10001，实际 USD 10000.00"
    )
    assert "reach the figure exactly" in wrong.split("\n")[failed["line"] - 1]


def test_tests_are_stopped_in_time(book: Rules) -> None:
    hasty = Drafts(book, seconds=0.0001, ready_s=300)
    with pytest.raises(CapacityError, match="longer than 0.0001 seconds"):
        hasty.run_tests(hasty.start())
    # Nothing is left locked behind.
    with pytest.raises(CapacityError, match="longer"):
        hasty.run_tests(hasty.start())
    hasty.close()
    with pytest.raises(CapacityError, match="comes to its end"):
        hasty.run_tests(hasty.start())


def test_a_first_run_is_told_to_wait_and_not_stopped(book: Rules) -> None:
    """However long this machine takes to be ready, the bound is for the tests alone."""
    drafts = Drafts(book, ready_s=0)
    for _ in range(600):
        try:
            trial = drafts.run_tests(drafts.start())
            break
        except CapacityError as error:
            assert error.code == "warming" and "nothing is lost" in error.hint
            time.sleep(0.1)
    else:
        raise AssertionError("it is never ready")
    drafts.close()
    assert (trial.tests, trial.failed) == (2, ())


def test_a_draft_with_errors_or_too_long_is_not_run(drafts: Drafts) -> None:
    with pytest.raises(ContentError, match="errors"):
        drafts.run_tests("pack: x\n")
    for act in (drafts.check, drafts.run_tests):
        with pytest.raises(InputError, match=str(DRAFT_MAX)):
            act("# " + "长" * (DRAFT_MAX // 3))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "RL003"),
        ("pack: !!python/object/apply:os.system [id]\n", "RL004"),
        ("[" * 1000, "RL006"),
        ("pack: a\x00b\n", "RL001"),
        ("pack: [\n", "RL002"),
        ("", "RL102"),
        ("\ud800: 1\n", "RL001"),
    ],
)
def test_hostile_yaml_is_a_fault_without_a_path(drafts: Drafts, text: str, code: str) -> None:
    draft, faults = drafts.check(text)
    assert draft is None
    assert code in [fault["code"] for fault in faults], faults
    here = str(content_root("rules").parent)
    assert all("file" not in fault and here not in str(fault) for fault in faults)


def test_a_rule_says_its_tests_its_coverage_and_what_is_to_come(book: Rules) -> None:
    rule = book.rule("cn-lvtr-0501")
    assert rule["law"]["en"].startswith("PBOC Order") and rule["first"] == "2017-07-01"
    assert "several in one day reach the figure exactly" in [t["name"] for t in rule["tests"]]
    assert {"cn-lvtr-0501"} <= set(rule["coverage"][0]["rules"])
    days = [change["day"] for change in book.upcoming(date(2017, 1, 1), date.max)]
    assert days == sorted(days) and "2017-07-01" in days
    with pytest.raises(NotFoundError):
        book.rule("none")
    with pytest.raises(NotFoundError):
        book.source("none")


def test_a_file_that_changed_since_is_not_taken_for_what_is_in_use(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("rules")
    file = folder / f"{PACK}.yml"
    text = (content_root("rules") / "cn" / f"{PACK}.yml").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    book = Rules(chosen_packs((), folder))
    file.write_text(text.replace("50000", "50001"), encoding="utf-8")
    assert book.rule("cn-lvtr-0501")["tests"] is None
    with pytest.raises(ConflictError, match="no longer what is in use") as caught:
        book.source(PACK)
    assert str(folder) not in str(caught.value)
