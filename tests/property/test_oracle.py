"""The oracle on cases worked out by hand: one group for each numbered rule of the semantics.

The cases double as examples of ``docs/concepts/semantics.md``; they use a made-up world
(three jurisdictions, round rates) so that no change of the shipped data can move them.
Long because it is one page of examples, in the order of the rules.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from tests.property.oracle.judge import Result, judge

ROLES = {
    "transaction": ["reporter", "payer_institution", "payee_institution"],
    "data_transfer": ["reporter", "exporter"],
    "loan": ["reporter", "lender"],
    "exposure": ["reporter", "holder"],
    "figure": ["reporter", "of"],
    "party": ["reporter", "party"],
    "incident": ["reporter"],
    "action": ["reporter"],
}
PROFILES: dict[str, dict[str, Any]] = {
    "CN": {"zone": "Asia/Shanghai", "countries": ["CN"], "governs": ROLES},
    "UK": {"zone": "Europe/London", "countries": ["GB"], "governs": ROLES},
    "US": {"zone": "America/New_York", "countries": ["US"], "governs": ROLES},
    "INTL": {"zone": "UTC", "countries": "all", "governs": {}},
}
DECIMALS = {"CNY": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
RATES = {
    ("USD", "CNY"): Fraction(7),
    ("JPY", "CNY"): Fraction("0.05"),
    ("CNY", "USD"): Fraction(1, 7),
}


def rates(own: str, target: str, day: date) -> Fraction | None:
    return RATES.get((own, target)) if day.year == 2026 else None


def weekdays(_jurisdiction: str, day: date) -> bool:
    return day.isoweekday() < 6


def pack(*rules: dict[str, Any], jurisdiction: str = "CN", **params: Any) -> dict[str, Any]:
    filled = [
        {"id": f"r{n}", "on": "transaction", "per": "customer", **rule}
        for n, rule in enumerate(rules, 1)
    ]
    return {"pack": "p", "jurisdiction": jurisdiction, "params": params, "rules": filled}


class Stream:
    """Writes events with what a test leaves out filled in."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, type_: str, time: str, **fields: Any) -> None:
        names = {name.rstrip("_"): value for name, value in fields.items()}
        stamp = time if "+" in time or time.endswith("Z") else f"{time}+08:00"
        base = {"id": f"e{len(self.events) + 1}", "type": type_, "time": stamp, "reporter": "R1"}
        self.events.append(base | names)

    def pay(self, time: str, amount: str = "1", currency: str = "CNY", **fields: Any) -> None:
        parties = {} if {"payer", "payee"} & set(fields) else {"payee": {"id": "C1"}}
        self.add("transaction", time, amount=amount, currency=currency, **parties, **fields)

    def party(self, time: str, id_: str, **facts: Any) -> None:
        self.add("party", time, party={"id": id_, **facts})


def between(payer: dict[str, Any], payee: dict[str, Any]) -> dict[str, Any]:
    return {"payer": payer, "payee": payee}


def run(packs: dict[str, Any] | list[dict[str, Any]], stream: Stream, **options: Any) -> Result:
    return judge(
        packs if isinstance(packs, list) else [packs],
        stream.events,
        profiles=PROFILES,
        decimals=DECIMALS,
        working_day=weekdays,
        rates=rates,
        **options,
    )


def ids(result: Result) -> list[tuple[str, str]]:
    return [(alert["subject"], alert["period"]) for alert in result.alerts]


def values(result: Result, name: str) -> list[Any]:
    return [alert["measures"][name] for alert in result.alerts]


# --- rules 1 to 3: order, late events, repeats ---------------------------------------------------


COUNT = {"let": {"n": "count(over=ever)"}, "when": "n >= 1"}


def test_canonical_order_is_time_then_reporter_then_id_in_bytes() -> None:
    stream = Stream()
    noon = "2026-03-02T12:00:00"
    for reporter, name in (("b", "1"), ("B", "2"), ("B", "10"), ("é", "0")):
        stream.pay(noon, reporter=reporter, id=name)
    rule = {"per": "currency", "let": {"n": "count(over=ever)"}, "when": "n >= 1"}
    result = run(pack(rule), stream)
    found = sorted((alert["measures"]["n"], alert["period"]) for alert in result.alerts)
    assert found == [(1, "B/10"), (2, "B/2"), (3, "b/1"), (4, "é/0")]


def test_an_event_is_late_below_the_newest_of_its_source_minus_the_lateness() -> None:
    stream = Stream()
    for time in ("12:00:00", "11:50:00", "11:49:59.999999", "12:00:01"):
        stream.pay(f"2026-03-02T{time}")
    result = run(pack(COUNT), stream, lateness_seconds=600)
    assert result.late == 1
    assert values(result, "n") == [1, 2, 3]


def test_a_late_event_that_counted_before_is_a_repeat_or_a_conflict() -> None:
    stream = Stream()
    stream.pay("2026-03-02T11:00:00", "10", id="a")
    stream.pay("2026-03-02T12:00:00", id="b")
    stream.pay("2026-03-02T11:00:00", "10", id="a")
    stream.pay("2026-03-02T10:00:00", "11", id="a")
    stream.pay("2026-03-02T11:00:00", "12", id="c")
    stream.pay("2026-03-02T12:00:01", "13", id="c")  # after the newest time when the other came
    result = run(pack(COUNT), stream, lateness_seconds=600)
    assert (result.repeats, result.conflicts, result.late) == (1, 1, 1)


def test_each_source_has_its_own_newest_time() -> None:
    one, two = Stream(), Stream()
    one.pay("2026-03-02T12:00:00", id="a")
    two.pay("2026-03-02T09:00:00", id="b")
    both = Stream()
    both.events = [one.events, two.events]  # type: ignore[list-item]  # two sources
    assert run(pack(COUNT), both).late == 0
    both.events = one.events + two.events
    assert run(pack(COUNT), both).late == 1


def test_a_repeat_is_the_same_meaning_a_conflict_is_not_and_the_first_in_order_counts() -> None:
    stream = Stream()
    stream.pay("2026-03-02T12:00:00", "10.0", id="a")
    stream.pay("2026-03-02T04:00:00Z", "10.00", id="a")  # the same instant and amount
    stream.pay("2026-03-02T11:00:00", "7", id="a")  # earlier: this one counts
    rule = {"let": {"s": 'sum(amount_in("CNY"), over=ever)'}, "when": "s >= 1"}
    result = run(pack(rule), stream, lateness_seconds=7200)
    assert (result.repeats, result.conflicts) == (0, 2)
    assert values(result, "s") == [7]


def test_ids_are_remembered_for_the_horizon() -> None:
    stream = Stream()
    for time in ("2026-01-01T00:00:00", "2026-01-11T00:00:00", "2026-01-11T00:00:00.000001"):
        stream.pay(time, id="a")
    result = run(pack(COUNT), stream, horizon_days=10)
    assert (result.conflicts, result.outcomes) == (1, {("r1", "met"): 2})


# --- facts, rules 4 to 8: governing law, legs, rows, subjects ------------------------------------


def test_a_fact_holds_from_its_place_in_the_order_on() -> None:
    stream = Stream()
    stream.pay("2026-03-02T09:00:00", payee={"id": "C1"})
    stream.party("2026-03-02T10:00:00", "C1", country="FR", flags=[])
    stream.pay("2026-03-02T11:00:00", payee={"id": "C1"})
    stream.pay("2026-03-02T12:00:00", payee={"id": "C1", "country": "DE"})
    rule = {"let": {"c": "party.country"}, "when": "known(party.country)"}
    result = run(pack(rule), stream)
    assert [(a["period"], a["measures"]["c"]) for a in result.alerts] == [
        ("R1/e3", "FR"),
        ("R1/e4", "DE"),
    ]
    flags = {"let": {"x": "only(party.flags)"}, "when": "x"}
    found = run(pack(flags), stream)
    assert (len(found.alerts), found.cannot_tell) == (2, {"r1": 1})


def test_a_jurisdiction_governs_by_the_country_of_one_of_its_roles() -> None:
    stream = Stream()
    stream.party("2026-03-01T00:00:00", "R1", country="CN")
    stream.party("2026-03-01T00:00:01", "B2", country="GB")
    stream.pay("2026-03-02T00:00:00", payer={"id": "C1"}, payee={"id": "C2", "institution": "B2"})
    rule = {"id": "cn", "per": "event"}
    packs = [pack(rule), pack({**rule, "id": "uk"}, jurisdiction="UK")]
    packs += [pack({**rule, "id": code}, jurisdiction=code.upper()) for code in ("us", "intl")]
    assert [alert["rule"] for alert in run(packs, stream).alerts] == ["cn", "intl", "uk"]


def test_an_event_of_unknown_countries_is_governed_by_the_home_of_the_run() -> None:
    stream = Stream()
    stream.pay("2026-03-02T00:00:00")
    packs = [pack({"id": "cn"}), pack({"id": "uk"}, jurisdiction="UK")]
    assert [a["rule"] for a in run(packs, stream, home="UK").alerts] == ["uk"]
    assert [a["rule"] for a in run(packs[:1], stream).alerts] == ["cn"]  # all packs of one
    nobody = run(packs, stream)
    assert (nobody.alerts, nobody.ungoverned) == ([], 1)


def test_a_reporter_has_the_legs_of_its_own_customers_only() -> None:
    stream = Stream()
    stream.pay("2026-03-02T00:00:00", payer={"id": "A"}, payee={"id": "B"})
    stream.pay("2026-03-02T00:00:01", payer={"id": "A"}, payee={"id": "B", "institution": "B2"})
    both = between({"id": "A", "institution": "B3"}, {"id": "B", "institution": "B2"})
    stream.pay("2026-03-02T00:00:02", **both)
    result = run(pack({"by": "direction"}), stream)
    found = [(a["period"], a["by"]["direction"], a["institution"]) for a in result.alerts]
    assert sorted(found) == [
        ("R1/e1", "in", "R1"),
        ("R1/e1", "out", "R1"),
        ("R1/e2", "out", "R1"),
        ("R1/e3", "in", "B2"),
        ("R1/e3", "out", "B3"),
    ]


def test_a_jurisdiction_has_only_the_legs_at_its_own_institutions() -> None:
    stream = Stream()
    stream.party("2026-03-01T00:00:00", "B2", country="GB")
    stream.party("2026-03-01T00:00:01", "B3", country="CN")
    both = between({"id": "A", "institution": "B3"}, {"id": "B", "institution": "B2"})
    stream.pay("2026-03-02T00:00:02", **both)
    packs = [pack({"id": "cn"}), pack({"id": "uk"}, jurisdiction="UK")]
    packs += [pack({"id": "intl"}, jurisdiction="INTL")]
    found = [(a["rule"], a["subject"]) for a in run(packs, stream).alerts]
    assert found == [("cn", "A"), ("intl", "A"), ("intl", "B"), ("uk", "B")]


def test_two_reporters_of_one_payment_give_one_leg_and_one_reporter_two() -> None:
    stream = Stream()
    both = between({"id": "A", "institution": "B1"}, {"id": "B", "institution": "B2"})
    for second, reporter in enumerate(("H1", "H2", "H1")):
        stream.pay(f"2026-03-02T00:00:0{second}", "5", reporter=reporter, reference="x", **both)
    stream.pay("2026-03-02T00:00:09", "5.01", reporter="H2", reference="x", **both)
    legs = {"by": "direction", "let": {"n": "count(over=ever)"}, "when": "n >= 1"}
    found = run(pack(legs), stream)
    assert [a["period"] for a in found.alerts if a["subject"] == "A"] == ["H1/e1", "H1/e3", "H2/e4"]
    # The second report is still an event of its own, without a side.
    assert len(run(pack({"per": "event"}), stream).alerts) == 4


def test_rules_that_name_the_side_read_leg_rows_all_others_the_primary_row() -> None:
    stream = Stream()
    stream.pay("2026-03-02T00:00:00", payer={"id": "A"}, payee={"id": "B"})
    legs = {"per": "institution", "by": "counterparty.id"}
    assert [a["by"] for a in run(pack(legs), stream).alerts] == [
        {"counterparty.id": "A"},
        {"counterparty.id": "B"},
    ]
    primary = {"per": "institution", "let": {"d": "direction"}}
    assert values(run(pack(primary), stream), "d") == ["out"]


def test_a_rule_is_not_evaluated_where_a_part_of_the_subject_is_unknown() -> None:
    stream = Stream()
    stream.pay("2026-03-02T00:00:00", payee={"id": "A"})
    stream.pay("2026-03-02T00:00:01", payee={"id": "A", "group": "G"})
    assert ids(run(pack({"per": "group"}), stream)) == [("G", "R1/e2")]
    assert ids(run(pack({"per": ["event", "payee.group"]}), stream)) == [("R1|e2|G", "R1/e2")]
    assert run(pack({"per": "group"}), stream).cannot_tell == {}


# --- rules 9 to 11: values -----------------------------------------------------------------------


def outcome_of(when: str, **fields: Any) -> str:
    stream = Stream()
    stream.pay(**({"time": "2026-03-02T12:00:00", "payee": {"id": "C1"}} | fields))
    result = run(pack({"when": when}), stream)
    assert result.outcomes.total() == 1
    return next(iter(result.outcomes))[1]


def test_three_outcomes() -> None:
    assert outcome_of('purpose == "x"') == "cannot tell"
    assert outcome_of('purpose == "x" and amount_in("CNY") > 5', amount="5") == "not met"
    assert outcome_of('purpose == "x" or amount_in("CNY") >= 5', amount="5") == "met"
    assert outcome_of('not (purpose == "x")', purpose="y") == "met"
    assert outcome_of('purpose in ("x", "y")', purpose="y") == "met"
    assert outcome_of("missing(purpose) and not known(payer)") == "met"
    assert outcome_of('given(purpose, "x") == "x"') == "met"
    assert outcome_of('(5 if purpose == "x" else 5) == 5') == "cannot tell"
    assert outcome_of('least(amount_in("GBP"), 3) <= 3') == "met"  # no rate, but at most 3
    assert outcome_of('greatest(amount_in("GBP"), 3) > 3') == "cannot tell"


def test_an_exemption_is_always_decided_and_lapses_on_suspicion() -> None:
    assert outcome_of('exempt("a", "b")') == "not met"
    assert outcome_of('exempt("a", "b")', exemption="b") == "met"
    assert outcome_of('exempt("a", "b")', exemption="b", suspicion=True) == "not met"


def test_ratios_are_exact_and_a_denominator_of_zero_cannot_be_told() -> None:
    third = 'amount_in("CNY") / amount_in("CNY") / 3'
    assert outcome_of(f"{third} * 3 == 1") == "met"
    assert outcome_of(f"{third} > 0.3333333333333333") == "met"
    assert outcome_of('1 / amount_in("CNY") > 0', amount="0") == "cannot tell"


def test_money_is_rounded_once_half_to_even_at_the_rate_of_the_local_day() -> None:
    # 0.5 and 1.5 yen are the ties of 0.05 yuan a yen: 0.025 → 0.02, 0.075 → 0.08
    assert outcome_of('amount_in("CNY") == 0.15', amount="3", currency="JPY") == "met"
    assert outcome_of('amount_in("USD") == 0.01', amount="0.05", currency="CNY") == "met"
    assert outcome_of('amount_in("USD") == 0', amount="0.03", currency="CNY") == "met"
    assert (
        outcome_of('amount_in("GBP") == 1', amount="1", currency="GBP") == "met"
    )  # no rate needed
    assert outcome_of('amount_in("GBP") == 1', amount="1", currency="CNY") == "cannot tell"
    assert outcome_of('amount_in("CNY") == 7', currency="USD", time="2025-12-31T16:00:00Z") == "met"
    late = {"currency": "USD", "time": "2025-12-31T15:59:59.999999Z"}  # still 2025 in Shanghai
    assert outcome_of('amount_in("CNY") == 7', **late) == "cannot tell"


def test_cross_border_is_of_the_institutions_or_else_of_the_parties() -> None:
    parties = between({"id": "A", "country": "FR"}, {"id": "B", "country": "DE"})
    assert outcome_of("is_cross_border") == "cannot tell"
    stream = Stream()
    stream.party("2026-03-01T00:00:00", "R1", country="CN")
    stream.pay("2026-03-02T00:00:00", **parties)
    here = run(pack({"per": "event", "when": "is_cross_border"}), stream)
    assert here.outcomes == {("r1", "not met"): 1}  # both are at R1
    stream.events[0]["party"] = {"id": "R1"}
    abroad = run(pack({"per": "event", "when": "is_cross_border"}), stream)
    assert abroad.outcomes == {("r1", "met"): 1}


# --- rules 12 to 16: measures --------------------------------------------------------------------


def series(rule: dict[str, Any], stream: Stream, name: str = "x", **options: Any) -> list[Any]:
    """The value of a named measure on every row, in order."""
    rule = {"period": "event", "when": "1 == 1", **rule}
    alerts = run(pack(rule), stream, **options).alerts
    return [alert["measures"][name] for alert in alerts]


def test_an_uncertain_contribution_leaves_a_lower_bound() -> None:
    stream = Stream()
    stream.pay("2026-03-02T01:00:00", "5", purpose="a")
    stream.pay("2026-03-02T02:00:00", "7", purpose="b")
    stream.pay("2026-03-02T03:00:00", "9")
    stream.pay("2026-03-02T04:00:00", "1", purpose="a")
    lets = {
        "s": 'sum(amount_in("CNY"), over=day, where=purpose == "a")',
        "n": 'count(over=day, where=purpose == "a")',
        "d": 'distinct(kind, over=day, where=purpose == "a")',
        "low": 'min(amount_in("CNY"), over=day, where=purpose == "a")',
        "net": 'sum(amount_in("CNY") - 1, over=day, where=purpose == "a")',
    }
    rule = {"let": lets}
    assert series(rule, stream, "s") == [5, 5, [5, None], [6, None]]
    assert series(rule, stream, "n") == [1, 1, [1, None], [2, None]]
    assert series(rule, stream, "d") == [[0, None]] * 4
    assert series(rule, stream, "low") == [5, 5, None, None]
    assert series(rule, stream, "net") == [4, 4, None, None]


def test_the_rules_filter_applies_to_measures_unless_they_name_their_types() -> None:
    stream = Stream()
    stream.pay("2026-03-02T01:00:00", channel="cash")
    stream.pay("2026-03-02T02:00:00", channel="card")
    lets = {"own": "count(over=day)", "all": "count(over=day, on=transaction)"}
    rule = {"let": lets, "where": 'channel == "card"', "when": "all == 2"}
    result = run(pack(rule), stream)
    assert result.alerts[0]["measures"] == {"own": 1, "all": 2}


def test_windows_include_their_end_and_exclude_their_start() -> None:
    stream = Stream()
    for time in ("2026-03-02T12:00:00", "2026-03-03T11:59:59.999999", "2026-03-03T12:00:00"):
        stream.pay(time)
    assert series({"let": {"x": "count(over=24h)"}}, stream) == [1, 2, 2]
    assert series({"let": {"x": "count(over=1d)"}}, stream) == [1, 2, 2]
    assert series({"let": {"x": "count(over=day)"}}, stream) == [1, 1, 2]
    assert series({"let": {"x": "count()"}}, stream) == [1, 2, 3]


def test_calendar_periods_are_those_of_the_zone() -> None:
    stream = Stream()
    for time in ("2025-12-28T16:00:00Z", "2025-12-31T15:59:59Z", "2025-12-31T16:00:00Z"):
        stream.pay(time)  # in Shanghai: Monday 29th, New Year's Eve, midnight of the new year
    for window, expected in (("week", [1, 2, 3]), ("year", [1, 2, 1]), ("quarter", [1, 2, 1])):
        assert series({"let": {"x": f"count(over={window})"}}, stream) == expected
    labels = run(pack({"let": {"x": "count(over=week)"}, "when": "x >= 1"}), stream)
    assert ids(labels) == [("C1", "2026-W01")]


def test_business_day_takes_a_weekend_to_the_next_working_day() -> None:
    stream = Stream()
    for time in ("2026-03-06T12:00:00", "2026-03-07T12:00:00", "2026-03-09T12:00:00"):
        stream.pay(time)  # Friday, Saturday, Monday
    rule = {"let": {"x": "count(over=business_day)"}, "when": "x >= 1"}
    assert ids(run(pack(rule), stream)) == [("C1", "2026-03-06"), ("C1", "2026-03-09")]
    assert series({"let": rule["let"]}, stream) == [1, 1, 2]


def test_a_window_of_months_is_clamped_to_the_end_of_the_month() -> None:
    stream = Stream()
    for time in ("2026-02-28T23:59:59.999999", "2026-03-01T00:00:00", "2026-03-31T12:00:00"):
        stream.pay(time)
    assert series({"let": {"x": "count(over=1mo)"}}, stream) == [1, 2, 2]
    leap = Stream()
    for time in ("2024-02-29T10:00:00", "2025-02-28T09:59:59", "2025-02-28T10:00:00"):
        leap.pay(time)  # a year before the last is 28 February 2024, 10:00
    assert series({"let": {"x": "count(over=12mo)"}}, leap) == [1, 2, 3]


def test_month_windows_count_in_standard_time() -> None:
    stream = Stream()
    stream.pay("2026-06-15T12:00:00+01:00")
    stream.pay("2026-12-15T11:00:00+00:00")  # 12:00 summer time is 11:00 all year
    stream.pay("2026-12-15T10:59:59+00:00", payee={"id": "C2"})
    rule = {"let": {"x": "count(over=6mo)"}, "period": "event", "per": "reporter"}
    result = run(pack(rule, jurisdiction="UK"), stream, lateness_seconds=10)
    assert values(result, "x") == [1, 2, 2]


def test_keys_of_measures() -> None:
    stream = Stream()
    stream.add("action", "2026-03-02T00:00:00", kind="seen", subject={"id": "C1"})
    stream.add("action", "2026-03-02T00:00:01", kind="seen", subject={"id": "C1"}, reporter="R2")
    stream.pay("2026-03-02T01:00:00", payer={"id": "X", "institution": "B2"}, payee={"id": "C1"})
    stream.pay("2026-03-02T02:00:00", payer={"id": "Y", "institution": "B2"}, payee={"id": "C1"})
    stream.pay("2026-03-02T03:00:00", payee={"id": "Y"})
    lets = {
        "seen": "count(over=ever, on=action, key=subject)",
        "same": "count(over=ever, by=counterparty)",
        "took": "count(over=ever, on=transaction, key=payer, read=payee)",
    }
    rule = {"let": lets, "period": "event"}
    assert series(rule, stream, "seen") == [1, 1, 0]
    assert series(rule, stream, "same") == [1, 1, None]
    assert series(rule, stream, "took") == [0, 0, 1]  # the last payee, Y, has paid once


def test_persons_given_only_as_a_number_make_an_interval() -> None:
    stream = Stream()
    common = {"exporter": {"id": "E"}, "recipient": {"id": "Q"}}
    given: list[dict[str, Any]] = [{"persons": ["a", "b"]}, {"person_count": 3}]
    given += [{"persons": ["b", "c"]}, {}]
    for hour, fields in enumerate(given):
        stream.add("data_transfer", f"2026-03-02T0{hour}:00:00", **common, **fields)
    rule = {
        "on": "data_transfer",
        "per": "exporter",
        "period": "event",
        "let": {"x": "distinct(persons, over=year)", "n": "length(persons)"},
    }
    assert series(rule, stream) == [2, [3, 5], [3, 6], [3, None]]
    assert series(rule, stream, "n") == [2, None, 2, None]


def test_statistics() -> None:
    stream = Stream()
    for hour, amount in enumerate(("1", "2", "4")):
        stream.pay(f"2026-03-02T0{hour}:00:00", amount)
    money = 'amount_in("CNY")'
    for name, expected in (
        ("mean", [1, Fraction(3, 2), Fraction(7, 3)]),
        ("stddev", [0, Fraction("0.5"), Fraction("1.24")]),  # 1.247… rounded down to a fen
        ("min", [1, 1, 1]),
        ("max", [1, 2, 4]),
        ("last", [1, 2, 4]),
    ):
        assert series({"let": {"x": f"{name}({money}, over=day)"}}, stream) == expected
    empty = {"let": {"x": f'max({money}, over=day, where=purpose == "none")', "y": "1"}}
    for event in stream.events:
        event["purpose"] = "some"
    assert series(empty, stream) == [None, None, None]


def test_since_last_and_first_seen() -> None:
    stream = Stream()
    for time, purpose in (("01", "a"), ("03", "b"), ("04", None), ("06", "a")):
        stream.pay(f"2026-03-02T{time}:00:00", **({} if purpose is None else {"purpose": purpose}))
    hour = 3_600_000_000
    assert series({"let": {"x": "since_last()"}}, stream) == [None, 2 * hour, hour, 2 * hour]
    assert series({"let": {"x": "first_seen(over=day)"}}, stream) == [
        0,
        2 * hour,
        3 * hour,
        5 * hour,
    ]
    filtered = {"let": {"x": 'since_last(over=ever, where=purpose == "a")'}}
    assert series(filtered, stream) == [None, 2 * hour, 3 * hour, None]
    doubt = {"let": {"x": 'first_seen(over=ever, where=purpose == "b")'}}
    assert series(doubt, stream) == [None, 0, hour, 3 * hour]


def test_outstanding_replaces_an_items_balance() -> None:
    stream = Stream()
    for hour, (party, kind, amount) in enumerate(
        (("P", "loan", "10"), ("Q", "loan", "5"), ("P", "loan", "4"), ("P", None, "1"))
    ):
        fields = {} if kind is None else {"kind": kind}
        stream.add(
            "exposure",
            f"2026-03-02T0{hour}:00:00",
            holder={"id": "H"},
            counterparty={"id": party},
            amount=amount,
            currency="CNY",
            **fields,
        )
    total = 'outstanding(amount_in("CNY"), item=[counterparty, kind])'
    rule = {"on": "exposure", "per": "holder", "period": "event", "let": {"x": total}}
    assert series(rule, stream) == [10, 15, 9, [9, None]]


def test_a_figure_is_the_latest_before_the_day_of_the_row() -> None:
    stream = Stream()

    def figure(time: str, value: str, as_of: str) -> None:
        stream.add(
            "figure", time, of={"id": "L"}, name="net", value=value, currency="CNY", as_of=as_of
        )

    def loan(time: str) -> None:
        stream.add("loan", time, lender={"id": "L"}, amount="1", currency="CNY")

    loan("2026-01-01T00:00:00")
    figure("2026-01-02T00:00:00", "100", "2025-12-31")
    figure("2026-01-02T00:00:01", "90", "2026-01-15")
    loan("2026-01-15T12:00:00")
    loan("2026-01-16T00:00:00")
    figure("2026-01-16T00:00:01", "70", "2025-12-31")
    loan("2026-01-16T00:00:02")
    lets = {
        "any": 'figure("net", of=lender, currency="CNY")',
        "quarter": 'figure("net", of=lender, currency="CNY", at="quarter_end")',
    }
    rule = {"on": "loan", "per": "lender", "period": "event", "let": lets}
    assert series(rule, stream, "any") == [None, 100, 90, 90]
    assert series(rule, stream, "quarter") == [None, 100, 100, 70]


def test_parameters_in_a_measure_are_those_of_the_reading_day() -> None:
    stream = Stream()
    for day in ("01", "02"):
        stream.pay(f"2026-03-{day}T12:00:00", "10")
    limit = {"values": [{"until": "2026-03-01", "value": 20}, {"from": "2026-03-02", "value": 10}]}
    rule = {"let": {"x": 'count(over=ever, where=amount_in("CNY") >= param("limit"))'}}
    assert [
        a["measures"]["x"]
        for a in run(pack({"period": "event", **rule}, limit=limit), stream).alerts
    ] == [0, 2]


# --- rules 17 to 19 ------------------------------------------------------------------------------


def test_law_is_in_force_on_days_of_the_zone_both_included() -> None:
    stream = Stream()
    for time in ("02-28T15:59:59Z", "02-28T16:00:00Z", "03-02T15:59:59Z", "03-02T16:00:00Z"):
        stream.pay(f"2026-{time}")
    span = {"from": "2026-03-01", "until": "2026-03-02"}
    assert len(run(pack({"in_force": span}), stream).alerts) == 2
    dated = {"values": [{**span, "value": 1}]}
    assert len(run(pack({"when": 'count() >= param("p")'}, p=dated), stream).alerts) == 2
    cited = pack({"cite": {"instrument": "i", "article": "1", "confidence": "verified"}})
    cited["instruments"] = {"i": {"in_force": span}}
    assert len(run(cited, stream).alerts) == 2


def test_a_band_gives_way_to_the_rules_it_names_by_their_own_condition() -> None:
    stream = Stream()
    for hour, amount in enumerate(("10", "20", "30")):
        stream.pay(f"2026-03-02T0{hour}:00:00", amount)
    bands: list[dict[str, Any]] = [
        {"id": "low", "when": 'amount_in("CNY") >= 10', "yields_to": ["mid"]},
        {"id": "mid", "when": 'amount_in("CNY") >= 20', "yields_to": ["high"]},
        {"id": "high", "when": 'amount_in("CNY") >= 30'},
    ]
    found = run(pack(*bands), stream).alerts
    assert [(a["rule"], a["period"]) for a in found] == [
        ("low", "R1/e1"),
        ("mid", "R1/e2"),
        ("high", "R1/e3"),
    ]
    bands[2]["when"] = 'purpose == "x"'
    assert run(pack(*bands), stream).cannot_tell == {"mid": 2, "high": 3}


def test_one_alert_a_period_the_shortest_window_of_the_rule() -> None:
    stream = Stream()
    for time in ("2026-03-02T01:00:00", "2026-03-02T02:00:00", "2026-03-03T00:00:00"):
        stream.pay(time)
    lets = {"m": "count(over=month)", "d": "count(over=day)", "h": "count(over=24h)"}
    rule = {"let": lets, "when": "m >= 1"}
    assert ids(run(pack(rule), stream)) == [("C1", "2026-03-02"), ("C1", "2026-03-03")]
    assert ids(run(pack({**rule, "period": "quarter"}), stream)) == [("C1", "2026-Q1")]
    assert ids(run(pack({**rule, "period": "ever"}), stream)) == [("C1", "ever")]
    assert len(run(pack({**rule, "per": "event"}), stream).alerts) == 3


def test_a_rolling_rule_is_raised_again_when_its_window_has_turned_over() -> None:
    stream = Stream()
    for time in ("02T12:00:00", "03T11:00:00", "03T11:59:59.999999", "03T12:00:00"):
        stream.pay(f"2026-03-{time}")
    rule = {"when": "count(over=24h) >= 1 or count(over=60min) >= 9"}
    assert ids(run(pack(rule), stream)) == [
        ("C1", "2026-03-02T04:00:00Z"),
        ("C1", "2026-03-03T04:00:00Z"),
    ]


def test_again_raises_for_each_further_full_step() -> None:
    stream = Stream()
    for hour, amount in enumerate(("5", "0.99", "0.01", "2.5", "1")):
        stream.pay(f"2026-03-02T0{hour}:00:00", amount)
    rule = {
        "let": {"s": 'sum(amount_in("CNY"), over=month)'},
        "when": "s >= 5",
        "again": {"value": "s", "step": "1"},
    }
    periods = [period for _, period in ids(run(pack(rule), stream))]
    assert periods == ["2026-03#5", "2026-03#6", "2026-03#8", "2026-03#9"]


def test_cannot_tell_is_counted_and_raised_once_where_asked_and_met_still_comes() -> None:
    stream = Stream()
    for hour, purpose in enumerate((None, None, "x", None, "x")):
        stream.pay(f"2026-03-02T0{hour}:00:00", **({} if purpose is None else {"purpose": purpose}))
    rule = {"when": 'count(over=day) >= 1 and purpose == "x"', "cannot_tell": "alert"}
    result = run(pack(rule), stream)
    assert [(a["outcome"], a["period"], a["time"] % 86_400_000_000) for a in result.alerts] == [
        ("cannot_tell", "2026-03-02", 16 * 3_600_000_000),
        ("met", "2026-03-02", 18 * 3_600_000_000),
    ]
    assert result.cannot_tell == {"r1": 3}
    assert len(run(pack({**rule, "cannot_tell": "count"}), stream).alerts) == 1


# --- rules 20 and 21 -----------------------------------------------------------------------------


def incident(stream: Stream, time: str, **fields: Any) -> None:
    stream.add("incident", time, kind="breach", **fields)


def duty(**deadline: Any) -> dict[str, Any]:
    return pack(
        {
            "on": "incident",
            "per": "event",
            "deadline": {"within": "72 hours", "closed_by": 'kind == "notified"', **deadline},
        }
    )


def moments(result: Result) -> list[tuple[bool, str, int]]:
    return [(a["warning"], a["period"], a["time"]) for a in result.alerts]


HOUR = 3_600_000_000
MONDAY = 20514 * 24 * HOUR  # 2026-03-02T00:00Z


def test_a_deadline_is_raised_by_the_passing_of_time_and_closed_up_to_its_end() -> None:
    for closing, until, expected in (
        ("2026-03-05T00:00:00Z", None, []),
        ("2026-03-05T00:00:00.000001Z", None, [(False, "e1", MONDAY + 72 * HOUR)]),
        (None, "2026-03-05T00:00:00Z", []),
        (None, "2026-03-05T00:00:00.000001Z", [(False, "e1", MONDAY + 72 * HOUR)]),
    ):
        stream = Stream()
        incident(stream, "2026-03-02T00:00:00Z")
        if closing:
            stream.add("action", closing, kind="notified", about="e1")
        assert moments(run(duty(), stream, until=until)) == expected


def test_only_the_same_reporter_closes_its_duty() -> None:
    stream = Stream()
    incident(stream, "2026-03-02T00:00:00Z")
    stream.add("action", "2026-03-03T00:00:00Z", kind="notified", about="e1", reporter="R2")
    stream.add("action", "2026-03-03T00:00:00Z", kind="assessed", about="e1")
    stream.add("action", "2026-03-06T00:00:00Z", kind="other")
    assert len(run(duty(), stream).alerts) == 1


def test_a_warning_comes_before_the_end_if_the_duty_is_still_open() -> None:
    stream = Stream()
    incident(stream, "2026-03-02T00:00:00Z")
    result = run(duty(warn="12 hours"), stream, until="2026-03-09T00:00:00Z")
    assert moments(result) == [
        (True, "e1", MONDAY + 60 * HOUR),
        (False, "e1", MONDAY + 72 * HOUR),
    ]
    stream.add("action", "2026-03-04T12:00:00Z", kind="notified", about="e1")
    assert moments(run(duty(warn="12 hours"), stream, until="2026-03-09T00:00:00Z")) == []


def test_a_duty_that_opens_late_is_raised_at_its_opening() -> None:
    stream = Stream()
    incident(stream, "2026-03-05T00:00:00Z", aware="2026-03-02T00:00:00Z")
    incident(stream, "2026-03-05T00:00:01Z", aware="2026-03-02T00:00:00Z")
    incident(stream, "2026-03-05T00:00:02Z")
    result = run(duty(start="aware", warn="12 hours"), stream)
    assert sorted(moments(result), key=lambda moment: moment[1:]) == [
        (False, "e1", MONDAY + 72 * HOUR),
        (True, "e1", MONDAY + 72 * HOUR),
        (False, "e2", MONDAY + 72 * HOUR + 1_000_000),
    ]
    assert result.cannot_tell == {"r1": 1}


def test_lengths_of_deadlines() -> None:
    stream = Stream()
    incident(stream, "2026-03-06T17:00:00Z")  # Saturday 01:00 in Shanghai
    later = {"until": "2027-01-01T00:00:00Z"}
    end_of_tuesday = MONDAY + (9 * 24 - 8) * HOUR - 1
    assert [a["time"] for a in run(duty(within="2 working days"), stream, **later).alerts] == [
        end_of_tuesday
    ]
    two_days = MONDAY + (4 * 24 + 17 + 48) * HOUR
    assert [a["time"] for a in run(duty(within="2 days"), stream, **later).alerts] == [two_days]
    leap = Stream()
    incident(leap, "2026-01-31T12:00:00")
    month = run(duty(within="1 month"), leap, **later).alerts
    assert [a["time"] for a in month] == [MONDAY + (-2 * 24 + 4) * HOUR]  # 28 February, noon


def test_a_month_later_is_the_same_local_time_across_summer_time() -> None:
    stream = Stream()
    incident(stream, "2026-02-28T01:30:00Z", reporter="B")  # a month later is 28 March
    incident(stream, "2026-03-01T01:30:00Z", reporter="B")  # 1 April, summer time
    stream.party("2026-01-01T00:00:00Z", "B", country="GB")
    document = duty(within="1 month") | {"jurisdiction": "UK"}
    result = run(document, stream, until="2027-01-01T00:00:00Z", lateness_seconds=10**8)
    assert [a["time"] for a in result.alerts] == [
        MONDAY + (26 * 24 + 1) * HOUR + HOUR // 2,
        MONDAY + 30 * 24 * HOUR + HOUR // 2,
    ]


def test_a_duty_of_a_period_is_opened_once() -> None:
    stream = Stream()
    for time in ("2026-01-10T00:00:00", "2026-02-10T00:00:00", "2026-03-10T00:00:00"):
        incident(stream, time)
    stream.add("action", "2026-02-20T00:00:00", kind="notified", about="2026-Q1")
    document = duty(start_period_end="quarter", within="10 days")
    document["rules"][0]["per"] = "institution"
    until = {"until": "2026-12-31T00:00:00Z", "lateness_seconds": 10**7}
    assert run(document, stream, **until).alerts == []
    stream.events.pop()
    found = run(document, stream, **until).alerts
    end = MONDAY + (30 * 24 - 8) * HOUR - 1  # last microsecond of March in Shanghai
    assert [(a["subject"], a["period"], a["time"]) for a in found] == [
        ("R1", "2026-Q1", end + 240 * HOUR)
    ]


def test_a_named_duty_opens_again_after_it_was_closed() -> None:
    stream = Stream()
    for day, kind in (("01", "grant"), ("02", "draw"), ("03", None), ("04", "draw")):
        if kind is None:
            stream.add("action", f"2026-03-{day}T00:00:00", kind="notified", about="L1")
        else:
            money = {"amount": "1", "currency": "CNY", "action": kind, "loan_id": "L1"}
            stream.add("loan", f"2026-03-{day}T00:00:00", **money)
    document = duty(about="loan_id", within="3 days")
    document["rules"][0] |= {"on": "loan", "per": "loan_id"}
    found = run(document, stream, until="2026-04-01T00:00:00Z").alerts
    assert [(a["subject"], a["period"]) for a in found] == [("L1", "L1/e4")]


def test_alerts_are_in_the_order_of_time_rule_subject_period() -> None:
    stream = Stream()
    stream.pay("2026-03-02T00:00:00", id="e9", payee={"id": "B"})
    stream.pay("2026-03-02T00:00:00", id="e10", payee={"id": "A"})
    stream.pay("2026-03-01T00:00:00", payee={"id": "Z"})
    result = run(pack({"id": "s"}, {"id": "r"}), stream, lateness_seconds=10**6)
    assert [(a["rule"], a["subject"]) for a in result.alerts] == [
        ("r", "Z"),
        ("s", "Z"),
        ("r", "A"),
        ("r", "B"),
        ("s", "A"),
        ("s", "B"),
    ]
