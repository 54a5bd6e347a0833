"""How fast NDJSON becomes columns: our decoder and the standard library's json, one run, one core.

    python benchmarks/decode.py [--events 100000]

Prints thousands of events a second (CPU time, best of three), for ids mostly new and mostly known,
few, many and all fields, one event at a time, and with one line in a hundred broken.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

from benchmarks.common import arguments, machine, one_core
from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import Field, all_fields

CURRENCIES = {"CNY": (0, 2), "EUR": (1, 2), "USD": (2, 2), "JPY": (3, 0), "KWD": (4, 3)}
COUNTRIES = ("CN", "DE", "US", "SG", "JP", "HK", "FR", "GB")
FEW = ("type", "time", "reporter", "amount", "currency", "payer.id", "payee.id", "channel")
MANY_PARTS = ("id", "account", "kind", "country", "institution", "flags")


def party(draw: random.Random) -> dict[str, object]:
    """A party out of 200,000, as banks report them."""
    number = draw.randrange(200_000)
    made: dict[str, object] = {
        "id": f"C{number}",
        "account": f"6222{number * 7919 % 10**12:012d}",
        "name": draw.choice(("Zhang Wei", "Li Na", "Müller GmbH", "王伟", "John Smith")),
        "kind": draw.choice(("person", "entity")),
        "country": draw.choice(COUNTRIES),
        "institution": f"{draw.choice(COUNTRIES)}-BANK-{draw.randrange(50)}",
    }
    if draw.random() < 0.2:
        made["flags"] = draw.sample(["ciio", "listed", "connected", "politically_exposed"], 2)
    return made


def event(draw: random.Random, number: int) -> dict[str, object]:
    """A mixed event, 70 % transactions."""
    currency = draw.choice(tuple(CURRENCIES))
    decimals = CURRENCIES[currency][1]
    units = draw.randrange(1, 10 ** draw.randint(3, 9))
    amount = f"{units / 10**decimals:.{decimals}f}"
    stamp = (
        f"2026-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}T{draw.randrange(24):02d}:"
        f"{draw.randrange(60):02d}:{draw.randrange(60):02d}"
        f"{draw.choice(('.123456', '.5', ''))}{draw.choice(('Z', '+08:00', '-05:00'))}"
    )
    made: dict[str, object] = {
        "id": f"T{number:09d}",
        "type": "transaction",
        "time": stamp,
        "reporter": f"{draw.choice(COUNTRIES)}-BANK-{draw.randrange(50)}",
    }
    kind = draw.random()
    if kind < 0.7:
        made |= {
            "amount": amount,
            "currency": currency,
            "channel": draw.choice(("transfer", "cash", "card", "wire")),
            "kind": draw.choice(("payment", "deposit", "withdrawal")),
            "payer": party(draw),
            "payee": party(draw),
            "purpose": f"invoice {draw.randrange(9999)}",
            "reference": f"E2E-{draw.randrange(10**6)}",
        }
    elif kind < 0.85:
        made |= {
            "type": "data_transfer",
            "exporter": {"id": f"E{draw.randrange(5000)}", "country": "CN"},
            "recipient": {"id": f"R{draw.randrange(5000)}", "country": "US"},
            "destination": draw.choice(COUNTRIES),
            "persons": [f"p{draw.getrandbits(24):016x}" for _ in range(draw.randint(1, 6))],
            "data": [{"category": "health", "sensitivity": "sensitive", "items": 3}],
            "encrypted": True,
        }
    elif kind < 0.92:
        made |= {
            "type": "loan",
            "amount": amount,
            "currency": currency,
            "borrower": party(draw),
            "apr_all_in": "0.24",
            "tenor_months": draw.randint(1, 360),
        }
    else:
        made |= {"type": "ownership", "owner": party(draw), "owned": party(draw), "share": "0.25"}
    return made


def best_rate(work: Callable[[], object], events: int, repeats: int = 3) -> float:
    """Thousands of events a second of CPU time, the best run."""
    fastest = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        fastest = min(fastest, time.process_time() - start)
    return events / fastest / 1000


def blocks(data: bytes, size: int) -> list[bytes]:
    """The data cut at newlines into blocks of about ``size`` bytes."""
    found = []
    start = 0
    while start < len(data):
        end = data.find(b"\n", min(start + size, len(data) - 1)) + 1 or len(data)
        found.append(data[start:end])
        start = end
    return found


def main() -> None:
    """Run all measurements over generated events."""
    parser = arguments("NDJSON to columns, beside json.loads", 100_000)
    given = parser.parse_args()
    one_core(given.core)
    print(json.dumps(machine(), ensure_ascii=False))
    count = given.events
    draw = random.Random(1)
    lines = [
        json.dumps(event(draw, k), ensure_ascii=k % 3 == 0, separators=(",", ":")).encode()
        for k in range(count)
    ]
    data = b"\n".join(lines) + b"\n"
    broken = b"\n".join(line[:-1] if k % 100 == 0 else line for k, line in enumerate(lines))
    print(f"{count} events, {len(data) / count:.0f} bytes each")
    known = all_fields()
    many = [f for p, f in known.items() if "." not in p or p.split(".")[-1] in MANY_PARTS][:120]
    choices: dict[str, list[Field]] = {
        "few": [known[path] for path in FEW],
        "many": many,
        "all": list(known.values()),
    }
    pieces = blocks(data, 1 << 20)

    def decode(decoder: NdjsonDecoder, parts: list[bytes]) -> None:
        for part in parts:
            decoder.decode(part)

    warm = NdjsonDecoder(choices["few"], Vocabulary(), Vocabulary(), CURRENCIES)
    warm.decode(lines[0])
    for name, fields in choices.items():
        first = NdjsonDecoder(fields, Vocabulary(), Vocabulary(), CURRENCIES)
        rate = best_rate(lambda d=first: decode(d, pieces), count, 1)
        print(f"ours, {name} fields ({len(fields)}), ids new    {rate:8.0f} k/s")
        rate = best_rate(lambda d=first: decode(d, pieces), count)
        print(f"ours, {name} fields ({len(fields)}), ids known  {rate:8.0f} k/s")
    decoder = NdjsonDecoder(many, Vocabulary(), Vocabulary(), CURRENCIES)
    decode(decoder, pieces)
    rate = best_rate(lambda: decode(decoder, blocks(broken, 1 << 20)), count)
    print(f"ours, many fields, 1 % broken     {rate:8.0f} k/s")
    single = lines[:5000]
    rate = best_rate(lambda: decode(decoder, single), len(single))
    print(f"ours, many fields, one by one     {1000 / rate:8.1f} us an event")
    few = lines[:20000]
    rate = best_rate(lambda: [json.loads(line) for line in few], len(few))
    print(f"json.loads, parse only            {rate:8.0f} k/s")


if __name__ == "__main__":
    main()
