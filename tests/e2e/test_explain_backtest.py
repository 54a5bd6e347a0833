"""``run``, then ``explain``, ``replay`` and ``backtest``, as a person calls them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from regtech.app.backtest import kept_version
from regtech.cli.main import run
from regtech.errors import UsageError

DATA = Path(__file__).parents[1] / "golden" / "explain"
RULES = DATA / "golden-rules.yml"
EVENTS = DATA / "events.ndjson"
UNTIL = "2026-05-06"


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Done]


@pytest.fixture
def regtech(capfd: pytest.CaptureFixture[str]) -> Command:
    def command(*arguments: object) -> Done:
        status = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Done(status, captured.out, captured.err)

    return command


@pytest.fixture
def alerts(regtech: Command, tmp_path: Path) -> Path:
    out = tmp_path / "alerts.ndjson"
    done = regtech("run", EVENTS, "--rules", RULES, "--out", out, "--to", UNTIL)
    assert done.status == 0, done.err
    return out


@pytest.fixture
def cheaper(tmp_path: Path) -> Path:
    """The same pack with a lower figure, as version 1.1.0."""
    folder = tmp_path / "drafts"
    folder.mkdir()
    text = RULES.read_text(encoding="utf-8")
    text = text.replace("cash_cny: {value: CNY 50000,", "cash_cny: {value: CNY 48000,")
    text = text.replace("version: 1.0.0", "version: 1.1.0")
    (folder / RULES.name).write_text(text, encoding="utf-8")
    return folder


def test_every_alert_of_a_run_replays(regtech: Command, alerts: Path) -> None:
    done = regtech("replay", alerts, "--all", "--rules", RULES)
    assert (done.status, done.out) == (0, "9 replayed, 0 differ\n")


def test_a_changed_alert_is_found_among_all(regtech: Command, alerts: Path) -> None:
    text = alerts.read_text()
    alerts.write_text(text.replace('"amount":"10919.98"', '"amount":"10919.99"'))
    done = regtech("replay", alerts, "--all", "--rules", RULES)
    assert done.status == 1
    assert "measures: the alert says" in done.out and "9 replayed, 1 differ" in done.out


def test_replay_says_that_the_rules_here_are_others(
    regtech: Command, alerts: Path, cheaper: Path
) -> None:
    done = regtech("replay", f"{alerts}:1", "--rules", cheaper)
    assert done.status == 1
    assert "decided by another version of golden-rules: 1.0.0" in done.out


def test_a_pack_that_is_not_there_is_wrong_use(regtech: Command, alerts: Path) -> None:
    done = regtech("replay", f"{alerts}:1")
    assert done.status == 2
    assert "golden-rules" in done.err and "--rules" in done.err


@pytest.mark.parametrize(("lang", "said"), [("en", "The arithmetic"), ("zh", "计算过程")])
def test_explain_in_both_languages(regtech: Command, alerts: Path, lang: str, said: str) -> None:
    done = regtech("explain", f"{alerts}:1", "--rules", RULES, "--lang", lang)
    assert done.status == 0
    assert said in done.out and "USD 10,919.98" in done.out


def test_explain_for_machines(regtech: Command, alerts: Path) -> None:
    done = regtech("explain", alerts, "--sample", 3, "--rules", RULES, "--json")
    assert [set(entry) for entry in done.json] == [{"alert", "lang", "explanation"}] * 3


def test_a_rehearsal_replays(regtech: Command, tmp_path: Path) -> None:
    out = tmp_path / "rehearsal.ndjson"
    regtech("run", EVENTS, "--rules", RULES, "--out", out, "--law-as-of", "2025-06-01")
    assert {json.loads(x)["law_as_of"] for x in out.read_text().splitlines()} == {"2025-06-01"}
    assert regtech("replay", out, "--all", "--rules", RULES).status == 0
    page = regtech("explain", out, "--rules", RULES).out
    assert "A rehearsal: judged by the law of 2025-06-01." in page


def test_backtest_of_the_same_rules_changes_nothing(regtech: Command) -> None:
    done = regtech("backtest", EVENTS, "--base", RULES, "--head", RULES, "--to", UNTIL)
    assert done.status == 0
    assert "alerts: 0 new, 0 gone, 0 moved, 9 the same" in done.out


def test_the_heads_digest_is_the_one_that_run_prints(
    regtech: Command, cheaper: Path, tmp_path: Path
) -> None:
    options = ("--to", UNTIL, "--from", "2026-03-02", "--lateness", "1h")
    ran = regtech(
        "run", EVENTS, "--rules", cheaper, "--out", tmp_path / "a.ndjson", "--json", *options
    )
    done = regtech(
        "backtest", EVENTS, "--base", RULES, "--head", cheaper, "--json", "--batch", 3, *options
    )
    assert done.json["head"]["digest"] == ran.json["digest"]
    assert done.json["head"]["alerts"] == ran.json["alerts"]
    assert done.json["base"]["digest"] != ran.json["digest"]


def test_backtest_writes_every_difference(regtech: Command, cheaper: Path, tmp_path: Path) -> None:
    out = tmp_path / "differences.ndjson"
    done = regtech(
        "backtest", EVENTS, "--base", RULES, "--head", cheaper, "--to", UNTIL, "--out", out
    )
    assert done.status == 1
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    # 49,000 on the second is met earlier now; 49,999.99 on the fifth is met at all. Deposits of
    # 48,000 and more no longer count as just below, so that a day of three becomes none of three.
    assert [(f["change"], f["rule"], f["period"]) for f in found] == [
        ("moved", "gold-large", "2026-03-02"),
        ("gone", "gold-structuring", "2026-03-04T01:00:00Z"),
        ("new", "gold-large", "2026-03-05"),
    ]
    assert found[0]["fields"] == ["time", "measures"]
    assert found[2]["institution"] == "BANK-1"
    assert found[2]["base"] is None and found[2]["head"]["id"]
    assert str(out) in done.out


def test_backtest_against_a_kept_version(
    regtech: Command, cheaper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "rules"
    folder = root / ".versions" / "golden-rules@1.0.0"
    folder.mkdir(parents=True)
    shutil.copy(RULES, folder)
    shutil.copytree(cheaper, root / "cn")
    monkeypatch.setattr("regtech.app.backtest.content_root", lambda kind: root)
    done = regtech("backtest", EVENTS, "--base", "golden-rules@1.0.0", "--head", cheaper, "--json")
    assert done.json["base"]["packs"][0]["version"] == "1.0.0"
    assert done.json["alerts"]["new"] == 1
    assert kept_version("golden-rules", "1.1.0").version == "1.1.0"  # the present one
    with pytest.raises(UsageError, match=r"version 0\.9\.0 of golden-rules is not kept") as error:
        kept_version("golden-rules", "0.9.0")
    assert "golden-rules@0.9.0/golden-rules.yml" in error.value.hint
    with pytest.raises(UsageError, match="no pack is called nothing"):
        kept_version("nothing", "1.0.0")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--base", "no/such/folder", "--head", RULES), "no rules are at no/such/folder"),
        (("--base", "cn-aml-large-value@0.0.1", "--head", RULES), "is not kept"),
        (("--base", RULES, "--head", RULES, "--home", "XX"), "XX"),
    ],
)
def test_wrong_use_of_backtest(regtech: Command, arguments: tuple[object, ...], said: str) -> None:
    done = regtech("backtest", EVENTS, *arguments)
    assert done.status == 2
    assert said in done.err


def test_kept_versions_are_no_rules_that_apply(tmp_path: Path, regtech: Command) -> None:
    folder = tmp_path / ".versions" / "golden-rules@0.9.0"
    folder.mkdir(parents=True)
    for place in (tmp_path, folder):
        shutil.copy(RULES, place)
    assert "1 pack," in regtech("rules", "lint", tmp_path).out
