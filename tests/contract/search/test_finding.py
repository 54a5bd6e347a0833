"""What is found, in which order, how often, and where it matched."""

from __future__ import annotations

import pytest

from casework.cases.scope import Role, Scope
from casework.search.base import ScopedSearch
from casework.search.document import Document
from casework.search.ports import SearchIndex
from casework.search.query import Kind, SearchQuery
from casework.search.text import sealed
from regtech.errors import UsageError
from tests.contract.search.support import SERVICE, ask, case, fill, found, shown

_BERG = SearchQuery("berg")
NAMES = (
    ("张伟", "李娜"),
    ("欧阳修文",),
    ("北京云海科技股份有限公司",),
    ("Иванов Пётр Ильич",),
    ("José Müller-Lüdenscheidt",),
    ("John Smith",),
    ("Ａｃｍｅ Ｌｔｄ",),
    ("สมชาย ใจดี",),
    ("田中さくら",),
    ("Ångström O’Neil",),
)


@pytest.fixture
def names(index: SearchIndex) -> SearchIndex:
    fill(index, [case(number, names=values) for number, values in enumerate(NAMES, 1)])
    return index


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("张伟", [1]),
        ("伟", [1]),  # one sign, from the middle: no index of words or of trigrams finds it
        ("伟 李", [1]),
        ("伟李", []),  # two values are not one name
        ("阳修", [2]),
        ("云海", [3]),
        ("北京科技有限公司", [3]),  # signs left out, as names of companies are said
        ("иванов", [4]),
        ("ПЕТР", [4]),  # ё as е
        ("Иваноф", [4]),
        ("muller", [5]),
        ("JOSE", [5]),
        ("Mueller", [5]),  # one letter more
        ("ludenscheid", [5]),
        ("john smith", [6]),
        ("smith john", [6]),
        ('"john smith"', [6]),
        ('"smith john"', []),
        ("jonh", [6]),  # two letters exchanged
        ("jhn", []),  # too short for typos
        ("smitt", [6]),
        ("smiht jonh", [6]),
        ("smiiith", []),  # two typos
        ("sm", [6]),
        ("s", []),
        ("acme ltd", [7]),  # full width
        ("สมชาย", [8]),
        ("ชาย", [8]),
        ("田中", [9]),
        ("さくら", [9]),
        ("angstrom", [10]),
        ("o'neil", [10]),
        ("oneil", [10]),  # a letter more than neil
        ("nobody", []),
    ],
)
def test_names_of_all_scripts(names: SearchIndex, text: str, wanted: list[int]) -> None:
    assert found(names, text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("DE89370400440532013000", [1]),
        ("de89 3704", [1]),
        ("DE89-3704-0044", [1]),
        ("3000", [1]),
        ("0440532", [1]),
        ("6222021234567890123", [2]),
        ("0123", [2]),
        ("890", [2]),
        ("90", []),  # shorter than a piece
        ("0123DE", []),  # two numbers are not one
        ("K-7", [3]),
        ("k7", [3]),
    ],
)
def test_parts_of_account_numbers(index: SearchIndex, text: str, wanted: list[int]) -> None:
    fill(
        index,
        [
            case(1, numbers=("DE89 3704 0044 0532 0130 00",)),
            case(2, numbers=("6222 0212 3456 7890 123", "DE-1")),
            case(3, numbers=("K7",)),
        ],
    )
    assert found(index, text) == wanted


def test_ids_are_found_whole_and_by_their_beginning(index: SearchIndex) -> None:
    fill(index, [case(0xABC), case(0xABD)])
    assert found(index, "C-00000000000000000abc") == [0xABC]
    assert found(index, "C-0000000000") == [0xABD, 0xABC]
    assert found(index, "0000abc") == []


def test_what_is_sealed_is_found_whole_alone(index: SearchIndex) -> None:
    fill(index, [case(1, sealed=(sealed("110101 19900307 1234"),))])
    assert found(index, "110101199003071234") == [1]
    assert found(index, "11010119900307") == []
    assert found(index, "1234") == []
    # A document's own digest is no way in.
    assert found(index, sealed("110101199003071234")) == []


def test_every_word_has_to_be_found(index: SearchIndex) -> None:
    fill(
        index, [case(1, names=("Anna Berg",), numbers=("777001",)), case(2, names=("Anna Ivers",))]
    )
    assert found(index, "anna") == [2, 1]
    assert found(index, "anna 777") == [1]
    assert found(index, "anna berg ivers") == []


def test_the_better_the_match_the_earlier(index: SearchIndex) -> None:
    fill(
        index,
        [
            case(1, text=("berger",), at_us=9),  # begins so
            case(2, names=("Berk",), at_us=9),  # a typo
            case(3, text=("berg",)),
            case(4, notes=("berg",)),
            case(5, names=("Berg",)),
            case(6, numbers=("berg",)),
            case(7, names=("Berg",), at_us=6),
        ],
    )
    page = ask(index, "berg")
    assert [hit.score for hit in page.hits] == [16, 12, 12, 8, 6, 4, 2]
    assert found(index, "berg") == [6, 7, 5, 3, 4, 1, 2]


def test_the_score_does_not_depend_on_what_else_there_is(index: SearchIndex) -> None:
    fill(index, [case(1, names=("Anna Berg",)), case(2, text=("berg berg berg",))])
    before = {hit.subject: hit.score for hit in ask(index, "berg").hits}
    index.write([case(number, names=("Berg",), at_us=-number) for number in range(3, 40)])
    index.refresh()
    after = {hit.subject: hit.score for hit in index.search(SERVICE, _BERG, limit=100).hits}
    assert len(after) == 39 and before.items() <= after.items()


def test_without_words_the_latest_come_first(index: SearchIndex) -> None:
    fill(index, [case(1, at_us=5), case(2, at_us=9), case(3, at_us=5)])
    assert found(index) == [2, 1, 3]


def test_filters(index: SearchIndex) -> None:
    fill(
        index,
        [
            case(1, at_us=10),
            case(2, jurisdiction="EU", theme="general", queue="eu", at_us=20),
            case(3, state="closed", open=False, severity="low", at_us=30),
            case(4, tenants=("BANK-A", "BANK-B"), at_us=40),
            Document("alert:5", Kind.ALERT, "C-5", 1, full=True, at_us=50),
        ],
    )
    for wanted, filters in (
        ([5, 4, 3, 2, 1], {}),
        ([4, 3, 2, 1], {"kinds": (Kind.CASE,)}),
        ([2], {"jurisdictions": ("EU",)}),
        ([4, 3, 2, 1], {"jurisdictions": ("EU", "CN")}),
        ([2], {"themes": ("general",)}),
        ([3], {"states": ("closed",)}),
        ([2], {"queues": ("eu",)}),
        ([3], {"severities": ("low",)}),
        ([4], {"tenants": ("BANK-B", "BANK-C")}),
        ([3], {"open": False}),
        ([5, 4, 2, 1], {"open": True}),
        ([5, 4], {"since_us": 40}),
        ([2, 1], {"until_us": 20}),
        ([], {"jurisdictions": ("EU",), "states": ("closed",)}),
    ):
        assert found(index, **filters) == wanted, filters
        assert ask(index, **filters).total == len(wanted)
    index.write([case(6, names=("Anna",), jurisdiction="EU"), case(7, names=("Anna",))])
    index.refresh()
    assert found(index, "anna", jurisdictions=("EU",)) == [6]


def test_facets_count_all_that_was_found(index: SearchIndex) -> None:
    documents = [case(n, names=("Anna",), state="new" if n % 3 else "closed") for n in range(30)]
    documents += [case(30, names=("Anna",), tenants=("BANK-B", "BANK-A"), theme="")]
    documents += [case(31, names=("Berta",))]
    fill(index, documents)
    page = index.search(SERVICE, SearchQuery("anna"), limit=2)
    assert len(page.hits) == 2 and page.total == 31
    assert page.facets == {
        "kind": {"case": 31},
        "jurisdiction": {"CN": 31},
        "theme": {"lending": 30},
        "state": {"new": 21, "closed": 10},
        "queue": {"cn": 31},
        "severity": {"high": 31},
        "tenant": {"BANK-A": 31, "BANK-B": 1},
    }
    assert list(page.facets["state"]) == ["new", "closed"]
    assert index.search(SERVICE, SearchQuery("anna"), facets=False).facets == {}


def test_highlights_show_where_it_matched(index: SearchIndex) -> None:
    fill(
        index,
        [
            case(
                1,
                names=("Иванов Пётр",),
                numbers=("6222 0212-3456",),
                notes=("a long remark, " * 10 + "then Müller came" + ", and so on" * 10,),
            )
        ],
    )
    (hit,) = ask(index, "петр 2123 muller").hits
    assert [highlight.field for highlight in hit.highlights] == ["names", "numbers", "notes"]
    texts = [shown(highlight) for highlight in hit.highlights]
    assert texts[0] == "Иванов [Пётр]"
    assert texts[1] == "6222 0[212-3]456"
    assert texts[2].startswith("…") and texts[2].endswith("…") and "then [Müller] came" in texts[2]
    assert ask(index).hits[0].highlights == ()


@pytest.mark.parametrize("text", ["?!", "x" * 401, " ".join(str(n) for n in range(17)), '"…"'])
def test_what_is_no_question_is_refused(index: SearchIndex, text: str) -> None:
    fill(index, [case(1)])
    with pytest.raises(UsageError):
        ask(index, text)


@pytest.mark.parametrize(
    "text",
    ['"', "a* OR b", "names:x", "NEAR(a b)", "(((", "a'b;--", "\\", "{}", "^a", "-a", "a\0b"],
)
def test_nothing_in_a_question_is_a_command(index: SearchIndex, text: str) -> None:
    fill(index, [case(1, names=("a* OR b names:x NEAR(a b) a'b;-- a b",)), case(2)])
    try:
        assert set(found(index, text)) <= {1}
    except UsageError:
        assert not any(sign.isalnum() for sign in text)


@pytest.mark.parametrize("limit", [0, 501, -1])
def test_a_page_has_bounds(index: SearchIndex, limit: int) -> None:
    fill(index, [case(1)])
    with pytest.raises(UsageError):
        index.search(SERVICE, SearchQuery(), limit=limit)


def test_of_very_many_it_is_said_that_there_are_more_than_were_counted(index: SearchIndex) -> None:
    few, many = [case(n, text=("common rare",)) for n in range(1, 4)], range(4, 31)
    fill(index, [*few, *(case(n, text=("common",), theme="sanctions") for n in many)])
    assert isinstance(index, ScopedSearch)
    index.counted_max = 10
    page = ask(index, "common")
    assert (page.total, page.at_least) == (10, True)
    assert len(page.hits) >= 10
    assert page.facets["theme"]["sanctions"] >= 8  # the least that there are
    # What is fewer is counted whole, the words being those of all or not.
    page = ask(index, "common rare")
    assert (page.total, page.at_least, page.facets["theme"]) == (3, False, {"lending": 3})
    page = ask(index, "common", themes=("lending",))
    assert (page.total, page.at_least) == (3, False)
    page = ask(index)
    assert (page.total, page.at_least) == (30, False)


def test_what_others_have_counts_for_nobody_else(index: SearchIndex) -> None:
    """A scope with few documents finds them, however many others have the same words."""
    mine = [case(n, text=("common",), tenants=("BANK-Z",)) for n in (1, 2)]
    fill(index, [*mine, *(case(n, text=("common",)) for n in range(3, 40))])
    assert isinstance(index, ScopedSearch)
    index.counted_max = 5
    scope = Scope("eva", frozenset({Role.SUPERVISOR}), None, frozenset({"BANK-Z"}))
    page = ask(index, "common", scope)
    assert (page.total, page.at_least) == (2, False)
    assert sorted(found(index, "common", scope)) == [1, 2]


def test_pages_over_very_many_show_each_once(index: SearchIndex) -> None:
    fill(index, [case(n, text=("common",)) for n in range(1, 31)])
    assert isinstance(index, ScopedSearch)
    index.counted_max = 12
    seen, after = [], None
    while True:
        page = index.search(SERVICE, SearchQuery("common"), after=after, limit=5)
        assert page.at_least
        seen += [hit.subject for hit in page.hits]
        after = page.after
        if after is None:
            break
    assert len(seen) == len(set(seen)) >= 12
