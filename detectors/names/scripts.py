"""Which script a text is in, and the same text in Latin letters, lower case.

Cyrillic, Greek, Arabic, Hebrew and Hangul have tables of their own here: names follow habits that
general transliteration does not know (Greek ``μπ`` is b, Korean ``김`` is Kim). Han is read by
``pypinyin``, every other script by ``anyascii``. Arabic and Hebrew are written without short
vowels, and Thai comes out without some, so that only their consonants can be compared
(``skeleton``).
"""

from __future__ import annotations

import re
import unicodedata
from enum import IntFlag
from functools import cache
from typing import Any, Final


class Script(IntFlag):
    """Scripts that are treated apart; a text may be in several."""

    NONE = 0
    LATIN = 1
    CYRILLIC = 2
    GREEK = 4
    ARABIC = 8
    HEBREW = 16
    HAN = 32
    KANA = 64
    HANGUL = 128
    THAI = 256
    OTHER = 512


NO_VOWELS: Final = Script.ARABIC | Script.HEBREW | Script.THAI
CJK: Final = Script.HAN | Script.KANA | Script.HANGUL

_RANGES: Final = (
    (0x0000, 0x024F, Script.LATIN),
    (0x0250, 0x02AF, Script.LATIN),
    (0x0300, 0x036F, Script.NONE),
    (0x0370, 0x03FF, Script.GREEK),
    (0x0400, 0x052F, Script.CYRILLIC),
    (0x0590, 0x05FF, Script.HEBREW),
    (0x0600, 0x06FF, Script.ARABIC),
    (0x0750, 0x077F, Script.ARABIC),
    (0x08A0, 0x08FF, Script.ARABIC),
    (0x0E00, 0x0E7F, Script.THAI),
    (0x1100, 0x11FF, Script.HANGUL),
    (0x1C80, 0x1C8F, Script.CYRILLIC),
    (0x1D00, 0x1DBF, Script.LATIN),
    (0x1E00, 0x1EFF, Script.LATIN),
    (0x1F00, 0x1FFF, Script.GREEK),
    (0x2000, 0x2BFF, Script.NONE),
    (0x2DE0, 0x2DFF, Script.CYRILLIC),
    (0x2E80, 0x2FDF, Script.HAN),
    (0x3000, 0x3004, Script.NONE),
    (0x3005, 0x3007, Script.HAN),
    (0x3008, 0x303F, Script.NONE),
    (0x3040, 0x30FF, Script.KANA),
    (0x3130, 0x318F, Script.HANGUL),
    (0x31F0, 0x31FF, Script.KANA),
    (0x3400, 0x9FFF, Script.HAN),
    (0xA640, 0xA69F, Script.CYRILLIC),
    (0xA720, 0xA7FF, Script.LATIN),
    (0xAC00, 0xD7FF, Script.HANGUL),
    (0xF900, 0xFAFF, Script.HAN),
    (0xFB1D, 0xFB4F, Script.HEBREW),
    (0xFB50, 0xFDFF, Script.ARABIC),
    (0xFE70, 0xFEFF, Script.ARABIC),
    (0x1B000, 0x1B16F, Script.KANA),
    (0x20000, 0x323AF, Script.HAN),
)


@cache
def script_of(char: str) -> Script:
    """The script of one character; ``NONE`` for what is in no script (signs, digits, blanks)."""
    if not char.isalpha() and not unicodedata.category(char).startswith("M"):
        return Script.NONE
    code = ord(char)
    for first, last, script in _RANGES:
        if first <= code <= last:
            return script
    return Script.OTHER


def scripts_of(text: str) -> Script:
    """All scripts in a text."""
    if text.isascii():
        return Script.LATIN if any(map(str.isalpha, text)) else Script.NONE
    found = Script.NONE
    for char in set(text):
        found |= script_of(char)
    return found


_LATIN: Final = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l",
        "ı": "i", "ŋ": "ng", "ħ": "h", "ə": "a", "ɛ": "e", "ɔ": "o", "ĸ": "k", "ſ": "s",
        "ŧ": "t", "ƒ": "f", "ǝ": "e", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ʋ": "v",
    }
)  # fmt: skip

_CYRILLIC: Final = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh",
        "з": "z", "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o",
        "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
        "я": "ya", "є": "ye", "і": "i", "ї": "yi", "ґ": "g", "ў": "u", "ђ": "dj", "ј": "j",
        "љ": "lj", "њ": "nj", "ћ": "c", "џ": "dz", "ѓ": "gj", "ќ": "kj", "ѕ": "dz", "ѣ": "e",
        "ѳ": "f", "ѵ": "i", "ә": "a", "ғ": "gh", "қ": "q", "ң": "ng", "ө": "o", "ұ": "u",
        "ү": "u", "һ": "h", "җ": "j", "ҳ": "h", "ҷ": "j", "ӣ": "i", "ӯ": "u", "ӏ": "",
    }
)  # fmt: skip

_GREEK_PAIRS: Final = (
    ("ου", "ou"), ("αι", "ai"), ("ει", "ei"), ("οι", "oi"), ("υι", "yi"),
    ("μπ", "b"), ("ντ", "nt"), ("γκ", "gk"), ("γγ", "ng"), ("γχ", "nch"), ("γξ", "nx"),
    ("τζ", "tz"), ("τσ", "ts"),
)  # fmt: skip
_GREEK_AV: Final = re.compile(r"([αεη])υ(?=[αεηιουωβγδζλμνρ])")
_GREEK_AF: Final = re.compile(r"([αεη])υ")
_GREEK: Final = str.maketrans(
    {
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th",
        "ι": "i", "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p",
        "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps",
        "ω": "o", "ϑ": "th", "ϕ": "f", "ϐ": "v", "ϖ": "p", "ϱ": "r", "ϲ": "s", "ϊ": "i",
    }
)  # fmt: skip

_ARABIC: Final = str.maketrans(
    {
        "ا": "a", "أ": "a", "إ": "i", "آ": "a", "ٱ": "a", "ب": "b", "ت": "t", "ث": "th",
        "ج": "j", "ح": "h", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z", "س": "s",
        "ش": "sh", "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f",
        "ق": "q", "ك": "k", "ل": "l", "م": "m", "ن": "n", "ه": "h", "و": "w", "ي": "y",
        "ى": "a", "ة": "a", "ء": "", "ؤ": "w", "ئ": "y", "پ": "p", "چ": "ch", "ژ": "zh",
        "گ": "g", "ک": "k", "ی": "y", "ہ": "h", "ھ": "h", "ے": "e", "ں": "n", "ٹ": "t",
        "ڈ": "d", "ڑ": "r", "ۀ": "h", "ۃ": "a", "ۆ": "o", "ێ": "e", "ڕ": "r", "ڵ": "l",
        "ە": "e", "ڤ": "v", "ښ": "sh", "ډ": "d", "ړ": "r", "ټ": "t", "ځ": "z", "څ": "ts",
        "ګ": "g", "ڼ": "n", "ۍ": "y", "ې": "e", "ـ": "", "٠": "0", "١": "1", "٢": "2",
        "٣": "3", "٤": "4", "٥": "5", "٦": "6", "٧": "7", "٨": "8", "٩": "9",
    }
)  # fmt: skip
# The article stands apart in Latin spelling, so that it can be told from the name.
_ARABIC_ARTICLE: Final = re.compile(r"(?<![^\W_])ال(?=\w{2})")

_HEBREW: Final = str.maketrans(
    {
        "א": "a", "ב": "b", "ג": "g", "ד": "d", "ה": "h", "ו": "v", "ז": "z", "ח": "h",
        "ט": "t", "י": "y", "כ": "k", "ך": "k", "ל": "l", "מ": "m", "ם": "m", "נ": "n",
        "ן": "n", "ס": "s", "ע": "a", "פ": "p", "ף": "f", "צ": "ts", "ץ": "ts", "ק": "k",
        "ר": "r", "ש": "sh", "ת": "t", "׳": "", "״": "",
    }
)  # fmt: skip

_HANGUL_FIRST: Final = 0xAC00
_HANGUL_LAST: Final = 0xD7A3
_INITIALS: Final = (
    "g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t",
    "p", "h",
)  # fmt: skip
_VOWELS: Final = (
    "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo",
    "we", "wi", "yu", "eu", "ui", "i",
)  # fmt: skip
_FINALS: Final = (
    "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p",
    "p", "t", "t", "ng", "t", "t", "k", "t", "p", "t",
)  # fmt: skip
# Families write themselves as they always did, not by the rules.
_KOREAN_SURNAMES: Final = {
    "김": "kim", "이": "lee", "박": "park", "최": "choi", "정": "jung", "강": "kang",
    "조": "cho", "윤": "yoon", "장": "jang", "임": "lim", "오": "oh", "한": "han",
    "신": "shin", "서": "seo", "권": "kwon", "황": "hwang", "안": "ahn", "송": "song",
    "류": "ryu", "유": "yoo", "홍": "hong", "전": "jeon", "고": "ko", "문": "moon",
    "손": "son", "양": "yang", "배": "bae", "백": "baek", "허": "heo", "노": "noh",
    "남": "nam", "심": "shim", "하": "ha", "주": "joo", "구": "koo", "리": "ri", "림": "rim",
    "량": "ryang", "로": "ro",
}  # fmt: skip

_RUNS: Final = re.compile(r"\S+")


def _hangul(word: str) -> str:
    """One word of Hangul; of a name of two to four syllables the first is the family's."""
    syllables = []
    for char in word:
        code = ord(char)
        if not _HANGUL_FIRST <= code <= _HANGUL_LAST:
            syllables.append(char)
            continue
        code -= _HANGUL_FIRST
        syllables.append(_INITIALS[code // 588] + _VOWELS[code % 588 // 28] + _FINALS[code % 28])
    if 2 <= len(word) <= 4 and word[0] in _KOREAN_SURNAMES:
        syllables[0] = _KOREAN_SURNAMES[word[0]]
    return " ".join(syllables) if len(word) <= 4 else "".join(syllables)


@cache
def _pinyin() -> Any:
    from pypinyin import lazy_pinyin  # half a second of tables: only where there is Han

    return lazy_pinyin


@cache
def _simplifier() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


def simplified(text: str) -> str:
    """Traditional Chinese in simplified characters; other text as it is."""
    return str(_simplifier().convert(text))


def _general(text: str) -> str:
    from anyascii import anyascii

    return anyascii(text)


def _greek(text: str) -> str:
    text = _GREEK_AF.sub(r"\1f", _GREEK_AV.sub(r"\1v", text))
    if text.startswith("ντ"):
        text = "d" + text[2:]
    text = text.replace(" ντ", " d")
    for pair, latin in _GREEK_PAIRS:
        text = text.replace(pair, latin)
    return text.translate(_GREEK)


def _han(text: str) -> str:
    return " ".join(str(part) for part in _pinyin()(text))


def _unmarked(text: str) -> str:
    """Without combining marks; what they stood on stays."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def romanised(text: str, scripts: Script) -> str:
    """``text`` (NFKC, case folded) in ASCII letters, digits and blanks between words.

    ``scripts``: what ``scripts_of`` gave. Never raises; what no table knows is left out.
    """
    if text.isascii():
        return text
    if scripts & Script.HANGUL:
        text = re.sub(r"[\uac00-\ud7a3]+", lambda found: f" {_hangul(found[0])} ", text)
    if scripts & Script.KANA:
        # Readings of Kanji depend on the name; with kana beside them the whole is Japanese.
        text = _general(text).lower()
    elif scripts & Script.HAN:
        text = re.sub(
            r"[\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af]+",
            lambda found: f" {_han(found[0])} ",
            text,
        )
    if scripts & Script.ARABIC:
        text = _ARABIC_ARTICLE.sub("al ", text).translate(_ARABIC)
    if scripts & Script.HEBREW:
        text = text.translate(_HEBREW)
    if scripts & Script.CYRILLIC:
        text = text.translate(_CYRILLIC)
    text = _unmarked(text)
    if scripts & Script.CYRILLIC:
        text = text.translate(_CYRILLIC)
    if scripts & Script.GREEK:
        text = _greek(text)
    text = text.translate(_LATIN)
    if not text.isascii():
        text = _general(text).lower()
    return text
