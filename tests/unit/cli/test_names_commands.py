"""``regtech match`` and ``regtech screen`` from files to scores and hits, and their statuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.unit.cli.conftest import Command

LISTS = Path(__file__).parents[2] / "data" / "lists"


def test_match_scores_pairs(tmp_path: Path, regtech: Command) -> None:
    pairs, out = tmp_path / "pairs.csv", tmp_path / "scores.csv"
    pairs.write_text('left,right\n"PUTIN, Vladimir",Владимир Путин\nAnna Berg,Jorge Diaz\n')
    done = regtech("match", "--pairs", pairs, "--out", out)
    assert done.status == 0 and "2 pairs, 1 from 0.5 on" in done.out
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["left"] for row in rows] == ["PUTIN, Vladimir", "Anna Berg"]
    assert float(rows[0]["score"]) > 0.9 and float(rows[1]["score"]) < 0.1
    pairs.write_text("Vladimir Putin,Владимир Путин\n")  # without heads
    assert "1 pair, " in regtech("match", "--pairs", pairs, "--out", out).out
    pairs.write_text("left,right\nonly one\n")
    failed = regtech("match", "--pairs", pairs, "--out", out)
    assert failed.status == 3 and "pairs.csv:2" in failed.err


def test_screen_one_name(regtech: Command) -> None:
    done = regtech("screen", "Muhammad Rida Zahedi", "--lists", LISTS, "--born", "1944")
    assert done.status == 0 and "ZAHEDI, Mohammed Reza" in done.out
    assert "is another spelling of" in done.out and "date of birth: 1944 / 1944" in done.out
    chinese = regtech("screen", "Muhammad Rida Zahedi", "--lists", LISTS, "--lang", "zh")
    assert "为另一转写" in chinese.out
    assert "no hits" in regtech("screen", "Anna Berg", "--lists", LISTS).out
    assert regtech("screen", "Anna Berg", "--names", "x", "--lists", LISTS).status == 2
    assert regtech("screen", "Anna Berg").status == 2
    nothing = regtech("screen", " -- ", "--lists", LISTS)
    assert nothing.status == 2 and "no letter and no digit" in nothing.err


def test_names_without_a_letter_are_told(tmp_path: Path, regtech: Command) -> None:
    names = tmp_path / "names.csv"
    names.write_text("id,name,imo\na,Anna Berg,\nb,,\nc,-,\nd,,9074729\n")
    done = regtech("screen", "--names", names, "--lists", LISTS, "--out", tmp_path / "hits.ndjson")
    assert done.status == 0 and "no letter and no digit: 2: b, c" in done.err + done.out


def test_screen_a_file_and_only_what_is_new(tmp_path: Path, regtech: Command) -> None:
    parties, out = tmp_path / "parties.csv", tmp_path / "hits.ndjson"
    parties.write_text("id,name,birth_date\nP1,Kim Jong-un,1984-01-08\nP2,Anna Berg,\n")
    done = regtech("screen", "--names", parties, "--lists", LISTS, "--out", out)
    assert done.status == 0
    (hit,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert (hit["party"], hit["list"], hit["entry"]) == ("P1", "ofac", "20157")
    assert hit["query"] == "Kim Jong-un" and hit["score"] > 0.9
    assert {"part", "en", "zh", "log_odds"} <= set(hit["parts"][0])
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "own.csv").write_text("id,name\n7,Anna Berg\n")
    same = regtech("screen", "--names", parties, "--lists", LISTS, "--since", LISTS, "--json")
    assert json.loads(same.out) == {"hits": []}
    new = regtech("screen", "--names", parties, "--lists", newer, "--since", LISTS, "--json")
    assert [hit["party"] for hit in json.loads(new.out)["hits"]] == ["P2"]


def test_screen_the_text_of_a_payment(regtech: Command) -> None:
    text = "rent March, ref 88123, for Kim Jong Un; thanks"
    done = regtech("screen", "--text", text, "--lists", LISTS, "--json")
    assert done.status == 0
    (hit,) = json.loads(done.out)["hits"]
    assert text[hit["start"] : hit["end"]] == hit["query"] == "Kim Jong Un"
    assert (hit["list"], hit["entry"]) == ("ofac", "20157")
    assert "no hits" in regtech("screen", "--text", "rent March", "--lists", LISTS).out
    refused = regtech("screen", "--text", text, "Kim Jong Un", "--lists", LISTS)
    assert refused.status == 2 and "--text goes with" in refused.err


def test_what_a_search_would_pass_over_is_refused(tmp_path: Path, regtech: Command) -> None:
    """A slip in what supports or contradicts a name, or in a head, must not read as "no hits"."""
    for option, word in (("--kind", "man"), ("--country", "Russia"), ("--country", "RUS")):
        refused = regtech("screen", "Anna Berg", "--lists", LISTS, option, word)
        assert refused.status == 2 and word.upper() in refused.err.upper()
    parties = tmp_path / "parties.csv"
    parties.write_text("id;nme\n1;Vladimir Putin\n")
    refused = regtech("screen", "--names", parties, "--lists", LISTS)
    assert refused.status == 3 and "has no column 'name'" in refused.err
    parties.write_text("id,name\n1,Vladimir Putin\n")
    refused = regtech("screen", "--names", parties, "--lists", LISTS, "--kind", "person")
    assert refused.status == 2 and "go with one name" in refused.err
