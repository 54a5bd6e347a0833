"""The reference page of policies says what the code does, and its example runs."""

from __future__ import annotations

import re

import pytest

from casework.cases.directive import ASIDES
from casework.policy import load as loading
from casework.policy.clocks import Clocks
from casework.policy.lengths import parse_length, parse_window
from casework.policy.load import load_text
from casework.policy.matcher import PATTERNS_MAX, PythonMatcher
from casework.policy.model import EXTRA_KEYS, MAIN_KEYS, PRIORITIES
from casework.policy.planner import Planner
from casework.policy.testcases import ALERT_KEYS, CASE_KEYS, TEST_KEYS
from casework.policy.trials import run_tests
from regtech.reference.load import Reference
from tests.support.pages import reference_page


@pytest.fixture(scope="module")
def page() -> str:
    return reference_page("policies.md")


def section(page: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    assert found, f"no section {title!r}"
    return found[1]


def test_the_sample_is_faultless_and_its_tests_pass(page: str) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.S)
    assert len(blocks) == 1
    policies, faults = load_text(blocks[0])
    assert [str(fault) for fault in faults] == []
    results = run_tests(Planner(policies, PythonMatcher(), Clocks(Reference.shipped())))
    assert len(results) == 4
    assert [result.problems for result in results if not result.passed] == []


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("A file", loading.SET_KEYS),
        ("A policy", [key for key in loading.POLICY_KEYS if key != "version"]),
        ("A policy", (*MAIN_KEYS, *EXTRA_KEYS)),
        ("`case`", loading.CASE_KEYS),
        ("`case`", PRIORITIES),
        ("A test", ALERT_KEYS),
        ("A test", CASE_KEYS),
        ("A test", [key for key in TEST_KEYS if key not in ("name",)]),
        ("A test", ["cases", *ASIDES]),
    ],
)
def test_every_key_is_on_the_page(page: str, title: str, keys: list[str]) -> None:
    text = section(page, title)
    assert [key for key in keys if f"`{key}`" not in text] == []


def test_lengths_on_the_page_are_read(page: str) -> None:
    assert all(parse_window(text) for text in ("24h", "7d", "30 days"))
    assert all(parse_length(text) for text in ("5 working days", "10 days", "72 hours"))
    assert "two to eight" in page and PATTERNS_MAX == 8
