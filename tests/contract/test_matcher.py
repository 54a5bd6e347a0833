"""What every matcher promises; each implementation runs through the same tests."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.policy.durable import ENGINE, DurableMatcher
from casework.policy.matcher import (
    CANDIDATES_MAX,
    MATCHES_MAX,
    TIME_MAX,
    Job,
    Match,
    Matcher,
    PythonMatcher,
)

HAS_ENGINE = sys.version_info < (3, 13)
MAKERS: dict[str, Callable[[], Matcher]] = {"python": PythonMatcher, "durable": DurableMatcher}


@pytest.fixture(scope="module", params=list(MAKERS))
def matcher(request: pytest.FixtureRequest) -> Iterator[Matcher]:
    made = MAKERS[request.param]()
    yield made
    if request.param == "durable" and HAS_ENGINE:
        # Otherwise the suite would have shown the fallback, not the engine.
        health = made.health()
        assert (health.engine, health.fallbacks, health.failures) == (ENGINE, 0, 0)
    made.close()


def plain(job: Job) -> frozenset[Match]:
    """The plainest reading: every choice of different alerts, tested whole."""
    found = set()
    for match in itertools.permutations(range(len(job.times)), job.width):
        times = [job.times[place] for place in match]
        fits = all(job.flags[place] >> i & 1 for i, place in enumerate(match))
        if fits and max(times) - min(times) <= job.within:
            found.add(match)
    return frozenset(found)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    width = draw(st.sampled_from([2, 2, 2, 3, 4]))
    number = draw(st.integers(0, 9 if width == 2 else 7))
    base = draw(st.sampled_from([0, -5, 1_760_000_000_000_000, -(1 << 61), (1 << 61)]))
    times = [base + draw(st.integers(0, 20)) for _ in range(number)]
    flags = [draw(st.integers(0, (1 << width) - 1)) for _ in range(number)]
    within = draw(st.sampled_from([0, 1, 3, 7, 1 << 61]))
    return Job(width, within, tuple(times), tuple(flags))


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(jobs(), max_size=12))
def test_finds_what_the_plainest_reading_finds(matcher: Matcher, some: list[Job]) -> None:
    assert matcher.match(some) == [plain(job) for job in some]


def test_the_window_ends_exactly(matcher: Matcher) -> None:
    start, within = 1_760_000_000_000_000, 7 * 86_400_000_000
    inside = Job(2, within, (start, start + within), (1, 2))
    outside = Job(2, within, (start, start + within + 1), (1, 2))
    assert matcher.match([inside, outside]) == [frozenset({(0, 1)}), frozenset()]


def test_the_window_holds_for_every_pair(matcher: Matcher) -> None:
    chain = Job(3, 10, (0, 10, 20), (1, 2, 4))
    around = Job(3, 10, (10, 0, 20), (1, 2, 4))
    assert matcher.match([chain, around]) == [frozenset(), frozenset()]


def test_an_alert_never_meets_two_patterns_of_a_match(matcher: Matcher) -> None:
    alone = Job(2, 10, (0,), (3,))
    two = Job(2, 10, (0, 0), (3, 3))
    assert matcher.match([alone, two]) == [frozenset(), frozenset({(0, 1), (1, 0)})]


def test_jobs_do_not_mix(matcher: Matcher) -> None:
    halves = [Job(2, 10, (0,), (1,)), Job(2, 10, (0,), (2,))]
    assert matcher.match(halves * 50) == [frozenset()] * 100


def test_order_within_a_job_does_not_matter(matcher: Matcher) -> None:
    one, other = Job(2, 5, (0, 3, 6), (1, 2, 1)), Job(2, 5, (6, 3, 0), (1, 2, 1))
    assert matcher.match([one, other]) == [frozenset({(0, 1), (2, 1)})] * 2


def test_many_shapes_at_once(matcher: Matcher) -> None:
    some = [
        Job(width, within, tuple(range(width)), tuple(1 << i for i in range(width)))
        for width in range(2, 9)
        for within in range(5, 25)
    ]
    assert matcher.match(some) == [
        frozenset({tuple(range(j.width))}) if j.within >= j.width - 1 else frozenset() for j in some
    ]


def test_a_job_at_the_bound_is_matched(matcher: Matcher) -> None:
    full = Job(2, 1, (0,) * CANDIDATES_MAX, (1, 2) * (CANDIDATES_MAX // 2))
    assert full.counts == (100, 100) and 100 * 100 == MATCHES_MAX
    assert len(matcher.match([full])[0]) == MATCHES_MAX


def test_nothing_asked_nothing_answered(matcher: Matcher) -> None:
    assert matcher.match([]) == []
    assert matcher.match([Job(2, 1, (), ())]) == [frozenset()]


@pytest.mark.parametrize(
    "job",
    [
        Job(1, 1, (0,), (1,)),
        Job(9, 1, (0,), (1,)),
        Job(2, 1, (0, 1), (1,)),
        Job(2, 1, (TIME_MAX,), (1,)),
        Job(2, TIME_MAX, (0,), (1,)),
        Job(2, -1, (0,), (1,)),
        Job(2, 1, (0,), (4,)),
        Job(2, 1, (0,) * (CANDIDATES_MAX + 1), (1,) * (CANDIDATES_MAX + 1)),
        Job(2, 1, (0,) * 202, (1, 2) * 101),
    ],
)
def test_a_job_that_breaks_the_terms_is_refused(matcher: Matcher, job: Job) -> None:
    with pytest.raises(ValueError):
        matcher.match([job])


def test_it_can_be_used_again_after_it_was_closed() -> None:
    for make in MAKERS.values():
        made = make()
        for _ in range(2):
            assert made.match([Job(2, 0, (0, 0), (1, 2))]) == [frozenset({(0, 1)})]
            made.close()
