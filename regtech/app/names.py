"""The words, weights and lists of name screening brought together; what its commands ask."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from detectors.names.analysis import Analyser, Kind
from detectors.names.pairs import pair_scores
from detectors.names.rescreen import new_hits
from detectors.names.scoring import Model
from detectors.names.screener import Hit, Query, Screener
from detectors.names.tables import NameTables
from detectors.names.texts import SPANS_MAX, TEXT_LONGEST, TextHit, screen_text
from detectors.names.words import part_words, relation_words
from regtech.adapters.committed import CommittedFile
from regtech.adapters.lists.dates import birth_date
from regtech.adapters.lists.folder import read_lists
from regtech.app.settings import setting
from regtech.content import content_root, read_text, yamlmarks
from regtech.errors import ContentError, InputError, UsageError
from regtech.reference.watchlists import ListVersion

FOLDER: Final = "names"
_KINDS: Final[dict[str, Kind]] = {
    "person": "person", "entity": "entity", "vessel": "vessel", "aircraft": "aircraft",
}  # fmt: skip
FAULTS_TOLD: Final = 5
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
        kinds = [kind_named(row[kind_at] if len(row) > kind_at else "") for row in body]
    scores = match_pairs(left, right, kinds)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["left", "right", "score"])
    for a, b, score in zip(left, right, scores, strict=True):
        writer.writerow([a, b, f"{score:.6f}"])
    _write(out, "scores", text.getvalue().encode())
    return {
        "pairs": len(scores),
        "matches": sum(score >= MATCH_MIN for score in scores),
        "out": out,
    }


def _write(out: str, what: str, content: bytes) -> None:
    file = CommittedFile(out, what)
    try:
        if content:
            file.write(content)
        file.close()
    except BaseException:
        file.abandon()
        raise


def write_hits(out: str, hits: list[dict[str, Any]]) -> None:
    """Hits as NDJSON. Raises ``StoreError``."""
    _write(out, "hits", "".join(json.dumps(h, ensure_ascii=False) + "\n" for h in hits).encode())


def kind_asked(text: str) -> Kind:
    """The kind that an option names; "" for none. Raises ``UsageError`` for another word: a kind
    that is passed over would let a hit pass that the caller did not mean to get, or lose one."""
    if text.strip() and not kind_named(text):
        raise UsageError(f"no kind {text!r}", hint=f"one of {', '.join(_KINDS)}")
    return kind_named(text)


def countries_asked(text: str) -> tuple[str, ...]:
    """Codes between commas. Raises ``UsageError`` for what is no code: a country in words would
    count as another than that of the list."""
    codes = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    for code in codes:
        if not (len(code) == 2 and code.isascii() and code.isalpha()):
            raise UsageError(f"no country {code!r}", hint="two letters, between commas: IR,SY")
    return codes


def kind_named(text: str) -> Kind:
    """The kind of a name that a word says; "" where it says none."""
    return _KINDS.get(text.strip().lower(), "")


# --- lists


def lists_folder(given: Path | None) -> Path:
    """The folder of lists that was given, or that is set. Raises ``UsageError``."""
    named = given or (Path(setting("REGTECH_LISTS")) if setting("REGTECH_LISTS") else None)
    if named is None:
        raise UsageError(
            "which lists?", hint="--lists DIR with sdn.csv, the UN's XML or CSV; or REGTECH_LISTS"
        )
    return named


def read_versions(folder: Path, between: Callable[[], object] = lambda: None) -> list[ListVersion]:
    """All versions of all lists in a folder. Raises ``InputError``."""
    return read_lists(folder, country_words(content_root("mappings") / FOLDER), between)


def load_screener(
    folder: Path,
    note: Callable[[str], None] = print,
    between: Callable[[], object] = lambda: None,
) -> Screener:
    """A screener of all versions of all lists in a folder; what was left out goes to ``note``.

    ``between`` is called often meanwhile.
    """
    versions = read_versions(folder, between)
    for version in versions:
        for fault in version.faults[:FAULTS_TOLD]:
            note(f"{version.name}: {fault}")
        if len(version.faults) > FAULTS_TOLD:
            note(f"{version.name}: {len(version.faults) - FAULTS_TOLD} more lines were left out")
    return Screener(load_tables(), load_model(), versions, between=between)


def screen_command(
    name: str | None,
    names: Path | None,
    lists: Path,
    *,
    threshold: float,
    since: Path | None = None,
    at_us: int | None = None,
    kind: str = "",
    birth_date_text: str = "",
    countries: tuple[str, ...] = (),
    note: Callable[[str], None] = print,
) -> Iterator[dict[str, Any]]:
    """Hits as they are shown, query by query. ``since``: only what its lists did not say."""
    if (name is None) == (names is None):
        raise UsageError("a name or --names FILE, one of them")
    if name is not None:
        born = birth_date(birth_date_text) if birth_date_text else None
        if birth_date_text and born is None:
            raise UsageError(f"no date in {birth_date_text!r}", hint="1970, 1970-03 or 1970-03-21")
        if not _comparable(name):
            raise UsageError(f"nothing in {name[:60]!r} can be compared: no letter and no digit")
        asked = [("", Query(name, kind_asked(kind), born, countries))]
    else:
        if kind or birth_date_text or countries:
            raise UsageError(
                "--kind, --born and --country go with one name",
                hint="a file has columns kind, birth_date and country",
            )
        assert names is not None
        asked = read_queries(names)
        empty = [
            party for party, query in asked if not _comparable(query.name) and not query.identifiers
        ]
        if empty:
            some = ", ".join(empty[:5]) + (" …" if len(empty) > 5 else "")
            note(f"not looked for, since the name has no letter and no digit: {len(empty)}: {some}")
    screener = load_screener(lists, note)
    if since is not None:
        before = load_screener(since, note)
        for raised in new_hits(asked, before, screener, threshold=threshold):
            yield hit_json(raised.party, dict(asked)[raised.party].name, raised.hit)
        return
    for party, query in asked:
        for hit in screener.screen(query, at_us=at_us, threshold=threshold):
            yield hit_json(party, query.name, hit)


def _comparable(name: str) -> bool:
    return any(letter.isalnum() for letter in name)


def screen_text_command(
    text: str,
    lists: Path,
    *,
    threshold: float,
    at_us: int | None = None,
    note: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Listed names in the text of a payment, as they are shown; what was not read is noted."""
    screener = load_screener(lists, note)
    found = screen_text(screener, text, at_us=at_us, threshold=threshold)
    if found.cut:
        note(f"only the first {TEXT_LONGEST:,} characters, or {SPANS_MAX} spans of them, were read")
    return [text_hit_json(one) for one in found.hits]


def text_hit_json(found: TextHit) -> dict[str, Any]:
    """As ``hit_json``, with the place in the text, in characters."""
    return {"start": found.start, "end": found.end, **hit_json("", found.span, found.hit)}


def read_queries(path: Path) -> list[tuple[str, Query]]:
    """Parties of a file: a CSV with a column ``name``, or one name a line.

    Further columns: ``id``, ``kind``, ``birth_date``, ``country`` (codes between semicolons),
    ``imo``, ``wallet``. Without an id a party is known by its line. Raises ``InputError``.
    """
    text = read_text(path)
    lines = text.splitlines()
    heads = [cell.strip().strip('"').lower() for cell in (lines[0] if lines else "").split(",")]
    if "name" not in heads:
        if path.suffix.lower() == ".csv":
            raise InputError(
                f"{path} has no column 'name'",
                hint=f"its first line has {', '.join(heads)}; a list of names alone is no .csv",
            )
        return [
            (f"line {n}", Query(line.strip())) for n, line in enumerate(lines, 1) if line.strip()
        ]
    rows = csv.DictReader(lines[1:], fieldnames=heads, restkey="", restval="")
    found: dict[str, Query] = {}
    for row in rows:
        line = rows.line_num + 1
        cells = {key: (value or "").strip() for key, value in row.items() if key}
        born = birth_date(cells["birth_date"]) if cells.get("birth_date") else None
        if cells.get("birth_date") and born is None:
            raise InputError(f"{path}:{line}: birth_date: no date in {cells['birth_date']!r}")
        party = cells.get("id") or f"line {line}"
        if party in found:
            raise InputError(f"{path}:{line}: id: {party!r} is there twice")
        codes = tuple(code.strip().upper() for code in cells.get("country", "").split(";") if code)
        exact = tuple((sort, cells[sort]) for sort in ("imo", "wallet") if cells.get(sort))
        found[party] = Query(cells["name"], kind_named(cells.get("kind", "")), born, codes, exact)
    return list(found.items())


def hit_json(party: str, asked: str, hit: Hit) -> dict[str, Any]:
    """A hit for machines: query, entry, list, score and its parts in both languages."""
    entry = hit.standing.entry
    found: dict[str, Any] = {"party": party} if party else {}
    found |= {
        "query": asked,
        "list": hit.standing.list,
        "entry": entry.id,
        "name": hit.listed.text,
        "quality": hit.listed.quality,
        "primary": entry.names[0].text,
        "kind": entry.kind,
        "programs": list(entry.programs),
        "score": round(hit.score, 6),
        "name_score": round(hit.name_score, 6),
    }
    if hit.identifier is not None:
        found["identifier"] = {"kind": hit.identifier[0], "value": hit.identifier[1]}
    told = hit.explanation.parts if hit.explanation else ()
    found["parts"] = [
        {"part": part.name, **_both(part_words, part.name), "log_odds": round(part.log_odds, 3)}
        for part in told
    ] + [
        {
            "part": part.part, **_both(part_words, part.part),
            "log_odds": round(part.log_odds, 3), "asked": part.asked, "listed": part.listed,
        }
        for part in hit.evidence
    ]  # fmt: skip
    found["words"] = [
        {
            "left": pair.left, "right": pair.right, "relation": pair.relation,
            **_both(relation_words, pair.relation), "alike": pair.alike, "log_odds": pair.log_odds,
        }
        for pair in (hit.explanation.pairs if hit.explanation else ())
    ]  # fmt: skip
    return found


def _both(words: Callable[[str, str], str], name: str) -> dict[str, str]:
    return {"en": words(name, "en"), "zh": words(name, "zh")}
