"""Parts of a rule added and taken away by its form: add and take away gives the same bytes.

Over every rule that ships, so that no way of writing one is left out.
"""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from regtech.app.ruleparts import added, follows, taken_away
from regtech.content import content_root
from regtech.content.yamlmarks import load, plain
from regtech.errors import InputError

FILES = sorted(content_root("rules").glob("*/*.yml"))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def data_of(text: str) -> Any:
    document = load(text, "x")
    assert not document.problems
    return plain(document.root)


def rules_of(path: Path) -> list[str]:
    """Each rule of a pack in a pack of its own, in its own bytes: a whole one takes ten times as
    long to read."""
    head, mark, rest = text_of(path).partition("\nrules:\n")
    assert mark
    places = [m.start() for m in re.finditer(r"^  - ", rest, re.M)] + [len(rest)]
    return [head + mark + rest[a:b] for a, b in itertools.pairwise(places)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_added_to_a_rule_is_taken_away_without_a_trace(path: Path) -> None:
    for text in rules_of(path)[::3]:
        rule = data_of(text)["rules"][0]
        place, tests = "rules/0", rule.get("tests", [])
        cited = rule.get("obligation")
        at = f"/{len(cited)}" if isinstance(cited, list) else "/1" if cited else ""
        steps: list[tuple[str, str, dict[str, str], str]] = [
            ("test", place, {"name": "a: new # one", "like": "0"}, f"tests/{len(tests)}"),
            ("measure", place, {"name": "fresh", "value": 'count(where=a == "b: c")'}, "let/fresh"),
            ("obligation", place, {"id": "CN-NEW"}, f"obligation{at}"),
        ]
        if tests:
            many = len(tests[0]["events"])
            given = {"name": "fresh", "value": "007"}
            steps += [
                ("event", f"{place}/tests/0", {}, f"tests/0/events/{many}"),
                ("event_field", f"{place}/tests/0/events/0", given, "tests/0/events/0/fresh"),
            ]
        for kind, where, given, taken in steps:
            made = added(text, kind, where, given)
            assert made != text and all(line in made for line in text.split("\n")[:8]), kind
            assert taken_away(made, f"{place}/{taken}") == text, (rule["id"], kind)
        if not tests:
            continue  # one that waits for a detector: its first test is made from nothing
        kind, where, given, _ = steps[0]
        copy = data_of(added(text, kind, where, given))["rules"][0]["tests"][-1]
        assert copy == {**tests[0], "name": "a: new # one"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_new_figure_from_a_day_on_and_back(path: Path) -> None:
    text = rules_of(path)[0]
    for name, param in (data_of(text).get("params") or {}).items():
        where = f"params/{name}"
        made = added(text, "figure", where, {"value": "12 days", "from": "2031-02-01"})
        versions = data_of(made)["params"][name]["values"]
        assert str(versions[-1]["from"]) == "2031-02-01" and versions[-1]["value"] == "12 days"
        before = param.get("values", [])
        ended = bool(before) and "until" in before[-1]
        assert ended or str(versions[-2]["until"]) == "2031-01-31"
        if not ended:
            assert follows(versions, len(versions) - 1)
        back = taken_away(made, f"{where}/values/{len(versions) - 1}", goes_on=not ended)
        assert back == text, name


DATED = """\
# head
params:
  one: {value: CNY 50000, basis: law}  # why
  two:
    basis: law
    # the old one
    values:
      - {from: 2020-01-01, until: 2022-12-31, value: CNY 1}  # first
      - {from: 2024-01-01, value: CNY 2}
  words: {value: [a, "b c"], basis: law}
  three: {values: [{until: 2019-12-31, value: 5}, {from: 2020-01-01, value: 6}], basis: law}
"""


@pytest.mark.parametrize(
    ("param", "value", "day", "line", "number", "goes_on"),
    [
        ("one", "CNY 40000", "2027-01-01",
         "  one: {values: [{until: 2026-12-31, value: CNY 50000}, "
         "{from: 2027-01-01, value: CNY 40000}], basis: law}  # why", 1, True),
        ("words", "x", "2027-01-01",
         '  words: {values: [{until: 2026-12-31, value: [a, "b c"]}, '
         "{from: 2027-01-01, value: x}], basis: law}", 1, True),
        ("two", "CNY 3", "2027-01-01", "{from: 2024-01-01, until: 2026-12-31, value: CNY 2}\n"
         "      - {from: 2027-01-01, value: CNY 3}", 2, True),
        ("two", "CNY 3", "2021-01-01",
         "      - {from: 2020-01-01, until: 2020-12-31, value: CNY 1}  # first\n"
         "      - {from: 2021-01-01, until: 2022-12-31, value: CNY 3}\n"
         "      - {from: 2024-01-01, value: CNY 2}", 1, True),
        ("two", "CNY 3", "2023-06-01", "{from: 2023-06-01, until: 2023-12-31, value: CNY 3}", 1,
         False),
        ("two", "CNY 3", "2010-06-01", "{from: 2010-06-01, until: 2019-12-31, value: CNY 3}", 0,
         False),
        ("three", "7", "2027-01-01", "{from: 2020-01-01, until: 2026-12-31, value: 6}, "
         "{from: 2027-01-01, value: 7}]", 2, True),
    ],
)  # fmt: skip
def test_a_figure_takes_its_place_among_the_others(
    param: str, value: str, day: str, line: str, number: int, goes_on: bool
) -> None:
    made = added(DATED, "figure", f"params/{param}", {"value": value, "from": day})
    assert line in made and "# head" in made and "# the old one" in made
    data_of(made)
    back = taken_away(made, f"params/{param}/values/{number}", goes_on=goes_on)
    assert back == DATED


def test_what_cannot_be_added_says_why() -> None:
    for kind, given, why in (
        ("figure", {"value": "5", "from": "soon"}, "no day"),
        ("figure", {"value": "", "from": "2027-01-01"}, "value is empty"),
        ("odd", {}, "nothing that can be added"),
    ):
        with pytest.raises(InputError, match=why):
            added(DATED, kind, "params/one", given)
    with pytest.raises(InputError, match="from 2024-01-01 on"):
        added(DATED, "figure", "params/two", {"value": "5", "from": "2024-01-01"})
    with pytest.raises(InputError, match="keeps one figure"):
        taken_away("params: {a: {values: [{value: 1}], basis: law}}\n", "params/a/values/0")
    with pytest.raises(InputError, match="nothing at"):
        taken_away(DATED, "params/none/x")
    with pytest.raises(InputError, match="does not end"):
        taken_away(DATED, "params/two/values/1", goes_on=True)


EMPTY = """\
pack: p
rules:
  - id: one
    title: {en: One}
    on: [loan]
    alert: {kind: report}
"""


def test_the_first_of_its_kind_makes_its_place() -> None:
    for kind, path, given, taken in (
        ("test", "rules/0", {"name": "first"}, "rules/0/tests/0"),
        ("measure", "rules/0", {"name": "a", "value": "count()"}, "rules/0/let/a"),
        ("obligation", "rules/0", {"id": "CN-1"}, "rules/0/obligation"),
        ("param", "", {"name": "a", "value": "5 days", "basis": "default"}, "params/a"),
        ("instrument", "", {"id": "law-1", "en": "A, law", "zh": "法", "from": "2027-01-01"},
         "instruments/law-1"),
    ):  # fmt: skip
        made = added(EMPTY, kind, path, given)
        assert data_of(made) != data_of(EMPTY)
        assert taken_away(made, taken) == EMPTY, kind
    law = added(EMPTY, "instrument", "", {"id": "law-1", "en": "A", "zh": "", "from": "2027-01-01"})
    assert law.index("instruments:") < law.index("rules:")
    given = {"instrument": "law-1", "article": "5(1), 2", "confidence": "verified"}
    cited = added(law, "cite", "rules/0", given)
    assert data_of(cited)["rules"][0]["cite"] == given
    assert taken_away(cited, "rules/0/cite") == law
    with pytest.raises(InputError, match="no instrument"):
        added(EMPTY, "cite", "rules/0", given)
    # Without an end of the last line too.
    short = EMPTY.rstrip("\n")
    made = added(short, "test", "rules/0", {"name": "first"})
    assert taken_away(made, "rules/0/tests/0") == short
