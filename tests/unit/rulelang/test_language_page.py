"""The reference page of the language says what the code does, and its examples run."""

from __future__ import annotations

import re

import pytest

from regtech.content.format import format_text
from regtech.rulelang.consequences import ALERT_KINDS, SEVERITIES
from regtech.rulelang.fieldviews import DERIVED, SUBJECTS
from regtech.rulelang.functions import FUNCTIONS
from regtech.rulelang.measures import MEASURES, PERIODS
from regtech.rulelang.packs import PACK_KEYS, load_text
from regtech.rulelang.register import Register, load_register
from regtech.rulelang.rules import RULE_KEYS
from regtech.rulelang.values import COUNT_UNITS, DURATION_UNITS, SHORT_DURATIONS
from tests.support.pages import reference_page


@pytest.fixture(scope="module")
def page() -> str:
    return reference_page("rule-language.md")


def section(page: str, title: str) -> str:
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", page, re.M | re.S)
    assert found, f"no section {title!r}"
    return found[1]


def blocks(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", page, re.S)


def first_cells(text: str) -> str:
    return "\n".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))


def test_the_sample_pack_is_faultless_and_formatted(page: str) -> None:
    sample = blocks(page)[0]
    pack, faults = load_text(sample, "sample.yml", load_register())
    assert [str(fault) for fault in faults] == []
    assert pack is not None and [rule.id for rule in pack.rules] == ["cn-lvtr-0501"]
    plain = re.sub(r" +#.*", "", sample)
    assert format_text(plain).replace("\n\n", "\n") == plain.replace("\n\n", "\n")


def test_the_other_examples_are_read(page: str) -> None:
    head = "pack: x\nversion: 1.0.0\njurisdiction: CN\ntitle: {en: X, zh: X}\n"
    rule = "rules:\n  - id: x\n    title: {en: X, zh: X}\n"
    texts: list[tuple[str, set[str]]] = []
    for block in blocks(page)[1:]:
        if block.startswith("not_decided"):
            texts.append((head + block, set()))
        elif block.startswith("params"):
            texts.append((head + "rules: []\n" + block, {"RL302"}))
        else:
            figure = "params:\n  notify_within: {value: 72 hours, basis: law}\n"
            texts.append((head + figure + rule + block, {"RL601", "RL602"}))
    assert len(texts) >= 3
    for text, expected in texts:
        faults = load_text(text, "f", Register())[1]
        assert {fault.code for fault in faults} == expected, [str(fault) for fault in faults]


def test_every_key_is_on_the_page(page: str) -> None:
    keys = first_cells(section(page, "A rule"))
    assert [key for key in RULE_KEYS if f"`{key}`" not in keys] == []
    pack = section(page, "A pack")
    assert [key for key in PACK_KEYS if f"`{key}`" not in pack] == []
    rule = section(page, "A rule")
    for word in (*ALERT_KINDS, *SEVERITIES):
        assert word in rule


def test_every_function_and_measure_is_on_the_page(page: str) -> None:
    functions = set(re.findall(r"`(\w+)\(", first_cells(section(page, "Functions"))))
    assert functions | {"set"} == set(FUNCTIONS)
    measures = set(re.findall(r"\b(\w+)\(", section(page, "Measures")))
    assert set(MEASURES) <= measures
    for period in PERIODS:
        assert period in section(page, "Measures")


def test_subjects_and_derived_names_are_on_the_page(page: str) -> None:
    subjects = first_cells(section(page, "Subjects"))
    assert [word for word in SUBJECTS if f"`{word}`" not in subjects] == []
    fields = section(page, "Fields")
    assert [name for name in DERIVED if f"`{name}`" not in fields] == []


def test_units_are_on_the_page(page: str) -> None:
    units = section(page, "Figures and dates")
    for unit in (*COUNT_UNITS, *DURATION_UNITS):
        assert f"`{unit}`" in units or f"`{unit}s`" in units or unit == "people", unit
    lengths = section(page, "Expressions")
    assert [suffix for suffix in SHORT_DURATIONS if f"`{suffix}`" not in lengths] == []
