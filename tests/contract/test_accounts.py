"""Accounts, answers, quarantine and jobs: every store keeps them in the same way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from casework.cases.accounts import ApiKey, Permission, Session, User, account_data, account_of
from casework.cases.scope import Role
from casework.cases.timeline import Draft, EntryKind
from casework.ports import (
    Accounts,
    Answered,
    Answers,
    EventDesk,
    Job,
    JobState,
    Quarantined,
    Record,
)
from casework.stores.memory import MemoryRecord
from casework.stores.memory_service import MemoryAccounts, MemoryAnswers, MemoryEventDesk
from casework.stores.sql.accounts import SqlAccounts
from casework.stores.sql.desk import SqlAnswers, SqlEventDesk
from casework.stores.sql.record import SqlRecord
from regtech.errors import ConflictError, NotFoundError, UsageError
from tests.contract.world import SERVICE, START_US, scope

USER = User("wang", frozenset({Role.SUPERVISOR, Role.AUDITOR}), frozenset({"CN"}), None, START_US)
KEY = ApiKey(
    "k1", "wang", "laptop", "ab" * 32, frozenset({Permission.READ}), None, frozenset({"CN"}),
    None, START_US, START_US + 10,
)  # fmt: skip
SESSION = Session("cd" * 32, "wang", "token", START_US, START_US, START_US + 100, True)
BANK = scope("bank", Role.INSTITUTION, tenants={"BANK-A"})


@dataclass
class Kept:
    """What is kept beside a record."""

    record: Record
    accounts: Accounts
    answers: Answers
    desk: EventDesk


@pytest.fixture
def kept(record: Record) -> Kept:
    """The same for each kind of store."""
    if isinstance(record, MemoryRecord):
        return Kept(record, MemoryAccounts(record), MemoryAnswers(), MemoryEventDesk())
    assert isinstance(record, SqlRecord)
    return Kept(record, SqlAccounts(record), SqlAnswers(record), SqlEventDesk(record))


@pytest.mark.parametrize("account", [USER, KEY, SESSION], ids=["user", "key", "session"])
def test_data_and_back(account: Any) -> None:
    assert account_of(type(account), account_data(account)) == account


def test_accounts_are_kept_with_their_log(kept: Kept) -> None:
    with kept.accounts.unit(SERVICE) as unit:
        assert unit.user(SERVICE, "wang") is None
        unit.put_user(SERVICE, USER)
        unit.put_key(SERVICE, KEY)
        unit.put_session(SERVICE, SESSION)
        unit.log(SERVICE, "", Draft(EntryKind.NOTED, detail={"act": "made"}))
        assert unit.user(SERVICE, "wang") == USER
    assert kept.accounts.user(SERVICE, "wang") == USER
    assert kept.accounts.users(SERVICE) == (USER,)
    assert kept.accounts.key(SERVICE, "k1") == KEY
    assert kept.accounts.keys(SERVICE, "wang") == kept.accounts.keys(SERVICE) == (KEY,)
    assert kept.accounts.keys(SERVICE, "li") == ()
    assert kept.accounts.session(SERVICE, SESSION.digest) == SESSION
    assert kept.accounts.key(SERVICE, "k2") is None
    assert kept.accounts.session(SERVICE, "x") is None
    (entry,) = kept.record.log(SERVICE, "")
    assert entry.detail == {"act": "made"}


def test_a_unit_that_fails_leaves_nothing(kept: Kept) -> None:
    with kept.accounts.unit(SERVICE) as unit:
        unit.put_user(SERVICE, USER)
    with pytest.raises(RuntimeError), kept.accounts.unit(SERVICE) as unit:
        unit.put_user(SERVICE, replace(USER, disabled=True))
        unit.put_user(SERVICE, replace(USER, name="li"))
        unit.put_session(SERVICE, SESSION)
        unit.log(SERVICE, "", Draft(EntryKind.NOTED))
        raise RuntimeError
    assert kept.accounts.users(SERVICE) == (USER,)
    assert kept.accounts.session(SERVICE, SESSION.digest) is None
    assert kept.record.log(SERVICE, "") == ()


def test_sessions_end_one_by_one_by_user_and_by_time(kept: Kept) -> None:
    other = replace(SESSION, digest="ef" * 32, user="li", expires_us=START_US + 50)
    third = replace(SESSION, digest="01" * 32)
    with kept.accounts.unit(SERVICE) as unit:
        for session in (SESSION, other, third):
            unit.put_session(SERVICE, session)
        unit.drop_session(SERVICE, third.digest)
        unit.drop_session(SERVICE, "unknown")

    def there() -> list[bool]:
        found = (kept.accounts.session(SERVICE, s.digest) for s in (SESSION, other, third))
        return [session is not None for session in found]

    assert there() == [True, True, False]
    with kept.accounts.unit(SERVICE) as unit:
        unit.drop_sessions(SERVICE, "", START_US + 60)
    assert there() == [True, False, False]
    with kept.accounts.unit(SERVICE) as unit:
        unit.drop_sessions(SERVICE, "wang")
    assert there() == [False, False, False]


def test_a_subject_belongs_to_one_user(kept: Kept) -> None:
    with kept.accounts.unit(SERVICE) as unit:
        unit.put_user(SERVICE, replace(USER, subject="https://id|1"))
        unit.put_user(SERVICE, replace(USER, name="li"))
        unit.put_user(SERVICE, replace(USER, name="zhao"))
    found = kept.accounts.user_of_subject(SERVICE, "https://id|1")
    assert found is not None and found.name == "wang"
    assert kept.accounts.user_of_subject(SERVICE, "") is None
    with pytest.raises(ConflictError), kept.accounts.unit(SERVICE) as unit:
        unit.put_user(SERVICE, replace(USER, name="li", subject="https://id|1"))


def test_an_answer_is_reserved_kept_and_forgotten(kept: Kept) -> None:
    begun = Answered("digest", START_US)
    done = Answered("digest", START_US, 200, {"etag": '"2"'}, b"\x00body")
    wang, li = scope("wang"), scope("li")
    assert kept.answers.begin(wang, "k", begun, START_US - 1) is None
    assert kept.answers.begin(wang, "k", replace(begun, request="x"), START_US - 1) == begun
    assert kept.answers.begin(li, "k", begun, START_US - 1) is None
    kept.answers.finish(wang, "k", done)
    assert kept.answers.begin(wang, "k", begun, START_US - 1) == done
    # Neither age nor letting go takes an answer away that was given.
    kept.answers.finish(wang, "k", None)
    assert kept.answers.begin(wang, "k", begun, START_US + 10) == done
    kept.answers.finish(li, "k", None)
    assert kept.answers.begin(li, "k", begun, START_US - 1) is None
    # What a crash left is taken over.
    assert kept.answers.begin(li, "k", replace(begun, made_us=START_US + 5), START_US + 1) is None
    assert kept.answers.forget(SERVICE, START_US + 1) == 1
    assert kept.answers.begin(wang, "k", begun, START_US - 1) is None


def _event(number: int = 0, **change: Any) -> Quarantined:
    made = Quarantined(
        number, "BANK-A", START_US, "api", 7, "amount", "bad_number", '"x"', "a number", b"\xff{}"
    )
    return replace(made, **change)


def test_quarantined_events_come_in_pages_of_their_tenants(kept: Kept) -> None:
    numbers = kept.desk.quarantine(
        SERVICE, [_event(), _event(tenant="BANK-B"), _event(code="late"), _event()]
    )
    assert list(numbers) == sorted(numbers)
    first, strange, late, last = numbers
    assert kept.desk.quarantined_event(SERVICE, first) == _event(first)
    page = kept.desk.quarantined(BANK, limit=2)
    assert [event.number for event in page.items] == [first, late]
    rest = kept.desk.quarantined(BANK, after=page.after)
    assert ([event.number for event in rest.items], rest.after) == ([last], None)
    assert [e.number for e in kept.desk.quarantined(SERVICE, code="late").items] == [late]
    with pytest.raises(NotFoundError, match=f"no quarantined event {strange}"):
        kept.desk.quarantined_event(BANK, strange)
    with pytest.raises(NotFoundError, match="no quarantined event 999"):
        kept.desk.quarantined_event(BANK, 999)
    with pytest.raises(UsageError):
        kept.desk.quarantined(BANK, after="x")
    partial = scope("hk", jurisdictions={"HK"})
    assert kept.desk.quarantined(partial).items == ()


def test_a_quarantined_event_is_settled_once(kept: Kept) -> None:
    (number,) = kept.desk.quarantine(SERVICE, [_event()])
    with pytest.raises(NotFoundError):
        kept.desk.settle_quarantined(
            scope("other", Role.INSTITUTION, tenants={"BANK-B"}), number, "retried"
        )
    kept.desk.settle_quarantined(BANK, number, "retried")
    with pytest.raises(ConflictError, match="retried already"):
        kept.desk.settle_quarantined(BANK, number, "retried")
    assert kept.desk.quarantined(BANK).items == ()
    assert len(kept.desk.quarantined(BANK, state=None).items) == 1


def test_what_comes_from_the_same_place_again_is_kept_once(kept: Kept) -> None:
    first = kept.desk.quarantine(SERVICE, [_event(origin="J-1:7"), _event(origin="J-1:8")])
    again = kept.desk.quarantine(SERVICE, [_event(origin="J-1:8"), _event(origin="J-1:9")])
    assert again[0] == first[1]
    assert len(kept.desk.quarantined(SERVICE).items) == 3


def _job(number: int, **change: Any) -> Job:
    made = Job(f"J-{number}", "bank", frozenset({"BANK-A"}), "ab" * 32, 10, START_US + number, 0)
    return replace(made, **change)


def test_jobs_are_their_senders(kept: Kept) -> None:
    jobs = [_job(1), _job(2, actor="feed", tenants=None), _job(3, state=JobState.DONE)]
    for job in jobs:
        kept.desk.put_job(SERVICE, job)
    kept.desk.put_job(SERVICE, _job(1, state=JobState.RUNNING, at=5, counts={"judged": 2}))
    assert kept.desk.job(BANK, "J-1").counts == {"judged": 2}
    assert [job.id for job in kept.desk.jobs(BANK).items] == ["J-3", "J-1"]
    page = kept.desk.jobs(SERVICE, limit=2)
    assert [job.id for job in page.items] == ["J-3", "J-2"]
    assert [job.id for job in kept.desk.jobs(SERVICE, after=page.after).items] == ["J-1"]
    assert [job.id for job in kept.desk.open_jobs(SERVICE)] == ["J-1", "J-2"]
    for strange in ("J-2", "J-9"):
        with pytest.raises(NotFoundError, match=f"there is no job {strange}"):
            kept.desk.job(BANK, strange)
    auditor = scope("audit", Role.AUDITOR, tenants={"BANK-B"})
    assert kept.desk.jobs(auditor).items == ()
