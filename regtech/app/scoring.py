"""``regtech score``: train on the past, score what comes later, and say why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detectors.anomaly.budget import Levels, Scored, whole
from detectors.anomaly.drift import CHANGED
from detectors.anomaly.measuring import average_precision, by_kind, recall_at, within_budget
from detectors.anomaly.model import ROWS_PER_PIECE, Model, Scores, train
from detectors.anomaly.payments import Float64
from detectors.anomaly.reasons import nothing, reasons_of, sentence, strongest
from regtech.app.models import Models, actor_of
from regtech.app.outcomes import Outcomes, read_outcomes
from regtech.app.paymenttable import PaymentTable, read_payments
from regtech.app.progress import NoProgress, Progress
from regtech.app.scorerows import Lessons, Rows, digest_of, make_lessons, make_rows
from regtech.columns.batch import Int64
from regtech.errors import InputError, SnapshotError, StoreError, UsageError

BUDGETS: Final = (0.001, 0.005, 0.01)
SETTLE_DAYS: Final = 14
DAY_US: Final = 86_400_000_000
SEED: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TRAIN_ROWS_MIN: Final = 500
_BURN_IN_SHARE: Final = 0.1
_BURN_IN_MAX_US: Final = 30 * 86_400_000_000
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Training:
    """What a model learns from: rows in order of time, outcomes where there are any."""

    rows: Float64
    labels: Bools | None
    first_us: int
    last_us: int
    digest: str
    cases: int
    not_yet_known: int
    places: Int64
    """Where the rows stand in the table."""


@dataclass(frozen=True, slots=True)
class Spend:
    """How many alerts there may be: a share of payments, an account only so often."""

    budget: float = 0.005
    quiet_us: int = 0


def score_command(
    events: Sequence[str],
    *,
    until_us: int | None,
    out: Path,
    labels: Path | None = None,
    spend: Spend | None = None,
    settle_days: int = SETTLE_DAYS,
    window_us: int | None = None,
    without: Sequence[str] = (),
    seed: int = SEED,
    map_name: str | None = None,
    lang: str = "en",
    models: Path | None = None,
    by: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train on payments before ``until_us``, write scores of those from then on to ``out``.

    ``window_us``: only so long before ``until_us`` is trained on. ``models``: the folder that keeps
    what was trained, as challenger. Without ``until_us`` the champion of that folder scores what
    comes after its training, and challengers score it beside (``OUT.shadow.parquet``). Returns a
    summary, with what was measured against outcomes of later payments where there are some.
    """
    told, spend = progress or NoProgress(), spend or Spend()
    if until_us is None and models is None:
        raise UsageError("say --train-until, or --models with a promoted model")
    table = read_payments(events, map_name=map_name, progress=told)
    outcomes = None if labels is None else read_outcomes(labels, table)
    if until_us is None:
        assert models is not None
        return _score_kept(table, outcomes, Models(models), out, spend, lang, told)
    told.stage("computing features")
    rows = make_rows(table, until_us, settle_days, without)
    training = training_of(table, rows, outcomes, until_us, window_us)
    if models is None and rows.cut == len(rows.kept):
        raise InputError(
            f"no payment is from {moment_text(until_us)} on: there is nothing to score",
            hint="give an earlier --train-until, or --models to keep what is trained",
        )
    told.stage("imagining attempts")
    lessons = lessons_of(table, rows, training, outcomes, settle_days, seed)
    told.stage("training")
    budgets = sorted({*BUDGETS, spend.budget})
    model = train(
        training.rows, rows.features, labels=training.labels, budgets=budgets, seed=seed,
        lessons=(lessons.rows, lessons.imagined),
    )  # fmt: skip
    known = scored_of(table, training.places, model.score(training.rows).score)
    summary = _score(table, rows, outcomes, model, known, out, spend, lang, told)
    card = {
        "trained_from": moment_text(training.first_us),
        "trained_until": moment_text(training.last_us),
        "trained_until_us": until_us,
        "payments": len(training.rows),
        "cases": training.cases,
        "labels_not_yet_known": training.not_yet_known,
        "digest": training.digest,
        "seed": seed,
        "supervised": model.boosted is not None,
        "taught": model.taught is not None,
        "imagined": {
            "attempts": lessons.attempts,
            "payments": int(lessons.imagined.sum()),
        },
        "settle_days": settle_days,
        "without": list(without),
    }
    summary["trained"] = card
    if models is not None:
        kept = {**card, "metrics": summary.get("measured", {})}
        summary["version"] = Models(models).keep(model, kept, actor_of(by))
    return summary


def scored_of(table: PaymentTable, places: Int64, scores: Float64) -> Scored:
    """Payments of the table with their scores."""
    return Scored(table.time_us[places], table.payer[places], table.payee[places], whole(scores))


def _score(
    table: PaymentTable, rows: Rows, outcomes: Outcomes | None, model: Model, known: Scored,
    out: Path, spend: Spend, lang: str, told: Progress,
) -> dict[str, Any]:  # fmt: skip
    told.stage("scoring")
    scores = model.score(rows.later)
    later = Later.of(table, rows)
    alerts = alerts_of(table, rows, scores, known, spend)
    told.stage("writing scores")
    _write(out, table, rows, later, model, scores, alerts, lang)
    drift = drift_of(model, rows, scores)
    _write_drift(out, drift)
    summary: dict[str, Any] = {
        "out": str(out),
        "scored": len(later.places),
        "alerts": int(alerts[later.row].sum()),
        "budget": spend.budget,
        "quiet_days": spend.quiet_us / DAY_US,
        "quarantined": table.rejected,
        "drift": drift,
    }
    if outcomes is not None:
        summary["outcomes_unmatched"] = outcomes.unmatched
        summary["outcomes_ambiguous"] = outcomes.ambiguous
        measured = measure(scores, rows, outcomes, spend.budget)
        if measured:
            summary["measured"] = measured
    return summary


def _score_kept(
    table: PaymentTable, outcomes: Outcomes | None, models: Models, out: Path, spend: Spend,
    lang: str, told: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Score by the champion, and by challengers beside it; nothing is trained."""
    version = models.champion()
    model, card = models.load(version)
    told.stage("computing features")
    rows, known = _rows_for(table, model, card)
    summary = _score(table, rows, outcomes, model, known, out, spend, lang, told)
    summary |= {"version": version, "trained": card, "shadow": []}
    shadows = []
    for other in models.challengers():
        told.stage(f"scoring by the challenger {other}")
        challenger, its = models.load(other)
        other_rows, before = _rows_for(table, challenger, its)
        scores = challenger.score(other_rows.later)
        later = Later.of(table, other_rows)
        alerts = alerts_of(table, other_rows, scores, before, spend)
        shadows.append((other, later, scores, alerts))
        found = {"version": other, "scored": len(later.places)}
        summary["shadow"].append({**found, "alerts": int(alerts[later.row].sum())})
    if shadows:
        _write_shadow(out, table, shadows)
    return summary


def _rows_for(table: PaymentTable, model: Model, card: Mapping[str, Any]) -> tuple[Rows, Scored]:
    until = int(card["trained_until_us"])
    rows = make_rows(table, until, int(card["settle_days"]), card["without"])
    names = tuple(feature.name for feature in rows.features)
    if names != model.features:
        raise SnapshotError(
            f"the model {card['version']} reads other features than there are", hint="train again"
        )
    if rows.cut < TRAIN_ROWS_MIN:
        raise InputError(
            f"there are {rows.cut} payments from before {card['trained_until']}: features and "
            "levels need the past",
            hint="name the files of the weeks before too",
        )
    return rows, scored_of(table, rows.kept[: rows.cut], model.score(rows.train).score)


def _write_shadow(
    out: Path, table: PaymentTable, shadows: Sequence[tuple[str, Later, Scores, Bools]]
) -> None:
    """What challengers would have said; no alert of theirs stands beside the champion's."""
    columns: dict[str, list[Any]] = {"version": [], "id": [], "score": [], "alert": []}
    for version, later, scores, alerts in shadows:
        columns["version"] += [version] * len(later.places)
        columns["id"] += [table.ids[k] for k in later.places.tolist()]
        columns["score"] += scores.score[later.row].tolist()
        columns["alert"] += alerts[later.row].tolist()
    _write_table(out.with_name(out.stem + ".shadow.parquet"), columns)


def moment_text(us: int) -> str:
    """RFC 3339 in UTC."""
    return (_EPOCH + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")


def training_of(
    table: PaymentTable,
    rows: Rows,
    outcomes: Outcomes | None,
    until_us: int,
    window_us: int | None,
) -> Training:
    """The rows to train on: after a burn-in, in which everything would look new.

    Outcomes that were not known before ``until_us``, and payments without one, teach nothing.
    Raises ``InputError`` where too little is left.
    """
    kept = rows.kept[: rows.cut]
    if len(kept) < TRAIN_ROWS_MIN:
        raise InputError(
            f"{len(kept)} payments before the end of training are too few to train on",
            hint=f"give {TRAIN_ROWS_MIN} at least, or a later --train-until",
        )
    times = table.time_us[kept]
    first = int(times[0])
    begin = first + min(int((until_us - first) * _BURN_IN_SHARE), _BURN_IN_MAX_US)
    if window_us is not None:
        begin = max(begin, until_us - window_us)
    start = min(int(np.searchsorted(times, begin)), len(kept) - TRAIN_ROWS_MIN)
    begin = min(begin, int(times[start]))
    kept, used = kept[start:], rows.train[start:]
    if outcomes is None:
        digest = digest_of(table, kept, None)
        return Training(used, None, begin, until_us, digest, 0, 0, kept)
    said, known = outcomes.said[kept], outcomes.known_us[kept]
    late = known >= until_us
    told = (said >= 0) & ~late
    cases = (said == 1) & ~late
    # Payments whose outcome is not known are ordinary traffic for the ensemble; for boosting they
    # are left out, unless nothing else is said than which payments are cases.
    labels = cases if bool(told.all()) else None
    digest = digest_of(table, kept, np.where(told, said, -1).astype(np.int64))
    if labels is None:
        used, labels, kept = used[told], cases[told], kept[told]
    return Training(
        used, labels, begin, until_us, digest, int(cases.sum()), int((late & (said >= 0)).sum()),
        kept,
    )  # fmt: skip


def lessons_of(
    table: PaymentTable,
    rows: Rows,
    training: Training,
    outcomes: Outcomes | None,
    settle_days: int,
    seed: int,
) -> Lessons:
    """Attempts imagined among what is trained on; cases that were known then are left out."""
    kept = rows.kept[: rows.cut]
    times = table.time_us[kept]
    start = int(np.searchsorted(times, training.first_us))
    cases = None
    if outcomes is not None:
        cases = (outcomes.said[kept] == 1) & (outcomes.known_us[kept] < training.last_us)
    return make_lessons(table, rows, start, settle_days, seed, cases)


def alerts_of(
    table: PaymentTable, rows: Rows, scores: Scores, known: Scored, spend: Spend
) -> Bools:
    """Which later payments are beyond the level of the budget, by the weeks before each day.

    ``known``: what came before, from which the level of the first days is made.
    """
    later = scored_of(table, rows.kept[rows.cut :], scores.score)
    first = int(np.quantile(known.scores, 1.0 - spend.budget))
    levels = Levels(spend.budget, spend.quiet_us, first)
    levels.update(known)
    return levels.update(later)[1]


@dataclass(frozen=True, slots=True)
class Later:
    """Payments to score: their places in the table, and the row of each."""

    places: Int64
    row: Int64

    @classmethod
    def of(cls, table: PaymentTable, rows: Rows) -> Later:
        """Those after the end of training, with what repeats them."""
        number = np.full(len(table), -1, np.int64)
        number[rows.kept[rows.cut :]] = np.arange(len(rows.kept) - rows.cut)
        row = number[table.same_as]
        places = np.flatnonzero(row >= 0)
        return cls(places, row[places])


def measure(scores: Scores, rows: Rows, outcomes: Outcomes, budget: float) -> dict[str, Any]:
    """Quality on later payments whose outcome is known; empty where none of them is a case."""
    places = rows.kept[rows.cut :]
    told = outcomes.said[places] >= 0
    labels = outcomes.said[places][told] == 1
    if not labels.any():
        return {}
    found: dict[str, Any] = {"payments": int(told.sum()), "cases": int(labels.sum())}
    for name, values in (
        ("unsupervised", scores.unsupervised),
        ("taught", scores.taught),
        ("supervised", scores.supervised),
    ):
        if values is not None:
            mine = values[told]
            found[name] = {
                "pr_auc": round(average_precision(mine, labels), 4),
                "recall": {str(b): round(recall_at(mine, labels, b), 4) for b in BUDGETS},
            }
    chosen = within_budget(scores.score[told], budget)
    found["by_kind"] = by_kind(chosen, outcomes.kind[places][told], outcomes.kinds)
    return found


def drift_of(model: Model, rows: Rows, scores: Scores) -> list[dict[str, Any]]:
    """What no longer looks like training: scores, and features that are unusual by themselves."""
    if not len(rows.later):
        return []
    found = []
    index = model.population.stability(rows.later)
    for k in model.unusual:
        if index[k] > CHANGED:
            found.append(_finding("input", model.features[k], float(index[k])))
    index = model.scores.stability(scores.score[:, None])
    if index[0] > CHANGED:
        found.append(_finding("score", "score", float(index[0])))
    return sorted(found, key=lambda one: -one["stability_index"])


def _finding(of: str, name: str, index: float) -> dict[str, Any]:
    return {
        "kind": "quality",
        "rule": "model-drift",
        "of": of,
        "name": name,
        "stability_index": round(index, 4),
        "limit": CHANGED,
    }


def _write_drift(out: Path, drift: Sequence[dict[str, Any]]) -> None:
    beside = out.with_name(out.name + ".drift.ndjson")
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in drift)
    try:
        beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{beside} could not be written: {error.strerror}") from None


def reason_texts(model: Model, rows: Rows, wanted: Int64, lang: str) -> list[list[str]]:
    """For each wanted row of ``rows.later`` its reasons in words, the strongest first."""
    texts: list[list[str]] = []
    for start in range(0, len(wanted), ROWS_PER_PIECE):
        piece = rows.later[wanted[start : start + ROWS_PER_PIECE]]
        columns, added = strongest(model, rows.features, piece)
        for row, mine, gained in zip(piece, columns.tolist(), added.tolist(), strict=True):
            said = [
                sentence(reason, rows.features[c], lang)
                for reason, c in zip(
                    reasons_of(model, mine, gained, row), [c for c in mine if c >= 0], strict=True
                )
            ]
            texts.append(said or [nothing(lang)])
    return texts


def _write(
    out: Path,
    table: PaymentTable,
    rows: Rows,
    later: Later,
    model: Model,
    scores: Scores,
    alerts: Bools,
    lang: str,
) -> None:
    texts = reason_texts(model, rows, np.arange(len(rows.later)), lang)
    row = later.row
    columns: dict[str, Any] = {
        "id": [table.ids[k] for k in later.places.tolist()],
        "reporter": [table.reporters[k] for k in table.reporter[later.places].tolist()],
        "score": scores.score[row],
        "alert": alerts[row],
        "reasons": [texts[k] for k in row.tolist()],
        "unsupervised": scores.unsupervised[row],
    }
    if scores.taught is not None:
        columns["taught"] = scores.taught[row]
    if scores.supervised is not None:
        columns["supervised"] = scores.supervised[row]
    _write_table(out, columns)


def _write_table(out: Path, columns: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), part, compression="zstd")
        part.replace(out)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StoreError(f"{out} could not be written: {error.strerror or error}") from None
