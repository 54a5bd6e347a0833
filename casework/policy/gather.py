"""Loads the closed set of alerts that a change can matter to, so that planning it is exact.

From the alerts that are new, every policy that one is a candidate of brings in the other candidates
with the same key within its reach, these bring in others, and so on until nothing is new. Alerts of
two such sets never meet in a case, so that each set can be planned alone: the plan of the whole
record is the plans of its sets together. A closing ends the reach of ``merge`` (no case goes across
it), which keeps old, closed history out of the sets.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from casework.cases.directive import CaseKey, Plan
from casework.cases.facts import AlertFacts
from casework.policy.model import Brake, OpenCase, Policy
from casework.policy.planner import Planner, Question, Stretch, Verdict, case_key, stretch_of
from casework.policy.reader import AlertReader
from casework.ports import Reach

_Scope = tuple[int, tuple[str, ...]]
"""A policy by its index and the values of its key."""


def decide(
    planner: Planner, reader: AlertReader, touched: Iterable[AlertFacts], as_of: int
) -> Plan:
    """The plan of everything that the touched alerts can change, as of an instant.

    ``touched``: alerts that are new or changed (the old form before the new one), that a wake
    names, or whose case was closed. ``as_of``: microseconds since 1970; until when alerts are known
    to be complete. The plan replaces what was decided for its ``scope`` before.
    """
    return planner.plan(_Gathering(planner, reader).question(list(touched), as_of))


class _Gathering:
    def __init__(self, planner: Planner, reader: AlertReader) -> None:
        self.planner = planner
        self.reader = reader
        self.policies = planner.policies.policies
        self.known: dict[str, AlertFacts] = {}
        self.asked: dict[_Scope, list[tuple[int, int]]] = defaultdict(list)
        self.closings: dict[CaseKey, Sequence[int]] = {}
        self.verdicts: dict[Stretch, Verdict] = {}
        self._masks: dict[str, tuple[AlertFacts, int]] = {}
        self._scopes_of: dict[str, tuple[AlertFacts, tuple[_Scope, ...]]] = {}
        self._brakes = [
            (index, policy, policy.action)
            for index, policy in enumerate(self.policies)
            if isinstance(policy.action, Brake)
        ]
        self._made: dict[tuple[object, ...], Stretch | None] = {}

    def _mask(self, facts: AlertFacts) -> int:
        """Policies that the alert is a candidate of, asked once of each form of it."""
        known = self._masks.get(facts.id)
        if known is None or known[0] is not facts:
            known = self._masks[facts.id] = facts, self.planner.policies.candidates(facts)
        return known[1]

    def question(self, touched: list[AlertFacts], as_of: int) -> Question:
        ready = [self.planner.ready(facts) for facts in touched]
        # The old form of a changed alert links to others, but only its last form is there.
        self.known.update({facts.id: facts for facts in ready})
        layer = [*ready, *self._braked_anew(ready)]
        while layer:
            layer = self._linked(layer)
            self.known.update({facts.id: facts for facts in layer})
        self._judge_brakes(self.known.values())
        masks = {facts.id: self._mask(facts) for facts in self.known.values()}
        return Question(tuple(self.known.values()), as_of, self.closings, self.verdicts, masks)

    # --- links --------------------------------------------------------------------------------

    def _linked(self, layer: list[AlertFacts]) -> list[AlertFacts]:
        """Alerts that a policy could bring together with one of the layer, not asked for before."""
        scopes = self._scopes(layer)
        self._load_closings(scopes)
        wanted: dict[_Scope, list[tuple[int, int]]] = {}
        reaches: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for (index, key), times in scopes.items():
            policy = self.policies[index]
            spans = _merged([self._span(policy, key, at) for at in times])
            fresh = [span for span in spans if not _covered(self.asked[index, key], span)]
            if not fresh:
                continue
            wanted[index, key] = fresh
            self.asked[index, key] = _merged([*self.asked[index, key], *fresh])
            main = policy.main
            assert main is not None
            reaches[main, key[0]] += fresh
        requests = [
            Reach(kind, value, since, until)
            for (kind, value), spans in sorted(reaches.items())
            for since, until in _merged(spans)
        ]
        if not requests:
            return []
        found = []
        seen: set[str] = set()
        for facts in self.reader.alerts_of(requests):
            if facts.id in self.known or facts.id in seen:
                continue
            seen.add(facts.id)
            facts = self.planner.ready(facts)
            for index, key in self._keys(facts):
                if _covered(wanted.get((index, key), []), (facts.time, facts.time)):
                    found.append(facts)
                    break
        return found

    def _scopes(self, alerts: list[AlertFacts]) -> dict[_Scope, list[int]]:
        found: dict[_Scope, list[int]] = defaultdict(list)
        for facts in alerts:
            for scope in self._keys(facts):
                found[scope].append(facts.time)
        return found

    def _keys(self, facts: AlertFacts) -> tuple[_Scope, ...]:
        known = self._scopes_of.get(facts.id)
        if known is not None and known[0] is facts:
            return known[1]
        mask = self._mask(facts)
        found = []
        for index, policy in enumerate(self.policies):
            if mask >> index & 1 and policy.same and not isinstance(policy.action, Brake):
                key = policy.key_of(facts)
                if key is not None:
                    found.append((index, key))
        made = tuple(found)
        self._scopes_of[facts.id] = facts, made
        return made

    def _span(self, policy: Policy, key: tuple[str, ...], at: int) -> tuple[int, int]:
        """From when to when alerts can have to do with one at this time."""
        reach = policy.reach
        if not isinstance(policy.action, OpenCase):
            return at - reach, at + reach
        cuts = self.closings.get(case_key(policy, key), ())
        # A join may reach across a closing, and its members then belong to the later side: only
        # where nothing can be joined across does a closing end the reach.
        where = bisect_left(cuts, at)
        before = cuts[where - 1] + 1 if where else at - reach
        after = cuts[where] if where < len(cuts) else at + reach
        within = 2 * policy.within
        low = max(at - reach, min(before, at - within))
        high = min(at + reach, max(after, at + within))
        return low, high

    def _load_closings(self, scopes: Iterable[_Scope]) -> None:
        keys = {
            case_key(self.policies[index], key)
            for index, key in scopes
            if isinstance(self.policies[index].action, OpenCase)
        }
        missing = [key for key in sorted(keys, key=repr) if key not in self.closings]
        if missing:
            found = self.reader.closings(missing)
            self.closings.update({key: tuple(found.get(key, ())) for key in missing})

    # --- brakes -------------------------------------------------------------------------------

    def _stretches(self, alerts: Iterable[AlertFacts]) -> dict[Stretch, tuple[Brake, AlertFacts]]:
        found: dict[Stretch, tuple[Brake, AlertFacts]] = {}
        if not self._brakes:
            return found
        for facts in alerts:
            mask = self._mask(facts)
            for index, policy, brake in self._brakes:
                if not mask >> index & 1:
                    continue
                # A brake's key is the rule, perhaps with the institution.
                of = (index, facts.rule, facts.institution, facts.time // brake.over)
                if of not in self._made:
                    self._made[of] = stretch_of(policy, brake, facts)
                stretch = self._made[of]
                if stretch is not None and stretch not in found:
                    found[stretch] = (brake, facts)
        return found

    def _judge_brakes(self, alerts: Iterable[AlertFacts]) -> None:
        for stretch, (brake, facts) in self._stretches(alerts).items():
            if stretch not in self.verdicts:
                self.verdicts[stretch] = self._verdict(stretch, brake, facts, ())

    def _braked_anew(self, touched: list[AlertFacts]) -> list[AlertFacts]:
        """All alerts of the stretches whose verdict the touched alerts turn."""
        ids = frozenset(facts.id for facts in touched)
        reaches = []
        turned = set()
        for stretch, (brake, facts) in self._stretches(touched).items():
            now = self._verdict(stretch, brake, facts, ())
            self.verdicts[stretch] = now
            if now.braked != self._verdict(stretch, brake, facts, ids).braked:
                end = stretch.start + brake.over - 1
                reaches.append(Reach("rule", facts.rule, stretch.start, end))
                turned.add(stretch)
        if not reaches:
            return []
        found = {}
        for facts in self.reader.alerts_of(reaches):
            ready = self.planner.ready(facts)
            if ready.id not in self.known and turned & self._stretches([ready]).keys():
                found[ready.id] = ready
        self.known.update(found)
        return list(found.values())

    def _verdict(
        self, stretch: Stretch, brake: Brake, facts: AlertFacts, without: Iterable[str]
    ) -> Verdict:
        policy = next(p for p in self.policies if p.id == stretch.policy)
        institution = facts.institution if "institution" in policy.same else None
        since, until = stretch.start, stretch.start + brake.over
        watched = self.reader.subjects_watched(facts.rule, institution, since, until)
        if watched is None:
            return Verdict(False, 0, None)
        alerted = self.reader.subjects_alerted(
            facts.rule, institution, since, until, frozenset(without)
        )
        braked = alerted >= brake.at_least and alerted * 10_000 > brake.above * watched
        return Verdict(braked, alerted, watched)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans as few that do not overlap, in order."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _covered(spans: Sequence[tuple[int, int]], span: tuple[int, int]) -> bool:
    """Whether one of the ordered, separate spans holds the whole span."""
    where = bisect_left(spans, (span[0] + 1, span[0]))
    return where > 0 and spans[where - 1][1] >= span[1]


def plan_all(
    planner: Planner, reader: AlertReader, alerts: Iterable[AlertFacts], as_of: int
) -> Plan:
    """The plan of a whole record at once: of every alert that there is."""
    return decide(planner, reader, alerts, as_of)
