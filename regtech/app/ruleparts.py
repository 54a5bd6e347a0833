"""Parts of a rule that its form adds and takes away: tests, events, measures, figures, citations.

Each writes the same YAML as a person would, in place (``regtech.content.structure``). A new figure
from a day on ends the one before the day before; taken away, that one goes on where it is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from regtech.content import structure
from regtech.content.editing import edited
from regtech.content.saying import say
from regtech.content.structure import data_at, part_at, parts_of
from regtech.errors import InputError

INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "test": ("name", "like"),
    "event": ("like",),
    "event_field": ("name", "value"),
    "measure": ("name", "value"),
    "figure": ("value", "from"),
    "param": ("name", "value", "basis"),
    "obligation": ("id",),
    "cite": ("instrument", "article", "confidence"),
    "instrument": ("id", "en", "zh", "from"),
}
"""What is asked for when something is added, by its kind."""
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]{0,99}")
_DAY: Final = timedelta(days=1)
_BEFORE_LET: Final = ("id", "title", "status", "in_force", "cite", "obligation", "on", "per", "by",
                      "where")  # fmt: skip
_BEFORE_CITE: Final = ("id", "title", "status", "in_force")


def added(text: str, kind: str, path: str, given: Mapping[str, str]) -> str:
    """The text with one part more. ``path``: of what it is added to; ``given``: by ``INPUTS``.

    Raises ``InputError`` for what is missing or cannot stand there.
    """
    add = _ADD.get(kind)
    if add is None:
        raise InputError(say("%(kind)r is nothing that can be added", kind=kind[:40]))
    asked = {name: " ".join(given.get(name, "").split()) for name in INPUTS[kind]}
    for name, value in asked.items():
        if not value and name not in ("like", "zh", "article"):
            raise InputError(
                say("%(kind)s: %(name)s is empty", kind=kind, name=name),
                hint=say("say what is to be added"),
            )
    return add(text, path, asked)


def taken_away(text: str, path: str, *, goes_on: bool = False) -> str:
    """The text without a part. ``goes_on``: of a dated figure, the one before goes on in its place.

    Raises ``InputError`` where there is no such part, or nothing would be left.
    """
    where, _, name = path.rpartition("/")
    if where.endswith("/values") and name.isdecimal():
        return _without_figure(text, where, int(name), goes_on)
    made = structure.without(text, path)
    return _single(made, where) if where.endswith("/obligation") else made


# --- tests


def _add_test(text: str, path: str, given: Mapping[str, str]) -> str:
    tests = data_at(text, path).get("tests")
    if not tests:
        kind = data_at(text, path).get("on", "transaction")
        first = kind[0] if isinstance(kind, list) else kind
        typed = "" if first == "transaction" else f", type: {first}"
        time = '{time: "2026-03-02T09:00:00Z"' + typed + "}"
        lines = [f"name: {structure.written(given['name'])}", "events:", f"  - {time}",
                 "expect: none"]  # fmt: skip
        item = ["  - " + lines[0], *("    " + line for line in lines[1:])]
        return structure.with_entry(text, path, "tests", item)
    like = _number(given["like"], len(tests))
    made = structure.copied(text, f"{path}/tests/{like}")
    return edited(made, {f"{path}/tests/{len(tests)}/name": given["name"]})


def _add_event(text: str, path: str, given: Mapping[str, str]) -> str:
    events = data_at(text, path).get("events") or []
    return structure.copied(text, f"{path}/events/{_number(given['like'], len(events))}")


def _add_event_field(text: str, path: str, given: Mapping[str, str]) -> str:
    name = _named(given["name"])
    event = part_at(parts_of(text), path)
    # As the same field is written elsewhere: an amount is a text, a number of persons a number.
    quoted = re.search(rf"\b{re.escape(name)}: (\S)", text)
    value = given["value"]
    if quoted is not None and quoted[1] in "\"'":
        shape = structure.written(value, event.flow)
        shape = shape if shape.startswith('"') else f'"{shape}"'
    else:
        shape = structure.as_typed(value, event.flow)
    return structure.with_entry(text, path, name, shape)


# --- measures and figures


def _add_measure(text: str, path: str, given: Mapping[str, str]) -> str:
    name, value = _named(given["name"]), structure.written(given["value"])
    if "let" in data_at(text, path):
        flow = part_at(parts_of(text), f"{path}/let").flow
        value = structure.written(given["value"], flow)
        return structure.with_entry(text, f"{path}/let", name, value)
    return structure.with_entry(text, path, "let", [f"  {name}: {value}"], _BEFORE_LET)


def _add_param(text: str, path: str, given: Mapping[str, str]) -> str:
    basis = given["basis"]
    shape = f"{{value: {structure.as_typed(given['value'], True)}, basis: {basis}}}"
    if "params" in data_at(text, ""):
        return structure.with_entry(text, "params", _named(given["name"]), shape)
    line = f"  {_named(given['name'])}: {shape}"
    return structure.with_entry(text, "", "params", [line], _before_rules(text))


def _add_figure(text: str, path: str, given: Mapping[str, str]) -> str:
    """A figure from a day on: the one in force on that day ends the day before."""
    day, value = _day(given["from"]), structure.as_typed(given["value"], True)
    entry = data_at(text, path)
    if "value" in entry:
        old = part_at(parts_of(text), f"{path}/value")
        if old.sequence and not old.flow:
            raise InputError(
                say("the list of words is not in brackets"), hint=say("change it in the YAML")
            )
        before = structure.raw(text, f"{path}/value")
        ended = f"{{until: {day - _DAY}, value: {before}}}"
        return structure.rewritten(
            text, f"{path}/value", "values", f"[{ended}, {{from: {day}, value: {value}}}]"
        )
    where, versions = f"{path}/values", entry.get("values") or []
    until: date | None = None
    at = len(versions)
    for number, version in enumerate(versions):
        first, last = version.get("from"), version.get("until")
        if first == day:
            raise InputError(
                say("there is a figure from %(day)s on", day=day), hint=say("change that one")
            )
        if first is not None and first > day:
            until, at = first - _DAY, number
            break
        if last is None or last >= day:
            until, at = last, number + 1
            text = _ended(text, f"{where}/{number}", day - _DAY)
            break
    end = "" if until is None else f", until: {until}"
    item = f"{{from: {day}{end}, value: {value}}}"
    return structure.with_item(text, where, item, at)


def _ended(text: str, path: str, last: date) -> str:
    if "until" in data_at(text, path):
        return edited(text, {f"{path}/until": str(last)})
    return structure.with_entry(text, path, "until", str(last), ("from",))


def _without_figure(text: str, where: str, number: int, goes_on: bool) -> str:
    versions = data_at(text, where)
    if number >= len(versions) or len(versions) == 1:
        raise InputError(say("a parameter keeps one figure"), hint=say("take its use away first"))
    taken = versions[number]
    made = structure.without(text, f"{where}/{number}")
    if not goes_on:
        return made
    if not follows(versions, number):
        raise InputError(
            say("the figure before does not end the day before"), hint=say("take it away alone")
        )
    before = f"{where}/{number - 1}"
    if (until := taken.get("until")) is not None:
        return edited(made, {f"{before}/until": str(until)})
    made = structure.without(made, f"{before}/until")
    return _timeless(made, where)


def follows(versions: Any, number: int) -> bool:
    """Whether a dated figure begins the day after the one before it ends."""
    if not isinstance(versions, list) or not 0 < number < len(versions):
        return False
    first, last = versions[number].get("from"), versions[number - 1].get("until")
    return isinstance(first, date) and isinstance(last, date) and last + _DAY == first


def _timeless(text: str, where: str) -> str:
    """One figure without days, in braces, as the value that it is."""
    (only, *others), values = data_at(text, where), part_at(parts_of(text), where)
    if others or list(only) != ["value"] or not values.flow:
        return text
    return structure.rewritten(text, where, "value", structure.raw(text, f"{where}/0/value"))


# --- citations


def _add_obligation(text: str, path: str, given: Mapping[str, str]) -> str:
    fresh, where = structure.written(given["id"], True), f"{path}/obligation"
    present = data_at(text, path).get("obligation")
    if present is None:
        return structure.with_entry(text, path, "obligation", fresh, (*_BEFORE_CITE, "cite"))
    if isinstance(present, list):
        return structure.with_item(text, where, fresh)
    return structure.rewritten(
        text, where, "obligation", f"[{structure.raw(text, where)}, {fresh}]"
    )


def _single(text: str, where: str) -> str:
    """A list of one obligation, in brackets, as the word that it is."""
    if not part_at(parts_of(text), where).flow or len(data_at(text, where)) != 1:
        return text
    return structure.rewritten(text, where, "obligation", structure.raw(text, f"{where}/0"))


def _add_cite(text: str, path: str, given: Mapping[str, str]) -> str:
    if given["instrument"] not in (data_at(text, "").get("instruments") or {}):
        raise InputError(
            say("there is no instrument %(instrument)s", instrument=given["instrument"]),
            hint=say("add it first"),
        )
    article = given["article"] and f", article: {structure.written(given['article'], True)}"
    shape = f"{{instrument: {given['instrument']}{article}, confidence: {given['confidence']}}}"
    return structure.with_entry(text, path, "cite", shape, _BEFORE_CITE)


def _add_instrument(text: str, path: str, given: Mapping[str, str]) -> str:
    zh = given["zh"] and f", zh: {structure.written(given['zh'], True)}"
    lines = [
        f"  title: {{en: {structure.written(given['en'], True)}{zh}}}",
        f"  in_force: {{from: {_day(given['from'])}}}",
    ]
    name = _named(given["id"])
    if "instruments" in data_at(text, ""):
        return structure.with_entry(text, "instruments", name, ["  " + one for one in lines])
    made = [f"  {name}:", *("    " + line for line in lines)]
    return structure.with_entry(text, "", "instruments", made, _before_rules(text, "params"))


# --- what they share


def _before_rules(text: str, *others: str) -> tuple[str, ...]:
    return tuple(name for name in data_at(text, "") if name not in ("rules", *others))


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InputError(
            say("%(name)r is no name", name=name[:100]), hint=say("letters, digits and _")
        )
    return name


def _number(text: str, count: int) -> int:
    """Which one it is to be like: a number among so many, the last where none is said."""
    if not text and count:
        return count - 1
    if not text.isdecimal() or int(text) >= count:
        raise InputError(say("there is none that it could be like"), hint=say("choose one"))
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            say("%(text)r is no day", text=text[:40]), hint=say("such as 2027-01-01")
        ) from None


_ADD: Final[Mapping[str, Callable[[str, str, Mapping[str, str]], str]]] = {
    "test": _add_test,
    "event": _add_event,
    "event_field": _add_event_field,
    "measure": _add_measure,
    "figure": _add_figure,
    "param": _add_param,
    "obligation": _add_obligation,
    "cite": _add_cite,
    "instrument": _add_instrument,
}
