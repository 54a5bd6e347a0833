"""Motifs over the stream: payments in, findings with their payments out.

**One motif is one finding that grows.** It is told when it is first complete (step 0) and again, by
the same key, when it has doubled (steps 1, 2, …).

- A motif around one account (fans) is an episode of that account. It ends when for the length of
  its window the condition was not met; what comes later is a new finding.
- Any other motif that shares a payment with an open finding of its spec is part of it. Where it
  shares payments with several, they become one under the key of the oldest, and the others are
  told no more. A finding is open until no payment has joined it for the length of its window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.graph import layout as L
from detectors.graph.growth import OpenFindings
from detectors.graph.kernels import reports as K
from detectors.graph.kernels.motifs import motifs_of
from detectors.graph.layout import CROSS_BORDER, CROSS_INSTITUTION, Int64
from detectors.graph.spec import EPISODES, MotifSpec, packed
from detectors.graph.store import Arrays, PaymentGraph
from regtech.errors import SnapshotError, UsageError

_EVIDENCE_ROWS: Final = 1 << 15
_REPORT_ROWS: Final = 1 << 11

Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments in canonical order, each once; columns of int64.

    Accounts, institutions and countries are codes from 0 on (-1 where not known, for the two
    latter), ``amount`` whole minor units of ``currency`` (an index below 65,536), ``value`` the
    same in one common currency (-1 where not known). ``event`` is the caller's number of the
    event, which rises; ``None`` numbers them from 0 on.
    """

    time_us: Int64
    payer: Int64
    payee: Int64
    amount: Int64
    currency: Int64
    event: Int64 | None = None
    value: Int64 | None = None
    payer_institution: Int64 | None = None
    payee_institution: Int64 | None = None
    payer_country: Int64 | None = None
    payee_country: Int64 | None = None

    def infos(self) -> Int64:
        """Currency and what is crossed, as edges keep it."""
        made = self.currency.astype(np.int64, copy=True)
        for mine, theirs, bit in (
            (self.payer_institution, self.payee_institution, CROSS_INSTITUTION),
            (self.payer_country, self.payee_country, CROSS_BORDER),
        ):
            if mine is not None and theirs is not None:
                made[(mine >= 0) & (theirs >= 0) & (mine != theirs)] |= bit
        return made


@dataclass(frozen=True, slots=True)
class Finding:
    """A motif, complete or grown.

    ``key``: type, account code or -1, and number of the first completing event: the same for
    every step. ``event``: the event that completed this step. ``accounts``: codes, in the order in
    which the payments first name them. ``payments``: rows of event, payer, payee, time, amount,
    currency, in canonical order; ``cut`` says that there were more.
    """

    type: str
    spec: int
    key: Key
    step: int
    event: int
    time_us: int
    accounts: tuple[int, ...]
    payments: tuple[tuple[int, ...], ...]
    measures: dict[str, int]
    cut: bool

    @property
    def events(self) -> tuple[int, ...]:
        """Numbers of the events of its payments, in order."""
        return tuple(payment[0] for payment in self.payments)

    @property
    def span_us(self) -> tuple[int, int]:
        """Times of its first and of its last payment."""
        return self.payments[0][3], self.payments[-1][3]


class Motifs:
    """Looks for motifs in a stream of payments. Batches may be cut anywhere.

    ``memory_us``: how long the graph remembers payments, at least the longest window; what is usual
    for an account is judged over it. Where no spec weighs that, it remembers the window alone.
    """

    def __init__(self, specs: tuple[MotifSpec, ...], *, memory_us: int = 0) -> None:
        if not specs:
            raise UsageError("no motif to look for")
        for spec in specs:
            spec.check()
        self.specs = specs
        lengths = sorted({spec.window_us for spec in specs})
        remembered = max(spec.remembers_us for spec in specs)
        still = max(spec.still_us for spec in specs)
        weighed = any(spec.weighs_accounts for spec in specs)
        self.graph = PaymentGraph(
            max(memory_us, remembered) if weighed else remembered,
            lengths, accounts_us=still, bare=not weighed,
        )  # fmt: skip
        for kind in ("random_walk", "mule"):
            if sum(spec.type == kind for spec in specs) > 1:
                raise UsageError(f"{kind} was asked for twice", hint="once for each graph")
        self._rows, self._limits = packed(specs)
        rows = max(_EVIDENCE_ROWS, 4 * K.EVIDENCE_MAX * len(specs))
        counts = np.zeros(K.COUNTS, np.int64)
        counts[K.C_SPECS], counts[K.C_LIMITS] = len(specs), len(self._limits)
        self._out: dict[str, Int64] = {
            "counts": counts,
            "reports": np.zeros((_REPORT_ROWS, K.REPORT_WORDS), np.int64),
            "evidence": np.zeros((rows, K.PAYMENT_WORDS), np.int64),
            "episodes": np.zeros((1024, K.EPISODE_WORDS), np.int64),
            "specs": self._rows,
            "slots": np.array([lengths.index(spec.window_us) for spec in specs], np.int64),
            "limits": self._limits,
        }
        self._outputs = self._addresses()
        self._open = OpenFindings(
            [spec.spans_us for spec in specs], [spec.growth for spec in specs]
        )
        self._seen = 0

    def _addresses(self) -> Int64:
        """Where kernels write; valid until an array is replaced."""
        out = self._out
        for name, count in (
            ("reports", K.C_REPORT_ROWS), ("evidence", K.C_EVIDENCE_ROWS), ("episodes", K.C_PLACES),
        ):  # fmt: skip
            out["counts"][count] = len(out[name])
        return np.array([out[name].ctypes.data for name in K.OUTPUT_WIDTHS], np.int64)

    def observe(self, payments: Payments) -> list[Finding]:
        """Add payments; what they complete or let grow, in the order of the completing payments.

        Raises ``ValueError`` where times fall or codes are out of range.
        """
        times, n = payments.time_us, len(payments.time_us)
        self.graph.check(times, payments.payer, payments.payee, payments.currency)
        events = payments.event
        if events is None:
            events = np.arange(self._seen, self._seen + n, dtype=np.int64)
        self._seen += n
        values = np.full(n, L.UNKNOWN, np.int64) if payments.value is None else payments.value
        infos = payments.infos()
        found: list[Finding] = []
        done = 0
        while done < n:
            done = motifs_of(
                self.graph.addresses, self._outputs, done, self.graph.window_us,
                self.graph.accounts_us, times, payments.payer, payments.payee, payments.amount,
                values, events, infos,
            )  # fmt: skip
            found += self._told()
            if done < n:
                self._make_room(payments, int(times[done]))
        return found

    def _make_room(self, payments: Payments, now: int) -> None:
        if int(self.graph.head[L.H_NEED]) != L.NEED_OUTPUT:
            codes = max(int(payments.payer.max()), int(payments.payee.max())) + 1
            self.graph.make_room(codes)
            return
        counts = self._out["counts"]
        if 2 * (int(counts[K.C_EPISODES]) + 2 * len(self.specs)) > len(self._out["episodes"]):
            self._renew_episodes(now)

    def _renew_episodes(self, now: int) -> None:
        """Leave out episodes that have ended; a longer table where most have not."""
        rows = self._out["episodes"]
        rows = rows[rows[:, K.N_KEY] != 0]
        lengths = self._rows[:, 1][(rows[:, K.N_KEY] - 1) >> 33]
        rows = rows[rows[:, K.N_MET] > now - lengths]
        places = len(self._out["episodes"])
        while 4 * (len(rows) + 2 * len(self.specs)) > places:
            places *= 2
        self._use_episodes(rows, places)

    def _use_episodes(self, rows: Int64, places: int) -> None:
        self._out["episodes"] = np.zeros((places, K.EPISODE_WORDS), np.int64)
        self._out["counts"][K.C_EPISODES] = len(rows)
        self._outputs = self._addresses()
        K.fill_episodes(self._outputs, np.ascontiguousarray(rows))

    # --- from reports to findings

    def _told(self) -> list[Finding]:
        out, counts = self._out, self._out["counts"]
        count = int(counts[K.C_REPORTS])
        if not count:
            return []
        found = list(self._findings(out["reports"][:count].tolist(), out["evidence"]))
        counts[K.C_REPORTS] = counts[K.C_EVIDENCE] = 0
        return found

    def _findings(self, reports: list[list[int]], rows: Int64) -> Iterator[Finding]:
        for report in reports:
            spec = report[K.R_SPEC]
            payments = [tuple(p) for p in rows[report[K.R_FROM] : report[K.R_TO]].tolist()]
            payments.sort()
            event, now = report[K.R_EVENT], report[K.R_TIME]
            kind = self.specs[spec].type
            if kind in EPISODES:
                key = (kind, report[K.R_ANCHOR], report[K.R_FIRST])
                step, cut = report[K.R_STEP], bool(report[K.R_CUT])
            else:
                grown = self._open.add(spec, event, now, payments)
                if grown is None:
                    continue
                key, step, payments, cut = (
                    (kind, -1, grown.first), grown.step, grown.payments,
                    grown.count > len(grown.payments),
                )  # fmt: skip
            yield Finding(
                kind, spec, key, step, event, now, _accounts(payments), tuple(payments),
                {"size": report[K.R_SIZE]}, cut,
            )  # fmt: skip

    def held(self) -> tuple[Int64, set[int]]:
        """Codes of the accounts that the graph or a finding still knows (others may be given to
        other accounts; some stand there twice), and the third parts of the keys of findings that
        may still grow."""
        accounts, firsts = self._open.held()
        episodes = self._out["episodes"]
        met = episodes[episodes[:, K.N_KEY] != 0]
        return (
            np.concatenate((self.graph.known(), np.array(sorted(accounts), np.int64))),
            firsts | set(met[:, K.N_FIRST].tolist()),
        )

    # --- snapshots

    def state(self) -> Arrays:
        """All state as arrays, for a snapshot between two calls of ``observe``."""
        made = {f"graph.{name}": array for name, array in self.graph.export().items()}
        made |= {f"open.{name}": array for name, array in self._open.export().items()}
        made["specs"] = self._rows.copy()
        episodes = self._out["episodes"]
        made["episodes"] = episodes[episodes[:, K.N_KEY] != 0]
        made["places"] = np.array([len(episodes), self._seen], np.int64)
        made["limits"] = self._limits.copy()
        return made

    def restore(self, arrays: Arrays) -> None:
        """Take over ``state``; ``SnapshotError`` where it is of other specs."""
        same = all(
            np.array_equal(arrays.get(name, np.zeros(0)), mine)
            for name, mine in (("specs", self._rows), ("limits", self._limits))
        )
        if not same:
            raise SnapshotError("the snapshot was made with other motifs or parameters")
        self.graph.restore(_under("graph.", arrays))
        self._open.restore(_under("open.", arrays))
        places, self._seen = (int(x) for x in arrays["places"])
        self._use_episodes(np.array(arrays["episodes"], np.int64), places)

    def cuts(self) -> dict[str, int]:
        """How many searches and lists of payments were cut at their bound, by kind."""
        return self.graph.cuts()


def _accounts(payments: list[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(code for p in payments for code in p[1:3]))


def _under(prefix: str, arrays: dict[str, npt.NDArray[Any]]) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
