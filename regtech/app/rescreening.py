"""A process beside a server that reads changed lists, and screens all known parties by them.

``python -m regtech.app.rescreening '{…}'``. Reading and screening take seconds to minutes of a
processor; whoever waits for a decision does not wait for them. What comes out is a file that is
there whole or not at all, so that it can be done again after a kill, and comes out the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from detectors.names.rescreen import new_hits_of
from detectors.names.screener import Hit
from regtech.app.knownparties import KnownParties, KnownParty
from regtech.app.names import hit_json, load_screener, read_versions
from regtech.app.progress import FileProgress, write_whole
from regtech.app.segments import lines_between, segments
from regtech.content.saying import as_data
from regtech.errors import RegtechError
from regtech.model.alert import LIST_CHANGE, SCREENING, Alert, alert_id, event_digest

KIND: Final = "indicator"
"""What institutions are not told of in a secret theme, such as that of watch lists."""


@dataclass(frozen=True, slots=True)
class ReadLists:
    """Read the lists of a folder and write what they are into ``out``."""

    folder: str
    out: str

    def run(self) -> None:
        """As ``{"lists": […]}``, or ``{"error": …, "hint": …}`` where they cannot be read."""
        try:
            made: dict[str, Any] = {"lists": summaries(Path(self.folder))}
        except RegtechError as error:
            made = {"error": as_data(error.message), "hint": as_data(error.hint)}
        write_whole(Path(self.out), made)


@dataclass(frozen=True, slots=True)
class ScreenAgain:
    """Screen the parties that a journal names up to a place by lists, and by those before.

    ``time``: of the alerts. ``jurisdictions``: by list, those in which a hit is told. ``digests``:
    of each list as it is now. ``out``: the file of alerts; ``progress``: how far it is.
    """

    journal: str
    position: int
    before: str
    after: str
    time: str
    jurisdictions: Mapping[str, Sequence[str]]
    digests: Mapping[str, str]
    out: str
    progress: str

    def run(self) -> None:
        """Alerts as NDJSON, in a fixed order."""
        told = FileProgress(Path(self.progress))
        known = KnownParties()
        told.stage("reading the journal", self.position)
        last = 0
        for at, lines in lines_between(segments(Path(self.journal)), 0, self.position):
            known.read(line for line in lines if line)
            told.advance(at - last)
            last = at
        parties = known.named()
        before = load_screener(Path(self.before), _unsaid)
        after = load_screener(Path(self.after), _unsaid)
        told.stage("screening", len(parties))
        part = Path(self.out + ".part")
        with part.open("wb") as stream:
            for party in parties:
                for hit in new_hits_of(party.queries(), before, after):
                    for alert in self._alerts(party, hit):
                        stream.write(alert.canonical() + b"\n")
                told.advance(1)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(self.out)

    def _alerts(self, party: KnownParty, hit: Hit) -> Iterator[Alert]:
        name, entry = hit.key
        for jurisdiction in self.jurisdictions[name]:
            yield alert_of(
                party, hit, jurisdiction, self.digests[name], self.time, f"{name}#{entry}"
            )

    def command(self) -> list[str]:
        """The process that does it."""
        return _command("screen", asdict(self))


def read_command(wanted: ReadLists) -> list[str]:
    """The process that reads lists."""
    return _command("read", asdict(wanted))


def _command(task: str, wanted: dict[str, Any]) -> list[str]:
    return [sys.executable, "-m", "regtech.app.rescreening", task, json.dumps(wanted)]


def summaries(folder: Path) -> list[dict[str, Any]]:
    """What the lists of a folder are, the last version of each. Raises ``InputError``."""
    made: dict[str, dict[str, Any]] = {}
    whole: dict[str, Any] = {}
    for version in read_versions(folder):
        digest = whole.setdefault(version.name, hashlib.sha256())
        digest.update(f"{version.since_us}:{version.digest}\n".encode())
        made[version.name] = {
            "name": version.name,
            "digest": digest.hexdigest(),
            "entries": len(version.entries),
            "faults": len(version.faults),
            "from_us": version.since_us,
        }
    return [made[name] for name in sorted(made)]


def alert_of(
    party: KnownParty, hit: Hit, jurisdiction: str, digest: str, time: str, entry: str
) -> Alert:
    """A hit of a known party on a list that changed; the same of one version is one alert."""
    asked = f"party.screened(party, {hit.standing.list}) @{jurisdiction}"
    subject = {
        "per": "customer" if party.id else "account",
        "id": party.id or party.account,
        "institution": party.institution,
    }
    period = f"{entry}@{digest[:16]}"
    written = {k: v for k, v in hit_json("", "", hit).items() if k not in ("query", "words")}
    ids = [party.event] if party.event else []
    whose = f"{party.institution}|{subject['id']}"
    return Alert(
        id=alert_id(f"{LIST_CHANGE}@{jurisdiction}", whose, period, "met", False),
        rule=LIST_CHANGE, rule_version="1", pack=SCREENING, pack_digest=digest,
        jurisdiction=jurisdiction,
        obligation=[], cite=None, kind=KIND, severity="high", status="enabled", subject=subject,
        period=period, time=time, outcome="met", warning=False, measures={}, params={},
        law_as_of=None, rate=None,
        facts={"reporter": party.reporter, **party.facts(), asked: True}, inputs=[],
        findings={asked: {"hits": [written]}}, events=ids, event_count=len(ids),
        event_digest=event_digest(ids), due=None, late=False, source=None,
        explanation={
            "en": f"A known party may be on the list {hit.standing.list} as it is now",
            "zh": f"已知主体可能列于变更后的名单{hit.standing.list}",
        },
    )  # fmt: skip


def _unsaid(_: str) -> None:
    return None


def run(task: str, text: str) -> None:
    """Do what is asked for. Raises ``RegtechError``, ``OSError``."""
    wanted = json.loads(text)
    if task == "read":
        ReadLists(**wanted).run()
    else:
        ScreenAgain(**wanted).run()


def main(task: str, text: str) -> int:
    """Do it, giving way to whoever has something better to do."""
    os.nice(10)
    try:
        run(task, text)
    except (RegtechError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
