"""Any Unicode text as a name: no crash, a score from 0 to 1, and a bound on the time it takes.

Set REGTECH_FUZZ_NAMES for more names than the 3,000 of an ordinary run.
"""

from __future__ import annotations

import os
import random
import time
import unicodedata

import pytest

from detectors.names.analysis import TEXT_MAX, Analyser
from detectors.names.pairs import pair_scores
from detectors.names.screener import Query, Screener
from detectors.names.texts import TEXT_LONGEST, screen_text
from regtech.app.names import load_model, load_tables
from regtech.reference.watchlists import ListedName, ListEntry, ListVersion

NAMES = int(os.environ.get("REGTECH_FUZZ_NAMES", "3000"))
CPU_SECONDS_MAX = 0.25
"""Of one name, whatever it is, on a slow machine; an ordinary one takes less than a millisecond."""
TEXT_CPU_SECONDS_MAX = 5.0
"""Of one text, however long it is."""
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz '-.,&()",
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя ",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي ",
    "αβγδεζηθικλμνξοπρστυφχψω ",
    "王李张刘陈杨赵黄周吴有限公司",
    "김이박최정강조윤장임한국 ",
    "のひらがなカタカナ山田太郎",
    "אבגדהוזחטיכלמנסעפצקרשת ",
    "\u200b\u202e\u0301\ufeff\u0000\n\t ٠١٢٣ﷺ﷽ǅŒß",
)


def any_name(draw: random.Random) -> str:
    """A name in one alphabet, in several, or of any characters at all; now and then very long."""
    size = draw.choice((0, 1, 2, 5, 12, 30, 90, 700 if draw.random() < 0.05 else 20))
    kind = draw.randrange(3)
    if kind == 0:
        alphabet = draw.choice(ALPHABETS)
        return "".join(draw.choice(alphabet) for _ in range(size))
    if kind == 1:
        return "".join(draw.choice(draw.choice(ALPHABETS)) for _ in range(size))
    return "".join(chr(draw.randrange(0x110000)) for _ in range(size))


@pytest.fixture(scope="module")
def screener() -> Screener:
    names = ("Ivan Petrov", "王伟", "김정은", "محمد علي", "Acme Trading LLC", "山田太郎", "II III")
    entries = tuple(ListEntry(str(n), "", (ListedName(name),)) for n, name in enumerate(names))
    found = Screener(load_tables(), load_model(), [ListVersion("own", entries)])
    for name in names:  # compiles kernels and reads tables before anything is timed
        found.screen(Query(name), threshold=0.0)
    found.screen(Query("のひらがな สมชาย"))
    return found


def test_no_name_breaks_screening_or_takes_long(screener: Screener) -> None:
    draw = random.Random(8)
    slowest, which = 0.0, ""
    for _ in range(NAMES):
        name = any_name(draw)
        began = time.process_time()
        hits = screener.screen(Query(name), threshold=0.0)
        spent = time.process_time() - began
        if spent > slowest:
            slowest, which = spent, name
        assert all(0.0 <= hit.score <= 1.0 for hit in hits)
    assert slowest < CPU_SECONDS_MAX, ascii(which)


def test_no_text_breaks_screening_or_takes_long(screener: Screener) -> None:
    draw = random.Random(10)
    texts = [
        " ".join(any_name(draw) for _ in range(draw.randrange(1, 8)))
        for _ in range(max(20, NAMES // 60))
    ]
    # As many names and breaks as a text can have.
    texts += ["Ivan Petrov " * TEXT_LONGEST, "王伟" * TEXT_LONGEST, "a;" * TEXT_LONGEST]
    screen_text(screener, texts[0] + " Ivan Petrov")
    for text in texts:
        began = time.process_time()
        found = screen_text(screener, text, threshold=0.5)
        assert time.process_time() - began < TEXT_CPU_SECONDS_MAX, ascii(text)
        for one in found.hits:
            assert text[one.start : one.end] == one.span
            assert 0.5 <= one.hit.score <= 1.0
        assert found.cut or len(text) <= TEXT_LONGEST


def test_a_name_is_itself_whatever_its_form(screener: Screener) -> None:
    analyser, model = Analyser(load_tables()), load_model()
    draw = random.Random(9)
    names = [any_name(draw)[:60] for _ in range(NAMES // 10)]
    plain = [n for n in names if analyser.analyse(n)[0].words and len(n) < TEXT_MAX]
    other = [unicodedata.normalize("NFD", name) for name in plain]
    scores = pair_scores(analyser, model, plain, plain)
    assert all(0.0 <= score <= 1.0 for score in scores)
    again = pair_scores(analyser, model, plain, other)
    assert max(abs(scores - again), default=0) < 1e-6
