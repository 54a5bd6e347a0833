"""The child process may crash, hang, lie or be missing: answers stay right, and it is announced."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from casework.policy import durable
from casework.policy.durable import CHUNKS_MAX, ENGINE, RETRY_AFTER, DurableMatcher
from casework.policy.matcher import Job, PythonMatcher

JOB = Job(2, 10, (0, 5, 30), (1, 2, 2))
RIGHT = [frozenset({(0, 1)})]
engine = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="durable_rules cannot be imported on Python 3.13"
)


@contextmanager
def matcher(*command: str, timeout: float = 20.0) -> Iterator[DurableMatcher]:
    made = DurableMatcher(timeout=timeout, command=command or None)
    try:
        yield made
    finally:
        made.close()


def child(tmp_path: Path, text: str) -> tuple[str, str, str]:
    """A child that says it is ready and then does as ``text`` says with each line it gets."""
    script = tmp_path / "child.py"
    head = "import os, sys, time\nprint('{\"ready\": true}', flush=True)\nfor line in sys.stdin:\n"
    script.write_text(head + "".join(f"    {row}\n" for row in text.splitlines()))
    return sys.executable, "-I", str(script)


def some_jobs(number: int, seed: int = 5) -> list[Job]:
    rng = Random(seed)
    found: list[Job] = []
    while len(found) < number:
        size = rng.randrange(2, 20)
        times = tuple(sorted(rng.randrange(0, 200) for _ in range(size)))
        job = Job(2, 25, times, tuple(rng.randrange(0, 4) for _ in range(size)))
        if not job.is_hot:
            found.append(job)
    return found


@pytest.mark.parametrize(
    "does",
    [
        "os._exit(3)",
        "os.kill(os.getpid(), 9)",
        "os.kill(os.getpid(), 11)",
        "print('not json', flush=True)",
        "print('[]', flush=True)",
        'print(\'{"error": "no"}\', flush=True)',
        "print('{\"matches\": 5}', flush=True)",
        "print('{\"matches\": [[0, [0]]]}', flush=True)",
        "print('{\"matches\": [[0, [0, 2]]]}', flush=True)",
        "print('{\"matches\": [[0, [1, 0]]]}', flush=True)",
        "print('{\"matches\": [[0, [-3, 1]]]}', flush=True)",
        "print('{\"matches\": [[7, [0, 1]]]}', flush=True)",
        'print(\'{"matches": [[0, ["a", null]]]}\', flush=True)',
        "print('{\"matches\": ', end='', flush=True)\nos._exit(0)",
        "time.sleep(60)",
    ],
)
def test_a_child_that_fails_is_answered_for(
    tmp_path: Path, does: str, caplog: pytest.LogCaptureFixture
) -> None:
    timeout = 0.5 if "sleep" in does else 20.0
    with caplog.at_level(logging.INFO), matcher(*child(tmp_path, does), timeout=timeout) as made:
        assert made.match([JOB]) == RIGHT
        health = made.health()
    assert (health.engine, health.degraded, health.failures) == ("python", True, 2)
    assert (health.starts, health.fallbacks) == (2, 1) and health.reason
    assert "plain Python for now" in caplog.text


def test_one_failure_is_run_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mark = tmp_path / "died"
    right = '{"matches": [[0, [0, 1]]]}'
    text = f"if not os.path.exists({str(mark)!r}):\n    open({str(mark)!r}, 'w').close()\n"
    text += f"    os.kill(os.getpid(), 9)\nprint({right!r}, flush=True)"
    with caplog.at_level(logging.INFO), matcher(*child(tmp_path, text)) as made:
        assert made.match([JOB]) == RIGHT
        health = made.health()
    assert (health.engine, health.degraded) == (ENGINE, False)
    assert (health.failures, health.fallbacks) == (1, 0)
    assert "works again" in caplog.text


def test_after_three_failed_chunks_it_rests_and_then_tries_again(tmp_path: Path) -> None:
    with matcher(*child(tmp_path, "os._exit(1)")) as made:
        for _ in range(3):
            assert made.match([JOB]) == RIGHT
        assert made.health().starts == 6
        for _ in range(RETRY_AFTER):
            assert made.match([JOB]) == RIGHT
        assert made.health().starts == 6 and made.health().degraded
        assert made.match([JOB]) == RIGHT
        assert made.health().starts == 8


def test_an_engine_that_is_not_there_is_announced_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = tmp_path / "child.py"
    script.write_text('print(\'{"unavailable": "ImportError: PyEval_CallObject"}\')\n')
    with matcher(sys.executable, "-I", str(script)) as made:
        for _ in range(5):
            assert made.match([JOB]) == RIGHT
        health = made.health()
    assert health.starts == 1 and health.degraded and "PyEval_CallObject" in health.reason
    said = [record for record in caplog.records if "plain Python" in record.message]
    assert len(said) == 1 and said[0].levelno == logging.WARNING


def test_an_interpreter_that_is_not_there(tmp_path: Path) -> None:
    with matcher(str(tmp_path / "nothing")) as made:
        assert made.match([JOB]) == RIGHT
        assert made.health().degraded


def test_the_child_inherits_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTECH_SECRET", "not to be seen")
    out = tmp_path / "environment"
    text = f"open({str(out)!r}, 'w').write(repr(dict(os.environ)) + os.getcwd())\nos._exit(0)"
    with matcher(*child(tmp_path, text)) as made:
        made.match([JOB])
    assert "not to be seen" not in out.read_text() and str(tmp_path) not in out.read_text()


@engine
def test_a_child_is_replaced_after_some_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "CHUNKS_MAX", 3)
    with matcher() as made:
        seen = set()
        for _ in range(9):
            assert made.match([JOB]) == RIGHT
            seen.add(made.child())
        assert len(seen) == 3 and made.health().starts == 3
    assert CHUNKS_MAX == 50


@engine
def test_the_child_does_not_outlive_the_matcher() -> None:
    with matcher() as made:
        made.match([JOB])
        process = made.child()
        assert process is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@engine
def test_kill_nine_at_any_moment_loses_nothing() -> None:
    """Another thread kills the child again and again, in the middle of chunks."""
    some = some_jobs(3000)
    expected = PythonMatcher().match(some)
    done = threading.Event()
    kills = 0

    def killer(made: DurableMatcher) -> None:
        nonlocal kills
        rng = Random(1)
        while not done.is_set():
            time.sleep(rng.uniform(0.0, 0.15))
            process = made.child()
            if process is not None:
                try:
                    os.kill(process, signal.SIGKILL)
                    kills += 1
                except ProcessLookupError:
                    pass

    with matcher() as made:
        thread = threading.Thread(target=killer, args=(made,))
        thread.start()
        try:
            for _ in range(3):
                assert made.match(some) == expected
        finally:
            done.set()
            thread.join()
        health = made.health()
    assert kills > 0 and health.failures > 0


@engine
def test_several_threads_share_one_child() -> None:
    some = some_jobs(200)
    expected = PythonMatcher().match(some)
    found: list[bool] = []
    with matcher() as made:
        threads = [
            threading.Thread(target=lambda: found.append(made.match(some) == expected))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made.health().starts <= 2
    assert found == [True] * 4


@engine
def test_every_joined_pattern_ends_with_the_sentinel() -> None:
    from casework.policy.durable_child import rules_of

    rules = rules_of([[2, 5], [8, 7], [3, 0]], [])
    assert len(rules) == 3
    for rule in rules.values():
        first, *joined = rule["all"]
        assert joined
        assert all(len(pattern) == 1 for pattern in rule["all"])
        ((head, literals),) = first.items()
        assert set(literals.values()) == {1}
        for position, pattern in enumerate(joined, 1):
            ((_, conditions),) = pattern.items()
            assert list(conditions) == ["$and"]
            assert conditions["$and"][-1] == {"one": {head: "one"}}
            assert conditions["$and"][1] == {"job": {head: "job"}}
            assert len(conditions["$and"]) == 3 + 2 * position <= 32
