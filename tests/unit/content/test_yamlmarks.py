"""Reading YAML with marks: values, places, refusals."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from regtech.content import content_root, read_text, yamlmarks
from regtech.content.yamlmarks import (
    DEPTH_MAX,
    SIZE_MAX,
    Mapping,
    Scalar,
    load,
    load_data,
    load_file,
    plain,
)
from regtech.errors import ContentError, InputError

VALUES: list[tuple[str, Any]] = [
    ("true", True),
    ("false", False),
    ("True", "True"),
    ("yes", "yes"),
    ("no", "no"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("null", None),
    ("~", None),
    ("", None),
    ("NULL", "NULL"),
    ("0", 0),
    ("-12", -12),
    ("0.10", Decimal("0.10")),
    ("-3.50", Decimal("-3.50")),
    ("007", "007"),
    ("0o17", "0o17"),
    ("0x1F", "0x1F"),
    ("1_000", "1_000"),
    ("1e3", "1e3"),
    (".5", ".5"),
    (".inf", ".inf"),
    (".nan", ".nan"),
    ("190:20:30", "190:20:30"),
    ("2017-07-01", date(2017, 7, 1)),
    ("2017-02-30", "2017-02-30"),
    ("2017-07-01T10:00:00Z", "2017-07-01T10:00:00Z"),
    ('"12"', "12"),
    ("'true'", "true"),
    ("50000 CNY", "50000 CNY"),
    ("9" * 5000, "9" * 5000),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text[:20] for text, _ in VALUES])
def test_scalars_are_read_without_loss(text: str, value: Any) -> None:
    document = load(f"key: {text}", "f")
    assert document.problems == []
    found = plain(document.root)["key"]
    assert found == value and type(found) is type(value)


def test_a_decimal_keeps_its_digits() -> None:
    assert str(plain(load("0.10", "f").root)) == "0.10"


def test_keys_that_yaml_1_1_takes_for_booleans_are_text() -> None:
    assert plain(load("{on: 1, off: 2, yes: 3, no: 4}", "f").root) == {
        "on": 1,
        "off": 2,
        "yes": 3,
        "no": 4,
    }


REFUSED = [
    ("anchor", "a: &x 1\nb: 2\n", (1, 4)),
    ("anchor", "a: &x [1]\n", (1, 4)),
    ("anchor", "a: 1\nb: *x\n", (2, 4)),
    ("anchor", "a: {<<: {b: 1}}\n", (1, 5)),
    ("tag", "a: !!python/object/apply:os.system [x]\n", (1, 4)),
    ("tag", "a: !!int 3\n", (1, 4)),
    ("tag", "a: ! 3\n", (1, 4)),
    ("tag", "a: !x {b: 1}\n", (1, 4)),
    ("duplicate", "a: 1\nb: 2\na: 3\n", (3, 1)),
    ("duplicate", "a: {b: 1, 'b': 2}\n", (1, 11)),
    ("key", "a: {1: 2}\n", (1, 5)),
    ("key", "a: {true: 2}\n", (1, 5)),
    ("key", "a: {null: 2}\n", (1, 5)),
    ("key", "a: {2020-01-01: 2}\n", (1, 5)),
    ("key", "? [a]\n: 1\n", (1, 3)),
    ("documents", "a: 1\n---\nb: 2\n", (2, 1)),
    ("nul", "a: b\n  \x00c\n", (2, 3)),
    ("nul", "a: \x1b[0m\n", (1, 4)),
    ("nul", "a: b\u2028c\n", (1, 5)),  # a line break to YAML, none to most editors
    ("depth", "a: " + "[" * DEPTH_MAX, (1, 3 + DEPTH_MAX)),
    ("syntax", "a: [1, 2\nb: 3\n", (2, 2)),
    ("syntax", "a: 1\n b: 2\n", (2, 3)),
    ("syntax", "\tb: 2\n", (1, 1)),
    ("size", "a" * (SIZE_MAX + 1), (1, 1)),
]


@pytest.mark.parametrize(("kind", "text", "place"), REFUSED, ids=[r[1][:30] for r in REFUSED])
def test_what_can_surprise_is_refused_where_it_stands(
    kind: str, text: str, place: tuple[int, int]
) -> None:
    first = load(text, "f").problems[0]
    assert (first.kind, first.line, first.column) == (kind, *place)


def test_all_problems_come_at_once_and_in_order() -> None:
    document = load("a: &x 1\nb: *x\nc: !t 2\nc: 3\n1: 4\nd: [\n", "f")
    assert [(p.kind, p.line) for p in document.problems] == [
        ("anchor", 1),
        ("anchor", 2),
        ("tag", 3),
        ("duplicate", 4),
        ("key", 5),
        ("syntax", 7),
    ]


def test_attacks_cost_nothing() -> None:
    laughs = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
    )
    started = time.perf_counter()
    for text in (
        laughs,
        "[" * 1_000_000,
        "{a: " * 400_000,
        "- " * 1_000_000,
        "a: |\n" + " " * 10**6,
    ):
        load(text, "f")
    assert time.perf_counter() - started < 5


def test_marks_count_from_one_and_in_characters() -> None:
    root = load("名: {文: 值, 其二: [一, 二]}\n", "f").root
    assert isinstance(root, Mapping)
    inner = root.entries["名"]
    assert isinstance(inner, Mapping)
    assert (inner.line, inner.column) == (1, 4)
    assert (inner.keys["其二"].line, inner.keys["其二"].column) == (1, 11)


def _scalar(text: str, key: str) -> tuple[yamlmarks.Document, Scalar]:
    document = load(text, "f")
    assert document.problems == []
    assert isinstance(document.root, Mapping)
    node = document.root.entries[key]
    assert isinstance(node, Scalar)
    return document, node


PLACES = [
    # text, part of the value, its line and column
    ("k: alpha beta", "beta", (1, 10)),
    ("k: 'it''s beta'", "beta", (1, 11)),
    ('k: "中\\u4e2d\\t beta"', "beta", (1, 15)),
    ("k: 'alpha\n   beta'", "beta", (2, 4)),
    ("k: alpha\n  gamma\n\n  beta", "beta", (4, 3)),
    ('k: "alpha \\\n   beta"', "beta", (2, 4)),
    ("k: |\n  alpha\n    beta\n", "beta", (3, 5)),
    ("k: |2\n    alpha\n   beta\n", "beta", (3, 4)),
    ("k: |-\n  alpha\n\n  beta\n", "beta", (4, 3)),
    ("k: >\n  alpha\n  beta\n", "beta", (3, 3)),
    ("k: >-\n  alpha\n\n  gamma\n  beta\n", "beta", (5, 3)),
    ("k: >\n  alpha\n    gamma\n  beta\n", "beta", (4, 3)),
    ("键: {k: x}\nk: 甲乙 beta", "beta", (2, 7)),
]


@pytest.mark.parametrize(("text", "part", "place"), PLACES, ids=[p[0] for p in PLACES])
def test_a_character_of_a_scalar_is_found_in_the_file(
    text: str, part: str, place: tuple[int, int]
) -> None:
    document, node = _scalar(text, "k")
    offset = node.text.index(part)
    assert document.place(node, offset) == place
    line, column = place
    assert document.text.split("\n")[line - 1][column - 1 :].startswith(part)


def test_the_end_of_a_scalar_and_beyond_has_a_place() -> None:
    document, node = _scalar("k: |\n  ab\n", "k")
    assert document.place(node, len(node.text)) == document.place(node, 10_000)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_no_text_crashes_the_loader(text: str) -> None:
    document = load(text, "f")
    plain(document.root)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in document.problems)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from("a b: - [ ] { } , & * ! | > ' \" # \n ? : 1 % @ `".split(" ")), max_size=40
    )
)
def test_no_mixture_of_signs_crashes_the_loader(parts: list[str]) -> None:
    load(" ".join(parts), "f")


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=15,
    )
)
def test_what_another_writer_wrote_is_read_back(data: Any) -> None:
    text = yaml.safe_dump({"data": data}, allow_unicode=True)
    document = load(text, "f")
    if not document.problems:  # the writer may use what we refuse: other keys, escapes
        assert plain(document.root) == {"data": data}


def test_the_slow_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: {b: [1, 'x']}\nc: |\n  z\n"
    fast = load(text, "f")
    monkeypatch.setattr(yamlmarks, "_C_PARSER", None)
    slow = load(text, "f")
    assert plain(fast.root) == plain(slow.root)
    assert slow.problems == []
    assert [p.kind for p in load("a: &x 1\nb: !t *x", "f").problems][:1] == ["anchor"]
    assert load("a: ! x", "f").problems[0].kind == "tag"


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert plain(load_file(path).root) == {"a": 1} == load_data(path)
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(InputError, match="UTF-8"):
        read_text(path)
    with pytest.raises(InputError):
        read_text(tmp_path / "none.yml")
    path.write_text("a: 1\na: 2\n", encoding="utf-8")
    with pytest.raises(ContentError, match="a.yml:2:1"):
        load_data(path)


def test_content_is_found() -> None:
    assert (content_root("mappings") / "currencies.yml").is_file()
    assert content_root("rules").is_dir()
