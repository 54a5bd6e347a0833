"""``regtech demo``: all packs over what ships with the project, up to the cases in a store."""

from __future__ import annotations

import json
import secrets
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
SHOWN = 3
USERS = ("demo", "demo-second")
PASSWORD_BYTES = 12


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The summary of the run, explanations of alerts of different rules, and the first cases.

    ``cases`` are lines of the queue, the most important first; ``store`` is the file they are in.
    ``users`` may sign in to the pages with ``password``, which was made for this run.
    """

    summary: RunSummary
    explanations: tuple[str, ...]
    store: str
    cases: tuple[dict[str, Any], ...]
    users: tuple[str, ...]
    password: str
    rings: tuple[tuple[str, ...], ...] = ()
    """Rings of accounts in the sample, found from pairs that paid in several parts."""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "run": self.summary.to_json(),
            "explanations": list(self.explanations),
            "store": self.store,
            "cases": list(self.cases),
            "users": list(self.users),
            "password": self.password,
            "rings": [list(ring) for ring in self.rings],
        }


def sample_file() -> Path:
    """The AMLSim sample: beside the rules in a checkout, inside the package when installed."""
    rules = content_root("rules")
    for path in (rules.parent / "data" / SAMPLE, rules.parent.parent / "data" / SAMPLE):
        if path.is_file():
            return path
    raise InputError(f"{SAMPLE} is not installed", hint="run the demo in a checkout: make demo")


def run_demo(folder: Path, *, events: int, lang: str, progress: Progress) -> DemoResult:
    """Simulate, run into a store, explain; everything that is written goes into ``folder``."""
    from regtech.app.caseview import list_cases
    from regtech.app.casework import casework, scope_of
    from regtech.app.explain import explain_alert
    from regtech.app.run import run_command

    simulated = folder / "simulated.ndjson"
    simulate_command(simulated, events=events, seed=SEED, progress=progress)
    out = folder / "alerts.ndjson"
    store = str(folder / "cases.db")
    summary = run_command(
        events=(str(sample_file()), str(simulated)),
        packs=(),
        rules=None,
        out=str(out),
        quarantine=None,
        map="amlsim",
        store=store,
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
    with casework(store) as parts:
        queue = list_cases(
            parts,
            scope_of("demo", ["supervisor"]),
            queue=None,
            state=None,
            theme=None,
            assignee=None,
            overdue=False,
            every=False,
            limit=SHOWN,
            after=None,
        )
    found_rings = sample_rings(folder, progress)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    demo_users(store, password)
    return DemoResult(summary, texts, store, tuple(queue["cases"]), USERS, password, found_rings)


def sample_rings(folder: Path, progress: Progress) -> tuple[tuple[str, ...], ...]:
    """Rings in the sample: pairs that paid in several parts and lead back to the start."""
    from detectors.graph.rings import rings
    from regtech.app.motifs import motifs_command

    out = folder / "motifs.ndjson"
    motifs_command(
        events=(str(sample_file()),), types=("splitting",), map="amlsim", out=str(out),
        progress=progress,
    )  # fmt: skip
    with out.open(encoding="utf-8") as lines:
        return tuple(rings(tuple(json.loads(line)["accounts"][:2]) for line in lines))


def demo_users(store: str, password: str) -> None:
    """Two supervisors, since closing what is severe takes two; with this password from now on."""
    from casework.cases.scope import Role
    from regtech.app.identity import accounts

    with accounts(store, "demo", create=True) as parts:
        known = {user.name for user in parts.identity.users(parts.scope)}
        for name in USERS:
            if name in known:
                parts.identity.set_password(parts.scope, name, password)
            else:
                parts.identity.create_user(parts.scope, name, [Role.SUPERVISOR], password=password)
