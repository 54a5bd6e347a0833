"""Anomaly scores as a detector of the engine: ``detect: {detector: anomaly, budget: 0.5%}``.

    model      version of the registry, ``champion`` (default) or ``challenger``
    budget     share of payments to alert on, by the level of the four weeks before each day; or
    threshold  a fixed score, from 0 to 1
    quiet      so long an account that was told of is not told of again (budget alone; 0 days)
    without    features that the model must have been trained without: novelty, emptiness, amount

and ``detect: {detector: model_drift}``: whether payments and scores still look like training.

    model      as above
    over       how long a stretch is looked at together (7 days), counted from 1970
    limit      population stability index from which on it is told (0.25)

A score is decided at once: it looks at what came before a payment, never at what follows. On a side
of a payment (``per: party``, ``customer``, ``account``) it is the payer's, or the payee's where
there is no payer. Where a model cannot be used the answer is "cannot tell", with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.budget import UNITS, Levels, Scored, whole
from detectors.anomaly.catalogue import LEANINGS, Feature
from detectors.anomaly.payments import Float64, Payments
from detectors.anomaly.reasons import reason_data, reasons_of, strongest
from detectors.anomaly.standing import CHAMPION, Find, Missing, Standing, usable
from detectors.anomaly.stream import Columns, FeatureStream, stream_features
from detectors.anomaly.watching import Watch
from detectors.parameters import length_us, share_of
from regtech.errors import UsageError
from regtech.model.fields import EVENT_TYPES
from regtech.ports.detection import (
    UNKNOWN,
    YES,
    Decided,
    Events,
    Finding,
    Int64,
    Question,
)

TRANSACTION: Final = EVENT_TYPES.index("transaction")
DAY_US: Final = 86_400_000_000
QUIET: Final = "0 days"
OVER: Final = "7 days"
LIMIT: Final = "0.25"
_READ: Final = (
    "amount", "currency", "channel",
    *(f"{side}.{name}" for side in ("payer", "payee")
      for name in ("id", "account", "kind", "country")),
)  # fmt: skip
_PARAMETERS: Final = {
    "anomaly": ("model", "budget", "threshold", "quiet", "without"),
    "model_drift": ("model", "over", "limit"),
}
_AGAIN: Final = 1e-6
"""Scores that are computed on other machines may differ by so much."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Texts that become numbers: channels and kinds of parties, each by its place."""

    channels: Sequence[str]
    kinds: Sequence[str]


class Anomalies:
    """Puts models of a registry to work in runs.

    ``find`` is asked when a run begins. ``shapes``: the graph's columns and how they are made.
    """

    name = "anomalies"
    asks = frozenset(_PARAMETERS)

    def __init__(
        self, find: Find, shapes: tuple[tuple[Feature, ...], Callable[[], Columns]], codes: Codes
    ) -> None:
        self._find, self._codes = find, codes
        self._make_shapes = shapes[1]
        self._models_again: dict[str, Standing] = {}
        self.features = stream_features(shapes[0])

    def check(self, question: Question) -> str | None:
        """What is wrong with a question, or None; a model that is not there is no fault of it."""
        if question.types != ("transaction",):
            return f"{question.asks} is asked of transactions"
        strange = sorted(set(question.params) - set(_PARAMETERS[question.asks]))
        if strange:
            known = ", ".join(_PARAMETERS[question.asks])
            return f"{question.asks} has no parameter {strange[0]!r}: there are {known}"
        try:
            Asked.wanted(question)
        except UsageError as error:
            return str(error)
        return None

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        """Who pays whom how much, and how."""
        return {"transaction": _READ}

    def start(self, questions: Sequence[Question]) -> Asked:
        """Begin a run: models are looked up now."""
        stream = FeatureStream(self._make_shapes())
        models = {
            question.name: usable(
                self._find(str(question.params.get("model", CHAMPION))),
                shadow=question.shadow,
                without=without_of(question),
                features=tuple(feature.name for feature in self.features),
            )
            for question in questions
        }
        return Asked(questions, models, stream, self.features, self._codes)

    def _by_digest(self, version: str, digest: str) -> Standing | None:
        """The very model that an alert names, read once; None where it is not here."""
        if digest not in self._models_again:
            found = self._find(version)
            if isinstance(found, Missing) or found.digest != digest:
                return None
            self._models_again[digest] = found
        return self._models_again[digest]

    def again(self, question: Question, data: Mapping[str, Any]) -> Decided:
        """What the figures of a finding come to; by the model itself where it is here."""
        try:
            score, level = Decimal(str(data["score"])), Decimal(str(data["threshold"]))
        except (KeyError, InvalidOperation):
            return Decided(UNKNOWN if "reason" in data else None)
        answer = YES if score > level else 0
        found = self._by_digest(str(data.get("model")), str(data.get("digest")))
        if found is None:
            return Decided(
                answer, "the model of the score is not here: its score was taken as it is"
            )
        row = data.get("row")
        if not isinstance(row, list) or len(row) != len(found.model.features):
            return Decided(None, "the features of the score are not whole")
        made = float(found.model.deciding(np.array([row], np.float64))[0])
        if abs(made - float(score)) > _AGAIN:
            return Decided(None, f"the model scores {made:.9f} where the alert says {score}")
        return Decided(answer)


def without_of(question: Question) -> tuple[str, ...]:
    """What the model must have been trained without."""
    given = question.params.get("without", [])
    return tuple(str(word) for word in (given if isinstance(given, list) else [given]))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters of a question."""

    budget: float = 0.0
    threshold: int = 0
    quiet_us: int = 0
    over_us: int = 0
    limit: float = 0.0


class Asked:
    """The payments of one run, as rows; its models and levels."""

    reach_us = 0

    def __init__(
        self,
        questions: Sequence[Question],
        models: Mapping[str, Standing | Missing],
        stream: FeatureStream,
        features: tuple[Feature, ...],
        codes: Codes,
    ) -> None:
        self._questions, self._models, self._stream = questions, models, stream
        self._features, self._codes = features, codes
        names = [feature.name for feature in features]
        self._columns = {
            found.version: np.array([names.index(name) for name in found.model.features], np.int64)
            for found in models.values()
            if isinstance(found, Standing)
        }
        self._wanted = {question.name: self.wanted(question) for question in questions}
        self._levels: dict[str, Levels] = {}
        self._watches: dict[str, Watch] = {}
        for question in questions:
            self._begin(question)
        self._number_of: Int64 = np.zeros(0, np.int64)
        """Account of each code of the vocabulary, -1 for none."""
        self._accounts = 0
        self._channels: dict[int, int] = {}
        self._kinds: dict[int, int] = {}
        self._rows: dict[str, Float64] = {}
        self._found: dict[tuple[str, int], Any] = {}

    @staticmethod
    def wanted(question: Question) -> Wanted:
        """Its parameters as numbers. ``UsageError`` for what is none."""
        given = {name: str(value) for name, value in question.params.items()}
        if question.asks == "model_drift":
            over = length_us("over", given.get("over", OVER))
            limit = share_of("limit", given.get("limit", LIMIT))
            if over < DAY_US or over % DAY_US or not limit:
                raise UsageError("over is in whole days, and limit above 0")
            return Wanted(over_us=over, limit=float(limit))
        unknown = sorted(set(without_of(question)) - set(LEANINGS))
        if unknown:
            raise UsageError(f"no feature leans on {unknown[0]!r}", hint=", ".join(LEANINGS))
        if ("budget" in given) == ("threshold" in given):
            raise UsageError("anomaly needs either budget or threshold")
        if "threshold" in given:
            if "quiet" in given:
                raise UsageError("quiet goes with a budget")
            return Wanted(threshold=int(share_of("threshold", given["threshold"]) * UNITS))
        budget = share_of("budget", given["budget"])
        if not 0 < budget <= Fraction(1, 2):
            raise UsageError(f"a budget of {given['budget']} is no share of payments")
        return Wanted(budget=float(budget), quiet_us=length_us("quiet", given.get("quiet", QUIET)))

    def _begin(self, question: Question) -> None:
        found, wanted = self._models[question.name], self._wanted[question.name]
        if question.asks == "model_drift":
            population = None if isinstance(found, Missing) else found.model
            self._watches[question.name] = Watch(population, wanted.over_us, wanted.limit)
        elif isinstance(found, Standing) and wanted.budget:
            first = whole(np.array([found.model.level_about(wanted.budget)]))
            self._levels[question.name] = Levels(wanted.budget, wanted.quiet_us, int(first[0]))

    # --- answering

    def answer(self, events: Events) -> Mapping[str, Int64]:
        """See ``regtech.ports.detection.Answering``."""
        self._found, self._rows = {}, {}
        answers = {q.name: np.zeros(events.count, np.int64) for q in self._questions}
        places = self._places(events)
        if not len(places):
            return answers
        payments = self._payments(events, places)
        rows = self._stream.update(payments)
        scores = {
            version: self._scored(version, payments, rows[:, columns])
            for version, columns in self._columns.items()
        }
        for question in self._questions:
            found = self._models[question.name]
            mine = answers[question.name]
            if question.asks == "model_drift":
                self._watch(question, found, payments, places, scores, mine)
            elif isinstance(found, Missing):
                mine[places] = UNKNOWN
                for place in places.tolist():
                    self._found[(question.name, place)] = found
            else:
                self._judge(question, found, payments, places, scores[found.version], mine)
        return answers

    def _scored(self, version: str, payments: Payments, rows: Float64) -> Scored:
        self._rows[version] = rows
        model = next(
            found.model
            for found in self._models.values()
            if isinstance(found, Standing) and found.version == version
        )
        return Scored(payments.time_us, payments.payer, payments.payee, whole(model.deciding(rows)))

    def _judge(
        self, question: Question, found: Standing, payments: Payments, places: Int64,
        scored: Scored, mine: Int64,
    ) -> None:  # fmt: skip
        if question.name in self._levels:
            levels, alerts = self._levels[question.name].update(scored)
        else:
            levels = np.full(len(scored), self._wanted[question.name].threshold)
            alerts = scored.scores > levels
        if question.side is not None:
            payer = payments.payer >= 0
            alerts = alerts & (payer if question.side == "payer" else ~payer)
        for k in np.flatnonzero(alerts).tolist():
            place = int(places[k])
            mine[place] = YES
            said = (found, k, int(scored.scores[k]), int(levels[k]))
            self._found[(question.name, place)] = said

    def _watch(
        self, question: Question, found: Standing | Missing, payments: Payments, places: Int64,
        scores: Mapping[str, Scored], mine: Int64,
    ) -> None:  # fmt: skip
        version = found.version if isinstance(found, Standing) else ""
        told = self._watches[question.name].update(
            payments.time_us, self._rows.get(version), scores.get(version)
        )
        for k, findings in told.items():
            place = int(places[k])
            if isinstance(found, Missing):
                mine[place] = UNKNOWN
                self._found[(question.name, place)] = found
            elif findings is not None:
                mine[place] = YES
                self._found[(question.name, place)] = (found, findings)

    # --- findings

    def finding(self, name: str, place: int) -> Finding | None:
        """See ``regtech.ports.detection.Answering``."""
        found = self._found.get((name, place))
        if found is None:
            return None
        if isinstance(found, Missing):
            return Finding({"reason": dict(found.reason)})
        standing = found[0]
        data = {
            "model": standing.version,
            "role": standing.role,
            "digest": standing.digest,
            "trained_until": standing.trained_until,
        }
        if len(found) == 2:
            return Finding({**data, **found[1]})
        _, k, score, level = found
        row = self._rows[standing.version][k]
        chosen = [self._features[c] for c in self._columns[standing.version].tolist()]
        columns, added = strongest(standing.model, chosen, row[None, :])
        reasons = reasons_of(standing.model, columns[0].tolist(), added[0].tolist(), row)
        by_name = {feature.name: feature for feature in chosen}
        return Finding(
            {
                **data,
                "score": _decimal(score),
                "threshold": _decimal(level),
                "reasons": [reason_data(reason, by_name[reason.feature]) for reason in reasons],
                "row": [float(value) for value in row],
            }
        )

    # --- payments

    def _places(self, events: Events) -> Int64:
        """Payments that nobody has reported before, of a known amount; cash has one side."""
        both = (events.column("payer.id") != UNKNOWN) & (events.column("payee.id") != UNKNOWN)
        counted = (events.types == TRANSACTION) & (events.payments | ~both)
        counted &= (events.column("amount") > 0) & (events.column("currency") != UNKNOWN)
        counted &= (_party(events, "payer") != UNKNOWN) | (_party(events, "payee") != UNKNOWN)
        return np.flatnonzero(counted)

    def _payments(self, events: Events, places: Int64) -> Payments:
        payer = self._accounts_of(_party(events, "payer")[places])
        payee = self._accounts_of(_party(events, "payee")[places])
        kinds = [
            self._coded(events, f"{side}.kind", places, self._kinds, self._codes.kinds, 1)
            for side in ("payer", "payee")
        ]
        home, away = (events.column(f"{side}.country")[places] for side in ("payer", "payee"))
        times = events.times[places]
        return Payments(
            time_us=times,
            payer=payer,
            payee=payee,
            amount=events.column("amount")[places],
            currency=events.column("currency")[places],
            channel=self._coded(events, "channel", places, self._channels, self._codes.channels, 0),
            abroad=(home != away) & (home != UNKNOWN) & (away != UNKNOWN),
            # Who acts is the payer, or who pays cash in.
            peer=np.where(payer >= 0, kinds[0], kinds[1]),
            hour=times // 3_600_000_000 % 24,
            payer_kind=kinds[0],
            payee_kind=kinds[1],
            payer_country=np.where(home == UNKNOWN, -1, home),
            payee_country=np.where(away == UNKNOWN, -1, away),
        )

    def _accounts_of(self, codes: Int64) -> Int64:
        """Accounts numbered as they come: the vocabulary has far more. -1 for nobody."""
        known = codes != UNKNOWN
        if not known.any():
            return np.full(len(codes), -1)
        highest = int(codes[known].max())
        if highest >= len(self._number_of):
            more = max(highest + 1, 2 * len(self._number_of)) - len(self._number_of)
            self._number_of = np.pad(self._number_of, (0, more), constant_values=-1)
        new, first = np.unique(codes[known], return_index=True)
        order = np.argsort(first, kind="stable")
        new = new[order][self._number_of[new[order]] < 0]
        self._number_of[new] = self._accounts + np.arange(len(new))
        self._accounts += len(new)
        made = np.full(len(codes), -1)
        made[known] = self._number_of[codes[known]]
        return made

    def _coded(
        self, events: Events, path: str, places: Int64, known: dict[int, int],
        words: Sequence[str], more: int,
    ) -> Int64:  # fmt: skip
        """A symbol's place among ``words``, ``more`` added; 0 where it is missing or another."""
        symbols, which = np.unique(events.column(path)[places], return_inverse=True)
        for symbol in symbols.tolist():
            if symbol not in known:
                text = "" if symbol == UNKNOWN else events.text(symbol)
                known[symbol] = words.index(text) + more if text and text in words else 0
        table = np.array([known[symbol] for symbol in symbols.tolist()], np.int64)
        return table[which.reshape(-1)]

    # --- state

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """See ``regtech.ports.detection.Answering``.

        Levels and counts go by the scores of one model: they are kept under its digest.
        """
        codes = np.flatnonzero(self._number_of >= 0)
        made: dict[str, npt.NDArray[Any]] = {
            "accounts": codes[np.argsort(self._number_of[codes])].astype(np.int64)
        }
        made |= {f"stream.{key}": array for key, array in self._stream.state().items()}
        for kind, parts in (("levels", self._levels), ("watches", self._watches)):
            for name, part in parts.items():
                prefix = f"{kind}.{name}.{self._digest(name)}."
                made |= {prefix + key: array for key, array in part.state().items()}
        return made

    def _digest(self, name: str) -> str:
        found = self._models[name]
        return found.digest if isinstance(found, Standing) else ""

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """See ``regtech.ports.detection.Answering``."""
        codes = arrays["accounts"]
        self._accounts = len(codes)
        self._number_of = np.full(int(codes.max(initial=-1)) + 1, -1)
        self._number_of[codes] = np.arange(len(codes))
        self._stream.restore(_under("stream.", arrays))
        for kind, parts in (("levels", self._levels), ("watches", self._watches)):
            for name, part in parts.items():
                mine = _under(f"{kind}.{name}.{self._digest(name)}.", arrays)
                if mine:  # nothing of another model counts for this one
                    part.restore(mine)


def _party(events: Events, side: str) -> Int64:
    """A party's id, or its account where it has none."""
    named = events.column(f"{side}.id")
    return np.where(named != UNKNOWN, named, events.column(f"{side}.account"))


def _under(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {k[len(prefix) :]: array for k, array in arrays.items() if k.startswith(prefix)}


def _decimal(billionths: int) -> str:
    return f"{Decimal(billionths).scaleb(-9):.9f}"
