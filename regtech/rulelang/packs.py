"""Loads rulepacks: from files to checked packs, with every fault of all of them at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from regtech.collector import collector_paused
from regtech.content.faults import Fault, Mark, did_you_mean
from regtech.content.saying import as_said, say
from regtech.content.yamlmarks import Document, Mapping, Node, load, load_file
from regtech.errors import ContentError, InputError
from regtech.rulelang.check import check_pack, check_packs
from regtech.rulelang.digest import pack_digest, rule_digest
from regtech.rulelang.faults import Faults
from regtech.rulelang.files import pack_files
from regtech.rulelang.ir import Pack, Rule, Text
from regtech.rulelang.nodes import NodeReader
from regtech.rulelang.params import read_instruments, read_params
from regtech.rulelang.register import Register, load_register
from regtech.rulelang.rules import PackContext, names_of_params, read_rule

PACK_KEYS: Final = (
    "pack",
    "version",
    "jurisdiction",
    "title",
    "instruments",
    "params",
    "rules",
    "not_decided",
)
VERSION: Final = re.compile(r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\Z")


def load_packs(
    paths: Iterable[Path] | Path | None = None, register: Register | None = None
) -> tuple[list[Pack], list[Fault]]:
    """Reads and checks every pack; faults are in order of file and place.

    A rule with faults of its own is left out of its pack; a pack without a readable head is left
    out as a whole. Nothing is raised for what is in a file. ``register`` None: the one shipped.
    """
    faults = Faults()
    packs: list[Pack] = []
    with collector_paused():
        register = load_register() if register is None else register
        for path in pack_files(paths):
            try:
                document = load_file(path)
            except InputError as error:
                faults.add("RL001", as_said(error.message), Mark(str(path), 1, 1))
                continue
            pack = read_pack(document, register, faults, path.stem)
            if pack is not None:
                packs.append(pack)
        check_packs(packs, faults)
    return packs, faults.ordered()


def load_text(
    text: str, file: str = "<text>", register: Register | None = None
) -> tuple[Pack | None, list[Fault]]:
    """One pack from text, for editors and tests; the file's name is not compared with the id."""
    register = load_register() if register is None else register
    faults = Faults()
    pack = read_pack(load(text, file), register, faults, None)
    if pack is not None:
        check_packs([pack], faults)
    return pack, faults.ordered()


def require_packs(
    paths: Iterable[Path] | Path | None = None, register: Register | None = None
) -> list[Pack]:
    """Packs that must be free of errors; raises ``ContentError`` with every fault otherwise."""
    packs, faults = load_packs(paths, register)
    errors = [fault for fault in faults if fault.severity == "error"]
    if errors:
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        raise ContentError(
            say("%(errors)s%(more)s", errors=errors[0], more=more),
            errors,
            hint=say("regtech rules lint shows them all"),
        )
    return packs


def read_pack(
    document: Document, register: Register, faults: Faults, stem: str | None
) -> Pack | None:
    """One pack of a loaded document. ``stem``: the file's name without ending, must be the id."""
    reader = NodeReader(document, faults)
    reader.problems()
    root = document.root
    if root is None:
        if not document.problems:
            faults.add("RL102", say("the file is empty"), Mark(document.file, 1, 1))
        return None
    mapping = reader.mapping(root, say("a pack"))
    if mapping is None:
        return None
    required: tuple[str, ...] = ("pack", "version", "jurisdiction", "title", "rules")
    if "not_decided" in mapping.entries:
        required = required[:-1]
    reader.keys(mapping, PACK_KEYS, required, say("a pack"))
    entries = mapping.entries
    pack_id = reader.identifier(entries.get("pack"), say("the id of a pack"))
    if stem is not None and pack_id is not None and stem != pack_id:
        reader.fault(
            "RL106",
            say("the pack %(pack_id)r is in the file %(stem)r", pack_id=pack_id, stem=stem),
            entries["pack"],
        )
    version = reader.string(entries.get("version"), "version")
    if version is not None and not VERSION.match(version):
        reader.fault("RL106", say("a version is like 1.0.0"), entries["version"])
    jurisdiction = _jurisdiction(reader, entries.get("jurisdiction"), register)
    title = reader.texts(entries.get("title"), "title")
    instruments = read_instruments(reader, entries.get("instruments"))
    params = read_params(reader, entries.get("params"), register.names)
    params_node = entries.get("params")
    param_names = tuple(params_node.entries) if isinstance(params_node, Mapping) else ()
    context = PackContext(reader, instruments, params, register.names, set(), set(), param_names)
    rules = [read_rule(context, item) for item in reader.sequence(entries.get("rules"), "rules")]
    not_decided = _not_decided(reader, entries.get("not_decided"))
    _unused(context, mapping)
    if pack_id is None or version is None or jurisdiction is None:
        return None
    pack = Pack(
        id=pack_id,
        version=version,
        jurisdiction=jurisdiction,
        title=title or {},
        instruments=instruments,
        params=params,
        rules=tuple(rule for rule in rules if rule is not None),
        not_decided=not_decided,
        digest="",
        path=document.file,
        mark=reader.mark(entries["pack"]),
    )
    check_pack(pack, mapping, reader, register)
    return with_digests(pack)


def with_digests(pack: Pack) -> Pack:
    """The pack with the digests of its rules and its own filled in."""
    rules: Sequence[Rule] = [replace(rule, digest=rule_digest(rule, pack)) for rule in pack.rules]
    pack = replace(pack, rules=tuple(rules))
    return replace(pack, digest=pack_digest(pack))


def _jurisdiction(reader: NodeReader, node: Node | None, register: Register) -> str | None:
    text = reader.string(node, "jurisdiction")
    if text is None or node is None:
        return None
    if register.jurisdictions and text not in register.jurisdictions:
        hint = did_you_mean(text, register.jurisdictions)
        reader.fault("RL308", say("unknown jurisdiction %(text)r", text=text), node, hint)
    return text


def _not_decided(reader: NodeReader, node: Node | None) -> dict[str, Text]:
    mapping = reader.mapping(node, "not_decided")
    if mapping is None:
        return {}
    found: dict[str, Text] = {}
    for name, child in mapping.entries.items():
        text = reader.texts(child, say("the reason for %(name)s", name=name))
        if text is not None:
            found[name] = text
    return found


def _unused(context: PackContext, mapping: Mapping) -> None:
    """Parameters and instruments that nothing refers to, also counting rules that have faults."""
    reader = context.reader
    text = reader.document.text
    params = mapping.entries.get("params")
    if isinstance(params, Mapping):
        # A rule whose expression cannot be parsed says nothing about its parameters: look at words.
        spelled = set(names_of_params(text)) if reader.faults.errors else set()
        for name, key in params.keys.items():
            if name not in context.params_used and name not in spelled:
                reader.fault("RL302", say("the parameter %(name)r is never used", name=name), key)
    instruments = mapping.entries.get("instruments")
    if isinstance(instruments, Mapping) and context.instruments_used <= set(instruments.entries):
        for name, key in instruments.keys.items():
            if name not in context.instruments_used:
                reader.fault("RL306", say("the instrument %(name)r is never cited", name=name), key)
