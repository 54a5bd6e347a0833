"""Motifs by enumeration over plain lists; episodes and growth said once more, independently."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from detectors.graph.spec import EPISODES, MotifSpec
from tests.property.graph.oracle import Payment, account_cycles, alike, fan

Told = tuple[str, tuple[int, ...], int, int, tuple[int, ...]]
"""Type, key without the type, step, completing event, events."""
Around = list[tuple[int, int, int, set[int]]]
"""Side, account, size, events."""


@dataclass
class Episode:
    met: int
    next: int
    first: int
    step: int


@dataclass
class Joined:
    first: int
    events: set[int] = field(default_factory=set)
    step: int = -1
    next: int = 0


def last_of(made: list[Payment], payer: int, payee: int) -> list[Payment]:
    return [p for p in made if (p.payer, p.payee) == (payer, payee)]


class Oracle:
    """All payments are known; findings are asked for one payment after the other."""

    def __init__(self, made: list[Payment], specs: tuple[MotifSpec, ...], memory_us: int) -> None:
        self.made, self.specs, self.memory_us = made, specs, memory_us
        self.country = {p.payer: p.payer_institution for p in made} | {
            p.payee: p.payee_institution for p in made
        }
        self.episodes: dict[tuple[int, int, int], Episode] = {}
        self.joined: list[list[Joined]] = [[] for _ in specs]

    def all(self) -> list[Told]:
        found = []
        for at, payment in enumerate(self.made):
            if payment.payer != payment.payee:
                for number, spec in enumerate(self.specs):
                    found += self.told(at, number, spec)
        return found

    def window(self, at: int, length: int) -> list[Payment]:
        now = self.made[at].time
        return [p for p in self.made[: at + 1] if p.time > now - length]

    def memory(self, at: int) -> list[Payment]:
        return self.window(at, self.memory_us)

    def wide(self, at: int, account: int, out: bool, hub: int) -> bool:
        return hub > 0 and len(fan(self.memory(at), account, out)) > hub

    def told(self, at: int, number: int, spec: MotifSpec) -> list[Told]:
        now, live = self.made[at], self.window(at, spec.window_us)
        look = getattr(self, spec.type)
        found: list[Told] = []
        if spec.type not in EPISODES:
            events = look(at, spec, now, live)
            if events:
                found += self.join(number, spec, now, set(events))
            return found
        for side, account, size, events in look(at, number, spec, now, live):
            found += self.episode(number, spec, now, side, account, size, events)
        return found

    # --- growth

    def is_due(self, number: int, spec: MotifSpec, now: Payment, side: int, account: int,
               size: int) -> bool:  # fmt: skip
        episode = self.episodes.get((number, side, account))
        if episode is None or episode.met <= now.time - spec.window_us:
            return True
        episode.met = now.time
        return size >= episode.next

    def episode(self, number: int, spec: MotifSpec, now: Payment, side: int, account: int,
                size: int, events: set[int]) -> list[Told]:  # fmt: skip
        if not self.is_due(number, spec, now, side, account, size):
            return []
        key = (number, side, account)
        episode = self.episodes.get(key)
        if episode is None or episode.met <= now.time - spec.window_us:
            episode = self.episodes[key] = Episode(now.time, 0, now.seq, 0)
        else:
            episode.step += 1
        episode.met = now.time
        episode.next = max(size + 1, size * spec.growth // 1000)
        return [(spec.type, (account, episode.first), episode.step, now.seq, tuple(sorted(events)))]

    def join(self, number: int, spec: MotifSpec, now: Payment, events: set[int]) -> list[Told]:
        sharing = [f for f in self.joined[number] if f.events & events]
        finding = min(sharing, key=lambda f: f.first, default=Joined(now.seq))
        for other in sharing:
            if other is not finding:
                finding.events |= other.events
                finding.step = max(finding.step, other.step)
                finding.next = max(finding.next, other.next)
                self.joined[number].remove(other)
        if not sharing:
            self.joined[number].append(finding)
        finding.events |= events
        count = len(finding.events)
        if count < finding.next:
            return []
        finding.step += 1
        finding.next = max(count + 1, count * spec.growth // 1000)
        return [(spec.type, (-1, finding.first), finding.step, now.seq,
                 tuple(sorted(finding.events)))]  # fmt: skip

    # --- around one account: (side, account, size, events)

    def concentrated(self, at: int, spec: MotifSpec, account: int, out: bool, size: int) -> bool:
        return size * 1000 >= spec.concentration * len(fan(self.memory(at), account, out))

    def _fan(
        self, at: int, spec: MotifSpec, account: int, live: list[Payment], out: bool
    ) -> Around:
        size = len(fan(live, account, out))
        if size < spec.least or not self.concentrated(at, spec, account, out, size):
            return []
        events = {
            p.seq for p in live
            if (p.payer if out else p.payee) == account and p.payer != p.payee
        }  # fmt: skip
        return [(0 if out else 1, account, size, events)]

    def fan_in(
        self, at: int, number: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> Around:
        return self._fan(at, spec, now.payee, live, False)

    def fan_out(
        self, at: int, number: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> Around:
        return self._fan(at, spec, now.payer, live, True)

    def both(self, live: list[Payment], account: int) -> set[int]:
        return {p.seq for p in live if account in (p.payer, p.payee) and p.payer != p.payee}

    def balance(self, live: list[Payment], account: int, now: Payment, spec: MotifSpec) -> int:
        came = [p for p in live if p.payee == account != p.payer and p.seq < now.seq]
        went = [p for p in live if p.payer == account != p.payee]
        known = sum(p.value for p in came if p.value >= 0)
        if known < spec.value:
            return 0
        if any(p.currency != now.currency for p in [*came, *went]):
            if any(p.value < 0 for p in [*came, *went]):
                return 0
            a, b = known, sum(p.value for p in went)
        else:
            a, b = sum(p.amount for p in came), sum(p.amount for p in went)
        alike_sums = a > 0 and abs(a - b) <= a * spec.permille // 1000
        return len(came) + len(went) if alike_sums else 0

    def gather_scatter(
        self, at: int, number: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> Around:
        account = now.payer
        payers, payees = fan(live, account, False), fan(live, account, True)
        if len(payers) < spec.least or len(payees) < spec.second:
            return []
        if not self.concentrated(at, spec, account, False, len(payers)):
            return []
        size = len(payers) + len(payees)
        if not self.is_due(number, spec, now, 0, account, size):
            return []
        lasts = sorted((last_of(live, account, p)[-1].seq for p in payees), reverse=True)
        split = lasts[spec.second - 1]
        gathered = fan([p for p in live if p.seq < split], account, False)
        if len(gathered) < spec.least:
            return []
        if spec.permille and not self.balance(live, account, now, spec):
            return []
        return [(0, account, size, self.both(live, account))]

    def pass_through(
        self, at: int, number: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> Around:
        account = now.payer
        if self.wide(at, account, True, spec.hub) or self.wide(at, account, False, spec.hub):
            return []
        size = self.balance(live, account, now, spec)
        if not fan(live, account, False) or size == 0 or size < spec.least:
            return []
        return [(0, account, size, self.both(live, account))]

    def scatter_gather(
        self, at: int, number: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> Around:
        target = now.payee
        best: tuple[int, int, list[tuple[Payment, Payment]]] | None = None
        for source in fan(live, now.payer, False) - {target}:
            ways = []
            for middle in fan(live, source, True) - {target}:
                firsts, lasts = last_of(live, source, middle), last_of(live, middle, target)
                if firsts and lasts and firsts[0].seq < lasts[-1].seq:
                    ways.append((firsts[0], lasts[-1]))
            newest = last_of(live, source, now.payer)[-1].seq
            if len(ways) >= 2 and (best is None or (len(ways), newest) > best[:2]):
                best = (len(ways), newest, ways)
        if best is None or best[0] < spec.least:
            return []
        kept = [w for w in best[2] if not spec.permille or alike(w[1], w[0], spec.permille)]
        if len(kept) < spec.least:
            return []
        return [(0, target, len(kept), {p.seq for way in kept for p in way})]

    def structuring(
        self, at: int, number: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> Around:
        limits = dict(spec.limits)

        def below(p: Payment) -> bool:
            limit = limits.get(p.currency, 0)
            return limit > 0 and limit - limit * spec.band // 1000 <= p.amount < limit

        found = []
        for side, account in enumerate((now.payer, now.payee)):
            events = {
                p.seq for p in live
                if (p.payee if side else p.payer) == account and p.payer != p.payee and below(p)
            }  # fmt: skip
            if below(now) and len(events) >= spec.least:
                found.append((side, account, len(events), events))
        return found

    def mule(
        self, at: int, number: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> Around:
        found = []
        for account in (now.payer, now.payee):
            woke = None
            last = self.made[0].time
            for p in self.made[: at + 1]:
                if account in (p.payer, p.payee):
                    if p.time - last >= spec.still_us:
                        woke = p.time
                    last = p.time
            size = len(fan(live, account, False)) + len(fan(live, account, True))
            if woke is not None and woke > now.time - spec.window_us and size >= spec.least:
                found.append((0, account, size, self.both(live, account)))
        return found

    # --- along several accounts: events, or None

    def cycle(
        self, at: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> list[int] | None:
        best: tuple[int, list[int]] = (0, [])
        for accounts in account_cycles(live, spec.most, spec.permille):
            steps = self._latest(live, now, accounts, spec.permille)
            crossing = sum(p.crossing for p in [*steps, now])
            if crossing < spec.borders:
                continue
            # Of equally long ones the one whose payments, from the newest back, are the newest.
            best = max(best, (len(accounts), [p.seq for p in steps]))
        if best[0] < spec.least:
            return None
        return [*best[1], now.seq]

    round_trip = cycle

    @staticmethod
    def _latest(
        live: list[Payment], now: Payment, accounts: tuple[int, ...], permille: int
    ) -> list[Payment]:
        found: list[Payment] = []
        before = now.seq
        for payer, payee in reversed(list(zip(accounts, accounts[1:], strict=False))):
            made = [p for p in live[:-1] if (p.payer, p.payee) == (payer, payee)
                    and p.seq < before and alike(p, now, permille)]  # fmt: skip
            found.append(made[-1])
            before = made[-1].seq
        return found

    def splitting(
        self, at: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> list[int] | None:
        pair = last_of(live, now.payer, now.payee)
        kept = [p.seq for p in pair if alike(p, now, spec.permille)]
        remembered = len(last_of(self.memory(at), now.payer, now.payee))
        if len(kept) < spec.least or len(kept) * 1000 < spec.concentration * remembered:
            return None
        return kept

    def random_walk(
        self, at: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> list[int] | None:
        path = self.walk(at, spec)
        if len(path) < spec.least:
            return None
        if self.too_long(at, spec):
            return None
        remembered = {p.seq for p in self.memory(at)}
        kept: list[Payment] = []
        for p in path:
            if p.seq not in remembered:
                break
            kept.append(p)
        accounts = [now.payee, *(p.payer for p in kept)]
        if len(kept) < spec.least or len(set(accounts)) < len(accounts):
            return None
        return [p.seq for p in kept]

    def too_long(self, at: int, spec: MotifSpec) -> bool:
        path = self.walk(at, spec)
        before: list[Payment] = [] if len(path) < 2 else self.walk(path[1].seq, spec)
        return len(before) >= spec.most

    @cache  # noqa: B019 - an oracle lives as long as its test
    def walk(self, at: int, spec: MotifSpec) -> list[Payment]:
        """The longest walk that ends with a payment, newest first."""
        now = self.made[at]
        live = self.window(at, spec.window_us)
        if self.wide(at, now.payer, False, spec.hub) or self.wide(at, now.payer, True, spec.hub):
            return [now]
        best: list[Payment] = []
        for p in live[:-1]:
            if p.payee == now.payer != p.payer and p.payer != now.payee:
                if alike(p, now, spec.permille):
                    path = self.walk(p.seq, spec)
                    if (len(path), p.seq) >= (len(best), best[0].seq if best else -1):
                        best = path
        return [now, *best[: spec.most - 1]]

    def bipartite(
        self, at: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> list[int] | None:
        if self.wide(at, now.payee, False, spec.hub) or self.wide(at, now.payer, True, spec.hub):
            return None
        payees = {t for t in fan(live, now.payer, True) if not self.wide(at, t, False, spec.hub)}
        if len(payees) < spec.second or len(fan(live, now.payee, False)) < spec.least:
            return None
        block = [
            s for s in fan(live, now.payee, False)
            if not self.wide(at, s, True, spec.hub)
            and len(fan(live, s, True) & payees) >= spec.second
        ]  # fmt: skip
        if len(block) < spec.least:
            return None
        return [p.seq for p in live if p.payer in block and p.payee in payees - {p.payer}]

    def stack(
        self, at: int, spec: MotifSpec, now: Payment, live: list[Payment]
    ) -> list[int] | None:
        m, t, hub = now.payer, now.payee, spec.hub
        if any(self.wide(at, a, out, hub) for a, out in ((t, False), (m, False), (m, True))):
            return None
        sources = {a for a in fan(live, m, False) if not self.wide(at, a, True, hub)}
        targets = {a for a in fan(live, m, True) if not self.wide(at, a, False, hub)}
        if min(len(sources), len(targets)) < spec.second:
            return None
        events: list[int] = []
        layer = 0
        for middle in fan(live, t, False):
            if self.wide(at, middle, True, hub) or self.wide(at, middle, False, hub):
                continue
            came = [p for p in live if p.payee == middle and p.payer in sources - {middle}]
            went = [p for p in live if p.payer == middle and p.payee in targets - {middle}]
            if min(len({p.payer for p in came}), len({p.payee for p in went})) < spec.second:
                continue
            if went[-1].seq > came[0].seq:
                layer += 1
                events += [p.seq for p in [*came, *went]]
        return events if layer >= spec.least else None
