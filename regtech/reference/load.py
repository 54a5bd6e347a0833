"""Loads the reference data of an installation from its files, every fault with line and column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, TypeVar

from regtech.content import content_root, yamlmarks
from regtech.content.faults import meant_or_known
from regtech.content.saying import say
from regtech.errors import ContentError, UsageError
from regtech.reference.currencies import CurrencyTable
from regtech.reference.faults import Fault, Reader
from regtech.reference.profiles import Profile, check_profiles
from regtech.reference.rates import RateTable
from regtech.reference.sets import MemberSet, SetTable

T = TypeVar("T")
_RATES: Final = Path("rates", "sample.csv")


@dataclass(frozen=True)
class Reference:
    """All reference data under one root, each part read when it is first asked for.

    ``root`` is the ``mappings`` folder; ``rates_path`` the rate table (default: the illustrative
    sample that ships with the product).
    """

    root: Path
    rates_path: Path

    @classmethod
    def shipped(cls, *, root: Path | None = None, rates_path: Path | None = None) -> Reference:
        """The reference data that ships with the product, or that under another root.

        What ships does not change while a process runs: it is read once.
        """
        if root is None and rates_path is None:
            return _shipped(content_root("mappings"))
        root = root or content_root("mappings")
        return cls(root, rates_path or root / _RATES)

    @cached_property
    def currencies(self) -> CurrencyTable:
        """Currencies and virtual assets."""
        return load_currencies(self.root)

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """Jurisdiction profiles by id."""
        return load_profiles(self.root, self.currencies)

    @cached_property
    def rates(self) -> RateTable:
        """The rate table."""
        return RateTable.load(self.rates_path, self.currencies)

    @cached_property
    def sets(self) -> SetTable:
        """Dated membership sets."""
        return load_sets(self.root)

    def profile(self, identity: str) -> Profile:
        """The profile of a jurisdiction; UsageError where there is none."""
        try:
            return self.profiles[identity]
        except KeyError:
            raise UsageError(
                say("unknown jurisdiction %(text)r", text=identity),
                hint=meant_or_known(identity, sorted(self.profiles)),
            ) from None


@cache
def _shipped(root: Path) -> Reference:
    return Reference(root, root / _RATES)


def load_currencies(root: Path) -> CurrencyTable:
    """``currencies.yml`` under the mappings folder."""
    return _read(root / "currencies.yml", lambda d, r: CurrencyTable.from_document(d, reader=r))


def load_profiles(root: Path, currencies: CurrencyTable | None = None) -> dict[str, Profile]:
    """Every profile under ``jurisdictions/``, by id in order; faults of all files at once."""
    table = currencies or load_currencies(root)
    loaded = _read_all(
        root / "jurisdictions", lambda d, r: Profile.from_document(d, table, reader=r)
    )
    profiles = dict(sorted((profile.id, profile) for profile in loaded.values()))
    if len(profiles) != len(loaded):
        raise ContentError(f"two profiles under {root / 'jurisdictions'} have the same id")
    check_profiles(profiles)
    return profiles


def load_sets(root: Path) -> SetTable:
    """Every set under ``sets/``; faults of all files at once. A set's file bears its name."""
    loaded = _read_all(root / "sets", lambda d, r: MemberSet.from_document(d, reader=r))
    faults = [
        Fault(str(path), "set", "name", f"this set belongs into {entry.name}.yml", 1, 1)
        for path, entry in loaded.items()
        if path.stem != entry.name
    ]
    if faults:
        raise ContentError(str(faults[0]), faults)
    return SetTable(loaded.values())


def _read(path: Path, build: Callable[[object, Reader], T]) -> T:
    document = yamlmarks.load_file(path)
    if document.problems:
        faults = [
            Fault(document.file, "", problem.kind, problem.message, problem.line, problem.column)
            for problem in document.problems
        ]
        raise ContentError(str(faults[0]), faults)
    reader = Reader(document.file, locate=lambda place: yamlmarks.place_of(document.root, place))
    return build(yamlmarks.plain(document.root), reader)


def _read_all(folder: Path, build: Callable[[object, Reader], T]) -> Mapping[Path, T]:
    loaded: dict[Path, T] = {}
    faults: list[object] = []
    for path in sorted(folder.glob("*.yml")):
        try:
            loaded[path] = _read(path, build)
        except ContentError as error:
            faults.extend(error.faults)
    if faults:
        raise ContentError(
            f"{len(faults)} fault{'s' if len(faults) > 1 else ''} under {folder}: {faults[0]}",
            faults,
        )
    return loaded
