"""Bundles of evidence from the record: what a case rests on, in one file that proves itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from casework.cases.alert import StoredAlert
from casework.cases.case import Case
from casework.cases.chain import canonical
from casework.cases.commitments import Opening, commit
from casework.cases.grades import Grade, grade_of
from casework.cases.lifecycle import Action, allow
from casework.cases.scope import Scope, service_scope
from casework.cases.timeline import Entry, EntryKind
from casework.evidence.bundle import Chain, Reveal, Rule, build_bundle, show_all, show_none
from casework.evidence.bundle import Entry as Proved
from casework.evidence.checkpoints import Checkpoint, checkpoint_of, sign_checkpoint
from casework.evidence.keys import KeyRing
from casework.evidence.merkle import Frontier
from casework.service.decide import Deciding
from regtech.content.saying import say
from regtech.errors import StoreError

RulesOf = Callable[[Sequence[StoredAlert]], Sequence[Rule]]
"""The rules that judged alerts, with their text, as far as they are still there."""

EventsOf = Callable[[Sequence[StoredAlert]], Mapping[str, Mapping[str, object]]]
"""The events that alerts name, by their ids, as far as they can be found."""

_PAGE: Final = 5000
_OF_CASE: Final = frozenset({"key", "closing_reason", "files", "requests"})
_SIGNER: Final = service_scope("checkpoints")


class Exporting(Deciding):
    """Checkpoints over a tenant's log, and the bundle of a case."""

    def checkpoint(self, scope: Scope, chain: str, keys: KeyRing) -> tuple[Checkpoint, ...]:
        """All checkpoints of a log, after a new one where entries came since the last.

        Raises ``StoreError`` where the log was cut off.
        """
        before = [checkpoint_of(body) for body in self.record.checkpoints(_SIGNER, chain)]
        last = before[-1] if before else None
        frontier, head = Frontier(), b""
        for entry in self._log(chain):
            frontier.extend([entry.hash])
            head = entry.hash
        if last is not None and frontier.size == last.size and head.hex() == last.head:
            return tuple(before)
        made = sign_checkpoint(keys.active, chain, frontier, head, last, self.clock.now_us())
        self.record.add_checkpoint(_SIGNER, chain, made.size, made.as_dict())
        return (*before, made)

    def bundle(
        self,
        scope: Scope,
        case_id: str,
        *,
        keys: KeyRing,
        rules_of: RulesOf,
        salt: Callable[[], bytes],
        personal: bool,
        number: int = 0,
        events_of: EventsOf = lambda alerts: {},
    ) -> bytes:
        """The evidence of a case, put on record before it is handed out.

        With ``personal`` graded values are shown, as far as they are of the scope's institutions,
        which takes the ``number`` of an approved request; without, they are proved and not shown.

        Raises ``FourEyesError``, ``NotFoundError``, and ``StoreError`` where an alert is not the
        one that came.
        """
        allow(scope, Action.READ)
        case = self.record.case(scope, case_id)
        alerts = self._alerts_of(scope, case)
        committed = {alert.id: commit(alert.body(), _graded, salt) for alert in alerts}
        rules = rules_of(alerts)
        events = {name: commit(body, _graded, salt) for name, body in events_of(alerts).items()}
        documents = {f"alerts/{name}": _digest(each.content) for name, each in committed.items()}
        documents |= {f"events/{name}": _digest(each.content) for name, each in events.items()}
        documents |= {f"rules/{rule.id}": _digest(rule.as_dict()) for rule in rules}
        after = self.exported(
            scope,
            case_id,
            what="evidence",
            personal=personal,
            number=number,
            documents=documents,
        )
        checkpoints = self.checkpoint(scope, after.chain, keys)
        timeline = self.record.timeline(scope, case_id, limit=after.version)
        return build_bundle(
            case_id=case_id,
            case=commit(after.as_dict(), _graded_of_case, salt),
            timeline=[_proved(entry) for entry in timeline],
            alerts=committed,
            events=events,
            rules=rules,
            chain=Chain(after.chain, (e.hash for e in self._log(after.chain)), checkpoints),
            keys=keys,
            reveal=_revealed_to(scope) if personal else show_none,
            now_us=self.clock.now_us(),
        )

    def _log(self, chain: str) -> Iterator[Entry]:
        position = 0
        while entries := self.record.log(_SIGNER, chain, after=position, limit=_PAGE):
            yield from entries
            position = entries[-1].position

    def _alerts_of(self, scope: Scope, case: Case) -> list[StoredAlert]:
        """All alerts of a case, each held against the digest that the timeline has of it."""
        known = _digests(self.record.timeline(scope, case.id, limit=case.version))
        found: list[StoredAlert] = []
        after = None
        while True:
            page = self.record.case_alerts(scope, case.id, after=after, limit=_PAGE)
            found += page.items
            after = page.after
            if after is None:
                break
        for alert in found:
            if StoredAlert.of(alert.raw, alert.tenant).digest != known.get(alert.id):
                raise StoreError(
                    say(
                        "the alert %(alert)s is not the one that came to %(case)s",
                        alert=alert.id,
                        case=case.id,
                    ),
                    hint=say("find out who changed the store; do not export from it"),
                    code="alert_changed",
                )
        return found


def _revealed_to(scope: Scope) -> Reveal:
    """What is shown with personal data: as on every other way, an alert's own part alone to who is
    there for some institutions (``disclosure.own_part``). The rest stays proved.
    """
    return show_all if scope.tenants is None else _own_part


def _own_part(part: str, pointer: str) -> bool:
    of_others = pointer.startswith("/findings/") or pointer == "/subject/group"
    return not (part.startswith("documents/alerts/") and of_others)


def _digests(timeline: Sequence[Entry]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for entry in timeline:
        if entry.kind in (EntryKind.OPENED, EntryKind.ALERTS_ADDED, EntryKind.TAKEN_OVER):
            found.update({alert_id: digest for alert_id, digest in entry.detail.get("alerts", ())})
    return found


def _digest(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _path(pointer: str) -> str:
    """A JSON pointer as a dotted path of names; places in lists are left out."""
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return ".".join(step for step in steps if not step.isdigit())


def _graded(pointer: str) -> bool:
    return grade_of(_path(pointer)) > Grade.OPEN


def _graded_of_case(pointer: str) -> bool:
    return pointer[1:] in _OF_CASE or _graded(pointer)


def _proved(entry: Entry) -> Proved:
    openings = tuple(
        Opening("/" + place.replace(".", "/"), bytes.fromhex(salt), entry.graded(place))
        for place, salt in entry.salts.items()
    )
    return Proved(entry.position, entry.previous, entry.content(), openings)
