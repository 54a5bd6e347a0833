"""Names: how often pairs are judged rightly, how fast a list is asked, what blocking loses.

``python benchmarks/names.py LISTS`` takes a folder of OFAC's and the UN's files. Pairs are made
from them as for fitting, by entity in five folds; quality is measured on each fold by weights that
were fitted on the others (``fit_names.py`` prints the same). RapidFuzz runs beside it. Without the
folder nothing can be measured, and it says so.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import machine, one_core
from benchmarks.name_pairs import DISTORTIONS, listed_entities
from benchmarks.strangers import strangers
from detectors.names.analysis import Analyser
from detectors.names.pairs import pair_scores
from detectors.names.screener import Query, Screener
from regtech.adapters.lists.folder import read_lists
from regtech.app.names import FOLDER, MATCH_MIN, country_words, load_model, load_tables
from regtech.content import content_root
from regtech.reference.watchlists import ListVersion


def distorted_names(version: ListVersion, analyser: Analyser, each: int) -> list[tuple[str, str]]:
    """Names of a list with slips, swaps and other spellings, and the entry each belongs to."""
    draw = random.Random(23)
    found = []
    for entity in listed_entities([version]):
        words = analyser.analyse(entity.primary)[0].words
        if len(words) < 2:
            continue
        for kind in draw.sample(("one slip", "swapped", "respelled"), each):
            if changed := DISTORTIONS[kind](list(words), draw):
                found.append((" ".join(changed), entity.key.split(":", 1)[1]))
    return found


def timed(screener: Screener, names: list[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """CPU milliseconds of each question."""
    spent = np.zeros(len(names))
    for number, name in enumerate(names):
        began = time.process_time_ns()
        screener.screen(Query(name), explain=False)
        spent[number] = (time.process_time_ns() - began) / 1e6
    return spent


def blocking_recall(screener: Screener, names: list[str], least: float) -> dict[str, Any]:
    """Of the rows that a name scores so high with, how many the index gives, and of how many; the
    same of the entries that these belong to, each of which is one hit. Some names that lose."""
    counts, losing = np.zeros(4, np.int64), []
    for name in names:
        hits = np.flatnonzero(screener.odds_of_all(name) >= np.log(least / (1 - least)))
        got = hits[np.isin(hits, screener.candidates(name))]
        entries = len(screener.owners_of(got)), len(screener.owners_of(hits))
        counts += np.array((len(got), len(hits), *entries))
        if entries[0] < entries[1]:
            losing.append(name)
    rows, of_rows, found, of_found = counts.tolist()
    return {
        "rows": f"{rows} of {of_rows} ({rows / max(1, of_rows):.5f})",
        "entries": f"{found} of {of_found} ({found / max(1, of_found):.5f})",
        "such as": losing[:5],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lists", type=Path, nargs="?", help="folder of OFAC's and the UN's files")
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1)
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument("--brute", type=int, default=150, help="questions against every row")
    parser.add_argument("--innocent", type=int, default=2000, help="names of people on no list")
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=3, help="which names are asked")
    given = parser.parse_args()
    if given.lists is None or not given.lists.is_dir():
        print("skipped: no folder of lists was given; python benchmarks/names.py LISTS")
        return
    one_core(given.core)
    found: dict[str, Any] = {}
    tables, model = load_tables(), load_model()
    countries = country_words(content_root("mappings") / FOLDER)
    Screener(tables, model, []).screen(Query("warm up"))  # compiles, or reads what was compiled
    began = time.process_time()
    versions = read_lists(given.lists, countries)
    screener = Screener(tables, model, versions)
    found["load_s"] = round(time.process_time() - began, 2)
    found["rows"] = len(screener)
    analyser = Analyser(tables)
    draw = random.Random(given.seed)
    every = [name.text for v in versions for entry in v.entries for name in entry.names]
    known = {" ".join(sorted(analyser.analyse(name)[0].words)) for name in every}
    innocent = strangers(given.innocent, known, analyser)
    un = next(version for version in versions if version.name == "un")
    distorted = distorted_names(un, analyser, 2)

    screener.screen(Query("Ivan Petrov"))
    gc.collect()
    gc.freeze()
    questions = draw.sample(every, given.questions // 2)
    questions += [name for name, _ in draw.sample(distorted, given.questions // 4)]
    questions += draw.sample(innocent, given.questions // 4)
    spent = timed(screener, questions)
    found["question_ms"] = {
        "mean": round(float(spent.mean()), 3),
        "p99": round(float(np.quantile(spent, 0.99)), 3),
        "max": round(float(spent.max()), 3),
    }

    un_screener = Screener(tables, model, [un])
    for name, asked in (("un", un_screener), ("ofac+un", screener)):
        right = sum(
            any(hit.key == ("un", entry) for hit in
                asked.screen(Query(text), threshold=given.threshold, explain=False))
            for text, entry in distorted
        )  # fmt: skip
        wrong = [
            text for text in innocent
            if asked.screen(Query(text, kind="person"), threshold=given.threshold, explain=False)
        ]  # fmt: skip
        found[f"distorted UN names against {name}"] = {
            "asked": len(distorted),
            "recall": round(right / len(distorted), 4),
            "innocent": len(innocent),
            "false positives": len(wrong),
            "such as": wrong[:5],
        }
    some = draw.sample([name for name, _ in distorted], given.brute // 2)
    some += draw.sample(every, given.brute - len(some))
    for least in (0.5, given.threshold):
        found[f"blocking recall from {least}"] = blocking_recall(screener, some, least)
    found["near-exact F1"] = _near_exact(versions, analyser)
    found["peers"] = _peers(every, draw.sample(questions, 40))
    found["machine"] = machine()
    print(json.dumps(found, indent=1, ensure_ascii=False))


def _near_exact(versions: list[ListVersion], analyser: Analyser) -> float:
    """F1 at 0.5 of names written otherwise (case, order, hyphens) against those of others."""
    from benchmarks.name_pairs import written_otherwise

    draw = random.Random(29)
    entities = draw.sample(listed_entities(versions), 2000)
    left = [written_otherwise(e.primary, draw) for e in entities]
    right = [e.primary for e in entities]
    truth = [True] * len(left)
    for entity, other in zip(entities, entities[1:], strict=False):
        left.append(written_otherwise(entity.primary, draw))
        right.append(other.primary)
        truth.append(False)
    said = pair_scores(analyser, load_model(), left, right) >= MATCH_MIN
    right_said = float(np.sum(said & np.array(truth)))
    return round(2 * right_said / float(said.sum() + sum(truth)), 4)


def _peers(names: list[str], questions: list[str]) -> dict[str, float]:
    """CPU milliseconds a question of RapidFuzz over all names, best 10 from 80 on."""
    from rapidfuzz import fuzz, process, utils

    ready = [utils.default_process(name) for name in names]
    found = {}
    for name in ("WRatio", "token_sort_ratio"):
        began = time.process_time()
        for question in questions:
            process.extract(
                utils.default_process(question), ready, scorer=getattr(fuzz, name),
                score_cutoff=80, limit=10,
            )  # fmt: skip
        found[f"RapidFuzz {name} ms"] = round(
            (time.process_time() - began) * 1000 / len(questions), 1
        )
    return found


if __name__ == "__main__":
    main()
