"""Loads what a change can matter to, so that planning it is exact, and no more.

Policies choose in their order, so that what a policy takes depends on the policies before it, never
on those behind. A change therefore spreads in two passes over the policies:

* *forward*: what a new alert touches in the first policy (the candidates with the same key within
  reach, those within reach of these, and so on) may be taken or left by it otherwise than before,
  which touches other alerts in the next policy, and so on. All of it is decided anew: the scope.
* *backward*: to decide an alert in the last policy one has to know what the policies before take,
  of the alert itself and of those that it could meet there. These are loaded too, as surroundings,
  from the last policy to the first; what is decided of them elsewhere is left as it is.

Neither pass turns back, so that a set stays small although all of a record hangs together somehow.
A closing ends the reach of ``merge`` (no case goes across it), which keeps closed history out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from casework.cases.directive import CaseDirective, CaseKey, Plan
from casework.cases.facts import AlertFacts
from casework.policy.counts import RuleStretch
from casework.policy.model import Brake, OpenCase, Policy
from casework.policy.planner import Planner, Question, Stretch, case_key, stretch_of
from casework.policy.reader import AlertReader
from casework.policy.standing import Standing, StandingCases
from casework.policy.wording import Verdict
from casework.ports import Reach
from regtech.collector import collector_paused

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
    with collector_paused():
        gathering = _Gathering(planner, reader)
        ready = gathering.made_ready(touched)
        return planner.plan(gathering.question([*ready, *gathering.braked_anew(ready)], as_of))


@dataclass(frozen=True, slots=True)
class Joined:
    """Alerts that simply join a case: what is said of it now, its ``alerts`` those that join."""

    standing: Standing
    directive: CaseDirective


@dataclass(frozen=True, slots=True)
class Decided:
    """New alerts decided: what joined cases, and the plan of the rest, as if they came later."""

    joined: tuple[Joined, ...]
    plan: Plan


def decide_new(
    planner: Planner,
    reader: AlertReader,
    fresh: Iterable[AlertFacts],
    as_of: int,
    standing: StandingCases,
) -> Decided:
    """As ``decide``, of alerts that are all new, where cases are known that they may simply join.

    What joins is to be applied before the plan.
    """
    with collector_paused():
        gathering = _Gathering(planner, reader)
        ready = gathering.made_ready(fresh)
        anew = gathering.braked_anew(ready)
        joined, rest = gathering.joined(ready, standing)
        plan = planner.plan(gathering.question([*rest, *anew], as_of))
        unknown = tuple(sorted({*plan.unknown, *gathering.cannot_tell}))
        return Decided(tuple(joined), replace(plan, unknown=unknown))


class _Gathering:
    def __init__(self, planner: Planner, reader: AlertReader) -> None:
        self.planner = planner
        self.reader = reader
        self.policies = planner.policies.policies
        self.linking = [
            (index, policy)
            for index, policy in enumerate(self.policies)
            if policy.same and not isinstance(policy.action, Brake)
        ]
        self.keyed = [(1 << index, index, policy.keys) for index, policy in self.linking]
        self.keys: dict[str, tuple[dict[int, tuple[str, ...]], AlertFacts]] = {}
        self.waiting: dict[int, list[tuple[str, tuple[str, ...], int]]] = defaultdict(list)
        """For each policy the alerts that are still to be followed: id, key and time."""
        self.known: dict[str, AlertFacts] = {}
        self.followed: dict[int, set[str]] = defaultdict(set)
        self.held: dict[_Scope, dict[str, AlertFacts]] = defaultdict(dict)
        self.asked: dict[_Scope, list[tuple[int, int]]] = defaultdict(list)
        self.closings: dict[CaseKey, Sequence[int]] = {}
        self.verdicts: dict[Stretch, Verdict] = {}
        self.brakes = [
            (index, policy, policy.action)
            for index, policy in enumerate(self.policies)
            if isinstance(policy.action, Brake)
        ]
        self.by_institution = {
            policy.id for _, policy, _ in self.brakes if "institution" in policy.same
        }
        self.made: dict[tuple[object, ...], Stretch | None] = {}
        self.watched: dict[Stretch, int | None] = {}
        """Of how many subjects, or events, the alerts of stretches are; None: nobody knows."""
        self.at_most: dict[Stretch, int] = {}
        """How many alerts stretches have: their subjects are not more."""
        self.cannot_tell: set[str] = set()
        """Rules that a brake could not judge, of alerts that joined a case."""
        self.asked_for: set[tuple[object, ...]] = set()

    def made_ready(self, touched: Iterable[AlertFacts]) -> list[AlertFacts]:
        """The touched alerts as planning reads them."""
        ready = [self.planner.ready(facts) for facts in touched]
        self.known.update({facts.id: facts for facts in ready})
        return ready

    def joined(
        self, fresh: Sequence[AlertFacts], standing: StandingCases
    ) -> tuple[list[Joined], list[AlertFacts]]:
        """Of new alerts those that join a case that stands, case by case, and the rest.

        Brakes were judged before, over all of them.
        """
        found: dict[CaseKey, tuple[Policy, list[AlertFacts]]] = {}
        rest: list[AlertFacts] = []
        some_brake = any(verdict.braked for verdict in self.verdicts.values())
        for facts in fresh:
            braked = some_brake and any(v.braked for v in self._verdicts_of(facts))
            taken = None if braked else self.planner.alone.taker(facts)
            if taken is None:
                rest.append(facts)
                continue
            policy = self.policies[taken[0]]
            found.setdefault(case_key(policy, taken[1]), (policy, []))[1].append(facts)
        known = standing.holding(found)
        closed = self.reader.closings(known)
        joined: list[Joined] = []
        for key, (policy, alerts) in found.items():
            alerts.sort(key=_order)
            case = None if closed.get(key) else known.get(key)
            said = None if case is None else case.joined(policy, alerts, self.planner.clocks)
            if case is None or said is None:
                rest += alerts
            else:
                joined.append(Joined(case, said))
                self._note_unknown(alerts)
        return joined, rest

    def _verdicts_of(self, facts: AlertFacts) -> list[Verdict]:
        """What the brakes say that may hold an alert back."""
        return [self.verdicts[stretch] for stretch in self._stretches([facts])]

    def _note_unknown(self, alerts: Iterable[AlertFacts]) -> None:
        for facts in alerts:
            of = (facts.rule, facts.institution, facts.candidate_of)
            if of not in self.asked_for:
                self.asked_for.add(of)
                if any(verdict.watched is None for verdict in self._verdicts_of(facts)):
                    self.cannot_tell.add(facts.rule)

    def question(self, first: list[AlertFacts], as_of: int) -> Question:
        """All that has to be known to decide the alerts, and what they change."""
        scope = {facts.id: facts for facts in first}
        # The old form of a changed alert links to others, but only its last form is there.
        self._follow(first)
        for index, _ in self.linking:
            self._spread(index, scope)
        needed = dict(scope)
        for index, _ in reversed(self.linking):
            self._spread(index, needed)
        self._judge_brakes(needed.values())
        return Question(
            tuple(needed.values()), as_of, self.closings, self.verdicts, frozenset(scope)
        )

    # --- links --------------------------------------------------------------------------------

    def _follow(self, alerts: Iterable[AlertFacts]) -> None:
        """Note alerts with each policy that could bring them together with others."""
        for facts in alerts:
            for index, key in self._keys(facts).items():
                self.waiting[index].append((facts.id, key, facts.time))

    def _spread(self, index: int, reached: dict[str, AlertFacts]) -> None:
        """Adds all that a policy could bring together with what was reached."""
        found = [facts for facts in self._together(index) if facts.id not in reached]
        reached.update({facts.id: facts for facts in found})
        self._follow(found)

    def _together(self, index: int) -> list[AlertFacts]:
        """All that a policy could bring together with the alerts that wait for it, through however
        many others.

        Alerts that were followed before are passed over: what they lead to was given then.
        """
        spans: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        times: dict[tuple[str, ...], set[int]] = defaultdict(set)
        followed = self.followed[index]
        for alert, key, at in self.waiting.pop(index, ()):
            if alert not in followed:
                times[key].add(at)
        self._load_closings(index, times)
        policy = self.policies[index]
        done: set[str] = set()
        found: list[AlertFacts] = []
        while times:
            for key, some in times.items():
                spans[key] = _merged([*spans[key], *self._spans(policy, key, some)])
            self._load(index, {key: spans[key] for key in times})
            layer = times
            times = defaultdict(set)
            for key in layer:
                for facts in self.held[index, key].values():
                    at = facts.time
                    if facts.id not in done and _covered(spans[key], (at, at)):
                        done.add(facts.id)
                        found.append(facts)
                        times[key].add(at)
        followed |= done
        return found

    def _load(self, index: int, wanted: Mapping[tuple[str, ...], list[tuple[int, int]]]) -> None:
        """Sees to it that the candidates of the policy in the spans of its keys are held."""
        main = self.policies[index].main
        assert main is not None
        reaches: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for key, spans in wanted.items():
            asked = self.asked[index, key]
            fresh = [span for span in spans if not _covered(asked, span)]
            if fresh:
                reaches[key[0]] += fresh
                self.asked[index, key] = _merged([*asked, *fresh])
        if not reaches:
            return
        requests = [
            Reach(main, value, since, until)
            for value, spans in reaches.items()
            for since, until in _merged(spans)
        ]
        for facts in self.reader.alerts_of(requests):
            facts = self._once(facts)
            known = self.keys.get(facts.id)  # at hand for nearly all: no call for it
            keys = known[0] if known is not None and known[1] is facts else self._keys(facts)
            mine = keys.get(index)
            if mine is not None and mine in wanted:
                self.held[index, mine][facts.id] = facts

    def _once(self, facts: AlertFacts) -> AlertFacts:
        """The alert made ready, once for all the times that it is read."""
        known = self.known.get(facts.id)
        if known is None:
            known = self.known[facts.id] = self.planner.ready(facts)
        return known

    def _keys(self, facts: AlertFacts) -> dict[int, tuple[str, ...]]:
        """The key of the alert in each policy that links and that it is a candidate of."""
        found, of = self.keys.get(facts.id, (None, None))
        if found is None or of is not facts:
            found = {}
            mask = facts.candidate_of or 0
            for bit, index, keys in self.keyed:
                if mask & bit and all(key := keys(facts)):
                    found[index] = key
            self.keys[facts.id] = (found, facts)
        return found

    def _spans(
        self, policy: Policy, key: tuple[str, ...], times: Iterable[int]
    ) -> list[tuple[int, int]]:
        """From when to when alerts can have to do with those at these times."""
        reach = policy.reach
        opens = isinstance(policy.action, OpenCase)
        cuts = self.closings.get(case_key(policy, key), ()) if opens else ()
        if not cuts:
            return [(at - reach, at + reach) for at in times]
        return [self._span(policy, cuts, at) for at in times]

    def _span(self, policy: Policy, cuts: Sequence[int], at: int) -> tuple[int, int]:
        """The same for one time, between closings."""
        reach = policy.reach
        # A join may reach across a closing, and its members then belong to the later side: only
        # where nothing can be joined across does a closing end the reach.
        where = bisect_left(cuts, at)
        before = cuts[where - 1] + 1 if where else at - reach
        after = cuts[where] if where < len(cuts) else at + reach
        within = 2 * policy.within
        low = max(at - reach, min(before, at - within))
        high = min(at + reach, max(after, at + within))
        return low, high

    def _load_closings(self, index: int, keys: Iterable[tuple[str, ...]]) -> None:
        policy = self.policies[index]
        if not isinstance(policy.action, OpenCase):
            return
        missing = [k for key in keys if (k := case_key(policy, key)) not in self.closings]
        if missing:
            found = self.reader.closings(missing)
            self.closings.update({key: tuple(found.get(key, ())) for key in missing})

    # --- brakes -------------------------------------------------------------------------------

    def _stretches(
        self, alerts: Iterable[AlertFacts], *, counted: bool = False
    ) -> dict[Stretch, tuple[Brake, AlertFacts]]:
        """The stretches whose brake holds the alerts back or, where asked, counts them.

        Every alert of the rule is counted, also one that the policy itself would leave alone.
        """
        found: dict[Stretch, tuple[Brake, AlertFacts]] = {}
        if not self.brakes:
            return found
        for facts in alerts:
            mask = -1 if counted else facts.candidate_of or 0
            for index, policy, brake in self.brakes:
                if not mask >> index & 1:
                    continue
                # A brake's key is the rule, perhaps with the institution: few, and made once.
                of = (index, facts.rule, facts.institution, facts.time // brake.over)
                if of not in self.made:
                    self.made[of] = stretch_of(policy, brake, facts)
                stretch = self.made[of]
                if stretch is not None and stretch not in found:
                    found[stretch] = (brake, facts)
        return found

    def _judge_brakes(self, alerts: Iterable[AlertFacts]) -> None:
        stretches = self._stretches(alerts)
        self._count(stretches)
        for stretch, (brake, facts) in stretches.items():
            if stretch not in self.verdicts:
                self.verdicts[stretch] = self._verdict(stretch, brake, facts, ())

    def braked_anew(self, touched: list[AlertFacts]) -> list[AlertFacts]:
        """All alerts of the stretches whose verdict the touched alerts turn."""
        ids = frozenset(facts.id for facts in touched)
        reaches = []
        turned = set()
        stretches = self._stretches(touched, counted=True)
        self._count(stretches)
        for stretch, (brake, facts) in stretches.items():
            now = self._verdict(stretch, brake, facts, ())
            self.verdicts[stretch] = now
            # Without the touched alerts there are fewer: what does not brake with them never did.
            if now.braked and not self._verdict(stretch, brake, facts, ids).braked:
                end = stretch.start + brake.over - 1
                reaches.append(Reach("rule", facts.rule, stretch.start, end))
                turned.add(stretch)
        if not reaches:
            return []
        found = {}
        for facts in self.reader.alerts_of(reaches):
            ready = self._once(facts)
            if ready.id not in ids and turned & self._stretches([ready]).keys():
                found[ready.id] = ready
        return list(found.values())

    def _verdict(
        self, stretch: Stretch, brake: Brake, facts: AlertFacts, without: Iterable[str]
    ) -> Verdict:
        since, until = stretch.start, stretch.start + brake.over
        institution = self._institution(stretch, facts)
        watched = self.watched[stretch]
        if watched is None:
            return Verdict(False, 0, None)
        at_most = self.at_most[stretch]
        if not _brakes(brake, at_most, watched):
            return Verdict(False, at_most, watched)
        alerted = self.reader.subjects_alerted(
            facts.rule, institution, since, until, frozenset(without)
        )
        return Verdict(_brakes(brake, alerted, watched), alerted, watched)

    def _institution(self, stretch: Stretch, facts: AlertFacts) -> str | None:
        """The institution whose subjects the brake counts; None: of all."""
        return facts.institution if stretch.policy in self.by_institution else None

    def _count(self, stretches: Mapping[Stretch, tuple[Brake, AlertFacts]]) -> None:
        """Note how many alerts stretches have, and of how many, all at once: nearly none has enough
        to brake.
        """
        fresh = {
            stretch: RuleStretch(
                facts.rule,
                self._institution(stretch, facts),
                stretch.start,
                stretch.start + brake.over,
            )
            for stretch, (brake, facts) in stretches.items()
            if stretch not in self.watched
        }
        if not fresh:
            return
        self.watched.update(zip(fresh, self.reader.watched(list(fresh.values())), strict=True))
        asked = {
            stretch: Reach("rule", of.rule, of.since, of.until - 1)
            for stretch, of in fresh.items()
            if self.watched[stretch] is not None
        }
        if asked:
            counts = self.reader.counted(list(asked.values()))
            self.at_most.update(zip(asked, counts, strict=True))

    def turned(self, alerts: Iterable[AlertFacts], braked: Mapping[str, str]) -> list[AlertFacts]:
        """Of some alerts those that a brake would hold back now and does not, or the other way, or
        that another brake holds back.
        """
        ready = [self.planner.ready(facts) for facts in alerts]
        self._judge_brakes(ready)
        return [facts for facts in ready if self._braked_by(facts) != braked.get(facts.id)]

    def _braked_by(self, facts: AlertFacts) -> str | None:
        """The first policy whose brake would hold the alert back."""
        stretches = self._stretches([facts])
        return next((s.policy for s in stretches if self.verdicts[s].braked), None)


def turned(
    planner: Planner, reader: AlertReader, alerts: Iterable[AlertFacts], braked: Mapping[str, str]
) -> list[AlertFacts]:
    """Alerts that are to be decided anew, since more is known of how many subjects there are.

    ``braked``: ids of those that a brake holds back so far, with its policy.
    """
    with collector_paused():
        return _Gathering(planner, reader).turned(alerts, braked)


def _order(facts: AlertFacts) -> tuple[int, str]:
    return facts.order


def _brakes(brake: Brake, alerted: int, watched: int) -> bool:
    """Whether so many subjects of so many are too many."""
    return alerted >= brake.at_least and alerted * 10_000 > brake.above * watched


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
