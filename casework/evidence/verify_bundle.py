#!/usr/bin/env python3
"""Check a bundle of evidence offline: ``python verify_bundle.py BUNDLE``.

This file needs Python 3.10 or later and nothing else; it may be handed on with the bundles.
``regtech verify`` calls the same code. The format is written down in docs/concepts/evidence.md.

Exit status: 0 whole, 1 changed (each finding says where), 2 wrong use, 3 cannot be read as a
bundle at all.

It is one file of more than 500 lines on purpose: whoever receives a bundle reads and runs one file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

FORMAT = "regtech-evidence/1"
CHECKPOINT_FORMAT = "regtech-checkpoint/1"
KEY_FORMAT = "regtech-key/1"
MARK = "$commitment"

MAX_BYTES = 64 << 20
MAX_VALUES = 4_000_000
MAX_DEPTH = 64
MAX_FINDINGS = 100

WHOLE, CHANGED, WRONG_USE, UNREADABLE = 0, 1, 2, 3

# --- what is said, in two languages ---------------------------------------------------------------

MESSAGES: dict[str, tuple[str, str]] = {
    "too_large": (
        "larger than {limit} bytes: refused",
        "超过 {limit} 字节，拒绝处理",
    ),
    "too_many_values": (
        "more than {limit} values: refused",
        "数据项超过 {limit} 个，拒绝处理",
    ),
    "not_a_bundle": (
        "not a bundle of evidence ({format})",
        "不是证据包（{format}）",
    ),
    "cannot_open": ("cannot be opened: {reason}", "无法打开：{reason}"),
    "syntax": (
        "byte {at} is damaged, or the file was cut there: {reason}",
        "第 {at} 字节损坏或文件在此被截断：{reason}",
    ),
    "duplicate_key": ("the key {key} stands twice in one object", "同一对象中键 {key} 重复"),
    "too_deep": ("nested deeper than {limit} levels", "嵌套超过 {limit} 层"),
    "not_canonical": (
        "byte {at} is not as the canonical form has it",
        "第 {at} 字节不符合规范格式",
    ),
    "shape": ("expected {expected}", "应为 {expected}"),
    "key_id": ("the public key does not have this id", "公钥与编号不符"),
    "key_lineage": (
        "the key is not signed by the one before it",
        "密钥未由前一密钥签名",
    ),
    "key_unknown": ("no such key in the bundle: {key}", "证据包中没有密钥 {key}"),
    "key_untrusted": (
        "signed by key {key}, which is not a trusted key and does not succeed one",
        "由密钥 {key} 签名，该密钥不受信任，也不是受信任密钥的后继",
    ),
    "section_changed": (
        "is not what the manifest was signed over",
        "与签名清单所载不一致",
    ),
    "manifest_signature": (
        "the signature does not fit: the manifest, its signature or its key was changed",
        "签名不符：清单、签名或密钥被更改",
    ),
    "checkpoint_signature": (
        "the signature does not fit: it was changed",
        "签名不符：检查点被更改",
    ),
    "checkpoint_chain": (
        "does not follow the checkpoint before it",
        "与前一检查点不衔接",
    ),
    "checkpoint_tenant": (
        "is of the chain {found}, the manifest of {expected}",
        "属于链 {found}，而清单属于 {expected}",
    ),
    "document_changed": ("changed: it is not what the manifest names", "内容被更改：与清单不符"),
    "document_missing": ("removed: the manifest names it", "被移除：清单中有此文件"),
    "document_added": ("inserted: the manifest does not name it", "被插入：清单中无此文件"),
    "document_anchor": (
        "is not the one that entry {position} of the timeline names",
        "与时间线第 {position} 条所载不一致",
    ),
    "entry_changed": (
        "changed: content and previous hash do not give the hash in the manifest",
        "内容被更改：内容与前一哈希不能得出清单中的哈希",
    ),
    "entry_missing": ("removed: the manifest names it", "被移除：清单中有此条目"),
    "entry_added": ("inserted: the manifest does not name it", "被插入：清单中无此条目"),
    "entry_twice": ("stands twice", "重复出现"),
    "entry_order": (
        "reordered: it stands where entry {expected} belongs",
        "顺序被更改：此处应为第 {expected} 条",
    ),
    "entry_unlinked": (
        "its previous hash is not the hash of entry {before}",
        "其前一哈希不是第 {before} 条的哈希",
    ),
    "entry_unproved": (
        "its path does not lead to the root of the checkpoint",
        "其路径不能得出检查点的根哈希",
    ),
    "opening_changed": (
        "the value shown is not the one committed to",
        "所披露的值与承诺不符",
    ),
    "opening_unplaced": ("there is no commitment at this place", "此处没有承诺"),
    "opening_twice": ("opened twice", "重复披露"),
    "rule_pack": (
        "rests on pack {pack}, but the rule text in the bundle is of pack {found}",
        "依据规则包 {pack}，而证据包中的规则文本属于 {found}",
    ),
}


class Finding(NamedTuple):
    """Something that is not as it was signed: a stable code, where, and what to put in its text."""

    code: str
    where: str
    values: dict[str, str]

    def said(self, lang: str = "en") -> str:
        """What, in English or Chinese."""
        return MESSAGES[self.code][1 if lang == "zh" else 0].format(**self.values)

    def text(self, lang: str = "en") -> str:
        """``where: what``."""
        return self.where + ("：" if lang == "zh" else ": ") + self.said(lang)


class Unreadable(Exception):
    """The file is no bundle, or too large to be looked at."""

    def __init__(self, code: str, **values: str) -> None:
        super().__init__(code)
        self.finding = Finding(code, "bundle", values)


class _Broken(Exception):
    """A section cannot be read any further; what is wrong is in ``finding``."""

    def __init__(self, code: str, where: str, **values: str) -> None:
        super().__init__(code)
        self.finding = Finding(code, where, values)


class Report(NamedTuple):
    """What was found. ``facts`` says what the bundle holds, where that could be read."""

    findings: list[Finding]
    facts: dict[str, Any]
    """case, tenant, created, key, trusted (None: no key was given), entries, alerts, events, rules,
    shown, withheld, missing_events, anchored, checkpoint {time, size, key}."""

    @property
    def status(self) -> int:
        return CHANGED if self.findings else WHOLE


# --- Ed25519, verification only (RFC 8032, 5.1.7) -------------------------------------------------

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]  # X, Y, Z, T: x = X/Z, y = Y/Z, xy = T/Z


def _decompress(encoded: bytes) -> _Point | None:
    y = int.from_bytes(encoded, "little")
    sign = y >> 255
    y &= (1 << 255) - 1
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _add(one: _Point, two: _Point) -> _Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % _P
    b = (one[1] + one[0]) * (two[1] + two[0]) % _P
    c = 2 * one[3] * two[3] * _D % _P
    d = 2 * one[2] * two[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _sum(first: int, one: _Point, second: int, other: _Point) -> _Point:
    """``first`` times one point and ``second`` times the other; both at once, doubling once."""
    result: _Point = (0, 1, 1, 0)
    both = _add(one, other)
    for bit in reversed(range(max(first.bit_length(), second.bit_length()))):
        result = _add(result, result)
        in_first, in_second = first >> bit & 1, second >> bit & 1
        if in_first or in_second:
            result = _add(result, both if in_first and in_second else one if in_first else other)
    return result


def _compress(point: _Point) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE = _decompress(bytes([0x58]) + bytes([0x66]) * 31)


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """True where ``signature`` (64 bytes) is that of ``message`` by ``public_key`` (32 bytes)."""
    if len(public_key) != 32 or len(signature) != 64 or _BASE is None:
        return False
    key = _decompress(public_key)
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or scalar >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % _L
    negative = (_P - key[0], key[1], key[2], _P - key[3])
    return _compress(_sum(scalar, _BASE, challenge, negative)) == signature[:32]


# --- hashes ---------------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """UTF-8 JSON, keys sorted by code point, no blanks, nothing escaped that need not be."""
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode("utf-8")


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical form, hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def entry_hash(previous: bytes, content: Any) -> bytes:
    """The hash of an entry that follows the one with the hash ``previous``."""
    return hashlib.sha256(previous + canonical(content)).digest()


def root_of_path(position: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """Root of the hash tree (RFC 6962) of ``size`` entries to which the path of one leads."""
    if not 1 <= position <= size:
        return None
    at, last = position - 1, size - 1
    node = hashlib.sha256(b"\x00" + leaf).digest()
    used = 0
    while last:
        if at % 2 or at < last:
            if used == len(path):
                return None
            pair = path[used] + node if at % 2 else node + path[used]
            node = hashlib.sha256(b"\x01" + pair).digest()
            used += 1
        at >>= 1
        last >>= 1
    return node if used == len(path) else None


# --- reading --------------------------------------------------------------------------------------

_SECTIONS = (
    "checkpoints", "documents", "format", "keys", "manifest", "openings", "signature", "timeline",
)  # fmt: skip
_HEAD = b'{"checkpoints":['
_MARKS = (  # where the parts of a canonical bundle begin, in their order
    ("checkpoints", _HEAD),
    ("documents", b'],"documents":{'),
    ("format", b'},"format":"' + FORMAT.encode() + b'","keys":['),
    ("keys", b'"keys":[{'),
    ("manifest", b'],"manifest":{'),
    ("openings", b'},"openings":['),
    ("signature", b'],"signature":"'),
    ("timeline", b'","timeline":[{'),
)


def _resembles(data: bytes) -> bool:
    """Whether it is, or was before it was damaged, one of our bundles: one mark is enough."""
    return data.startswith(_HEAD) or b'"format":"' + FORMAT.encode() + b'"' in data


def _near(data: bytes, at: int) -> str:
    """The part of the bundle in which a byte lies, for people; the file may be damaged."""
    section, start = "bundle", 0
    for name, mark in _MARKS:
        found = data.rfind(mark, 0, at + 1)
        if found >= start:
            section, start = name, found
    if section == "timeline":
        following = re.compile(rb'"position":([0-9]{1,15}),"previous":"').search(data, at)
        if following:
            return "timeline entry " + following.group(1).decode()
    if section == "documents":
        name_of = re.compile(rb'"(case|(?:alerts|events|rules)/[^"\\]{1,200})":\{')
        document = b""
        for match in name_of.finditer(data, start, at + 1):
            document = match.group(1)
        if document:
            return "documents " + document.decode("utf-8", "replace")
    return section


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise Unreadable("too_large", limit=str(MAX_BYTES))
    if not _resembles(data):
        raise Unreadable("not_a_bundle", format=FORMAT)
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise Unreadable("too_many_values", limit=str(MAX_VALUES))

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen = set()
            for key, _ in pairs:
                if key in seen:
                    at = data.find(canonical_key(key))
                    where = _near(data, at) if at >= 0 else "bundle"
                    raise _Broken("duplicate_key", where, key=repr(key)[:80])
                seen.add(key)
        return found

    def canonical_key(key: str) -> bytes:
        return json.dumps(key, ensure_ascii=False).encode("utf-8", "surrogatepass")

    def constant(name: str) -> Any:
        raise _Broken("shape", "bundle", expected="JSON, not " + name)

    try:
        text = data.decode("utf-8")
        value = json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except UnicodeDecodeError as error:
        raise _Broken(
            "syntax", _near(data, error.start), at=str(error.start), reason="UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        at = len(text[: error.pos].encode("utf-8"))
        raise _Broken("syntax", _near(data, at), at=str(at), reason=error.msg) from None
    except RecursionError:
        raise _Broken("too_deep", "bundle", limit=str(MAX_DEPTH)) from None
    except ValueError:  # a whole number of thousands of digits
        raise _Broken("shape", "bundle", expected="numbers of a reasonable length") from None
    _check_depth(value)
    try:
        expected = canonical(value) + b"\n"
    except (ValueError, RecursionError):  # half a surrogate pair, an endless number
        raise _Broken("shape", "bundle", expected="texts and finite numbers") from None
    if expected != data:
        at = next(
            (i for i, (x, y) in enumerate(zip(expected, data, strict=False)) if x != y),
            min(len(expected), len(data)),
        )
        raise _Broken("not_canonical", _near(data, at), at=str(at))
    return _object(value, "bundle", _SECTIONS)


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(v for v in item.values() if isinstance(v, (dict, list)))
            elif isinstance(item, list):
                deeper.extend(v for v in item if isinstance(v, (dict, list)))
        if not deeper:
            return
        level = deeper
    raise _Broken("too_deep", "bundle", limit=str(MAX_DEPTH))


def _object(value: Any, where: str, keys: Sequence[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Broken("shape", where, expected="an object")
    if keys is not None and sorted(value) != sorted(keys):
        raise _Broken("shape", where, expected="the keys " + ", ".join(sorted(keys)))
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _Broken("shape", where, expected="a list")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _Broken("shape", where, expected="a text")
    return value


def _whole(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise _Broken("shape", where, expected="a whole number")
    return value


def _hex(value: Any, where: str, size: int) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value):
        raise _Broken("shape", where, expected=f"{2 * size} lower-case hexadecimal digits")
    return bytes.fromhex(value)


# --- checking -------------------------------------------------------------------------------------


class _Check:
    """One pass over a parsed bundle; every part says what it finds and the next goes on."""

    def __init__(self, bundle: dict[str, Any], trusted: Sequence[str]) -> None:
        self.bundle = bundle
        self.trusted = trusted
        self.findings: list[Finding] = []
        self.facts: dict[str, Any] = {}
        self.keys: dict[str, bytes] = {}
        self.believed: set[str] = set()
        self.manifest: dict[str, Any] = {}
        self.root: bytes | None = None
        self.size = 0
        self.timeline: dict[int, Any] = {}
        self.documents: dict[str, Any] = {}

    def found(self, code: str, where: str, **values: str) -> None:
        self.findings.append(Finding(code, where, values))

    def run(self) -> Report:
        parts: list[Callable[[], None]] = [
            self.check_keys, self.check_manifest, self.check_checkpoints, self.check_timeline,
            self.check_documents, self.check_openings, self.check_references,
        ]  # fmt: skip
        for part in parts:
            try:
                part()
            except _Broken as broken:
                self.findings.append(broken.finding)
        return Report(self.findings, self.facts)

    def check_keys(self) -> None:
        before: str | None = None
        for at, given in enumerate(_list(self.bundle["keys"], "keys"), 1):
            where = f"key {at}"
            names = ("created", "format", "key", "public_key", "signature", "succeeds")
            record = _object(given, where, names)
            public = _hex(record["public_key"], where + " public_key", 32)
            key = _text(record["key"], where + " key")
            _text(record["created"], where + " created")
            if record["format"] != KEY_FORMAT or hashlib.sha256(public).hexdigest()[:32] != key:
                self.found("key_id", where)
                continue
            self.keys[key] = public
            if self._is_trusted(key, public):
                self.believed.add(key)
            if record["succeeds"] != before or (before is None) != (record["signature"] is None):
                self.found("key_lineage", where)
            elif before is not None:
                signature = _hex(record["signature"], where + " signature", 64)
                signed = {name: value for name, value in record.items() if name != "signature"}
                if not ed25519_verify(self.keys[before], canonical(signed), signature):
                    self.found("key_lineage", where)
                elif before in self.believed:
                    self.believed.add(key)
            before = key

    def _is_trusted(self, key: str, public: bytes) -> bool:
        return key in self.trusted or public.hex() in self.trusted

    def check_manifest(self) -> None:
        names = (
            "case", "checkpoints", "created", "documents", "format", "key", "keys", "tenant",
            "timeline",
        )  # fmt: skip
        manifest = _object(self.bundle["manifest"], "manifest", names)
        self.manifest = manifest
        for name in ("case", "created", "key", "tenant"):
            self.facts[name] = _text(manifest[name], "manifest " + name)
        if self.bundle["format"] != FORMAT or manifest["format"] != FORMAT:
            raise _Broken("shape", "format", expected=FORMAT)
        signature = _hex(self.bundle["signature"], "signature", 64)
        key = manifest["key"]
        if key not in self.keys:
            raise _Broken("key_unknown", "manifest", key=key[:80])
        if not ed25519_verify(self.keys[key], canonical(manifest), signature):
            self.found("manifest_signature", "manifest")
        for name in ("checkpoints", "keys"):
            if digest_of(self.bundle[name]) != manifest[name]:
                self.found("section_changed", name)
        self.facts["trusted"] = key in self.believed if self.trusted else None
        if self.trusted and key not in self.believed:
            self.found("key_untrusted", "manifest", key=key)

    def check_checkpoints(self) -> None:
        before: dict[str, Any] | None = None
        checkpoints = _list(self.bundle["checkpoints"], "checkpoints")
        if not checkpoints:
            raise _Broken("shape", "checkpoints", expected="at least one checkpoint")
        for at, given in enumerate(checkpoints, 1):
            where = f"checkpoint {at}"
            names = (
                "format", "head", "key", "previous", "root", "signature", "size", "tenant", "time",
            )  # fmt: skip
            checkpoint = _object(given, where, names)
            signature = _hex(checkpoint["signature"], where + " signature", 64)
            root = _hex(checkpoint["root"], where + " root", 32)
            _hex(checkpoint["head"], where + " head", 32)
            _hex(checkpoint["previous"], where + " previous", 32)
            size = _whole(checkpoint["size"], where + " size")
            time = _text(checkpoint["time"], where + " time")
            key = _text(checkpoint["key"], where + " key")
            if key not in self.keys:
                raise _Broken("key_unknown", where, key=key[:80])
            signed = {name: value for name, value in checkpoint.items() if name != "signature"}
            if checkpoint["format"] != CHECKPOINT_FORMAT or not ed25519_verify(
                self.keys[key], canonical(signed), signature
            ):
                self.found("checkpoint_signature", where)
            if checkpoint["tenant"] != self.facts.get("tenant"):
                self.found(
                    "checkpoint_tenant", where,
                    found=repr(checkpoint["tenant"])[:80],
                    expected=repr(self.facts.get("tenant"))[:80],
                )  # fmt: skip
            if before is not None and (
                checkpoint["previous"] != digest_of(before) or size < before["size"]
            ):
                self.found("checkpoint_chain", where)
            before = checkpoint
            self.root, self.size = root, size
            self.facts["checkpoint"] = {"time": time, "size": size, "key": key}

    def check_timeline(self) -> None:
        entries = _list(self.bundle["timeline"], "timeline")
        self.facts["entries"] = len(entries)
        positions: list[int] = []
        hashes: dict[int, bytes] = {}
        for at, given in enumerate(entries, 1):
            where = f"timeline item {at}"
            entry = _object(given, where, ("content", "path", "previous", "position"))
            position = _whole(entry["position"], where + " position")
            where = f"timeline entry {position}"
            positions.append(position)
            if self.timeline.setdefault(position, entry) is not entry:
                self.found("entry_twice", where)
                continue
            previous = _hex(entry["previous"], where + " previous", 32)
            path = [
                _hex(step, where + " path", 32) for step in _list(entry["path"], where + " path")
            ]
            own = entry_hash(previous, _object(entry["content"], where))
            hashes[position] = own
            if self.root is not None and root_of_path(position, self.size, own, path) != self.root:
                self.found("entry_unproved", where)
            if position - 1 in hashes and hashes[position - 1] != previous:
                self.found("entry_unlinked", where, before=str(position - 1))
        self._compare_with_manifest(positions, hashes)

    def _compare_with_manifest(self, positions: list[int], hashes: dict[int, bytes]) -> None:
        named: dict[int, bytes] = {}
        order: list[int] = []
        for given in _list(self.manifest.get("timeline"), "manifest timeline"):
            pair = _list(given, "manifest timeline")
            if len(pair) != 2:
                raise _Broken("shape", "manifest timeline", expected="pairs")
            position = _whole(pair[0], "manifest timeline")
            named[position] = _hex(pair[1], "manifest timeline", 32)
            order.append(position)
        for position in order:
            if position not in hashes:
                self.found("entry_missing", f"timeline entry {position}")
            elif hashes[position] != named[position]:
                self.found("entry_changed", f"timeline entry {position}")
        for position in hashes:
            if position not in named:
                self.found("entry_added", f"timeline entry {position}")
        if sorted(positions) == sorted(order) and positions != order:
            there, belongs = next((x, y) for x, y in zip(positions, order, strict=True) if x != y)
            self.found("entry_order", f"timeline entry {there}", expected=str(belongs))

    def check_documents(self) -> None:
        self.documents = _object(self.bundle["documents"], "documents")
        for kind in ("alerts", "events", "rules"):
            self.facts[kind] = sum(name.startswith(kind + "/") for name in self.documents)
        named = _object(self.manifest.get("documents"), "manifest documents")
        for name, digest in named.items():
            if name not in self.documents:
                self.found("document_missing", "documents " + name)
            elif digest_of(self.documents[name]) != digest:
                self.found("document_changed", "documents " + name)
        for name in self.documents:
            if name not in named:
                self.found("document_added", "documents " + name)

    def check_openings(self) -> None:
        shown = set()
        for at, given in enumerate(_list(self.bundle["openings"], "openings"), 1):
            where = f"opening {at}"
            opening = _object(given, where, ("at", "in", "salt", "value"))
            place = (_text(opening["in"], where), _text(opening["at"], where))
            where = f"opening of {place[0][:200]} {place[1][:200]}"
            if place in shown:
                self.found("opening_twice", where)
            shown.add(place)
            salt = _hex(opening["salt"], where + " salt", 32)
            committed = self._commitment(*place)
            if committed is None:
                self.found("opening_unplaced", where)
            elif hashlib.sha256(salt + canonical(opening["value"])).hexdigest() != committed:
                self.found("opening_changed", where)
        total = sum(map(_commitments, self.documents.values()))
        total += sum(_commitments(entry.get("content")) for entry in self.timeline.values())
        self.facts["shown"] = len(shown)
        self.facts["withheld"] = total - len(shown)

    def _commitment(self, inside: str, pointer: str) -> str | None:
        kind, _, name = inside.partition("/")
        value: Any = None
        if kind == "timeline" and re.fullmatch("[0-9]{1,15}", name):
            value = self.timeline.get(int(name), {}).get("content")
        elif kind == "documents":
            value = self.documents.get(name)
        if not pointer.startswith("/"):
            return None
        for step in pointer[1:].split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]{0,8}", step):
                value = value[int(step)] if int(step) < len(value) else None
            else:
                return None
        marked = value[MARK] if isinstance(value, dict) and list(value) == [MARK] else None
        return marked if isinstance(marked, str) else None

    def check_references(self) -> None:
        """What parts of the bundle say of each other: entries of documents, alerts of rules."""
        latest: dict[str, tuple[int, Any]] = {}
        for position, entry in sorted(self.timeline.items()):
            content = entry.get("content")
            detail = content.get("detail") if isinstance(content, dict) else None
            documents = detail.get("documents") if isinstance(detail, dict) else None
            if isinstance(documents, dict):
                latest.update({name: (position, value) for name, value in documents.items()})
        anchored = 0
        for name, (position, digest) in latest.items():
            if name in self.documents:
                anchored += 1
                if digest_of(self.documents[name]) != digest:
                    self.found("document_anchor", "documents " + name, position=str(position))
        self.facts["anchored"] = anchored
        missing: set[str] = set()
        for name, alert in self.documents.items():
            if not name.startswith("alerts/") or not isinstance(alert, dict):
                continue
            events = alert.get("events")
            if isinstance(events, list):
                missing.update(e for e in events if isinstance(e, str))
            rule = self.documents.get(f"rules/{alert.get('rule')}")
            pack = alert.get("pack_digest")
            if isinstance(rule, dict) and rule.get("pack_digest") != pack:
                of = str(rule.get("pack_digest"))[:80]
                self.found("rule_pack", "documents " + name, pack=str(pack)[:80], found=of)
        held = {name.partition("/")[2] for name in self.documents if name.startswith("events/")}
        self.facts["missing_events"] = len(missing - held)


def _commitments(value: Any) -> int:
    if isinstance(value, dict):
        if list(value) == [MARK]:
            return 1
        return sum(map(_commitments, value.values()))
    return sum(map(_commitments, value)) if isinstance(value, list) else 0


def verify(data: bytes, trusted: Sequence[str] = ()) -> Report:
    """Check the bytes of a bundle. ``trusted``: ids (32 hexadecimal digits) or public keys (64).

    Raises ``Unreadable`` where they are no bundle at all.
    """
    try:
        bundle = _parse(data)
    except _Broken as broken:
        return Report([broken.finding], {})
    return _Check(bundle, [key.lower() for key in trusted]).run()


def read(path: str) -> bytes:
    """The bytes of a file, at most so many as are looked at. Raises ``Unreadable``."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable("cannot_open", reason=error.strerror or str(error)) from None
    if len(data) > MAX_BYTES:
        raise Unreadable("too_large", limit=str(MAX_BYTES))
    return data


# --- telling --------------------------------------------------------------------------------------

_TOLD: dict[str, tuple[str, str]] = {
    "whole": ("whole", "完整"),
    "changed": ("CHANGED", "已被更改"),
    "unreadable": ("unreadable", "无法读取"),
    "case": (
        "case {case}, chain {tenant}, exported {created} with key {key}",
        "案件 {case}，链 {tenant}，导出时间 {created}，密钥 {key}",
    ),
    "held": (
        "{n_entries}, {n_alerts}, {n_events}, {n_rules}; {n_shown} shown, {withheld} withheld",
        "时间线 {entries} 条，预警 {alerts} 个，事件 {events} 个，规则 {rules} 条；"
        "分级字段披露 {shown} 项，保留 {withheld} 项",
    ),
    "checkpoint": (
        "checkpoint of {time}: {n_size} of the chain, key {key}",
        "检查点 {time}：链上 {size} 条，密钥 {key}",
    ),
    "missing": (
        "note: {n_missing_events} that alerts name not in the bundle",
        "提示：预警所列事件中有 {missing_events} 个不在证据包内",
    ),
    "trusted": ("the key is trusted", "密钥受信任"),
    "unsure": (
        "note: no key was given. Compare {key} with the id that the authority publishes, or "
        "give it with --key",
        "提示：未指定密钥。请与主管机关公布的密钥编号核对：{key}，或用 --key 指定",
    ),
    "more": ("... and {n_n} more", "……另有 {n} 项"),
}
_COUNTED: dict[str, tuple[str, str]] = {
    "entries": ("entry", "entries"),
    "alerts": ("alert", "alerts"),
    "events": ("event", "events"),
    "rules": ("rule", "rules"),
    "shown": ("graded value", "graded values"),
    "size": ("entry", "entries"),
    "missing_events": ("event", "events"),
    "n": ("finding", "findings"),
}
"""What is counted: one of it, and several. Texts name the two together as ``n_`` and the name."""


def told(report: Report, name: str, lang: str = "en") -> str:
    """The report for people."""

    def say(what: str, **values: Any) -> str:
        counted = {
            "n_" + name: f"{values[name]} {words[values[name] != 1]}"
            for name, words in _COUNTED.items()
            if name in values
        }
        text: str = _TOLD[what][1 if lang == "zh" else 0].format(**values, **counted)
        return text

    facts = report.facts
    lines = [name + ": " + say("changed" if report.findings else "whole")]
    lines += ["  " + finding.text(lang) for finding in report.findings[:MAX_FINDINGS]]
    if len(report.findings) > MAX_FINDINGS:
        lines.append("  " + say("more", n=len(report.findings) - MAX_FINDINGS))
    if report.findings:
        return "\n".join(lines)
    lines.append(say("case", **dict(facts, tenant=facts["tenant"] or "-")))
    lines.append(say("held", **facts))
    lines.append(say("checkpoint", **facts["checkpoint"]))
    if facts["missing_events"]:
        lines.append(say("missing", **facts))
    lines.append(say("trusted") if facts["trusted"] else say("unsure", **facts))
    return "\n".join(lines)


def as_json(report: Report, lang: str = "en") -> dict[str, Any]:
    """The report for machines."""
    findings = [
        {"code": found.code, "where": found.where, "text": found.text(lang)}
        for found in report.findings
    ]
    return {"whole": not report.findings, "findings": findings, **report.facts}


def trusted_key(given: str) -> str:
    """A key id or public key as digits, or read from a key's public record (JSON).

    Raises ``ValueError`` where it is neither.
    """
    if re.fullmatch("[0-9a-fA-F]{32}|[0-9a-fA-F]{64}", given):
        return given.lower()
    try:
        with open(given, "rb") as file:
            public = json.loads(file.read(1 << 16))["public_key"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        public = None
    if not isinstance(public, str) or not re.fullmatch("[0-9a-f]{64}", public):
        raise ValueError("neither 32 or 64 hexadecimal digits nor the public record of a key")
    return public


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this file."""
    parser = argparse.ArgumentParser(
        prog="verify_bundle.py", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("bundle", help="file to check")
    parser.add_argument(
        "--key", action="append", default=[], help="trusted key: id, digits or file"
    )
    parser.add_argument("--lang", choices=("en", "zh"), default="en")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    chosen = parser.parse_args(arguments)
    try:
        trusted = [trusted_key(given) for given in chosen.key]
    except ValueError as error:
        parser.error(f"--key: {error}")  # exits with status 2
    try:
        report = verify(read(chosen.bundle), trusted)
    except Unreadable as error:
        print(error.finding.text(chosen.lang), file=sys.stderr)
        return UNREADABLE
    if chosen.json:
        print(json.dumps(as_json(report, chosen.lang), ensure_ascii=False, indent=2))
    else:
        print(told(report, chosen.bundle, chosen.lang))
    return report.status


if __name__ == "__main__":
    sys.exit(main())
