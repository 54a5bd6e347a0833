"""``OwnershipGraph``: takes in ownership events and answers who stands behind whom.

>>> graph = OwnershipGraph()
>>> half = 500_000_000
>>> _ = graph.observe("H", "X", time_us=0, share=half, owner_kind="entity")
>>> _ = graph.observe("P", "H", time_us=0, share=half, owner_kind="person")
>>> graph.owner_share("P", "X", Moment.of(1)).low
Fraction(1, 4)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

import numpy.typing as npt

from detectors.ownership.answer import Answer
from detectors.ownership.beneficial import Behind, answer_of, behind, elsewhere, leaves_open
from detectors.ownership.certain import indirect_persons, leads_to_no_person
from detectors.ownership.control import field_of
from detectors.ownership.controllers import Controllers, controllers_of
from detectors.ownership.declared import together
from detectors.ownership.layers import layers_of
from detectors.ownership.near import near_share
from detectors.ownership.reach import reach
from detectors.ownership.register import Change, Register
from detectors.ownership.terms import (
    ALL,
    ENDS,
    NOTHING,
    WHOLE,
    Comparator,
    Finding,
    Moment,
    Outcome,
    Share,
)
from detectors.ownership.view import Cache, View

SAME: Final = -1
"""In place of a kind: the event does not say, so it stays what it was."""
_BEHINDS_MAX: Final = 64


class OwnershipGraph:
    """Ownership and control by effective date.

    Events are observed one by one in canonical order (time, reporter, id), so how they were
    batched makes no difference; whatever was observed is in the next answer. Shares come in as
    integers of ``regtech.model.fields.DECIMAL_SCALE``; answers are fractions. Nothing is computed
    in advance: an answer looks at the parties behind the one that is asked about and no others.

    An unknown party owns nothing and is owned by nobody that is reported.
    """

    def __init__(self, register: Register | None = None) -> None:
        self._register = Register() if register is None else register
        self._cache = Cache(self._register)
        self._behinds: dict[tuple[object, ...], Behind] = {}
        """What was asked, until something changes: several laws ask, each with its comparator and
        the day of its zone."""

    def __len__(self) -> int:
        """Parties known."""
        return len(self._register.names)

    @property
    def ignored(self) -> Mapping[str, int]:
        """Interests that are none of ownership (such as ``pledge``), with their number."""
        return self._register.ignored

    def knows(self, party: str) -> bool:
        """Whether any event has named the party."""
        return party in self._register.index

    def observe(
        self,
        owner: str,
        owned: str,
        *,
        time_us: int,
        interest: str | None = None,
        share: int | None = None,
        share_min: int | None = None,
        share_max: int | None = None,
        from_day: int | None = None,
        until_day: int | None = None,
        indirect: bool = False,
        owner_kind: str | None = None,
        owned_kind: str | None = None,
        listed: bool | None = None,
        ref: str = "",
    ) -> tuple[Finding, ...]:
        """Take in one ``ownership`` event; what is wrong with it, if anything.

        ``share``, ``share_min``, ``share_max``: times ``DECIMAL_SCALE``. ``from_day`` (the first
        day), ``until_day`` (the first day on which it is no longer held): days since 1970.
        ``interest``: ``shares`` where None. ``indirect``: a total held through others, which the
        chains should give too. ``listed``: whether the owned is listed. ``ref`` comes back in
        answers. The share is what is held after the change; 0 is nothing.
        """
        self.note_party(owner, time_us, kind=owner_kind)
        self.note_party(owned, time_us, kind=owned_kind, listed=listed)
        self._behinds.clear()
        return self._register.observe(
            owner,
            owned,
            time_us=time_us,
            interest=interest,
            share=share,
            share_min=share_min,
            share_max=share_max,
            from_day=from_day,
            until_day=until_day,
            indirect=indirect,
            ref=ref,
        )

    def note_party(
        self,
        party: str,
        time_us: int,
        *,
        kind: str | None = None,
        listed: bool | None = None,
        exempt: bool | None = None,
    ) -> None:
        """Facts from a ``party`` event or from a party inside another event; None leaves as is.

        ``exempt``: a product that is no layer (flags ``public_product``, ``asset_backed``).
        """
        self._behinds.clear()
        self._register.note_party(party, time_us, kind=kind, listed=listed, exempt=exempt)
        if kind is not None:
            self._cache.forget(self._register.index[party])

    def enter(self, party: str, kind: int | None = None, *, exempt: bool = False) -> int:
        """The number of a party in the graph, new or known; ``kind`` (as ``terms.KINDS`` numbers
        kinds) and whether it is exempt where that is known."""
        register = self._register
        number = register.index.get(party)
        if number is None:
            return register.add(party, kind or 0, exempt=exempt)
        if kind is not None:
            register.exempt[number] = exempt
            if kind not in (0, register.kinds[number]):
                self._note_kind(number, kind)
        return number

    def take(
        self,
        owner: int,
        owned: int,
        interest: int,
        change: Change,
        owner_kind: int,
        owned_kind: int,
    ) -> None:
        """What ``observe`` does, of parties by number and a change that is in order.

        ``interest``: its number, with ``register.INDIRECT`` for a total held through others. Kinds:
        as ``terms.KINDS`` numbers them, or ``SAME``.
        """
        self._behinds.clear()
        kinds = self._register.kinds
        if owner_kind not in (SAME, kinds[owner]):
            self._note_kind(owner, owner_kind)
        if owned_kind not in (SAME, kinds[owned]):
            self._note_kind(owned, owned_kind)
        self._register.take(owner, owned, interest, change)

    def note_listed(self, party: int, time_us: int, listed: bool) -> None:
        """Whether a party by number is listed, from a moment on."""
        self._behinds.clear()
        self._register.note_listed(party, time_us, listed)

    def _note_kind(self, party: int, kind: int) -> None:
        self._behinds.clear()
        self._register.kinds[party] = kind
        self._cache.forget(party)

    def leads_on(self, party: int) -> bool:
        """Whether anybody was ever reported behind an owner of a party, or the party as an owner.

        By number. Where neither, a change of its owners concerns nobody who holds through others.
        """
        return party in self._register.chained or party in self._register.holds

    def owner_share(self, owner: str, owned: str, at: Moment) -> Share:
        """What one party holds of another in all: shares multiplied down chains and added.

        Listed companies do not stop it. A party holds all of itself.
        """
        return self.owners_share((owner,), owned, at)

    def owners_share(self, owners: Iterable[str], owned: str, at: Moment) -> Share:
        """What several parties together hold of another (as all covered persons do)."""
        index = self._register.index
        asked = frozenset(index[owner] for owner in owners if owner in index)
        thing = index.get(owned)
        if thing is None:
            return ALL if owned in owners else Share(Fraction(0), Fraction(0), Fraction(1))
        if thing in asked:
            return ALL
        if self._register.kinds[thing] in ENDS:
            return NOTHING
        if len(asked) == 1 and thing not in self._register.chained:
            (owner,) = asked
            share = near_share(self._register, thing, owner, at)
            if share is not None:
                least, most = (Fraction(part, WHOLE) for part in share)
                return Share(least, least, most)
        view = View(self._cache, at, through_listed=True)
        return together(view, reach(view, thing, stop=asked), asked)

    def near_share(self, owner: int, owned: int, at: Moment) -> tuple[int, int] | None:
        """``low`` and ``open`` of ``owner_share`` of two parties by number, times ``WHOLE``.

        None where somebody stands behind an owner of the owned, or something is left open.
        """
        register = self._register
        if owner == owned or owned in register.chained or register.kinds[owned] in ENDS:
            return None
        return near_share(register, owned, owner, at)

    def apart(self, one: int, other: int) -> Outcome | None:
        """``same_owner`` of two different parties by number, -1 for one that is not known.

        None where an owner of one of them was ever reported.
        """
        register = self._register
        if one in register.held or other in register.held:
            return None
        ends = (
            min(one, other) >= 0 and register.kinds[one] in ENDS and register.kinds[other] in ENDS
        )
        return Outcome.NOT_MET if ends else Outcome.CANNOT_TELL

    def same_owner(self, one: str, other: str, at: Moment) -> Outcome:
        """Whether one party controls both, or one of them the other."""
        if one == other:
            return Outcome.MET
        index = self._register.index
        apart = self.apart(index.get(one, -1), index.get(other, -1))
        if apart is not None:
            return apart
        return self.controllers(one, at).common(self.controllers(other, at))

    def controllers(self, party: str, at: Moment) -> Controllers:
        """Who controls a party, by chains of control (see ``control.py``)."""
        thing = self._register.index.get(party)
        if thing is None:
            return Controllers(frozenset({party}), frozenset(), frozenset(), False)
        view = View(self._cache, at, through_listed=True)
        return controllers_of(field_of(view, thing), view)

    def group_of(self, party: str, at: Moment) -> str:
        """A name for the group of a party: whoever controls it and is controlled by nobody.

        Of several the first in order of names; a party that nobody controls is its own group.
        """
        return self.controllers(party, at).group(party)

    def held_by(self, party: str, at: Moment) -> list[str]:
        """Parties in which one holds something at a moment, by name."""
        register = self._register
        number = register.index.get(party, -1)
        held = register.holds.get(number)
        if not held:
            return []
        return sorted(
            register.names[thing] for thing in held if register.holds_now(number, thing, at)
        )

    def has_chains(self, party: str) -> bool:
        """Whether anybody was ever reported behind an owner of a party."""
        return self._register.index.get(party, -1) in self._register.chained

    def layers(self, product: str, at: Moment) -> tuple[int, int]:
        """Least and greatest number of layers of products below a product (``layers.ENDLESS``)."""
        number = self._register.index.get(product)
        return (0, 0) if number is None else layers_of(self._register, number, at)

    def beneficial_owners(
        self,
        party: str,
        at: Moment,
        threshold: Fraction,
        comparator: Comparator = "at_least",
        *,
        complete: bool = False,
        through_listed: bool = False,
        paths: int = 10,
    ) -> Answer:
        """Everybody who stands behind a party, with outcome, shares, control and chains.

        ``complete``: what nobody has reported is taken not to be. ``paths``: chains of each owner
        at most. Raises ``KeyError`` for a party that no event has named.
        """
        asked = self._behind(party, at, threshold, comparator, complete, through_listed)
        return answer_of(asked, paths)

    def leads_to_no_person(self, party: str) -> bool:
        """Whether ``indirect_persons`` are none whatever the moment; see ``certain``."""
        return leads_to_no_person(self._register, self._register.index[party])

    def indirect_persons(
        self, party: str, at: Moment, threshold: Fraction, comparator: Comparator
    ) -> frozenset[str]:
        """Of ``owners`` of the same answer the natural persons who hold through others, by name."""
        return indirect_persons(self._behind(party, at, threshold, comparator, False, False))

    def leaves_open(
        self, party: str, at: Moment, threshold: Fraction, comparator: Comparator
    ) -> bool:
        """Whether of somebody known it cannot be told if it is an owner, or somebody whom nobody
        has named may be one."""
        return leaves_open(self._behind(party, at, threshold, comparator, False, False))

    def _behind(
        self,
        party: str,
        at: Moment,
        threshold: Fraction,
        comparator: Comparator,
        complete: bool,
        through_listed: bool,
    ) -> Behind:
        thing = self._register.index[party]
        mark = threshold.numerator, threshold.denominator  # a fraction takes long to be hashed
        key = thing, at.us, mark, complete, through_listed
        found = self._behinds.get(key)
        if found is not None and found.view.at != at:
            found = elsewhere(found, at)
        if found is None:
            view = View(self._cache, at, through_listed=through_listed)
            found = behind(view, thing, threshold, comparator, complete=complete)
        if len(self._behinds) >= _BEHINDS_MAX:
            self._behinds.clear()
        self._behinds[key] = found
        if found.comparator != comparator:
            found = replace(found, comparator=comparator)
        return found

    def export_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The state as arrays, for a snapshot."""
        return self._register.export_arrays()

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> OwnershipGraph:
        """The graph of ``export_arrays``; ``SnapshotError`` where the arrays are damaged."""
        return cls(Register.restore(arrays))
