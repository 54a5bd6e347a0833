"""Names in free text: the remittance information of a payment against lists.

A text is no name: most of it is words that nobody is called by. It is cut into stretches between
signs and numbers, these into overlapping windows; for each listed name that the index gives for a
window the words that it lines up with are the span, and the span alone is then screened as a name
is. Chinese, Japanese and Korean text is not cut into words: listed names of at least three signs
are found in it as they are written. Time is bounded: of the text ``TEXT_LONGEST`` characters are
read, and ``SPANS_MAX`` spans screened; what lies beyond is said, never dropped silently.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from detectors.names.blocking import LITTLE
from detectors.names.columns import single
from detectors.names.features import align, prepare
from detectors.names.screener import THRESHOLD, Hit, Query, Screener
from detectors.names.scripts import CJK, script_of, simplified
from detectors.names.support import identifiers_in
from regtech.columns.jit import kernel

TEXT_LONGEST: Final = 2_000
SPANS_MAX: Final = 120
WINDOW: Final = 10
"""Words of a window; the next one begins half of it later, so that a name of up to six words lies
whole in one of them."""
COVERED_MIN: Final = 0.7
"""Share of a listed name that has to be in a window for its span to be screened."""
WORD_SHORTEST: Final = 5
"""A single word is a hit on a name of one word, and only as it is written and so long."""
SIGNS_SHORTEST: Final = 3

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’ʼ.&-][^\W\d_]+)*\.?")
_BREAK: Final = re.compile(r"[;:/|\\()\[\]{}<>+*=\n\r\t]|\d{3,}|,(?=\S)")


@dataclass(frozen=True, slots=True)
class TextHit:
    """A listed name in a text: ``text[start:end]`` is where, ``hit`` what it may be."""

    start: int
    end: int
    span: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class ScreenedText:
    """Hits in the order of the text. ``cut``: the text, or its spans, were more than is read."""

    hits: tuple[TextHit, ...]
    cut: bool = False


def screen_text(
    screener: Screener,
    text: str,
    *,
    at_us: int | None = None,
    lists: Iterable[str] | None = None,
    threshold: float = THRESHOLD,
    explain: bool = True,
) -> ScreenedText:
    """Listed names in a text, one hit an entry: its best span. Arguments as ``Screener.screen``."""
    read = text[:TEXT_LONGEST]
    chosen = None if lists is None else tuple(lists)
    best: dict[tuple[str, str], TextHit] = {}

    def keep(start: int, end: int, hit: Hit) -> None:
        known = best.get(hit.key)
        if known is None or hit.score > known.hit.score:
            best[hit.key] = TextHit(start, end, read[start:end], hit)

    exact = Query("", identifiers=tuple(identifiers_in(read)))
    if exact.identifiers:
        for hit in screener.screen(exact, at_us=at_us, lists=chosen, threshold=threshold):
            start, end = _place_of_identifier(read, hit)
            keep(start, end, hit)
    spans = sorted(set(_spans(screener, read)))
    for start, end in spans[:SPANS_MAX]:
        words = _WORD.findall(read[start:end])
        query = Query(read[start:end])
        for hit in screener.screen(
            query, at_us=at_us, lists=chosen, threshold=threshold, explain=explain
        ):
            if len(words) > 1 or _is_word(words[0], hit):
                keep(start, end, hit)
    for start, end in _written(screener, read):
        query = Query(read[start:end])
        for hit in screener.screen(
            query, at_us=at_us, lists=chosen, threshold=threshold, explain=explain
        ):
            keep(start, end, hit)
    found = _without_inner(best.values())
    return ScreenedText(
        tuple(sorted(found, key=lambda one: (one.start, -one.hit.score, one.hit.key))),
        len(text) > TEXT_LONGEST or len(spans) > SPANS_MAX,
    )


def _without_inner(found: Iterable[TextHit]) -> list[TextHit]:
    """Without hits on a part of a span that fits another entry of a longer name as well."""
    every = list(found)
    return [
        one for one in every
        if not any(
            other.start <= one.start and one.end <= other.end
            and other.end - other.start > one.end - one.start and other.hit.score > one.hit.score
            for other in every
        )
    ]  # fmt: skip


def _place_of_identifier(text: str, hit: Hit) -> tuple[int, int]:
    assert hit.identifier is not None
    start = max(text.lower().find(hit.identifier[1].lower()), 0)
    return start, start + len(hit.identifier[1])


def _is_word(word: str, hit: Hit) -> bool:
    """Whether a single word is a listed name as it stands."""
    plain = word.strip(".").casefold()
    return len(plain) >= WORD_SHORTEST and plain == hit.listed.text.strip().casefold()


def _stretches(text: str) -> Iterator[list[tuple[int, int]]]:
    """Words between breaks, as places in the text."""
    at = 0
    for sign in [*_BREAK.finditer(text), None]:
        end = sign.start() if sign else len(text)
        words = [(at + m.start(), at + m.end()) for m in _WORD.finditer(text[at:end])]
        if words:
            yield words
        at = sign.end() if sign else end


def _spans(screener: Screener, text: str) -> Iterator[tuple[int, int]]:
    for stretch in _stretches(text):
        for first in range(0, max(1, len(stretch) - WINDOW // 2), WINDOW // 2):
            yield from _spans_of_window(screener, text, stretch[first : first + WINDOW])


def _spans_of_window(
    screener: Screener, text: str, window: list[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Places where a listed name may stand in a window of words."""
    if len(window) == 1 and window[0][1] - window[0][0] < WORD_SHORTEST:
        return
    # Which word of the text each analysed word comes from.
    reading, sources = screener.read_words(text[start:end] for start, end in window)
    if not reading.tokens:
        return
    words, names = single(reading)
    rows = screener.rows_near(words, names)
    scratch = screener.scratch()
    first = np.full(len(rows), -1, np.int64)
    last = np.full(len(rows), -1, np.int64)
    _line_up(words, names, screener.words, screener.names, rows, scratch, first, last)
    for one, other in set(zip(first.tolist(), last.tolist(), strict=True)):
        if one >= 0:
            yield window[sources[one]][0], window[sources[other]][1]


@kernel(nrt=False)
def _line_up(lw: Any, ln: Any, rw: Any, rn: Any, rows: Any, s: Any, first: Any, last: Any) -> None:
    """Between which words of the left name each row lies, where enough of the row is in it."""
    only: Any = np.int64(0)  # a number in the call would be compiled for itself
    prepare(lw, ln, only, s)
    for k in range(len(rows)):
        row = int(rows[k])
        align(lw, ln, only, rw, rn, row, s)
        begin = rn.starts[row]
        covered = whole = 0.0
        for j in range(rn.starts[row + 1] - begin):
            weight = float(rw.weights[rn.words[begin + j]])
            whole += weight
            covered += weight * s.likeness[1, j]
        if whole == 0.0 or covered < COVERED_MIN * whole:
            continue
        for i in range(ln.starts[1] - ln.starts[0]):
            if s.likeness[0, i] > 0.0 and lw.weights[ln.words[i]] > LITTLE:
                if first[k] < 0:
                    first[k] = i
                last[k] = i


def _written(screener: Screener, text: str) -> Iterator[tuple[int, int]]:
    """Places of listed names in Han, kana or Hangul, as they are written."""
    if text.isascii() or not any(script_of(char) & CJK for char in text):
        return
    # One sign stays one sign, so that places stay places.
    plain = "".join(_one_sign(char) for char in text)
    names = screener.native_names()
    sizes = sorted({len(name) for name in names if len(name) >= SIGNS_SHORTEST}, reverse=True)
    for start in range(len(plain)):
        for size in sizes:
            if plain[start : start + size] in names and start + size <= len(plain):
                yield start, start + size
                break


def _one_sign(char: str) -> str:
    folded = simplified(unicodedata.normalize("NFKC", char).casefold())
    return folded if len(folded) == 1 else char
