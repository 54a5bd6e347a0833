"""What exchanging rules costs a server, and what decisions see of it meanwhile.

    python benchmarks/exchange.py [--events 300000] [--rate 200]

A journal of so many events is read at a start with all packs. Then one figure of one pack is
another, and the rules are read anew while single events are judged at a constant rate, each in the
thread of one caller, without HTTP. CPU seconds of this process and of the one beside; how long
decisions took before and meanwhile, and the longest of them. The time of a decision begins when it
was due.
"""

from __future__ import annotations

import json
import resource
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.api import sorted_by_time, threading_event
from benchmarks.common import CLOCK, arguments, folder, simulated, told
from casework.cases.scope import service_scope
from casework.service.proposals import ProposalService
from casework.stores.memory import MemoryRecord
from casework.stores.memory_proposals import MemoryProposals
from casework.stores.memory_service import MemoryEventDesk
from regtech.app import reading as module
from regtech.app.choice import chosen_packs
from regtech.app.deciding import Deciding
from regtech.app.drafts import Drafts
from regtech.app.journal import Journal
from regtech.app.reading import RuleReading, RuleSource
from regtech.app.rulebook import Rules
from regtech.content import content_root
from regtech.reference.load import Reference
from tests.contract.world import Salts, World

PACK = "cn-aml-large-value"
SCOPE = service_scope("bench")
STILL_S = 20


def main() -> None:
    """Fill, read, exchange under load."""
    parser = arguments(__doc__ or "", 300_000)
    parser.add_argument("--rate", type=int, default=200, help="decisions a second")
    given = parser.parse_args()
    with folder(given.folder) as where:
        lines = sorted_by_time(simulated(where, given.events + 60_000), given.events + 60_000)
        rules, data = where / "rules", where / "exchange"
        for old in (rules, data):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(content_root("rules"), rules)
        data.mkdir()
        (data / "events.ndjson").write_bytes(b"".join(lines[: given.events]))
        taken = sum(map(len, lines[: given.events]))
        (data / "taken.json").write_text(json.dumps({"taken": taken}))
        figures = _measured(rules, data, lines[given.events :], given.rate)
    figures = {"events": given.events, "rate": given.rate, **figures}
    if not given.json:
        for name, figure in figures.items():
            print(f"{name:28} {figure}")
    told(figures, given.json)


def _measured(rules: Path, data: Path, following: list[bytes], rate: int) -> dict[str, Any]:
    record = MemoryRecord(CLOCK, Salts())
    world = World(record, CLOCK)
    journal = Journal(data, waits=False)
    packs = chosen_packs((), rules)
    deciding = Deciding(
        packs, Reference.shipped(), journal, MemoryEventDesk(), world.intake, CLOCK, home=None
    )
    deciding.warm_up()
    book, store = Rules(packs, folder=rules), MemoryProposals(record)
    service = ProposalService(store, book, Drafts(book), CLOCK, lambda: "P-1")
    source = RuleSource((), rules, None, data)
    reading = RuleReading(source, book, service, store, deciding, CLOCK)
    took: list[tuple[float, float]] = []
    over = threading.Event()

    def send() -> None:
        pause, start = threading_event(), CLOCK.elapsed()
        for number, line in enumerate(following):
            due = start + number / rate
            if (early := due - CLOCK.elapsed()) > 0:
                pause.wait(early)
            deciding.judge(SCOPE, line).settle()
            took.append((due, CLOCK.elapsed() - due))
            if over.is_set():
                return

    sender = threading.Thread(target=send)
    sender.start()
    threading_event().wait(STILL_S)
    file = rules / "cn" / f"{PACK}.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("version: 1.0.0", "version: 1.1.0").replace("CNY 50000", "CNY 40000")
    )
    begun, own = CLOCK.elapsed(), resource.getrusage(resource.RUSAGE_SELF)
    beside = resource.getrusage(resource.RUSAGE_CHILDREN)
    reading._ask(SCOPE)
    reading.work(SCOPE)
    ended = CLOCK.elapsed()
    assert reading.told().state.value == "in_use", reading.told()
    assert book.named()[PACK]["version"] == "1.1.0"
    after, child = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    over.set()
    sender.join()
    journal.close()
    still = np.array([1000 * s for due, s in took if due < begun])
    meanwhile = np.array([1000 * s for due, s in took if begun <= due < ended])
    return {
        "near_bytes": module.NEAR_BYTES,
        "whole_s": round(ended - begun, 1),
        "server_cpu_s": round(after.ru_utime - own.ru_utime, 1),
        "beside_cpu_s": round(child.ru_utime - beside.ru_utime, 1),
        "before_median_ms": round(float(np.median(still)), 2),
        "before_p99_ms": round(float(np.quantile(still, 0.99)), 2),
        "before_longest_ms": round(float(still.max()), 1),
        "meanwhile_median_ms": round(float(np.median(meanwhile)), 2),
        "meanwhile_p99_ms": round(float(np.quantile(meanwhile, 0.99)), 2),
        "meanwhile_longest_ms": round(float(meanwhile.max()), 1),
    }


if __name__ == "__main__":
    main()
