"""``regtech demo``: all packs over what ships with the project, and three alerts in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regtech.app.alerts import load_alerts
from regtech.app.progress import Progress
from regtech.app.simulate import simulate_command
from regtech.app.summary import RunSummary
from regtech.content import content_root
from regtech.errors import InputError

SAMPLE = "amlsim-20K_cycle200-transactions.csv.zst"
SEED = 7
EXPLAINED = 3


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The summary of the run, and explanations of alerts of different rules."""

    summary: RunSummary
    explanations: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"run": self.summary.to_json(), "explanations": list(self.explanations)}


def sample_file() -> Path:
    """The AMLSim sample: beside the rules in a checkout, inside the package when installed."""
    rules = content_root("rules")
    for path in (rules.parent / "data" / SAMPLE, rules.parent.parent / "data" / SAMPLE):
        if path.is_file():
            return path
    raise InputError(f"{SAMPLE} is not installed", hint="run the demo in a checkout: make demo")


def run_demo(folder: Path, *, events: int, lang: str, progress: Progress) -> DemoResult:
    """Simulate, run, explain; everything that is written goes into ``folder``."""
    from regtech.app.explain import explain_alert
    from regtech.app.run import run_command

    simulated = folder / "simulated.ndjson"
    simulate_command(simulated, events=events, seed=SEED, progress=progress)
    out = folder / "alerts.ndjson"
    summary = run_command(
        events=(str(sample_file()), str(simulated)),
        packs=(),
        rules=None,
        out=str(out),
        quarantine=None,
        map="amlsim",
        store=None,
        snapshot=None,
        resume=False,
        batch=16384,
        lateness=600_000_000,
        from_=None,
        to=None,
        law_as_of=None,
        home=None,
        near=None,
        strict=False,
        progress=progress,
    )
    found = load_alerts(str(out), out, sample=EXPLAINED) if summary.alerts else []
    texts = tuple(explain_alert(alert, rules=None, lang=lang) for alert in found)
    return DemoResult(summary, texts)
