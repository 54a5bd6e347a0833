"""The words, weights and lists of name screening brought together; what its commands ask."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from detectors.names.analysis import Analyser, Kind
from detectors.names.pairs import pair_scores
from detectors.names.scoring import Model
from detectors.names.tables import NameTables
from regtech.adapters.committed import CommittedFile
from regtech.content import content_root, read_text, yamlmarks
from regtech.errors import ContentError, InputError

FOLDER: Final = "names"
MATCH_MIN: Final = 0.5
"""From this score on two names count as one's: where the errors balanced on development pairs."""


def load_tables(folder: Path | None = None) -> NameTables:
    """The words of names under ``mappings/names``. Raises ``ContentError`` and ``InputError``."""
    where = folder or content_root("mappings") / FOLDER
    return NameTables.from_documents(
        forms=_document(where / "company-forms.yml"),
        titles=_document(where / "titles.yml"),
        equivalents=_document(where / "equivalents.yml"),
        readings=_document(where / "readings.yml"),
        countries=country_words(where),
        weights=_word_weights(where / "word-weights.csv"),
    )


def load_model(folder: Path | None = None) -> Model:
    """The fitted weights of the score."""
    path = (folder or content_root("mappings") / FOLDER) / "score.json"
    try:
        return Model.from_document(json.loads(read_text(path)))
    except json.JSONDecodeError as error:
        raise ContentError(f"{path}:{error.lineno}:{error.colno}: {error.msg}") from error


@cache
def shipped() -> tuple[Analyser, Model]:
    """Analyser and model that ship with the product."""
    return Analyser(load_tables()), load_model()


def country_words(folder: Path) -> Mapping[str, str]:
    """Names of countries as they stand in names and lists, lower case, to ISO 3166 codes.

    The names in English are those of the CLDR; other spellings stand in ``countries.yml``.
    """
    from babel import Locale

    found: dict[str, str] = {}
    for code, name in Locale("en").territories.items():
        if len(code) == 2 and code.isalpha() and code not in ("EU", "UN", "EZ", "ZZ", "QO"):
            found[name.casefold()] = code
    for code, names in _document(folder / "countries.yml")["countries"].items():
        for name in names:
            found[str(name).casefold()] = code
    return found


def _word_weights(path: Path) -> Mapping[str, float]:
    rows = csv.reader(line for line in read_text(path).splitlines() if not line.startswith("#"))
    try:
        return {word: float(weight) for word, weight in rows}
    except ValueError as error:
        raise ContentError(f"{path}: {error}", hint="each line is word,weight") from error


def _document(path: Path) -> Any:
    document = yamlmarks.load_file(path)
    if document.problems:
        problem = document.problems[0]
        raise ContentError(f"{path}:{problem.line}:{problem.column}: {problem.message}")
    return yamlmarks.plain(document.root)


# --- pairs


def match_pairs(left: list[str], right: list[str], kinds: list[Kind] | None = None) -> list[float]:
    """The score from 0 to 1 of each pair of names: the best of their readings."""
    analyser, model = shipped()
    return [float(score) for score in pair_scores(analyser, model, left, right, kinds)]


def match_command(pairs: Path, out: str) -> dict[str, Any]:
    """Score a CSV of pairs: its columns ``left`` and ``right`` (or its first two), and ``score``.

    Raises ``InputError`` where the file is no such CSV, ``StoreError`` where ``out`` cannot be
    written.
    """
    rows = list(csv.reader(read_text(pairs).splitlines()))
    if not rows:
        raise InputError(f"{pairs} is empty", hint="a CSV with the columns left,right")
    heads = [cell.strip().lower() for cell in rows[0]]
    named = "left" in heads and "right" in heads
    at = (heads.index("left"), heads.index("right")) if named else (0, 1)
    kind_at = heads.index("kind") if named and "kind" in heads else None
    body = rows[1:] if named else rows
    for number, row in enumerate(body, start=2 if named else 1):
        if len(row) <= max(at):
            raise InputError(
                f"{pairs}:{number}: {len(row)} columns, left and right are needed",
                hint="quote names that have a comma in them",
            )
    left, right = [row[at[0]] for row in body], [row[at[1]] for row in body]
    kinds = None
    if kind_at is not None:
        kinds = [_kind(row[kind_at] if len(row) > kind_at else "") for row in body]
    scores = match_pairs(left, right, kinds)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["left", "right", "score"])
    for a, b, score in zip(left, right, scores, strict=True):
        writer.writerow([a, b, f"{score:.6f}"])
    file = CommittedFile(out, "scores")
    try:
        file.write(text.getvalue().encode())
        file.close()
    except BaseException:
        file.abandon()
        raise
    return {
        "pairs": len(scores),
        "matches": sum(score >= MATCH_MIN for score in scores),
        "out": out,
    }


def _kind(text: str) -> Kind:
    word = text.strip().lower()
    return word if word in ("person", "entity", "vessel", "aircraft") else ""  # type: ignore[return-value]
