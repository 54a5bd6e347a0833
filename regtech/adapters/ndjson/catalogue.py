"""The field catalogue as arrays for the decoding kernels: keys, contexts, leaves and words.

A *context* is the place of an object in a record (the root of one event type, a party of one role,
its identifiers); in a context a key leads to a *step*: an action and its argument. A *leaf* is a
field that holds a value. Everything derives from ``regtech.model.fields``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from regtech.columns.batch import Bytes, Int64, UInt64
from regtech.columns.hashing import hash_bytes, padded, words_of
from regtech.columns.vocabulary import Vocabulary
from regtech.errors import InternalError, UsageError
from regtech.model.fields import (
    COMMON,
    EVENT_TYPES,
    REQUIRED,
    TYPE_FIELDS,
    Field,
    Kind,
    all_fields,
)

# Actions of a step; the first six belong to keys, the others to elements of lists and items.
SKIP: Final = 0
LEAF: Final = 1
OBJECT: Final = 2
FLAGS: Final = 3
PERSONS: Final = 4
DATA: Final = 5
FLAG: Final = 6
PERSON: Final = 7
DATA_ITEM: Final = 8
ITEM_VALUE: Final = 9
ACTION_BITS: Final = 4
ACTION_MASK: Final = (1 << ACTION_BITS) - 1

# What a leaf holds, in the order of the kernel's tests; up to CURRENCY strings are hashed.
SYMBOL: Final = 0
TEXT: Final = 1
ENUM: Final = 2
CURRENCY: Final = 3
EVENT_TYPE: Final = 4
EVENT_ID: Final = 5
MONEY: Final = 6
TIME: Final = 7
DATE: Final = 8
DECIMAL: Final = 9
INTEGER: Final = 10
BOOLEAN: Final = 11
LIST: Final = 12

_KINDS: Final[dict[Kind, int]] = {
    Kind.SYMBOL: SYMBOL,
    Kind.TEXT: TEXT,
    Kind.CURRENCY: CURRENCY,
    Kind.MONEY: MONEY,
    Kind.TIME: TIME,
    Kind.DATE: DATE,
    Kind.DECIMAL: DECIMAL,
    Kind.INTEGER: INTEGER,
    Kind.BOOLEAN: BOOLEAN,
    Kind.FLAGS: LIST,
    Kind.PERSONS: LIST,
}

# Columns of ``Catalogue.leaves``.
LEAF_KIND: Final = 0
LEAF_COLUMN: Final = 1
LEAF_SALT: Final = 2
LEAF_TYPES: Final = 3
LEAF_WORDS: Final = 4
LEAF_NEED: Final = 5
LEAF_SIGNED: Final = 6

KEYS_MAX: Final = 128
"""Distinct keys of all contexts: two 64-bit masks say which were seen in an object."""
KEY_BYTES_MAX: Final = 24
KEY_PLACES: Final = 1024
WORD_PLACES: Final = 1024
UNKNOWN_BIT: Final = 62
"""Bit of a flag word that the catalogue does not know."""
SIGNED_MONEY: Final = frozenset({"value"})
"""Money that may be negative and may stand without a currency (then it is a whole number)."""
ALWAYS: Final = ("id", "type", "time", "reporter")
"""Required in every event."""

_MASK: Final = (1 << 64) - 1
_KEY_A: Final = 0x9E3779B97F4A7C15
_KEY_B: Final = 0xC2B2AE3D27D4EB4F


def key_place(first: int, second: int, length: int) -> int:
    """Where the search for a key starts in ``Catalogue.keys``."""
    mixed = (first ^ (second * _KEY_B & _MASK) ^ (length * _KEY_A & _MASK)) * _KEY_A & _MASK
    return mixed >> 54


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


@dataclass(slots=True)
class Catalogue:
    """Arrays for the kernels; in the order of their group ``tables``."""

    keys: UInt64  # place -> three words of the key, then (key id << 8 | length + 1), 0 where free
    steps: Int64  # context, key id -> argument << ACTION_BITS | action
    leaves: Int64  # leaf -> the LEAF_* columns
    context_id: Int64  # context -> the leaf that a plain string in its place stands for, or -1
    words: UInt64  # place -> key words, set << 16 | length, index + 1 (0 where free)
    word_values: Int64  # index -> (value, decimals or offset in word_bytes)
    word_bytes: Bytes
    needs: Int64  # event type -> bits of the required leaves
    data_leaves: Int64  # leaves of category, sensitivity and highest level of the data items
    skip_context: int
    key_ids: dict[str, int]

    def step_of(self, event_type: int, path: str) -> int:
        """What a plain value at a path of an event is, by the index of the event's type.

        A step as in ``steps``; ``SKIP`` where the type does not know the path, -1 where the path
        leads through something that is no object.
        """
        context = 1 + event_type
        *parts, last = path.split(".")
        for part in parts:
            step = int(self.steps[context, self.key_ids[part]])
            if step & ACTION_MASK != OBJECT:
                return SKIP if step == SKIP else -1
            context = step >> ACTION_BITS
        step = int(self.steps[context, self.key_ids[last]])
        if step & ACTION_MASK != OBJECT:
            return step
        leaf = int(self.context_id[step >> ACTION_BITS])
        return leaf << ACTION_BITS | LEAF if leaf >= 0 else -1


class _Words:
    """Closed word sets in one hash table."""

    def __init__(self) -> None:
        self.table: UInt64 = np.zeros((WORD_PLACES, 4), np.uint64)
        self.rows: list[tuple[int, int, int]] = []
        self.data = bytearray()
        self.sets: dict[tuple[str, tuple[str, ...]], int] = {}

    def add_set(self, kind: str, words: Sequence[str], values: Sequence[tuple[int, int]]) -> int:
        """Number of the set; ``values`` are (value, second value) of each word."""
        key = (kind, tuple(words))
        if key in self.sets:
            return self.sets[key]
        number = self.sets[key] = len(self.sets)
        for word, (value, second) in zip(words, values, strict=True):
            text = word.encode()
            first_word, second_word = words_of(text)
            place = hash_bytes(text) + number * _KEY_A & WORD_PLACES - 1
            while self.table[place, 3]:
                place = place + 1 & WORD_PLACES - 1
            self.table[place] = (
                first_word,
                second_word,
                number << 16 | len(text),
                len(self.rows) + 1,
            )
            self.rows.append((value, second, len(self.data)))
            self.data += text
        if 2 * len(self.rows) > WORD_PLACES:
            raise UsageError("more words and currencies than the decoder's table can hold")
        return number


def _contexts() -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """Contexts by path of their object (roots of types as ``/type``), and their keys."""
    # The root of event type k is context 1 + k, which the kernel relies on.
    members: dict[str, dict[str, None]] = {"": {}}
    members.update({f"/{event_type}": {} for event_type in EVENT_TYPES})
    for event_type in EVENT_TYPES:
        for field in (*COMMON, *TYPE_FIELDS[event_type]):
            parts = field.path.split(".")
            members[""][parts[0]] = members[f"/{event_type}"][parts[0]] = None
            for k in range(1, len(parts)):
                members.setdefault(".".join(parts[:k]), {})[parts[k]] = None
    names = {name: k for k, name in enumerate(members)}
    return names, {name: tuple(keys) for name, keys in members.items()}


@dataclass(slots=True)
class _Leaf:
    number: int
    types: int = 0  # bit set over EVENT_TYPES


def _leaves() -> tuple[dict[tuple[str, str], int], dict[tuple[str, tuple[str, ...]], _Leaf]]:
    """Leaf numbers by (event type or "", path), and the leaves by what tells them apart.

    A path may be closed to some words in one type and open in another: these are two leaves.
    """
    leaves: dict[tuple[str, tuple[str, ...]], _Leaf] = {}
    numbers: dict[tuple[str, str], int] = {}
    for k, event_type in enumerate(EVENT_TYPES):
        for field in (*COMMON, *TYPE_FIELDS[event_type]):
            leaf = leaves.setdefault((field.path, field.enum), _Leaf(len(leaves)))
            leaf.types |= 1 << k
            numbers[event_type, field.path] = leaf.number
            numbers.setdefault(("", field.path), leaf.number)
    return numbers, leaves


def build_catalogue(
    fields: Sequence[Field],
    symbols: Vocabulary,
    currencies: Mapping[str, tuple[int, int]],
    kept: Collection[str] = (),
) -> Catalogue:
    """The arrays for decoding ``fields`` into rows 0, 1, … of a batch; nobody writes to them.

    ``currencies`` gives (index, decimals) of each known code. The words of closed fields are added
    to ``symbols``.
    ``kept``: texts that are kept as symbols instead of as hashes. ``UsageError`` for a field that
    the catalogue does not have, or one named twice.
    """
    known = all_fields()
    columns: dict[str, int] = {}
    for k, field in enumerate(fields):
        if known.get(field.path) != field or field.path in columns:
            raise UsageError(f"the field {field.path} is unknown or named twice")
        columns[field.path] = k
    form = _form(tuple(currencies.items()), frozenset(kept))
    leaves, word_values = form.arrays.leaves.copy(), form.arrays.word_values.copy()
    leaves[:, LEAF_COLUMN] = [columns.get(path, -1) for path in form.paths]
    for first, words in form.closed:
        word_values[first : first + len(words), 0] = symbols.codes_of(words)
    return replace(form.arrays, leaves=leaves, word_values=word_values)


@dataclass(frozen=True, slots=True)
class _Form:
    """What catalogues of the same currencies and kept texts have in common.

    A process makes many: one for each run, file, or test of a rule.
    """

    arrays: Catalogue
    """Without columns of leaves and codes of words."""
    paths: tuple[str, ...]
    """Of the leaves."""
    closed: tuple[tuple[int, tuple[str, ...]], ...]
    """Words whose codes a vocabulary has, and the first of their rows in ``word_values``."""


@lru_cache(maxsize=8)
def _form(currencies: tuple[tuple[str, tuple[int, int]], ...], kept: frozenset[str]) -> _Form:
    known = all_fields()
    names, members = _contexts()
    key_ids = {
        key: k for k, key in enumerate(dict.fromkeys(k for m in members.values() for k in m))
    }
    if len(key_ids) > KEYS_MAX or any(len(key) > KEY_BYTES_MAX for key in key_ids):
        raise InternalError("the field catalogue has more or longer keys than the decoder can hold")

    needed = dict.fromkeys((*ALWAYS, *(p for paths in REQUIRED.values() for p in paths)))
    need_bits = {path: 1 << k for k, path in enumerate(needed)}
    words = _Words()
    closed: dict[tuple[str, ...], int] = {}
    leaf_of, types_of = _leaves()
    leaves = np.zeros((len(types_of), 8), np.int64)
    for (path, enum), leaf in types_of.items():
        field = known[path]
        kind, word_set = _KINDS[field.kind], -1
        if path == "id":
            kind = EVENT_ID
        elif path in kept:
            kind = SYMBOL
        elif enum:
            kind = EVENT_TYPE if path == "type" else ENUM
            closed.setdefault(enum, len(words.rows))
            word_set = words.add_set("enum", enum, [(-1, k) for k in range(len(enum))])
        elif field.kind is Kind.CURRENCY:
            codes, values = [code for code, _ in currencies], [value for _, value in currencies]
            word_set = words.add_set("currency", codes, values)
        elif field.kind is Kind.FLAGS:
            bits = [(1 << k, 0) for k in range(len(field.words))]
            word_set = words.add_set("flags", field.words, bits)
        leaves[leaf.number, :7] = (
            kind,
            -1,
            _signed(hash_bytes(path.encode())),
            leaf.types,
            word_set,
            need_bits.get(path, 0),
            path in SIGNED_MONEY,
        )
    steps, context_id = _steps(names, members, key_ids, leaf_of)
    arrays = Catalogue(
        keys=_key_table(key_ids),
        steps=steps,
        leaves=leaves,
        context_id=context_id,
        words=words.table,
        word_values=np.array(words.rows, np.int64).reshape(-1, 3),
        word_bytes=padded(bytes(words.data)),
        needs=np.array(
            [sum(need_bits[p] for p in (*ALWAYS, *REQUIRED[t])) for t in EVENT_TYPES], np.int64
        ),
        data_leaves=np.array(
            [leaf_of["", f"data.{k}"] for k in ("category", "sensitivity", "level")], np.int64
        ),
        skip_context=len(names),
        key_ids=key_ids,
    )
    paths = tuple(path for path, _ in types_of)
    return _Form(arrays, paths, tuple((first, enum) for enum, first in closed.items()))


def _steps(
    names: dict[str, int],
    members: dict[str, tuple[str, ...]],
    key_ids: dict[str, int],
    leaf_of: dict[tuple[str, str], int],
) -> tuple[Int64, Int64]:
    """``Catalogue.steps`` and ``Catalogue.context_id``."""
    known = all_fields()
    steps = np.zeros((len(names) + 1, KEYS_MAX), np.int64)
    context_id = np.full(len(names) + 1, -1, np.int64)
    for name, context in names.items():
        prefix = "" if name == "" or name.startswith("/") else f"{name}."
        if prefix and f"{prefix}id" in known:
            context_id[context] = leaf_of["", f"{prefix}id"]
        for key in members[name]:
            path = prefix + key
            if path.startswith("data."):
                action, argument = ITEM_VALUE, ("category", "sensitivity", "level").index(key)
            elif path == "data":
                action, argument = DATA, names["data"]
            elif path in names:
                action, argument = OBJECT, names[path]
            else:
                event_type = name[1:] if name.startswith("/") else ""
                argument = leaf_of[event_type, path]
                action = {Kind.FLAGS: FLAGS, Kind.PERSONS: PERSONS}.get(known[path].kind, LEAF)
            steps[context, key_ids[key]] = argument << ACTION_BITS | action
    return steps, context_id


def _key_table(key_ids: dict[str, int]) -> UInt64:
    table: np.ndarray[Any, np.dtype[np.uint64]] = np.zeros((KEY_PLACES, 4), np.uint64)
    for key, number in key_ids.items():
        text = key.encode()
        parts = [int.from_bytes(text[k : k + 8], "little") for k in (0, 8, 16)]
        place = key_place(parts[0], parts[1], len(text))
        while table[place, 3]:
            place = (place + 1) % KEY_PLACES
        table[place] = (*parts, number << 8 | len(text) + 1)
    return table
