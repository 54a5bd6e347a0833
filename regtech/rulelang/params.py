"""Instruments and parameters of a pack: the law's titles, figures and dates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, cast, get_args

from regtech.content.saying import say
from regtech.content.yamlmarks import Mapping, Node, Scalar, Sequence
from regtech.rulelang.ir import (
    Basis,
    Confidence,
    Instrument,
    Money,
    Param,
    ParamVersion,
    Span,
    Type,
    Value,
)
from regtech.rulelang.nodes import NAME, NodeReader
from regtech.rulelang.scope import Names
from regtech.rulelang.values import ValueFault, parse_value

CONFIDENCES: Final = get_args(Confidence)
BASES: Final = get_args(Basis)
_PARAM_KEYS: Final = ("value", "values", "basis", "confidence", "note")
_LAW_KEYS: Final = ("cite", "confidence", "instrument", "article")


def read_instruments(reader: NodeReader, node: Node | None) -> dict[str, Instrument]:
    """The ``instruments`` of a pack by id."""
    mapping = reader.mapping(node, "instruments")
    found: dict[str, Instrument] = {}
    if mapping is None:
        return found
    for name, child in mapping.entries.items():
        key = mapping.keys[name]
        reader.identifier(key, say("the id of an instrument"))
        entry = reader.mapping(child, say("the instrument %(name)r", name=name))
        if entry is None:
            continue
        reader.keys(
            entry,
            ("title", "in_force", "url"),
            ("title",),
            say("the instrument %(name)r", name=name),
        )
        title = reader.texts(entry.entries.get("title"), "title") or {}
        span = reader.span(entry.entries.get("in_force"), "in_force")
        found[name] = Instrument(name, title, span, reader.mark(key))
    return found


def read_params(reader: NodeReader, node: Node | None, names: Names) -> dict[str, Param]:
    """The ``params`` of a pack by name; faulty ones are left out or have fewer versions."""
    mapping = reader.mapping(node, "params")
    found: dict[str, Param] = {}
    if mapping is None:
        return found
    for name, child in mapping.entries.items():
        key = mapping.keys[name]
        if not NAME.match(name):
            reader.fault("RL106", say("a parameter's name is lower case, digits and _"), key)
        entry = reader.mapping(child, say("the parameter %(name)r", name=name))
        if entry is not None:
            param = _read_param(reader, name, key, entry, names)
            if param is not None:
                found[name] = param
    return found


def _read_param(
    reader: NodeReader, name: str, key: Scalar, entry: Mapping, names: Names
) -> Param | None:
    what = say("the parameter %(name)r", name=name)
    basis = reader.word(entry.entries.get("basis"), "basis", BASES)
    if basis == "default":
        for law_key in _LAW_KEYS:
            if law_key in entry.entries:
                reader.fault(
                    "RL402",
                    say(
                        "%(what)s is a product default and cannot have %(law_key)r",
                        what=what,
                        law_key=law_key,
                    ),
                    entry.keys[law_key],
                    say("write basis: law, or leave it out"),
                )
        allowed: tuple[str, ...] = (*_PARAM_KEYS, *_LAW_KEYS)
    else:
        allowed = _PARAM_KEYS
    reader.keys(entry, allowed, ("basis",), what)
    confidence = reader.word(entry.entries.get("confidence"), "confidence", CONFIDENCES)
    note = reader.texts(entry.entries.get("note"), "note")
    if ("value" in entry.entries) == ("values" in entry.entries):
        reader.fault("RL111", say("%(what)s has either value or values", what=what), key)
        return None
    versions: list[tuple[ParamVersion, Type]] = []
    if "value" in entry.entries:
        value_node = entry.entries["value"]
        parsed = read_figure(reader, value_node, names)
        if parsed is not None:
            version = ParamVersion(Span(), parsed[0], reader.mark(value_node))
            versions.append((version, parsed[1]))
    else:
        versions = _read_versions(reader, entry.entries["values"], names)
    if not versions:
        return None
    type_ = _common_type(reader, name, versions)
    if type_ is None:
        return None
    return Param(
        name,
        cast(Basis, basis or "law"),
        type_,
        tuple(version for version, _ in versions),
        cast("Confidence | None", confidence),
        note,
        reader.mark(key),
    )


def read_figure(reader: NodeReader, node: Node, names: Names) -> tuple[Value, Type] | None:
    """One figure of a parameter."""
    if isinstance(node, Sequence):
        words: list[str] = []
        for item in node.items:
            word = reader.string(item, say("a word of the list"))
            if word is not None:
                words.append(word)
        if not words:
            reader.fault("RL107", say("the list is empty"), node)
            return None
        return frozenset(words), Type("words")
    if not isinstance(node, Scalar):
        reader.fault("RL103", say("a figure is a text, a number or a list of words"), node)
        return None
    if node.style in ("'", '"'):
        return _quoted(reader, node, names)
    value = node.value
    if isinstance(value, bool):
        return value, Type("bool")
    if value is None or isinstance(value, date):
        reader.fault("RL107", say("a figure is money, a number, a length of time or text"), node)
        return None
    parsed = parse_value(node.text, names.currencies)
    if isinstance(parsed, ValueFault):
        reader.fault(parsed.code, parsed.message, node, parsed.hint)
        return None
    return parsed


def _quoted(reader: NodeReader, node: Scalar, names: Names) -> tuple[Value, Type] | None:
    """In quotes stands a text, or a figure with a comma (``"GBP 12,000"``) or a unit."""
    parsed = parse_value(node.text, names.currencies)
    if isinstance(parsed, ValueFault):
        if parsed.code == "RL209":
            reader.fault(parsed.code, parsed.message, node, parsed.hint)
            return None
        return node.text, Type("symbol")
    bare = parsed[1] in (Type("int"), Type("ratio")) and not node.text.endswith("%")
    return (node.text, Type("symbol")) if bare else parsed


def _read_versions(reader: NodeReader, node: Node, names: Names) -> list[tuple[ParamVersion, Type]]:
    if not isinstance(node, Sequence):
        reader.fault("RL103", say("values is a list of {from, until, value}"), node)
        return []
    found: list[tuple[ParamVersion, Type]] = []
    for item in node.items:
        entry = reader.mapping(item, say("a dated value"))
        if entry is None:
            continue
        reader.keys(entry, ("from", "until", "value"), ("value",), say("a dated value"))
        span = reader.span_of(entry, say("a dated value"))
        value_node = entry.entries.get("value")
        parsed = read_figure(reader, value_node, names) if value_node is not None else None
        if parsed is not None:
            found.append((ParamVersion(span, parsed[0], reader.mark(item)), parsed[1]))
    found.sort(key=lambda version: version[0].span.first or date.min)
    for (before, _), (after, _) in zip(found, found[1:], strict=False):
        ends, starts = before.span.last or date.max, after.span.first or date.min
        if ends >= starts:
            reader.faults.add("RL405", say("this value overlaps the one before it"), after.mark)
        elif ends + timedelta(days=1) != starts:
            reader.faults.add(
                "RL406",
                say(
                    "no value holds from %(ends)s to %(starts)s",
                    ends=ends + timedelta(days=1),
                    starts=starts - timedelta(days=1),
                ),
                after.mark,
                say("rules that use the parameter are then not in force"),
            )
    return found


def _common_type(
    reader: NodeReader, name: str, versions: list[tuple[ParamVersion, Type]]
) -> Type | None:
    first = versions[0][1]
    type_ = first
    for version, other in versions[1:]:
        if {first.name, other.name} == {"int", "ratio"} and first.unit == other.unit:
            type_ = Type("ratio", unit=first.unit)
        elif first.name == other.name == "money":
            if first.currency != other.currency:
                type_ = Type("money", currency=f"*{name}")
        elif first != other:
            code = "RL207" if first.name == other.name else "RL206"
            reader.faults.add(
                code, say("the values of %(name)r are of different kinds", name=name), version.mark
            )
            return None
    assert all(isinstance(v.value, Money) for v, _ in versions) or type_.name != "money"
    return type_
