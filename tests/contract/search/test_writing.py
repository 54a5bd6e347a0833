"""Writes in any order, walks that stand still, generations that follow each other."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from casework.search.document import Document
from casework.search.errors import IndexAbsentError, WalkEndedError
from casework.search.ports import SearchIndex, Stamp
from casework.search.query import SearchQuery
from regtech.errors import ConflictError
from tests.contract.search.support import SERVICE, ask, case, fill, found, numbers


def stamps(index: SearchIndex) -> dict[str, Stamp]:
    """What the live generation holds."""
    live = index.live()
    assert live is not None
    return {stamp.id: stamp for stamp in index.stamps(live)}


def write(index: SearchIndex, *documents: Document) -> None:
    """Write, and have it found."""
    index.write(documents)
    index.refresh()


def test_a_late_write_never_wins(index: SearchIndex) -> None:
    fill(index, [case(1, 3, names=("Third",))])
    write(index, case(1, 5, names=("Fifth",)))
    write(index, case(1, 4, names=("Fourth",)))
    assert found(index, "fifth") == [1]
    assert found(index, "fourth") == [] and found(index, "third") == []
    assert stamps(index)[case(1).id].version == 5


def test_writing_twice_changes_nothing(index: SearchIndex) -> None:
    document = case(1, names=("Anna",))
    fill(index, [document, document])
    write(index, document, document)
    assert found(index, "anna") == [1]
    assert list(stamps(index).values()) == [Stamp(document.id, 1, document.digest)]


def test_the_same_version_may_be_put_right(index: SearchIndex) -> None:
    fill(index, [case(1, 2, names=("Wrong",))])
    write(index, case(1, 2, names=("Right",)))
    assert found(index, "right") == [1] and found(index, "wrong") == []


def test_what_is_gone_is_not_found_and_does_not_come_back(index: SearchIndex) -> None:
    document = case(1, 2, names=("Anna",))
    fill(index, [document])
    gone = Document(document.id, document.kind, document.subject, 3, gone=True)
    write(index, gone)
    write(index, document)
    assert found(index, "anna") == [] and ask(index).total == 0
    assert stamps(index)[document.id] == Stamp(gone.id, 3, gone.digest)
    write(index, replace(document, version=4))
    assert found(index, "anna") == [1]


def test_in_whatever_order_writes_come_the_end_is_the_same(index: SearchIndex) -> None:
    fill(index, [])
    writes = [case(n % 7, 1 + n // 7, names=(f"Name{n}",)) for n in range(70)]
    pieces = [writes[start::4] for start in range(4)]

    def write_all(piece: list[Document]) -> None:
        for document in reversed(piece):
            index.write([document])

    threads = [threading.Thread(target=write_all, args=(piece,)) for piece in pieces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    index.refresh()
    assert {s.version for s in stamps(index).values()} == {10} and len(stamps(index)) == 7
    assert sorted(found(index, "name69")) == [69 % 7]


def test_a_walk_stands_still_while_documents_arrive(index: SearchIndex) -> None:
    fill(index, [case(number, names=("Anna",)) for number in range(20)])
    query = SearchQuery("anna")
    page = index.search(SERVICE, query, limit=6)
    walked, totals = numbers(page), {page.total}
    turn = 0
    while page.after is not None:
        turn += 1
        # One that comes first, one that leaves, one that moves to the front.
        write(
            index,
            case(100 + turn, names=("Anna",), at_us=1000),
            case(3, 1 + turn, names=("Berta",)),
            case(turn, 50 + turn, names=("Anna",), at_us=2000),
        )
        page = index.search(SERVICE, query, after=page.after, limit=6)
        walked += numbers(page)
        totals.add(page.total)
    assert walked == list(range(19, -1, -1)) and totals == {20}
    assert set(found(index, "anna")) != set(walked)


def test_a_walk_without_words_stands_still_too(index: SearchIndex) -> None:
    fill(index, [case(number, at_us=number // 3) for number in range(20)])
    page = index.search(SERVICE, SearchQuery(), limit=3)
    walked = numbers(page)
    while page.after is not None:
        write(index, case(len(walked) + 100, at_us=999), case(0, len(walked), at_us=999))
        page = index.search(SERVICE, SearchQuery(), after=page.after, limit=3)
        walked += numbers(page)
    assert walked == sorted(range(20), key=lambda number: (-(number // 3), number))


def test_a_walk_of_one_page_has_no_cursor(index: SearchIndex) -> None:
    fill(index, [case(number) for number in range(4)])
    assert index.search(SERVICE, SearchQuery(), limit=4).after is None
    assert index.search(SERVICE, SearchQuery(), limit=3).after is not None


def test_without_an_index_nothing_looks_like_an_empty_one(index: SearchIndex) -> None:
    assert index.live() is None
    with pytest.raises(IndexAbsentError):
        ask(index)
    with pytest.raises(IndexAbsentError):
        index.write([case(1)])
    index.begin()
    assert index.live() is None
    with pytest.raises(IndexAbsentError):
        ask(index)


def test_a_generation_takes_over_without_a_gap(index: SearchIndex) -> None:
    fill(index, [case(1, names=("Old",)), case(2, names=("Left",))])
    generation = index.begin()
    index.build(generation, [case(1, names=("Old",))])
    # Until the end the old one answers, and writes go to both.
    write(index, case(3, names=("Meanwhile",)))
    index.build(generation, [case(3, 0, names=("Late",))])
    assert found(index, "left") == [2] and found(index, "meanwhile") == [3]
    index.finish(generation)
    assert index.live() == generation
    assert found(index, "left") == [] and found(index, "old") == [1]
    assert found(index, "meanwhile") == [3] and found(index, "late") == []


def test_questions_never_fail_while_generations_change(index: SearchIndex) -> None:
    fill(index, [case(number, names=("Anna",)) for number in range(5)])
    stop = threading.Event()
    wrong: list[object] = []

    def asking() -> None:
        while not stop.is_set():
            try:
                total = ask(index, "anna").total
            except Exception as error:
                wrong.append(error)
                return
            if total != 5:
                wrong.append(total)

    threads = [threading.Thread(target=asking) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        fill(index, [case(number, names=("Anna",)) for number in range(5)])
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_last_rebuild_that_began_wins(index: SearchIndex) -> None:
    fill(index, [case(1)])
    first = index.begin()
    second = index.begin()
    with pytest.raises(ConflictError):
        index.build(first, [case(9)])
    with pytest.raises(ConflictError):
        index.finish(first)
    index.build(second, [case(2)])
    index.finish(second)
    with pytest.raises(ConflictError):
        index.finish(second)
    assert found(index) == [2]


def test_a_walk_into_what_is_no_more_says_so(index: SearchIndex) -> None:
    fill(index, [case(number) for number in range(5)])
    after = index.search(SERVICE, SearchQuery(), limit=2).after
    for _ in range(2):
        fill(index, [case(7)])
    try:
        page = index.search(SERVICE, SearchQuery(), after=after, limit=2)
    except WalkEndedError as error:
        assert error.code == "walk_ended" and "first page" in error.hint
    else:
        assert numbers(page) == [2, 1]


def test_stamps_are_made_from_what_is_stored(index: SearchIndex) -> None:
    documents = [
        case(
            number,
            names=("张伟", "Иванов"),
            title={"en": "x", "zh": "事由"},
            numbers=("1",),
            text=("a",),
            notes=("b",),
            sealed=("c",),
            tenants=("A", "B"),
        )
        for number in range(1500)
    ]
    fill(index, documents)
    assert stamps(index) == {d.id: Stamp(d.id, d.version, d.digest) for d in documents}
