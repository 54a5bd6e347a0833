"""The one layout of YAML content."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.content import content_root
from regtech.content.format import format_text
from regtech.content.yamlmarks import load, plain
from regtech.errors import ContentError

CASES = [
    # spaces, indents, flow collections
    ("a:   1", "a: 1\n"),
    ("a:\n    b:   {x:   1,y: [ 1,2 ]}\n", "a:\n  b: {x: 1, y: [1, 2]}\n"),
    ("a:\n- b\n-   c\n", "a:\n  - b\n  - c\n"),
    ("a:\n- b: 1\n  c: 2\n", "a:\n  - b: 1\n    c: 2\n"),
    ("a:\n- - 1\n  - 2\n", "a:\n  - - 1\n    - 2\n"),
    ("a: {x: 1,\n    y: 2}\n", "a: {x: 1, y: 2}\n"),
    ("a: {}\nb: [ ]\nc:\nd: ~\n", "a: {}\nb: []\nc:\nd: ~\n"),
    ("? a\n: 1\n", "a: 1\n"),
    ("---\na: 1\n...\n", "a: 1\n"),
    ("a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n"),
    # scalars stay as written
    ("a: 'x'\nb: \"y\"\nc: 0.10\n", "a: 'x'\nb: \"y\"\nc: 0.10\n"),
    ("a:\n  plain\n  folded\n", "a: plain\n  folded\n"),
    ("a: 'quoted\n     folded'\n", "a: 'quoted\n  folded'\n"),
    ("a: |\n     x\n       y\n\n     z\n", "a: |\n  x\n    y\n\n  z\n"),
    ("a: |2\n     x\n    y\n", "a: |2\n     x\n    y\n"),
    ("a: >-   \n   x\n\n\nb: 1\n", "a: >-\n  x\nb: 1\n"),
    ("a: |+\n   x\n\nb: 1\n", "a: |+\n  x\n\nb: 1\n"),
    # comments and blank lines
    ("# head\n\n\n\na: 1   # why\n# tail\n", "# head\n\na: 1   # why\n# tail\n"),
    ("a: 1 # why\n", "a: 1  # why\n"),
    ("a:\n      # inner\n  b: 1\n", "a:\n  # inner\n  b: 1\n"),
    ("a:  # nested\n  b: 1\n", "a:  # nested\n  b: 1\n"),
    ("a:\n\n\n  b: 1\n\n\n\n  c: 2\n", "a:\n  b: 1\n\n  c: 2\n"),
    ("a: # about\n  value\n", "# about\na: value\n"),
    ("a: {x: 1, # one\n    y: 2}  # after\n", "a: {x: 1, # one\n  y: 2}  # after\n"),
    ("a:\n  - 1  # one\n  # two\n  - 2\n", "a:\n  - 1  # one\n  # two\n  - 2\n"),
    ("# only a comment\n", "# only a comment\n"),
    ("\n\n", ""),
    # sections and rules stand apart
    (
        "pack: p\nparams: {a: 1}\nrules:\n- id: a\n- id: b\n# about c\n- id: c\n",
        "pack: p\n\nparams: {a: 1}\n\nrules:\n  - id: a\n\n  - id: b\n\n  # about c\n  - id: c\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), CASES, ids=[before for before, _ in CASES])
def test_layout(before: str, after: str) -> None:
    assert format_text(before) == after
    assert format_text(after) == after


def test_what_cannot_be_read_is_not_touched() -> None:
    with pytest.raises(ContentError, match="x.yml:2:1"):
        format_text("a: 1\na: 2\n", "x.yml")


FILES = sorted(content_root("rules").rglob("*.yml")) + sorted(
    content_root("mappings").rglob("*.yml")
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_content_keeps_its_meaning(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    once = format_text(text, str(path))
    if once == text:
        return  # so it is the second time, and the meaning is the same
    assert format_text(once, str(path)) == once
    assert plain(load(once, "b").root) == plain(load(text, "a").root)


_comment = st.sampled_from(["", "", "", "  # note", " # 注"])
_own = st.sampled_from(["", "", "", "# line", "\n", "    # far"])
_scalar = st.sampled_from(["1", "0.10", "x y", "'q''q'", '"d\\n"', "2020-01-01", "值", "~", ""])
_flow = st.sampled_from(
    ["{a: 1, b:  [2,3]}", "[ ]", "{ }", "[x,\n      y]", "{a: 1, # c\n      b: 2}"]
)


@st.composite
def documents(draw: st.DrawFn, depth: int = 0) -> str:
    """Block text with comments in odd places."""
    step = draw(st.sampled_from([1, 2, 4]))
    lines: list[str] = []
    for number in range(draw(st.integers(1, 4))):
        own = draw(_own)
        if own:
            lines.append(own)
        key = f"k{number}"
        choice = draw(st.integers(0, 5 if depth < 2 else 3))
        if choice <= 1:
            lines.append(f"{key}: {draw(_scalar)}{draw(_comment)}")
        elif choice == 2:
            lines.append(f"{key}: {draw(_flow)}{draw(_comment)}")
        elif choice == 3:
            lines.append(f"{key}: |{draw(_comment)}\n   one\n     two\n")
        else:
            inner = draw(documents(depth + 1)).split("\n")
            dash = "- " if choice == 5 else ""
            pad = " " * (step + len(dash))
            lines.append(f"{key}:{draw(_comment)}")
            first = True
            for line in inner:
                if first and line.strip() and not line.lstrip().startswith("#"):
                    lines.append(" " * step + dash + line)
                    first = False
                else:
                    lines.append(pad + line if line.strip() else line)
    return "\n".join(lines) + "\n"


@settings(max_examples=200, deadline=None)
@given(documents())
def test_formatting_is_idempotent_and_keeps_data_and_comments(text: str) -> None:
    if load(text, "f").problems:
        return
    once = format_text(text)
    assert format_text(once) == once
    assert plain(load(once, "f").root) == plain(load(text, "f").root)
    assert once.count("#") == text.count("#")
