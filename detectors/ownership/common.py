"""One owner behind several partners of a lender, each just under a limit:
``detect: {detector: common_owner, kind: joint_loan, figure: net_tier1, share_min: 20%,
share_below: 25%, partners_min: 2, owner_from: 25%}``.

Asked of ``exposure`` events. Of each holder the last balance with every counterparty of that kind
is held against the holder's last figure of that name. It is met when the balance of the event, and
those of enough other counterparties, lie from ``share_min`` up to, not with, ``share_below`` of the
figure, and one owner has ``owner_from`` or more of each of these, directly or through others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from detectors.ownership.answer import Answer, Owner
from detectors.ownership.terms import Outcome
from regtech.ports.detection import NO, UNKNOWN, YES, Question

PARTNERS_MAX: Final = 100
"""Counterparties of one holder that are looked at for one event, the first by name."""
_KNOWN: Final = frozenset(
    {"kind", "figure", "share_min", "share_below", "partners_min", "owner_from"}
)

Money = tuple[int, int]
"""Amount in units of its currency, and the currency's number."""
AnswerOf = Callable[[str, Fraction], Answer | None]
"""Who has at least such a share of a party; None for one that no ownership event has named."""


class Terms(NamedTuple):
    """The parameters of a question."""

    kind: str
    figure: str
    share_min: Fraction
    share_below: Fraction
    partners_min: int
    owner_from: Fraction

    @classmethod
    def of(cls, question: Question) -> Terms:
        """Raises ``KeyError`` or ``ValueError`` for what is missing or is no figure."""
        given = question.params
        if unknown := sorted(set(given) - _KNOWN):
            raise ValueError(f"no parameter {', '.join(unknown)}")
        found = cls(
            str(given["kind"]),
            str(given["figure"]),
            _share(given["share_min"]),
            _share(given["share_below"]),
            int(str(given["partners_min"])),
            _share(given["owner_from"]),
        )
        if not found.share_min < found.share_below or found.partners_min < 2:
            raise ValueError("share_min is below share_below, and partners_min is 2 or more")
        return found


def _share(value: Any) -> Fraction:
    text = str(value)
    return Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


class Partners:
    """Last balances and figures of a run."""

    def __init__(self) -> None:
        self._balances: dict[tuple[str, str], dict[str, Money]] = {}
        """By holder and kind, by counterparty."""
        self._figures: dict[tuple[str, str], Money] = {}
        """By party and name."""

    def note_balance(self, holder: str, kind: str, counterparty: str, amount: Money) -> None:
        """An ``exposure`` event."""
        self._balances.setdefault((holder, kind), {})[counterparty] = amount

    def note_figure(self, party: str, name: str, value: Money) -> None:
        """A ``figure`` event."""
        self._figures[party, name] = value

    def judge(
        self, terms: Terms, holder: str, counterparty: str, answer_of: AnswerOf
    ) -> tuple[int, dict[str, Any], dict[str, dict[str, Owner]]]:
        """The answer for a balance that has just been noted; partners with their shares, and of
        each the owners that it has in common with the others, by name."""
        whole = self._figures.get((holder, terms.figure))
        balances = self._balances.get((holder, terms.kind), {})
        if whole is None or whole[0] <= 0:
            return UNKNOWN, {}, {}
        near = {
            partner: Fraction(amount, whole[0])
            for partner, (amount, currency) in balances.items()
            if currency == whole[1]
            and terms.share_min <= Fraction(amount, whole[0]) < terms.share_below
        }
        if counterparty not in near:
            same = balances[counterparty][1] == whole[1]
            return NO if same else UNKNOWN, {}, {}
        if len(near) < terms.partners_min:
            return NO, {}, {}
        answers = {
            partner: answer_of(partner, terms.owner_from)
            for partner in [counterparty, *sorted(near.keys() - {counterparty})][:PARTNERS_MAX]
        }
        owners = {partner: _owners(answer) for partner, answer in answers.items()}
        shared = {
            owner: [partner for partner in owners if owner in owners[partner]]
            for owner in owners[counterparty]
        }
        found = {o: with_ for o, with_ in shared.items() if len(with_) >= terms.partners_min}
        if not found:
            # Whoever is not reported behind one of them may be behind others, too.
            open_ = sum(_unclear(answer) for answer in answers.values())
            known = max((len(with_) for with_ in shared.values()), default=0)
            mine = _unclear(answers[counterparty])
            unsure = known + open_ >= terms.partners_min if not mine else len(answers) > 1
            return UNKNOWN if unsure and open_ else NO, {}, {}
        partners = sorted({partner for with_ in found.values() for partner in with_})
        told = {
            partner: {o: owners[partner][o] for o in sorted(found) if partner in found[o]}
            for partner in partners
        }
        return YES, {"partners": {p: str(near[p]) for p in partners}}, told

    def export(self) -> list[Any]:
        """The state as plain JSON."""
        return [
            [[*key, rows] for key, rows in sorted(self._balances.items())],
            [[*key, value] for key, value in sorted(self._figures.items())],
        ]

    def restore(self, state: list[Any]) -> None:
        """Take over what was exported."""
        balances, figures = state
        self._balances = {(a, b): _moneys(rows) for a, b, rows in balances}
        self._figures = {(a, b): (value[0], value[1]) for a, b, value in figures}


def _moneys(rows: Mapping[str, list[int]]) -> dict[str, Money]:
    return {name: (value[0], value[1]) for name, value in rows.items()}


def _owners(answer: Answer | None) -> dict[str, Owner]:
    return {} if answer is None else {owner.party: owner for owner in answer.owners}


def _unclear(answer: Answer | None) -> bool:
    return answer is None or bool(answer.unclear) or answer.further is Outcome.CANNOT_TELL
