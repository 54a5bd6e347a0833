"""A rule as a form and back: the same bytes where nothing changed, one value's lines where it did.

Over every rule that ships, so that no way of writing a value is left out.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.app.ruleforms import rule_form, rule_forms, rules_in
from regtech.content import content_root
from regtech.content.editing import edited, leaves, shown
from regtech.content.yamlmarks import Scalar, load
from regtech.errors import InputError, NotFoundError

FILES = sorted(content_root("rules").glob("*/*.yml"))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_form_that_is_saved_unchanged_gives_the_same_bytes(path: Path) -> None:
    text = text_of(path)
    values: dict[str, str] = {}
    for form in rule_forms(text):
        fields = [field for section in form.sections for field in section.fields]
        assert len({field.path for field in fields}) == len(fields)
        assert len(fields) < 2000, "more than a form may have"
        values |= {field.path: field.text for field in fields}
    assert edited(text, values) == text
    # Nothing of a rule is missing from its form.
    every = {p for p, _ in leaves(load(text, "x").root) if p.startswith("rules/")}
    assert every <= values.keys()


def _lines(before: str, after: str) -> set[int]:
    """Lines of the first text that are another one in the second, or beside new ones."""
    old, new = before.split("\n"), after.split("\n")
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return {n for tag, a, b, _, _ in codes if tag != "equal" for n in range(a, max(b, a + 1))}


@pytest.mark.parametrize("path", FILES[::7], ids=lambda path: path.stem)
def test_one_value_changes_its_own_lines_alone(path: Path) -> None:
    text = text_of(path)
    document = load(text, "x")
    every = list(leaves(document.root))
    blocks = [one for one in every if one[1].style in ("|", ">")]
    for where, scalar in [*every[:: max(1, len(every) // 8)], *blocks[:2]]:
        value = shown(document, scalar) + "x, y: #z"
        made = edited(text, {where: value})
        first = text[: scalar.start].count("\n")
        last = first + text[scalar.start : scalar.end].rstrip("\n").count("\n")
        assert _lines(text, made) <= set(range(first, last + 1)), where
        after = load(made, "x")
        assert shown(after, dict(leaves(after.root))[where]) == value
        assert edited(made, {where: shown(document, scalar)}) in (text, _requoted(text, scalar))


def _requoted(text: str, scalar: Scalar) -> str:
    """The text with a plain value in quotes: that it had none is not remembered."""
    quoted = '"' + scalar.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text[: scalar.start] + quoted + text[scalar.end :]


SMALL = """\
# head
plain: one  # why
number: 5
flow: {a: x, b: [y, 'it''s', "q\\"q"], c: 2020-01-01}
folded: >-
  first line
  second line

literal: |
    kept
      as it is
last: end
"""
PATHS = [path for path, _ in leaves(load(SMALL, "x").root)]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), st.text(max_size=20), max_size=4))
def test_whatever_is_typed_changes_that_value_or_nothing(values: dict[str, str]) -> None:
    before = dict(leaves(load(SMALL, "x").root))
    try:
        made = edited(SMALL, values)
    except InputError:
        return
    after = load(made, "x")
    assert after.problems == []
    found = dict(leaves(after.root))
    assert list(found) == list(before)
    for path, scalar in found.items():
        if path not in values:
            assert (scalar.text, scalar.value) == (before[path].text, before[path].value)
        elif scalar.style not in ("|", ">"):
            assert scalar.text == " ".join(values[path].split("\n"))
    assert made.startswith("# head\n") and "  # why\n" in made


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("plain", "two", "plain: two  # why"),
        ("plain", "a: b # c", 'plain: "a: b # c"  # why'),
        ("plain", "true", 'plain: "true"  # why'),
        ("plain", "007", "plain: 007  # why"),
        ("plain", "", 'plain: ""  # why'),
        ("number", "6", "number: 6"),
        ("number", "six", "number: six"),
        ("flow/a", "p, q", """flow: {a: "p, q", b: [y, 'it''s', "q\\"q"], c: 2020-01-01}"""),
        ("flow/b/1", "isn't", """flow: {a: x, b: [y, 'isn''t', "q\\"q"], c: 2020-01-01}"""),
        ("flow/b/2", '五"万', """flow: {a: x, b: [y, 'it''s', "五\\"万"], c: 2020-01-01}"""),
        ("folded", "first line\nanother\n  deeper", "  another\n    deeper"),
    ],
)
def test_a_value_is_written_as_it_stood(path: str, value: str, line: str) -> None:
    made = edited(SMALL, {path: value})
    assert line in made
    assert edited(made, {}) == made


def test_what_cannot_be_written_is_refused() -> None:
    for values in ({"nothing": "x"}, {"plain": "a\x00b"}, {"plain": "a\u2028b"}):
        with pytest.raises(InputError):
            edited(SMALL, values)
    with pytest.raises(InputError, match="cannot be read"):
        edited("a: [", {"a": "x"})
    with pytest.raises(NotFoundError):
        rule_form(text_of(FILES[0]), "no-rule")
    with pytest.raises(InputError):
        rules_in("[1, 2]")
    assert (
        rules_in("pack: x\n") == rules_in("rules: 5\n") == rules_in("rules: [5, {id: [1]}]\n") == []
    )
