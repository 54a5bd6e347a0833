"""Answers whether a name, or a party, is on a list at an instant, and why.

    screener = Screener(tables, model, versions)
    screener.screen(Query("Ivan Petrov", birth_date=BirthDate(1970)))      # hits, best first
    screener.screened("cn_art40", Query("Ivan Petrov"), at_us=...)   # met, not met, cannot tell

What a screener knows is arrays made once from dated versions of lists, and never changes: for
another version another screener is made. It may be asked from several threads.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from detectors.names.analysis import TOKENS_MAX, AnalysedName, Analyser, Kind
from detectors.names.blocking import Places, find_rows, places_for
from detectors.names.columns import LATIN, NO_VOWELS, Names, Words, WordTable, single
from detectors.names.explain import Explanation, explain_pair
from detectors.names.features import Scratch, prepare, scratch_for
from detectors.names.index import Index, build_index
from detectors.names.scoring import Model, score_rows
from detectors.names.scripts import Script
from detectors.names.standing import NEVER, Standing, covered, standings
from detectors.names.support import (
    EXACT,
    OTHER_IDENTIFIER,
    SAME_COUNTRY,
    SAME_DATE,
    WEAK_ALIAS,
    Evidence,
    birth_evidence,
    country_evidence,
    identifier_key,
    identifiers_in,
)
from detectors.names.tables import NameTables
from regtech.reference.watchlists import BirthDate, ListedName, ListEntry, ListVersion

THRESHOLD: Final = 0.9
"""From this score on a listed name is a hit, unless another is given. A default, not law."""
GRAM_ROWS: Final = 50
WORD_ROWS: Final = 200
"""So many rows the searches by trigrams and by words of the index hands on."""
SUPPORT_MAX: Final = SAME_DATE + SAME_COUNTRY
"""Names whose odds are further below the threshold than this no date and no country brings up."""
Outcome = Literal["met", "not_met", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Query:
    """Who is asked for. ``countries``: ISO 3166 codes; ``identifiers``: (``imo`` …, value)."""

    name: str
    kind: Kind = ""
    birth_date: BirthDate | None = None
    countries: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that the name may be. ``score``: 0 to 1, with everything; ``name_score``: the name
    alone. ``listed``: the name of the entry that fits best. ``identifier``: the one that is equal.
    """

    standing: Standing
    listed: ListedName
    score: float
    name_score: float
    explanation: Explanation | None
    evidence: tuple[Evidence, ...]
    identifier: tuple[str, str] | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Which entry of which list; the same in every version."""
        return self.standing.list, self.standing.entry.id


@dataclass(frozen=True, slots=True)
class Screened:
    """Whether a party is on a list at an instant. ``reason`` says why it cannot be told."""

    outcome: Outcome
    hits: tuple[Hit, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Rows:
    """By row: whose name it is, which of its names, from when until when it stood."""

    owner: NDArray[np.int32]
    since: NDArray[np.int64]
    until: NDArray[np.int64]
    of_list: NDArray[np.int16]
    listed: list[ListedName]
    words: list[list[str]]


@dataclass(frozen=True, slots=True)
class _Near:
    """A row that may be a hit, and the reading of the question that it was compared with."""

    row: int
    odds: float
    reading: AnalysedName
    words: Words
    names: Names


@dataclass(slots=True)
class _Thread:
    """What one thread needs for itself."""

    analyser: Analyser
    places: Places
    scratch: Scratch
    odds: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


class Screener:
    """See the module. ``gram_rows`` and ``word_rows``: how many candidates each search gives.

    ``between`` is called often while it is made, which takes seconds: to give way to others.
    """

    def __init__(
        self,
        tables: NameTables,
        model: Model,
        versions: Sequence[ListVersion],
        *,
        gram_rows: int = GRAM_ROWS,
        word_rows: int = WORD_ROWS,
        between: Callable[[], object] = lambda: None,
    ) -> None:
        self.model = model
        self.lists = tuple(sorted({version.name for version in versions}))
        self._tables = tables
        self._covered = covered(versions)
        self._gram_rows, self._word_rows = gram_rows, word_rows
        self._standings = standings(versions)
        self.words, self.names, self._rows = self._columns(between)
        self._owners: list[int] = self._rows.owner.tolist()
        self._index: Index = build_index(self.words, self.names)
        self._by_identifier = self._identifiers()
        self._local = threading.local()
        native = self.names.native_starts
        self._natives = frozenset(
            "".join(map(chr, self.names.native[native[row] : native[row + 1]]))
            for row in np.flatnonzero(np.diff(native))
        )
        self._last = np.append(self._rows.until == NEVER, [True])
        self._spelled = np.append(self._with_vowels(), [True])
        self._last_spelled: NDArray[np.bool_] = self._last & self._spelled

    def __len__(self) -> int:
        """How many names, in all readings, there are to be found."""
        return len(self._rows.owner)

    # --- asking

    def screen(
        self,
        query: Query,
        *,
        at_us: int | None = None,
        lists: Iterable[str] | None = None,
        threshold: float = THRESHOLD,
        explain: bool = True,
    ) -> list[Hit]:
        """Entries that the party may be, best first; one hit an entry, by its best name.

        ``at_us``: as the lists stood at that instant, in microseconds since 1970; None: the last
        version of each. ``lists``: only these. A weak alias counts less, and alone only where the
        date of birth or a country supports it, or the score is high without.
        """
        live = self._live(at_us, lists)
        hits = self._by_exact_identifiers(query, live)
        best: dict[int, tuple[_Near, float, list[Evidence]]] = {}
        near: list[_Near] = []
        thread = self._thread()
        known = query.birth_date is not None or bool(query.countries)
        floor = _log_odds(threshold) - (SUPPORT_MAX if known else 0.0)
        for reading in thread.analyser.analyse(query.name, query.kind):
            if not reading.tokens and not reading.native:
                continue
            words, names = single(reading)
            count = find_rows(
                words, names, self.words, self._index, self._for(reading, live),
                self._gram_rows, self._word_rows, thread.places, thread.scratch,
            )  # fmt: skip
            if len(thread.odds) < count:
                thread.odds = np.zeros(2 * count)
            found = thread.places.found
            score_rows(
                words, names, 0, self.words, self.names, found, count, self.model.weights,
                thread.scratch, thread.odds,
            )  # fmt: skip
            rows = np.flatnonzero(thread.odds[:count] >= floor)
            near += [
                _Near(int(found[k]), float(thread.odds[k]), reading, words, names) for k in rows
            ]
        for candidate in near:
            self._weigh(candidate, query, best, threshold)
        found_hits = [self._hit(*pair, thread if explain else None) for pair in best.values()]
        exact = {hit.key for hit in hits}
        hits += [hit for hit in found_hits if hit.key not in exact]
        return sorted(hits, key=lambda hit: (-hit.score, hit.key))

    def screened(
        self,
        list_name: str,
        query: Query,
        at_us: int,
        *,
        threshold: float = THRESHOLD,
    ) -> Screened:
        """Whether the party is on a list at an instant: what ``screened`` of a rule asks.

        *Cannot tell* where the list is not loaded, where no version of it is from so early, or
        where the party has neither a name nor an identifier that is exact.
        """
        if list_name not in self._covered:
            return Screened("cannot_tell", reason=f"no list {list_name!r} is loaded")
        if at_us < self._covered[list_name]:
            return Screened("cannot_tell", reason=f"no version of {list_name!r} is from so early")
        if not query.name.strip() and not query.identifiers:
            return Screened("cannot_tell", reason="the party has no name")
        hits = self.screen(query, at_us=at_us, lists=(list_name,), threshold=threshold)
        return Screened("met" if hits else "not_met", tuple(hits))

    def knows(self, list_name: str, at_us: int | None) -> bool:
        """Whether a list is loaded, and from that instant on; None: at all."""
        since = self._covered.get(list_name)
        return since is not None and (at_us is None or at_us >= since)

    def change_times(self) -> list[int]:
        """Instants at which what is on the lists changes, in order, microseconds since 1970."""
        rows = self._rows
        return sorted({*rows.since.tolist(), *rows.until.tolist(), *self._covered.values()})

    def candidates(self, name: str, kind: Kind = "") -> NDArray[np.int32]:
        """Rows that the index gives for a name, of its likeliest reading; for measuring."""
        thread = self._thread()
        reading = thread.analyser.analyse(name, kind)[0]
        words, names = single(reading)
        count = find_rows(
            words, names, self.words, self._index, self._for(reading, self._last),
            self._gram_rows, self._word_rows, thread.places, thread.scratch,
        )  # fmt: skip
        return np.array(thread.places.found[:count])

    def odds_of_all(self, name: str, kind: Kind = "") -> NDArray[np.float64]:
        """Log-odds of a name against every row, without the index; for measuring.

        Minus infinity for rows that the name is not held against.
        """
        thread = self._thread()
        reading = thread.analyser.analyse(name, kind)[0]
        words, names = single(reading)
        rows = np.arange(len(self), dtype=np.int32)
        odds = np.zeros(len(self))
        prepare(words, names, 0, thread.scratch)
        score_rows(
            words, names, 0, self.words, self.names, rows, len(rows), self.model.weights,
            thread.scratch, odds,
        )  # fmt: skip
        odds[~self._for(reading, self._last)[: len(self)]] = -np.inf
        return odds

    def owners_of(self, rows: NDArray[np.intp] | NDArray[np.int32]) -> NDArray[np.int32]:
        """Which entry each row belongs to, by a number; for measuring."""
        return np.unique(self._rows.owner[rows])

    # --- for texts

    def read_words(self, parts: Iterable[str]) -> tuple[AnalysedName, list[int]]:
        """Neighbouring words as one name, and for each word of it the part that it came from.

        Forms of companies stay words: a text says "Ltd" anywhere.
        """
        thread = self._thread()
        found: AnalysedName | None = None
        sources: list[int] = []
        for number, part in enumerate(parts):
            reading = thread.analyser.analyse(part)[0]
            sources += [number] * len(reading.tokens)
            if found is None:
                found = reading
                continue
            found.tokens += reading.tokens
            found.words += reading.words
            found.scripts |= reading.scripts
        assert found is not None, "a text without words was asked for"
        found.tokens, found.words = found.tokens[:TOKENS_MAX], found.words[:TOKENS_MAX]
        found.parts, found.native = [0] * len(found.tokens), ""
        return found, sources[:TOKENS_MAX]

    def rows_near(self, words: Words, names: Names) -> NDArray[np.int32]:
        """Rows of any time that the index gives for a name."""
        thread = self._thread()
        every = np.ones(len(self) + 1, np.bool_)
        count = find_rows(
            words, names, self.words, self._index, every, self._gram_rows, self._word_rows,
            thread.places, thread.scratch,
        )  # fmt: skip
        return np.array(thread.places.found[:count])

    def scratch(self) -> Scratch:
        """What comparisons of the calling thread write into."""
        return self._thread().scratch

    def native_names(self) -> frozenset[str]:
        """All listed names in Han, kana or Hangul, simplified, without their forms."""
        return self._natives

    # --- one row

    def _weigh(
        self,
        near: _Near,
        query: Query,
        best: dict[int, tuple[_Near, float, list[Evidence]]],
        threshold: float,
    ) -> None:
        """Keep the row where, with all evidence, it is a hit and the best of its entry."""
        owner = self._owners[near.row]
        known = best.get(owner)
        evidence = self._evidence(query, self._standings[owner].entry)
        listed = self._rows.listed[near.row]
        if listed.quality == "weak":
            evidence.append(Evidence("weak_alias", "", listed.text, WEAK_ALIAS))
        score = _score(near.odds + sum(part.log_odds for part in evidence))
        if score >= threshold and (known is None or score > known[1]):
            best[owner] = near, score, evidence

    def _hit(
        self, near: _Near, score: float, evidence: list[Evidence], thread: _Thread | None
    ) -> Hit:
        explanation = None
        if thread is not None:
            explanation = explain_pair(
                near.words, near.names, 0, self.words, self.names, near.row, near.reading.words,
                self._rows.words[near.row], self.model.weights, thread.scratch,
            )  # fmt: skip
        return Hit(
            self._standings[self._owners[near.row]], self._rows.listed[near.row], score,
            _score(near.odds), explanation, tuple(evidence),
        )  # fmt: skip

    def _evidence(self, query: Query, entry: ListEntry) -> list[Evidence]:
        """What dates, countries and identifiers say."""
        found = []
        if query.birth_date is not None:
            found.append(birth_evidence(query.birth_date, entry.birth_dates))
        if query.countries:
            found.append(country_evidence(query.countries, entry.countries))
        if not query.identifiers:
            return [part for part in found if part is not None]
        asked = dict(identifier_key(*pair) for pair in query.identifiers)
        known = dict(identifier_key(*pair) for pair in entry.identifiers)
        for kind in EXACT:
            if kind == "imo" and kind in asked and kind in known and asked[kind] != known[kind]:
                found.append(Evidence(kind, asked[kind], known[kind], OTHER_IDENTIFIER))
        return [part for part in found if part is not None]

    def _by_exact_identifiers(self, query: Query, live: NDArray[np.bool_]) -> list[Hit]:
        asked = [identifier_key(*pair) for pair in query.identifiers]
        if any(map(str.isdigit, query.name)):
            asked += identifiers_in(query.name)
        found: dict[int, Hit] = {}
        for pair in asked:
            for row in self._by_identifier.get(pair, ()):
                if live[row]:
                    owner = int(self._rows.owner[row])
                    found[owner] = Hit(
                        self._standings[owner], self._rows.listed[row], 1.0, 0.0, None, (), pair
                    )
        return list(found.values())

    # --- what is built once

    def _columns(self, between: Callable[[], object]) -> tuple[Words, Names, _Rows]:
        table = WordTable()
        analyser = Analyser(self._tables)
        owner, since, until, of_list, listed = [], [], [], [], []
        spelled: list[list[str]] = []
        numbers = {name: n for n, name in enumerate(self.lists)}
        for number, standing in enumerate(self._standings):
            between()
            seen: set[tuple[str, ...]] = set()
            for name in standing.entry.names:
                for reading in analyser.analyse(name.text, standing.entry.kind):
                    key = (*reading.words, reading.native, str(reading.forms))
                    if key in seen or not (reading.tokens or reading.native):
                        continue
                    seen.add(key)
                    table.add(reading)
                    owner.append(number)
                    since.append(standing.since_us)
                    until.append(standing.until_us)
                    of_list.append(numbers[standing.list])
                    listed.append(name)
                    spelled.append(reading.words)
        rows = _Rows(
            np.array(owner, np.int32), np.array(since, np.int64), np.array(until, np.int64),
            np.array(of_list, np.int16), listed, spelled,
        )  # fmt: skip
        return table.words(), table.names(), rows

    def _identifiers(self) -> dict[tuple[str, str], list[int]]:
        first_row: dict[int, int] = {}
        for row, owner in enumerate(self._rows.owner.tolist()):
            first_row.setdefault(owner, row)
        found: dict[tuple[str, str], list[int]] = {}
        for owner, row in first_row.items():
            for pair in self._standings[owner].entry.identifiers:
                if pair[0] in EXACT:
                    found.setdefault(identifier_key(*pair), []).append(row)
        return found

    def _live(self, at_us: int | None, lists: Iterable[str] | None) -> NDArray[np.bool_]:
        rows = self._rows
        if at_us is None:
            live = self._last
            if lists is None:
                return live
            live = live[:-1].copy()
        else:
            live = (rows.since <= at_us) & (at_us < rows.until)
        if lists is not None:
            asked = [number for number, name in enumerate(self.lists) if name in set(lists)]
            live &= np.isin(rows.of_list, asked)
        return live

    def _with_vowels(self) -> NDArray[np.bool_]:
        """Rows that a name in Latin letters is held against: where an entry gives its name in
        these, what its name without vowels could be read as says nothing more."""
        flags, owner = self.names.flags[: len(self)], self._rows.owner
        spelled = np.zeros(len(self._standings), np.bool_)
        spelled[owner[(flags & LATIN) != 0]] = True
        return np.asarray(((flags & NO_VOWELS) == 0) | ~spelled[owner])

    def _for(self, reading: AnalysedName, live: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Of the rows asked for those that a reading of the question is held against."""
        if reading.scripts not in (Script.LATIN, Script.NONE):
            return live
        if live is self._last:
            return self._last_spelled
        found: NDArray[np.bool_] = live & self._spelled[: len(live)]
        return found

    def _thread(self) -> _Thread:
        found: _Thread | None = getattr(self._local, "parts", None)
        if found is None:
            found = _Thread(
                Analyser(self._tables),
                places_for(len(self), len(self.words.lengths)),
                scratch_for(len(self.words.lengths)),
            )
            self._local.parts = found
        return found


def _score(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(30.0, max(-30.0, odds))))


def _log_odds(score: float) -> float:
    bounded = min(1 - 1e-12, max(1e-12, score))
    return math.log(bounded / (1 - bounded))
