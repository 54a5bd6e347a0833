"""Events beside payments: loans, exposures and figures, data transfers, ownership, incidents."""

from __future__ import annotations

from typing import Final

import numpy as np

from regtech.sandbox.simulate.numbers import Int64, Numbers
from regtech.sandbox.simulate.population import COUNTRIES, Population
from regtech.sandbox.simulate.texts import DAY_US, amounts, currencies, dates, picks, times

_PURPOSES: Final = ("consumption", "housing", "education", "working_capital", "vehicle")
_ACTIONS: Final = ("grant", "draw", "repay", "close")
_REPAYMENTS: Final = ("instalments", "bullet", "interest_only")
_FIGURES: Final = ("net_capital", "net_tier1", "total_loans", "total_assets", "net_assets")
_CATEGORIES: Final = ("personal", "financial_account", "transaction", "identity", "technical")
_TOOLS: Final = {"GB": "idta", "SG": "contract", "CN": "assessment"}
_OTHER_TOOLS: Final = ("scc", "bcr")
_TOOLLESS: Final = 40
"""One transfer in so many goes without a tool and without an assessment of its impact."""
_INCIDENTS: Final = ("outage", "data_breach", "cyber_attack", "fraud")
_GRADES: Final = ("minor", "major", "severe")


def loan_lines(index: Int64, us: Int64, people: Population, numbers: Numbers) -> list[str]:
    """Loans of a bank to its own customer; one in ten with a partner that funds a part."""
    borrower = numbers.below(index, people.customers, 1)
    bank = people.home[borrower]
    land = people.institution_country[bank]
    value = people.scale[borrower] * (20 + numbers.below(index, 180, 2))
    rows = zip(
        index.tolist(),
        times(us, land),
        bank.tolist(),
        amounts(value, land),
        currencies(land),
        borrower.tolist(),
        picks(_ACTIONS, numbers.choice(index, (4, 2, 3, 1), 3)),
        picks(_PURPOSES, numbers.below(index, len(_PURPOSES), 4)),
        (3 + numbers.below(index, 58, 5)).tolist(),
        (300 + numbers.below(index, 1700, 6)).tolist(),
        picks(_REPAYMENTS, numbers.choice(index, (8, 1, 1), 7)),
        (numbers.below(index, 10, 8) == 0).tolist(),
        (1000 + numbers.below(index, 8000, 9)).tolist(),
        strict=True,
    )
    banks = people.institutions
    lines = []
    for k, time, b, amount, currency, who, action, purpose, tenor, apr, repay, shared, part in rows:
        partner = (
            f'"partner":{{"id":"FINTECH-{who % 9}","kind":"entity"}},"partner_share":"0.{part:04}",'
            if shared
            else ""
        )
        lines.append(
            f'{{"id":"L{k:09}","type":"loan","time":"{time}","reporter":"{banks[b]}",'
            f'"amount":"{amount}","currency":"{currency}","borrower":{people.party_json[who]},'
            f'"lender":{{"id":"{banks[b]}"}},{partner}"action":"{action}",'
            f'"loan_id":"LN{who:07}-{k % 3}","purpose":"{purpose}",'
            f'"secured":{"true" if k % 3 else "false"},'
            f'"tenor_months":{tenor},"repayment":"{repay}","apr_all_in":"0.{apr:05}"}}'
        )
    return lines


def exposure_lines(index: Int64, us: Int64, people: Population, numbers: Numbers) -> list[str]:
    """A bank's balances with some hundred of the larger customers; later ones replace earlier."""
    bank = numbers.below(index, len(people.institutions), 1)
    land = people.institution_country[bank]
    partner = numbers.below(bank * 101 + numbers.below(index, 12, 2), people.customers, 3)
    value = people.scale[partner] * (500 + numbers.below(index, 5000, 4))
    rows = zip(
        index.tolist(),
        times(us, land),
        bank.tolist(),
        amounts(value, land),
        currencies(land),
        partner.tolist(),
        dates(us - DAY_US),
        picks(("loan", "exposure", "interbank"), numbers.choice(index, (6, 3, 1), 5)),
        strict=True,
    )
    banks = people.institutions
    return [
        f'{{"id":"X{k:09}","type":"exposure","time":"{time}","reporter":"{banks[b]}",'
        f'"holder":{{"id":"{banks[b]}"}},'
        f'"counterparty":{{"id":"C{who:07}","group":"G{who % 5003}"}},'
        f'"amount":"{amount}","currency":"{currency}","as_of":"{day}","kind":"{kind}"}}'
        for k, time, b, amount, currency, who, day, kind in rows
    ]


def figure_lines(index: Int64, us: Int64, people: Population, numbers: Numbers) -> list[str]:
    """Capital and totals that the banks report for the quarter before."""
    bank = index % len(people.institutions)
    land = people.institution_country[bank]
    which = index // len(people.institutions) % len(_FIGURES)
    value = (50_000_000_00 + numbers.below(bank * 7, 1_000_000, 1) * 10_000_00) * (1 + which)
    rows = zip(
        index.tolist(),
        times(us, land),
        bank.tolist(),
        picks(_FIGURES, which),
        amounts(value, land),
        currencies(land),
        strict=True,
    )
    banks = people.institutions
    return [
        f'{{"id":"F{k:09}","type":"figure","time":"{time}","reporter":"{banks[b]}",'
        f'"of":{{"id":"{banks[b]}"}},"name":"{name}","value":"{amount}","currency":"{currency}",'
        f'"as_of":"2025-12-31"}}'
        for k, time, b, name, amount, currency in rows
    ]


def transfer_lines(index: Int64, us: Int64, people: Population, numbers: Numbers) -> list[str]:
    """Data about persons that goes abroad: a few ids each, or a count and no ids."""
    bank = numbers.below(index, len(people.institutions), 1)
    land = people.institution_country[bank]
    target = (land + 1 + numbers.below(index, len(COUNTRIES) - 1, 2)) % len(COUNTRIES)
    persons = numbers.below(index, 4, 3) + 1
    first = numbers.below(index, people.customers, 4)
    rows = zip(
        index.tolist(),
        times(us, land),
        bank.tolist(),
        target.tolist(),
        land.tolist(),
        persons.tolist(),
        first.tolist(),
        picks(_CATEGORIES, numbers.choice(index, (5, 2, 2, 1, 4), 5)),
        (numbers.below(index, 20, 6) == 0).tolist(),
        numbers.below(index, 2 * _TOOLLESS, 7).tolist(),
        strict=True,
    )
    banks, lines = people.institutions, []
    for k, time, b, to, own, count, who, category, counted, tool in rows:
        if counted:
            ids = f'"person_count":{count * 10}'
        else:
            ids = '"persons":[' + ",".join(f'"P{who + j:08}"' for j in range(count)) + "]"
        sensitivity, level = ("sensitive", 3) if k % 7 == 0 else ("general", k % 2 + 1)
        home = COUNTRIES[own][0]
        basis = ""
        if tool >= 2:
            name = _TOOLS.get(home, _OTHER_TOOLS[tool % 2])
            basis = (
                f'"tool":"{name}","tool_ref":"TR{k % 97}","tool_expires":"2028-12-31",'
                f'"notice":true,"impact_assessment":"PIA-{own}-{to}","consent":"separate",'
                f'"approval":"AP{k % 97}",'
            )
        lines.append(
            f'{{"id":"D{k:09}","type":"data_transfer","time":"{time}","reporter":"{banks[b]}",'
            f'"exporter":{{"id":"{banks[b]}"}},"recipient":{{"id":"PROC-{to}-{k % 5}",'
            f'"kind":"entity","country":"{COUNTRIES[to][0]}"}},"destination":"{COUNTRIES[to][0]}",'
            f'"origin":"{COUNTRIES[own][0]}",{ids},"data":[{{"category":"{category}",'
            f'"sensitivity":"{sensitivity}","level":{level}}}],{basis}'
            f'"encrypted":{"true" if k % 5 else "false"}}}'
        )
    return lines


def ownership_lines(index: Int64, us: Int64, people: Population, numbers: Numbers) -> list[str]:
    """Shares of customers in customers."""
    owner = numbers.below(index, people.customers, 1)
    owned = (owner + 1 + numbers.below(index, people.customers - 1, 2)) % people.customers
    bank = people.home[owned]
    land = people.institution_country[bank]
    rows = zip(
        index.tolist(),
        times(us, land),
        bank.tolist(),
        owner.tolist(),
        owned.tolist(),
        numbers.below(index, 10000, 3).tolist(),
        picks(("shares", "votes", "control"), numbers.choice(index, (8, 2, 1), 4)),
        strict=True,
    )
    banks = people.institutions
    return [
        f'{{"id":"O{k:09}","type":"ownership","time":"{time}","reporter":"{banks[b]}",'
        f'"owner":{{"id":"C{a:07}"}},"owned":{{"id":"C{c:07}","kind":"entity"}},'
        f'"interest":"{interest}","share":"0.{share:04}","listed":false}}'
        for k, time, b, a, c, share, interest in rows
    ]


def incident_lines(index: Int64, us: Int64, people: Population, numbers: Numbers) -> list[str]:
    """Incidents, noticed up to an hour before they are reported."""
    bank = numbers.below(index, len(people.institutions), 1)
    land = people.institution_country[bank]
    aware = us - numbers.below(index, 3600, 2) * 1_000_000
    rows = zip(
        index.tolist(),
        times(us, land),
        times(aware, land),
        bank.tolist(),
        picks(_INCIDENTS, numbers.choice(index, (5, 2, 2, 1), 3)),
        picks(_GRADES, numbers.choice(index, (14, 3, 1), 4)),
        numbers.below(index, 2000, 5).tolist(),
        strict=True,
    )
    banks = people.institutions
    return [
        f'{{"id":"I{k:09}","type":"incident","time":"{time}","reporter":"{banks[b]}",'
        f'"kind":"{kind}","aware":"{noticed}","grade":"{grade}","persons_affected":{persons},'
        f'"critical_infrastructure":false,"risk":"{"likely" if k % 9 == 0 else "unlikely"}"}}'
        for k, time, noticed, b, kind, grade, persons in rows
    ]


def action_lines(
    index: Int64, us: Int64, people: Population, numbers: Numbers, incidents: Int64
) -> list[str]:
    """Reports about ``incidents``, one for each action; ``numbers`` are those of the incidents."""
    bank = numbers.below(incidents, len(people.institutions), 1)
    land = people.institution_country[bank]
    rows = zip(
        index.tolist(),
        times(us, land),
        bank.tolist(),
        incidents.tolist(),
        picks(("notified", "report_filed", "approved"), numbers.choice(index, (6, 3, 1), 2)),
        strict=True,
    )
    banks = people.institutions
    return [
        f'{{"id":"A{k:09}","type":"action","time":"{time}","reporter":"{banks[b]}",'
        f'"kind":"{kind}","about":"I{about:09}","to":"authority"}}'
        for k, time, b, about, kind in rows
    ]


def party_lines(index: Int64, us: Int64, people: Population) -> list[str]:
    """What the institutions know of themselves and their customers, before all other events."""
    count = len(people.institutions)
    is_bank = index < count
    who = np.where(is_bank, index, (index - count) % people.customers)
    bank = np.where(is_bank, who, people.home[np.where(is_bank, 0, who)])
    land = people.institution_country[bank]
    rows = zip(
        index.tolist(), times(us, land), bank.tolist(), who.tolist(), is_bank.tolist(), strict=True
    )
    banks = people.institutions
    return [
        f'{{"id":"P{k:09}","type":"party","time":"{time}","reporter":"{banks[b]}",'
        f'"party":{people.institution_json[w] if own else people.facts_json[w]}}}'
        for k, time, b, w, own in rows
    ]
