"""Lists as published: what is read, what is left out and said, what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from regtech.adapters.lists.dates import birth_date
from regtech.adapters.lists.folder import read_lists
from regtech.errors import InputError
from regtech.reference.watchlists import BirthDate, ListVersion

LISTS = Path(__file__).parents[2] / "data" / "lists"
COUNTRIES = {"iran": "IR", "cuba": "CU", "iraq": "IQ", "malta": "MT", "panama": "PA"}


def by_name(folder: Path) -> dict[str, ListVersion]:
    return {version.name: version for version in read_lists(folder, COUNTRIES)}


def test_ofac_files(tmp_path: Path) -> None:
    for name in ("sdn.csv", "alt.csv", "add.csv"):
        shutil.copy(LISTS / name, tmp_path)
    ofac = by_name(tmp_path)["ofac"]
    assert ofac.faults == () and ofac.since_us is None
    bank = ofac.by_id["306"]
    assert [(n.text, n.quality) for n in bank.names] == [
        ("BANCO NACIONAL DE CUBA", "primary"),
        ("NATIONAL BANK OF CUBA", "strong"),
        ("BNC", "weak"),
    ]
    vessel = ofac.by_id["15036"]
    assert vessel.kind == "vessel" and ("imo", "9187629") in vessel.identifiers
    person = ofac.by_id["12114"]
    assert person.birth_dates == (BirthDate(1944),) and person.countries == ("IR",)
    assert any(kind == "wallet" for kind, _ in ofac.by_id["26137"].identifiers)


def test_aliases_without_an_entry_are_kept_and_told(tmp_path: Path) -> None:
    shutil.copy(LISTS / "sdn.csv", tmp_path)
    (tmp_path / "alt.csv").write_text('99999,1,"aka","Lost Alias",-0- \r\n7,2\r\n')
    ofac = by_name(tmp_path)["ofac"]
    assert [name.text for name in ofac.by_id["99999"].names] == ["Lost Alias"]
    assert any("99999" in fault for fault in ofac.faults)
    assert any("alt.csv:2: 2 columns where there are 4" in fault for fault in ofac.faults)


def test_un_file(tmp_path: Path) -> None:
    shutil.copy(LISTS / "un.xml", tmp_path)
    un = by_name(tmp_path)["un"]
    person = un.by_id["6908075"]
    assert "حكمت مزبان إبراهيم العزاوي" in [name.text for name in person.names]
    assert person.countries == ("IQ",) and person.birth_dates == (BirthDate(1934),)
    assert {n.quality for n in un.by_id["2981821"].names} == {"primary", "strong", "weak"}
    assert un.since_us == 1_772_150_409_554_000


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><CONSOLIDATED_LIST>&a;</CONSOLIDATED_LIST>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><CONSOLIDATED_LIST/>',
        "<CONSOLIDATED_LIST><INDIVIDUAL></CONSOLIDATED_LIST>",
        "<OTHER/>",
        '<?xml version="1.0" encoding="UTF-16"?><CONSOLIDATED_LIST/>',
    ],
)
def test_xml_that_is_not_the_list_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "un.xml").write_text(body)
    with pytest.raises(InputError):
        read_lists(tmp_path, COUNTRIES)


def test_own_lists_and_their_faults(tmp_path: Path) -> None:
    (tmp_path / "cn_art40.csv").write_text(
        "id,name,kind,aliases,weak_aliases,birth_date,country,imo\n"
        "1,王伟,person,Wang Wei; Wei Wang,Lao Wang,1970-03-21,CN,\n"
        "1,Wang Weiwei,,,,,,\n"
        "2,,person,,,,,\n"
        "3,MV Star,ship,,,someday,Atlantis,9187629\n",
        encoding="utf-8",
    )
    (tmp_path / "rates.csv").write_text("date,rate\n2026-01-01,1\n")
    own = by_name(tmp_path)["cn_art40"]
    assert [n.text for n in own.by_id["1"].names] == [
        "王伟", "Wang Wei", "Wei Wang", "Lao Wang", "Wang Weiwei",
    ]  # fmt: skip
    assert own.by_id["1"].birth_dates == (BirthDate(1970, 3, 21),)
    assert own.by_id["3"].identifiers == (("imo", "9187629"),)
    told = "\n".join(own.faults)
    for place in ("cn_art40.csv:4: no name", "cn_art40.csv:5: unknown kind 'ship'", "'Atlantis'"):
        assert place in told


def test_a_column_that_is_not_known_says_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("name,alises\nx,y\n")
    with pytest.raises(InputError, match="did you mean 'aliases'"):
        read_lists(tmp_path, COUNTRIES)


def test_folders_named_by_days_are_versions(tmp_path: Path) -> None:
    for day, rows in (("2026-01-01", "1,Ann"), ("2026-02-01", "2,Bob")):
        (tmp_path / day).mkdir()
        (tmp_path / day / "own.csv").write_text(f"id,name\n{rows}\n")
    first, second = read_lists(tmp_path, COUNTRIES)
    assert (first.since_us, second.since_us) == (1_767_225_600_000_000, 1_769_904_000_000_000)
    assert [e.id for e in second.entries] == ["2"] and first.digest != second.digest


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no list in"):
        read_lists(tmp_path, COUNTRIES)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("10 Dec 1948", BirthDate(1948, 12, 10)),
        ("circa 1961", BirthDate(1961, circa=True)),
        ("1970 to 1973", BirthDate(1970, last_year=1973)),
        ("1970-03", BirthDate(1970, 3)),
        ("Sep 1979", BirthDate(1979, 9)),
        ("unknown", None),
    ],
)
def test_dates_of_birth(text: str, date: BirthDate | None) -> None:
    assert birth_date(text) == date
