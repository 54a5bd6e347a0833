"""What every store does in the same way: queries and cursors, timelines and their chains."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from casework.cases.alert import StoredAlert
from casework.cases.case import Case, Outcome
from casework.cases.errors import VersionConflictError
from casework.cases.importance import order_of
from casework.cases.proposals import Proposal, ProposalState, ProposalTexts
from casework.cases.scope import Scope
from casework.cases.timeline import Draft, Entry, apply, entry_of, seal
from casework.ports import CaseQuery, Job, JobState
from regtech.content.saying import listed, say
from regtech.errors import CapacityError, ConflictError, NotFoundError, StoreError, UsageError

DAY_US: Final = 86_400_000_000
HUB_CASES: Final = 200
"""A key that more cases have than this relates nothing to anything: everybody banks somewhere."""

_PLAIN: Final = ("assignee", "state")
_WHOLE_MAX: Final = (1 << 63) - 1
_DIGEST: Final = re.compile("[0-9a-f]{64}")
Salt = Callable[[], bytes]


def absent(what: str, identity: str) -> NotFoundError:
    """The one error for what is not there and for what is out of scope."""
    return NotFoundError(f"there is no {what} {identity}")


def effective(scope: Scope, query: CaseQuery) -> CaseQuery:
    """The query as far as the scope may ask it."""
    if not scope.restricted:
        return query
    return CaseQuery(
        open=query.open,
        jurisdiction=query.jurisdiction,
        theme=query.theme,
        tenant=query.tenant,
    )


def case_order(scope: Scope, case: Case) -> tuple[Any, ...]:
    """What cases are sorted by for a scope."""
    return (case.opened_us, case.id) if scope.restricted else order_of(case)


def write_cursor(place: Sequence[Any]) -> str:
    """A place in a list as opaque text."""
    text = json.dumps(list(place), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """The place. Raises ``UsageError`` for what ``write_cursor`` did not make for this list."""
    try:
        padded = text.encode() + b"=" * (-len(text) % 4)
        place = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    if (
        not isinstance(place, list)
        or len(place) != len(kinds)
        or not all(type(value) is kind for value, kind in zip(place, kinds, strict=True))
        or not all(map(_storable, place))
    ):
        raise UsageError("not a cursor of this list", hint="take `after` of the page before")
    return tuple(place)


def read_conflict_cursor(text: str) -> tuple[str, str]:
    """Alert and digest of a place in the list of conflicts. Raises as ``read_cursor``."""
    identity, digest = read_cursor(text, (str, str))
    if not _DIGEST.fullmatch(digest):
        raise UsageError("not a cursor of this list", hint="take `after` of the page before")
    return identity, digest


def _storable(value: int | str) -> bool:
    """Whether a store can be asked for it; of our own places each can."""
    if isinstance(value, int):
        return -_WHOLE_MAX <= value <= _WHOLE_MAX
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


CASE_PLACE: Final = (int, int, int, str)
RESTRICTED_PLACE: Final = (int, str)


def extend(
    case: Case | None, case_id: str, chain: str, drafts: Iterable[Draft], at_us: int, actor: str
) -> tuple[Case, list[Entry]]:
    """The case after the drafts, and the entries that are still to be sealed."""
    made = []
    sequence = 0 if case is None else case.version
    for draft in drafts:
        sequence += 1
        entry = entry_of(
            draft, case=case_id, sequence=sequence, at_us=at_us, actor=actor, chain=chain
        )
        case = apply(case, entry)
        made.append(entry)
    if case is None:
        raise UsageError("a case needs an entry")
    return case, made


def unchained(chain: str, draft: Draft, at_us: int, actor: str) -> Entry:
    """An entry about no case, still to be sealed."""
    return entry_of(draft, case="", sequence=0, at_us=at_us, actor=actor, chain=chain)


def chained(
    entries: Iterable[Entry], position: int, previous: bytes, salt: Salt
) -> tuple[list[Entry], int, bytes]:
    """The entries of one chain, sealed one after the other, and the new end of it."""
    sealed = []
    for entry in entries:
        position += 1
        made = seal(entry, position, previous, salt)
        previous = made.hash
        sealed.append(made)
    return sealed, position, previous


def _changed(name: str, entry: Entry) -> str:
    before, after = str(entry.before.get(name)), str(entry.after[name])
    if name == "state":
        return say(
            "%(field)s %(state)s → %(state_after)s", field=name, state=before, state_after=after
        )
    if name in _PLAIN:
        return say("%(field)s %(before)s → %(after)s", field=name, before=before, after=after)
    return say("%(field)s", field=name)


def version_conflict(case: Case, seen: int, since: Iterable[Entry]) -> VersionConflictError:
    """What was done since the version that somebody saw, entry by entry."""
    changes: list[str] = []
    for entry in since:
        # State and assignee are said with their values; those of other fields may be graded.
        said = [_changed(name, entry) for name in sorted(entry.after)]
        what: str = say("%(entry)s", entry=entry.kind.value)
        if said:
            what = say("%(entry)s (%(fields)s)", entry=entry.kind.value, fields=listed(said))
        changes.append(say("%(what)s by %(actor)s", what=what, actor=entry.actor))
    if seen > case.version:
        changes = [say("the version that was seen does not exist")]
    return VersionConflictError(case.id, seen, case.version, changes)


SEARCHES_MAX: Final = 200
"""Searches that one actor keeps."""
_SEARCH_NAME_MAX: Final = 100


def search_name(name: str) -> str:
    """The name of a search without blanks around it. Raises ``UsageError``."""
    name = name.strip()
    if not name or len(name) > _SEARCH_NAME_MAX or not name.isprintable():
        raise UsageError(f"a search is kept under a name of 1 to {_SEARCH_NAME_MAX} signs")
    return name


def too_many_searches() -> CapacityError:
    """One search more than is kept."""
    return CapacityError(f"{SEARCHES_MAX} searches are kept", hint="forget one that is not needed")


def outcomes_of(case: Case, alerts: Iterable[StoredAlert]) -> dict[tuple[str, str, str], Outcome]:
    """(rule, tenant, jurisdiction) to outcome, as an ended case says it.

    A rule that two persons overrode was unfounded, whatever became of the case. A merged case
    says nothing: its alerts count where they went.
    """
    if not case.ended or case.merged_into is not None:
        return {}
    found = {}
    for alert in alerts:
        outcome = Outcome.UNFOUNDED if alert.rule in case.overridden else case.outcome
        if outcome is not None:
            found[alert.rule, alert.tenant, alert.jurisdiction] = outcome
    return found


def job_data(job: Job) -> dict[str, Any]:
    """A job as plain data."""
    tenants = None if job.tenants is None else sorted(job.tenants)
    return {**asdict(job), "tenants": tenants, "state": job.state.value}


def job_of(data: Mapping[str, Any]) -> Job:
    """The inverse of ``job_data``."""
    tenants = data["tenants"]
    return Job(
        **{
            **data,
            "tenants": None if tenants is None else frozenset(tenants),
            "state": JobState(data["state"]),
        }
    )


def sees_job(scope: Scope, job: Job) -> bool:
    """One's own jobs; with a full view those of others too, as far as the tenants reach."""
    if job.actor == scope.actor:
        return True
    if scope.restricted or not reaches_unjudged(scope):
        return False
    return scope.tenants is None or (job.tenants is not None and job.tenants <= scope.tenants)


def reaches_unjudged(scope: Scope) -> bool:
    """Whether events that were not judged may be seen at all, as far as the tenants reach.

    Whose law an event comes under is not known before it is judged: who is there for some
    jurisdictions alone sees those of its own tenants, or none.
    """
    return scope.jurisdictions is None or scope.tenants is not None


def settled_already(number: int, state: str) -> ConflictError:
    """The error for a quarantined event that was dealt with before."""
    return ConflictError(f"the quarantined event {number} was {state} already")


def proposal_data(proposal: Proposal) -> dict[str, Any]:
    """A proposal as plain data."""
    return {**asdict(proposal), "state": proposal.state.value}


def proposal_of(data: Mapping[str, Any]) -> Proposal:
    """The inverse of ``proposal_data``."""
    return Proposal(**{**data, "state": ProposalState(data["state"])})


def whole_texts(proposal: Proposal, texts: ProposalTexts) -> ProposalTexts:
    """The texts, if the proposed one is what was proposed. Raises ``StoreError``."""
    if hashlib.sha256(texts.proposed.encode()).hexdigest() != proposal.sha256:
        raise StoreError(f"the text of {proposal.id} is damaged")
    return texts
