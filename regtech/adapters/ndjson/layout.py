"""Places in the arrays that the decoding kernels share, and the bounds of their work.

The kernels pass arrays in groups: ``tables`` (see ``catalogue``), ``vocabulary`` (see
``Vocabulary.arrays``), ``out`` = (columns, lines, content, person values) and ``work`` = (log of
symbols, log of persons, index of quotes and escapes, stack, event).
"""

from __future__ import annotations

from typing import Final

from regtech.adapters.ndjson.scan import INDEX_WORDS
from regtech.columns.vocabulary_kernels import STRING_MAX

# Columns of the table of lines.
LINE_NUMBER: Final = 0
LINE_START: Final = 1
LINE_END: Final = 2
LINE_STATUS: Final = 3
ID_START: Final = 4
ID_LENGTH: Final = 5
PERSONS_START: Final = 6
PERSONS_COUNT: Final = 7
LINE_WORDS: Final = 8

# Status of a line: accepted, or for the strict path to decide.
GOOD: Final = 0
UNSURE: Final = 1

# Where a run of the kernel stands, and what it says when it returns.
AT_BYTE: Final = 0
AT_LINE: Final = 1
AT_ROW: Final = 2
AT_PERSON: Final = 3
STATE_WORDS: Final = 4
DONE: Final = 0
MORE_ROOM: Final = 1

# The event being read; the first six are kept from line to line of a block.
ROW: Final = 0
STRIDE: Final = 1  # rows of a column
LOGGED: Final = 2  # entries and bytes of the logs so far
LOGGED_BYTES: Final = 3
PERSON_LOGGED: Final = 4
PERSON: Final = 5  # place of the next person's code
DIGEST: Final = 6  # content digest so far
TYPE: Final = 7  # event type, -1 before it is known
ALLOWED: Final = 8  # bits of the types that know every field so far
HAVE: Final = 9  # bits of the required fields so far
DECIMALS: Final = 10  # decimals of the currency, -1 without
MONEY_COUNT: Final = 11  # amounts waiting for the currency
LISTED: Final = 12  # persons in the list
FLAG_BITS: Final = 13
CATEGORIES: Final = 14  # of the data items; the three parts stay in this order
SENSITIVITIES: Final = 15
LEVEL: Final = 16
ITEMS: Final = 17
MONEY_MAX: Final = 8
MONEY_FIRST: Final = 18  # leaf, start and end of each
UNKNOWN_MAX: Final = 256
UNKNOWN_FIRST: Final = MONEY_FIRST + 3 * MONEY_MAX  # hashes of unknown keys in open objects
EVENT_WORDS: Final = UNKNOWN_FIRST + UNKNOWN_MAX

# The index of a line, and a frame of the stack of open objects and lists.
QUOTES: Final = 0
ESCAPES: Final = INDEX_WORDS
INDEX_SIZE: Final = 2 * INDEX_WORDS
FRAME: Final = 5

DEPTH_MAX: Final = 64
"""Objects and lists inside each other, the record itself included."""
BLOCK_LINES: Final = 32
"""Lines whose strings are encoded together; their bytes are still in the cache then."""
LOG_ENTRIES: Final = 4096
"""Strings of one block of lines."""
LINE_ENTRIES: Final = 1024
"""Strings of one line in each log: more than there are leaves, and persons beyond it are UNSURE."""
BLOCK_BYTES: Final = 1 << 18
"""Logged bytes after which a block ends."""
LOG_BYTES: Final = BLOCK_BYTES + LINE_ENTRIES * STRING_MAX
"""More bytes than the strings of one block can have."""
