"""Accounts, answers, quarantine and jobs in memory, beside a ``MemoryRecord``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from casework.cases.accounts import ApiKey, Session, User
from casework.cases.scope import Scope
from casework.ports import AccountsUnit, Answered, Job, JobState, Page, Quarantined, Unit
from casework.stores.common import (
    absent,
    reaches_unjudged,
    read_cursor,
    sees_job,
    settled_already,
    write_cursor,
)
from casework.stores.memory import MemoryRecord
from regtech.errors import ConflictError


class MemoryAccounts:
    """``casework.ports.Accounts`` in memory."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record
        self._users: dict[str, User] = {}
        self._keys: dict[str, ApiKey] = {}
        self._sessions: dict[str, Session] = {}

    @contextmanager
    def unit(self, scope: Scope) -> Iterator[AccountsUnit]:
        with self._record.unit(scope) as unit:
            kept = dict(self._users), dict(self._keys), dict(self._sessions)
            try:
                yield _AccountsUnit(unit, self._users, self._keys, self._sessions)
            except BaseException:
                self._users, self._keys, self._sessions = kept
                raise

    def user(self, scope: Scope, name: str) -> User | None:
        return self._users.get(name)

    def user_of_subject(self, scope: Scope, subject: str) -> User | None:
        found = [user for user in self._users.values() if subject and user.subject == subject]
        return found[0] if found else None

    def users(self, scope: Scope) -> tuple[User, ...]:
        return tuple(user for _, user in sorted(self._users.items()))

    def key(self, scope: Scope, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)

    def keys(self, scope: Scope, owner: str | None = None) -> tuple[ApiKey, ...]:
        found = (key for _, key in sorted(self._keys.items()))
        return tuple(key for key in found if owner is None or key.owner == owner)

    def session(self, scope: Scope, digest: str) -> Session | None:
        return self._sessions.get(digest)


class _AccountsUnit:
    def __init__(
        self,
        unit: Unit,
        users: dict[str, User],
        keys: dict[str, ApiKey],
        sessions: dict[str, Session],
    ) -> None:
        self.log = unit.log
        self._users, self._keys, self._sessions = users, keys, sessions

    def user(self, scope: Scope, name: str) -> User | None:
        return self._users.get(name)

    def put_user(self, scope: Scope, user: User) -> None:
        if any(u.subject == user.subject != "" for n, u in self._users.items() if n != user.name):
            raise ConflictError("another user has the same subject")
        self._users[user.name] = user

    def put_key(self, scope: Scope, key: ApiKey) -> None:
        self._keys[key.id] = key

    def put_session(self, scope: Scope, session: Session) -> None:
        self._sessions[session.digest] = session

    def drop_session(self, scope: Scope, digest: str) -> None:
        self._sessions.pop(digest, None)

    def drop_sessions(self, scope: Scope, user: str, before_us: int | None = None) -> None:
        for digest, session in list(self._sessions.items()):
            mine = not user or session.user == user
            if mine and (before_us is None or session.expires_us < before_us):
                del self._sessions[digest]


class MemoryAnswers:
    """``casework.ports.Answers`` in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], Answered] = {}

    def begin(self, scope: Scope, key: str, answered: Answered, stale_us: int) -> Answered | None:
        place = (scope.actor, key)
        with self._lock:
            known = self._answers.get(place)
            if known is not None and (known.status or known.made_us >= stale_us):
                return known
            self._answers[place] = answered
            return None

    def finish(self, scope: Scope, key: str, answered: Answered | None) -> None:
        place = (scope.actor, key)
        with self._lock:
            if answered is not None:
                self._answers[place] = answered
            elif place in self._answers and not self._answers[place].status:
                del self._answers[place]

    def forget(self, scope: Scope, before_us: int) -> int:
        with self._lock:
            old = [place for place, a in self._answers.items() if a.made_us < before_us]
            for place in old:
                del self._answers[place]
            return len(old)


class MemoryEventDesk:
    """``casework.ports.EventDesk`` in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[int, Quarantined] = {}
        self._jobs: dict[str, Job] = {}

    def quarantine(self, scope: Scope, events: Sequence[Quarantined]) -> tuple[int, ...]:
        numbers = []
        with self._lock:
            for event in events:
                known = [
                    n for n, e in self._events.items() if event.origin and e.origin == event.origin
                ]
                if known:
                    numbers.append(known[0])
                    continue
                number = len(self._events) + 1
                self._events[number] = replace(event, number=number)
                numbers.append(number)
        return tuple(numbers)

    def quarantined(
        self,
        scope: Scope,
        *,
        state: str | None = "open",
        code: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Quarantined]:
        first = 0 if after is None else read_cursor(after, (int,))[0]
        with self._lock:
            found = [
                event
                for number, event in self._events.items()
                if number > first
                and _reaches(scope, event)
                and state in (None, event.state)
                and code in (None, event.code)
            ]
        return _page(found, limit, lambda event: (event.number,))

    def quarantined_event(self, scope: Scope, number: int) -> Quarantined:
        with self._lock:
            event = self._events.get(number)
        if event is None or not _reaches(scope, event):
            raise absent("quarantined event", str(number))
        return event

    def settle_quarantined(self, scope: Scope, number: int, state: str) -> None:
        event = self.quarantined_event(scope, number)
        with self._lock:
            if self._events[number].state != "open":
                raise settled_already(number, self._events[number].state)
            self._events[number] = replace(event, state=state)

    def put_job(self, scope: Scope, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job

    def job(self, scope: Scope, job_id: str) -> Job:
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None or not sees_job(scope, job):
            raise absent("job", job_id)
        return job

    def jobs(self, scope: Scope, *, after: str | None = None, limit: int = 50) -> Page[Job]:
        place = None if after is None else read_cursor(after, (int, str))
        with self._lock:
            found = [job for job in self._jobs.values() if sees_job(scope, job)]
        found.sort(key=lambda job: (-job.made_us, job.id))
        if place is not None:
            found = [job for job in found if (-job.made_us, job.id) > place]
        return _page(found, limit, lambda job: (-job.made_us, job.id))

    def open_jobs(self, scope: Scope) -> tuple[Job, ...]:
        with self._lock:
            found = [
                job
                for job in self._jobs.values()
                if job.state in (JobState.WAITING, JobState.RUNNING)
            ]
        return tuple(sorted(found, key=lambda job: (job.made_us, job.id)))


def _reaches(scope: Scope, event: Quarantined) -> bool:
    if scope.tenants is None:
        return reaches_unjudged(scope)
    return event.tenant in scope.tenants


def _page(found: list[Any], limit: int, place: Callable[[Any], tuple[Any, ...]]) -> Page[Any]:
    items = tuple(found[:limit])
    more = len(found) > limit
    return Page(items, write_cursor(place(items[-1])) if more else None)
