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
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.budget import Levels, Scored, whole
from detectors.anomaly.catalogue import Feature
from detectors.anomaly.payments import Float64, Payments
from detectors.anomaly.reading import READ, Codes, Reader
from detectors.anomaly.reasons import reason_data, reasons_of, strongest
from detectors.anomaly.standing import CHAMPION, Find, Missing, Standing, usable
from detectors.anomaly.stream import Columns, FeatureStream, stream_features
from detectors.anomaly.wanted import PARAMETERS, fault_of, wanted_of, without_of
from detectors.anomaly.watching import Watch
from regtech.ports.detection import (
    UNKNOWN,
    YES,
    Decided,
    Events,
    Finding,
    Int64,
    Question,
)

_AGAIN: Final = 1e-6
"""Scores that are computed on other machines may differ by so much."""


class Anomalies:
    """Puts models of a registry to work in runs.

    ``find`` is asked when a run begins. ``shapes``: the graph's columns and how they are made.
    """

    name = "anomalies"
    asks = frozenset(PARAMETERS)

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
        return fault_of(question)

    def reads(self, questions: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        """Who pays whom how much, and how."""
        return {"transaction": READ}

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
        self._features, self._reader = features, Reader(codes)
        names = [feature.name for feature in features]
        self._columns = {
            found.version: np.array([names.index(name) for name in found.model.features], np.int64)
            for found in models.values()
            if isinstance(found, Standing)
        }
        self._wanted = {question.name: wanted_of(question) for question in questions}
        self._levels: dict[str, Levels] = {}
        self._watches: dict[str, Watch] = {}
        for question in questions:
            self._begin(question)
        self._rows: dict[str, Float64] = {}
        self._found: dict[tuple[str, int], Any] = {}

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
        places = self._reader.places(events)
        if not len(places):
            return answers
        payments = self._reader.payments(events, places)
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

    # --- state

    def export(self) -> dict[str, npt.NDArray[Any]]:
        """See ``regtech.ports.detection.Answering``.

        Levels and counts go by the scores of one model: they are kept under its digest.
        """
        made: dict[str, npt.NDArray[Any]] = {"accounts": self._reader.state()}
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
        self._reader.restore(arrays["accounts"])
        self._stream.restore(_under("stream.", arrays))
        for kind, parts in (("levels", self._levels), ("watches", self._watches)):
            for name, part in parts.items():
                mine = _under(f"{kind}.{name}.{self._digest(name)}.", arrays)
                if mine:  # nothing of another model counts for this one
                    part.restore(mine)


def _under(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {k[len(prefix) :]: array for k, array in arrays.items() if k.startswith(prefix)}


def _decimal(billionths: int) -> str:
    return f"{Decimal(billionths).scaleb(-9):.9f}"
