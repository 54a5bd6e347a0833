"""The index beside a record: what becomes of alerts and cases, for whom, and what a loss costs.

Long because every promise is held against both indexes over the same record.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from casework.cases.case import Outcome
from casework.cases.scope import Role, Scope
from casework.ports import Record, Topic
from casework.search.document import Document
from casework.search.errors import IndexAbsentError, IndexRefusedError
from casework.search.indexer import FIRST_WAIT_S, LAST_WAIT_S, MESSAGES, Indexer
from casework.search.memory import MemoryIndex
from casework.search.ports import SearchIndex, SearchPage
from casework.search.query import Kind, SearchQuery
from casework.search.rebuild import check, rebuild
from casework.stores.memory import MemoryRecord
from regtech.clock import ManualClock
from regtech.errors import NotFoundError, StoreError
from tests.contract.search.support import institution
from tests.contract.world import PLAIN, SERVICE, WANG, Salts, World, alert, planner_of, scope


@pytest.fixture
def record(clock: ManualClock) -> Record:
    """In memory: that all stores are alike is shown elsewhere."""
    return MemoryRecord(clock, Salts())


@pytest.fixture
def world(record: Record, clock: ManualClock) -> World:
    return World(record, clock)


def indexer(world: World, index: Any, **more: Any) -> Indexer:
    """``index``: one, or one in ``Trouble``."""
    given: dict[str, Any] = {
        "wait": lambda seconds: True,
        "random": lambda: 0.0,
        "note": lambda text: None,
    }
    return Indexer(world.record, index, SERVICE, world.service.themes, **{**given, **more})


def search(
    world: World, index: SearchIndex, text: str, who: Scope = SERVICE, kind: Kind | None = Kind.CASE
) -> SearchPage:
    """Bring the index in step and ask it."""
    indexer(world, index).catch_up()
    index.refresh()
    kinds = () if kind is None else (kind,)
    return index.search(who, SearchQuery(text, kinds=kinds), limit=500)


def subjects(page: SearchPage) -> list[str]:
    return sorted({hit.subject for hit in page.hits})


def test_a_case_is_found_by_what_its_alerts_and_people_say(
    world: World, index: SearchIndex
) -> None:
    given = alert(
        1,
        payer__name="欧阳修文",
        payer__account="6222 0212 3456 7890",
        payee__name="Пётр Иванов",
        payee__identifiers__national="110101199003071234",
        payer__birth_date="1990-03-07",
        payer__device="dev-77",
        amount="800000",
    )
    case = world.one(given)
    world.take(alert(2, subject="K2"))
    case = world.service.comment(WANG, case.id, case.version, "asked for the Mietvertrag")
    case = world.service.tag(WANG, case.id, case.version, add=("urgent",))
    for text in (
        "欧阳修文", "阳修", "7890", "6222-0212", "петр иванов", "110101199003071234", "1990-03-07",
        "dev77", "mietvertrag", "urgent", "cn-rule", "K1", "规则命中", case.id, case.id[:10],
        "Money laundering", "洗钱", "bank-a K1",
    ):  # fmt: skip
        found = subjects(search(world, index, text))
        if text in ("cn-rule", "规则命中", "Money laundering", "洗钱"):
            assert case.id in found and len(found) == 2, text
        else:
            assert found == [case.id], text
    for text in ("1101011990", "1990-03", "800000"):
        assert subjects(search(world, index, text)) == [], text
    world.service.close(
        WANG, *_ticked(world, case.id), outcome=Outcome.UNFOUNDED, reason="salary of a seaman"
    )
    (hit,) = search(world, index, "seaman").hits
    assert (hit.subject, hit.state, hit.open) == (case.id, "closed", False)


def _ticked(world: World, case_id: str) -> tuple[str, int]:
    """The case with its required points ticked off, at work."""
    from casework.cases.lifecycle import Move

    case = world.service.get(WANG, case_id)
    case = world.service.move(WANG, case_id, case.version, Move.TRIAGE, "")
    for point in world.service.themes.of(case.theme).checklist:
        if point.required:
            case = world.service.check(WANG, case_id, case.version, point.id)
    return case_id, case.version


def test_alerts_and_parties_are_found_by_themselves(world: World, index: SearchIndex) -> None:
    world.take(
        alert(1, payer__id="P1", payer__name="Anna Berg", payer__account="A-111"),
        alert(2, payer__id="P1", payer__name="Anna Berg", payer__account="A-111"),
        alert(3, payer__id="P1", payer__name="Anna Berg-Meier", payer__account="A-222"),
        alert(4, tenant="BANK-B", payer__id="P1", payer__name="Somebody Else"),
    )
    assert subjects(search(world, index, "anna", kind=Kind.ALERT)) == [
        alert(n).id for n in (1, 2, 3)
    ]
    parties = search(world, index, "anna", kind=Kind.PARTY)
    # As it was named each time; it is one party.
    assert len(parties.hits) == 2 and len(subjects(parties)) == 1
    assert sorted(hit.about["names"] for hit in parties.hits) == [
        ("Anna Berg",),
        ("Anna Berg-Meier",),
    ]
    (other,) = search(world, index, "somebody", kind=Kind.PARTY).hits
    assert other.subject not in subjects(parties) and other.tenants == ("BANK-B",)


def test_an_institution_finds_its_part_of_a_case_and_no_more(
    world: World, index: SearchIndex
) -> None:
    """One subject, two institutions, a suspicion of the one, an open alert of the other."""
    case = world.one(
        alert(1, tenant="BANK-A", kind="breach", payer__name="Openly Named"),
        alert(2, tenant="BANK-A", kind="suspicion", payer__name="Darkly Suspected"),
        alert(3, tenant="BANK-A", kind="indicator", payer__name="Perhaps Later"),
    )
    world.service.comment(WANG, case.id, case.version, "the secret remark")
    world.take(alert(4, tenant="BANK-B", kind="suspicion", payer__name="Silently Watched"))
    bank_a, bank_b = institution("BANK-A"), institution("BANK-B")
    assert subjects(search(world, index, "openly", bank_a)) == [case.id]
    for text in ("darkly", "suspected", "perhaps", "secret", "suspicion", "silently"):
        for who in (bank_a, bank_b):
            page = search(world, index, text, who, None)
            assert (page.total, page.hits) == (0, ()), (text, who)
            assert not any(page.facets.values())
    assert search(world, index, "", bank_b, None).total == 0
    everything = search(world, index, "", bank_a, None)
    assert subjects(everything) == sorted([case.id, alert(1).id])
    assert everything.facets["kind"] == {"alert": 1, "case": 1}


def test_a_case_that_no_institution_may_know_of_is_not_counted_for_one(
    world: World, index: SearchIndex
) -> None:
    """An open alert of the one and a suspicion of the other: hits, total and facets say nothing."""
    world.take(
        alert(1, tenant="BANK-A", kind="breach"), alert(2, tenant="BANK-B", kind="suspicion")
    )
    of_a, of_b = sorted(world.all(), key=lambda case: case.tenants)
    bank_a = institution("BANK-A")
    assert subjects(search(world, index, "", bank_a)) == [of_a.id]
    world.service.merge(WANG, of_b.id, of_b.version, of_a.id, of_a.version, "one matter")
    with pytest.raises(NotFoundError):
        world.record.case(bank_a, of_a.id)
    page = search(world, index, "", bank_a)
    assert (page.total, page.hits) == (0, ())
    assert not any(page.facets.values())


def test_an_institutions_view_does_not_move_with_what_it_may_not_know(
    world: World, index: SearchIndex, clock: ManualClock
) -> None:
    first = world.one(alert(1, subject="K1"))
    clock.advance(1_000_000)
    world.take(alert(2, subject="K2"))
    bank = institution("BANK-A")
    before = search(world, index, "", bank)
    clock.advance(1_000_000)
    case = world.service.comment(WANG, first.id, first.version, "a remark inside")
    case = world.service.prioritise(WANG, case.id, case.version, 99, "pressing", "")
    world.take(alert(3, subject="K1", kind="suspicion", severity="critical"))
    assert search(world, index, "", bank) == before
    assert [hit.subject for hit in search(world, index, "").hits] != [
        hit.subject for hit in before.hits
    ]


def test_what_is_no_longer_shared_is_no_longer_found(
    record: Record, clock: ManualClock, index: SearchIndex
) -> None:
    world = World(record, clock, planner_of(PLAIN.replace("secret: true", "secret: false")))
    case = world.one(
        alert(1, kind="indicator", pack="cn-asset-management", explanation="x"),
    )
    bank = institution("BANK-A")
    assert search(world, index, "", bank).total == 0
    case = world.service.share(WANG, case.id, case.version, True, "asked for")
    assert subjects(search(world, index, "规则", bank)) == [case.id]
    case = world.service.comment(WANG, case.id, case.version, "send the contract", shared=True)
    assert subjects(search(world, index, "contract", bank)) == [case.id]
    # Its facts stay where they are: the alert is shown by decision, without them.
    world.service.share(WANG, case.id, case.version, False, "a mistake")
    assert search(world, index, "", bank).total == 0
    assert check(world.record, index, SERVICE, world.service.themes).same


def test_alerts_that_moved_are_found_where_they_are(world: World, index: SearchIndex) -> None:
    case = world.one(alert(1, payer__name="Stays"), alert(2, payer__name="Leaves"))
    assert subjects(search(world, index, "leaves")) == [case.id]
    new = world.service.split(WANG, case.id, case.version, [alert(2).id], "another matter")
    assert subjects(search(world, index, "leaves")) == [new.id]
    assert subjects(search(world, index, "leaves", institution("BANK-A"))) == [new.id]
    assert subjects(search(world, index, "stays", institution("BANK-A"))) == [case.id]
    assert check(world.record, index, SERVICE, world.service.themes).same


SCOPES = (
    WANG,
    scope("a", Role.AUDITOR, tenants={"BANK-A"}),
    scope("b", Role.SUPERVISOR, tenants={"BANK-A", "BANK-B"}, jurisdictions={"CN"}),
    scope("c", Role.OPERATOR, jurisdictions={"EU"}),
    institution("BANK-A"),
    institution("BANK-B", "BANK-C"),
    scope("d", Role.INSTITUTION, tenants={"BANK-A"}, jurisdictions={"EU"}),
)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_found_is_in_the_record_for_the_same_scope(
    world: World, index: SearchIndex, seed: int
) -> None:
    draw = random.Random(seed)
    kinds = ("breach", "suspicion", "indicator", "report", "limit", "unheard")
    for number in range(1, 60):
        world.take(
            alert(
                number,
                subject=f"K{draw.randrange(8)}",
                tenant=draw.choice(("BANK-A", "BANK-B", "BANK-C")),
                jurisdiction=draw.choice(("CN", "EU")),
                pack=draw.choice(("cn-aml-conduct", "cn-asset-management", "eu-transfers")),
                kind=draw.choice(kinds),
                payer__name=f"Name{number}",
            )
        )
        case = draw.choice(world.all())
        if draw.random() < 0.5:
            world.service.share(WANG, case.id, case.version, draw.random() < 0.6, "so it is")
        if draw.random() < 0.2:
            indexer(world, index).catch_up()
    indexer(world, index).catch_up()
    index.refresh()
    for who in SCOPES:
        page = index.search(who, SearchQuery(), limit=500)
        cases = {case.id for case in world.all() if _there(world, who, case.id)}
        alerts = {a.id for a in world.record.alerts(who, limit=500).items}
        by_kind = {kind: {hit.subject for hit in page.hits if hit.kind is kind} for kind in Kind}
        assert by_kind[Kind.ALERT] == alerts
        assert by_kind[Kind.CASE] <= cases
        if not who.restricted:
            assert by_kind[Kind.CASE] == cases
        assert page.total == sum(page.facets["kind"].values()) == len(page.hits)
        for hit in page.hits:
            assert who.jurisdictions is None or hit.jurisdiction in who.jurisdictions
            assert who.tenants is None or set(hit.tenants) <= who.tenants
    assert check(world.record, index, SERVICE, world.service.themes).same


def _there(world: World, who: Scope, case_id: str) -> bool:
    try:
        world.record.case(who, case_id)
    except NotFoundError:
        return False
    return True


# --- the indexer


class Trouble:
    """An index that fails as often as it is told, before or after it has written."""

    def __init__(self, index: SearchIndex) -> None:
        self.index = index
        self.before = self.after = 0
        self.refuses: set[str] = set()
        self.largest = 0

    def write(self, documents: Sequence[Document]) -> None:
        self.largest = max(self.largest, len(documents))
        if self.before:
            self.before -= 1
            raise StoreError("the index is away")
        wanted = [d for d in documents if d.id not in self.refuses]
        self.index.write(wanted)
        if self.after:
            self.after -= 1
            raise StoreError("the answer was lost")
        if len(wanted) < len(documents):
            raise IndexRefusedError([d.id for d in documents if d.id in self.refuses], "too long")

    def __getattr__(self, name: str) -> object:
        return getattr(self.index, name)


@pytest.fixture
def plain(world: World) -> MemoryIndex:
    made = MemoryIndex()
    rebuild(world.record, made, SERVICE, world.service.themes)
    return made


def waiting(world: World) -> int:
    return len(world.record.messages(SERVICE, Topic.SEARCH, limit=10_000))


def test_a_message_stays_until_what_it_tells_of_is_in_the_index(
    world: World, plain: MemoryIndex
) -> None:
    trouble = Trouble(plain)
    worker = indexer(world, trouble)
    world.take(*(alert(n, subject=f"K{n}") for n in range(20)))
    before = waiting(world)
    trouble.before = 1
    with pytest.raises(StoreError):
        worker.step()
    assert waiting(world) == before and plain.search(SERVICE, SearchQuery()).total == 0
    # Written and not acknowledged: it comes again, and nothing is doubled.
    trouble.after = 1
    with pytest.raises(StoreError):
        worker.step()
    assert waiting(world) == before
    worker.catch_up()
    assert waiting(world) == 0 and check(world.record, plain, SERVICE, world.service.themes).same


def test_what_the_index_would_never_take_does_not_hold_up_the_rest(
    world: World, plain: MemoryIndex
) -> None:
    trouble, notes = Trouble(plain), list[str]()
    worker = indexer(world, trouble, note=notes.append)
    trouble.refuses = {f"alert:{alert(3).id}"}
    world.take(*(alert(n, subject=f"K{n}") for n in range(1, 6)))
    worker.catch_up()
    assert list(worker.refused) == [f"alert:{alert(3).id}"] and len(notes) == 1
    assert waiting(world) == 0
    found = check(world.record, plain, SERVICE, world.service.themes)
    assert found.missing == [f"alert:{alert(3).id}"] and not found.same


def test_an_hour_without_an_index_costs_waiting_and_no_memory(
    world: World, plain: MemoryIndex, clock: ManualClock
) -> None:
    trouble, waits, notes = Trouble(plain), list[float](), list[str]()
    trouble.before = 10**9
    chance = random.Random(7).random

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        clock.advance(int(seconds * 1_000_000))
        if clock.now_us() - began > 3_600_000_000:
            trouble.before = 0
        # Work goes on meanwhile.
        if len(waits) % 10 == 1 and trouble.before:
            number = len(waits)
            world.take(*(alert(number * 1000 + n, subject=f"K{n}") for n in range(300)))
        return not trouble.before and waiting(world) == 0

    began = clock.now_us()
    world.take(alert(1))
    worker = indexer(world, trouble, wait=wait, random=chance, note=notes.append)
    worker.run()
    failed = [seconds for seconds in waits if seconds >= FIRST_WAIT_S / 2]
    assert all(
        most / 2 <= seconds <= most
        for seconds, most in zip(
            failed[:8], (min(LAST_WAIT_S, FIRST_WAIT_S * 2**n) for n in range(8)), strict=True
        )
    )
    assert max(failed) <= LAST_WAIT_S and 60 < len(failed) < 150
    assert len(notes) == 2 and "waits" in notes[0] and "back after" in notes[1]
    assert trouble.largest <= 500 and worker.failures == 0
    assert check(world.record, plain, SERVICE, world.service.themes).same


def test_no_step_reads_more_than_its_share(world: World, plain: MemoryIndex) -> None:
    for number in range(MESSAGES + 20):
        world.take(alert(number, subject=f"K{number}"))
    worker = indexer(world, plain)
    assert worker.step() == MESSAGES
    assert waiting(world) > 0
    worker.catch_up()
    assert check(world.record, plain, SERVICE, world.service.themes).same


def test_two_indexers_do_not_disturb_each_other(world: World, plain: MemoryIndex) -> None:
    world.take(*(alert(n, subject=f"K{n}") for n in range(50)))
    first, second = indexer(world, plain), indexer(world, plain)
    while first.step() + second.step():
        pass
    assert check(world.record, plain, SERVICE, world.service.themes).same


def test_a_lost_index_is_built_from_the_whole_record(world: World, index: SearchIndex) -> None:
    case = world.one(alert(1, payer__name="Anna"))
    assert subjects(search(world, index, "anna")) == [case.id]
    fresh = MemoryIndex()
    # Nothing waits in the outbox for what was indexed before: the record alone knows it.
    world.take(alert(2, subject="K2", payer__name="Berta"))
    assert subjects(search(world, fresh, "anna")) == [case.id]
    assert check(world.record, fresh, SERVICE, world.service.themes).same


# --- building anew, and comparing


def test_what_a_killed_builder_left_is_built_to_its_end(world: World, index: SearchIndex) -> None:
    world.take(alert(1, payer__name="Anna Berg"))
    worker = indexer(world, index)
    index.begin()  # and its builder is gone
    world.take(alert(2, subject="K2", payer__name="Anna Berg"))
    assert worker.catch_up() > 0
    index.refresh()
    assert index.search(SERVICE, SearchQuery("Anna Berg", kinds=(Kind.CASE,)), limit=9).total == 2
    assert check(world.record, index, SERVICE, world.service.themes).same


def test_rebuilding_gives_what_indexing_gave(world: World, index: SearchIndex) -> None:
    cases = world.take(*(alert(n, subject=f"K{n % 9}", payer__id=f"P{n % 4}") for n in range(50)))
    world.service.comment(WANG, cases[0].id, cases[0].version, "x")
    search(world, index, "")
    first = check(world.record, index, SERVICE, world.service.themes)
    before = index.live()
    again = rebuild(world.record, index, SERVICE, world.service.themes)
    assert first.same and again.same and index.live() != before
    assert first.record_digest == first.index_digest == again.index_digest
    assert again.documents == {"case": 18, "alert": 50, "party": 8}
    assert again.as_dict()["missing"] == {"count": 0, "ids": []}


class Meanwhile:
    """An index during whose rebuild something happens at every step."""

    def __init__(self, index: SearchIndex, act: Iterator[object]) -> None:
        self.index, self.act = index, act

    def build(self, generation: str, documents: Sequence[Document]) -> None:
        self.index.build(generation, documents)
        next(self.act, None)

    def __getattr__(self, name: str) -> object:
        return getattr(self.index, name)


def test_work_goes_on_while_an_index_is_built(world: World, index: SearchIndex) -> None:
    world.take(*(alert(n, subject=f"K{n}") for n in range(260)))
    search(world, index, "")

    def work() -> Iterator[object]:
        number = 1000
        while True:
            for case in world.all()[::40]:
                world.service.prioritise(WANG, case.id, case.version, number % 100, "moves", "")
            number += 1
            world.take(alert(number, subject=f"K{number % 300}", payer__name="Arrived"))
            if number % 2:
                indexer(world, index).catch_up()
            yield None

    slow: Any = Meanwhile(index, work())
    rebuild(world.record, slow, SERVICE, world.service.themes)
    page = search(world, index, "arrived", kind=Kind.ALERT)
    assert page.total == sum(a.body()["facts"].get("payer.name") == "Arrived"
                             for a in world.record.alerts(SERVICE, limit=500).items)  # fmt: skip
    assert page.total > 0
    found = check(world.record, index, SERVICE, world.service.themes)
    assert found.same and found.record_digest == found.index_digest


def test_what_differs_is_named(world: World, index: SearchIndex) -> None:
    world.take(*(alert(n, subject=f"K{n}") for n in range(1, 6)))
    search(world, index, "")
    good = {d.id: d for n in range(1, 6) for d in _documents(world, n)}
    ids = sorted(good)
    generation = index.begin()
    wrong, old, lost, rest = ids[0], ids[-1], ids[3], [i for i in ids]
    rest.remove(lost)
    from dataclasses import replace

    for identity in rest:
        document = good[identity]
        if identity == wrong:
            document = replace(document, text=("changed",))
        elif identity == old:
            document = replace(document, version=0)
        index.build(generation, [document])
    index.build(generation, [Document("case:C-foreign", Kind.CASE, "C-foreign", 1, full=True)])
    index.finish(generation)
    found = check(world.record, index, SERVICE, world.service.themes)
    assert not found.same
    assert (found.differing, found.stale, found.missing, found.foreign) == (
        [wrong],
        [old],
        [lost],
        ["case:C-foreign"],
    )
    assert found.record_digest != found.index_digest
    rebuild(world.record, index, SERVICE, world.service.themes)
    assert check(world.record, index, SERVICE, world.service.themes).same


def _documents(world: World, number: int) -> list[Document]:
    from casework.search.project import alert_documents, case_documents

    made = alert_documents(alert(number, subject=f"K{number}"))
    for dossier in world.record.dossiers(SERVICE, [c.id for c in world.all()], alerts_max=500):
        if dossier.alerts[0].id == alert(number).id:
            made += case_documents(
                dossier.case, dossier.alerts, dossier.timeline, world.service.themes
            )
    return made


def test_a_new_index_that_is_wrong_does_not_take_over(world: World, plain: MemoryIndex) -> None:
    world.take(alert(1))
    indexer(world, plain).catch_up()
    before = plain.live()

    class Loses(Trouble):
        def build(self, generation: str, documents: Sequence[Document]) -> None:
            self.index.build(generation, documents[1:])

    lossy: Any = Loses(plain)
    with pytest.raises(StoreError, match="not what the record says"):
        rebuild(world.record, lossy, SERVICE, world.service.themes)
    assert plain.live() == before and check(world.record, plain, SERVICE, world.service.themes).same


def test_without_an_index_there_is_nothing_to_compare(world: World, index: SearchIndex) -> None:
    with pytest.raises(IndexAbsentError):
        check(world.record, index, SERVICE, world.service.themes)
