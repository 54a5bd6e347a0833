"""The language of a page: gettext catalogues, read from ``locale`` once.

English is the source; every other language has a catalogue, and a test compares it with what the
templates and modules say, so that no text is missing or stale.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from regtech.content.saying import kernel_catalogue, read_catalogue

LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "zh": "简体中文"}
"""Each language by its own name."""
TAGS: Final[Mapping[str, str]] = {"en": "en", "zh": "zh-Hans"}
"""What ``lang`` of a page says."""


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


@cache
def catalogue(lang: str) -> gettext.NullTranslations:
    """The texts of a language: those of casework, behind them those of the kernel."""
    if lang == "en" or lang not in LANGUAGES:
        return gettext.NullTranslations()
    made = read_catalogue("casework.web", lang, "web")
    made.add_fallback(kernel_catalogue(lang))
    return made


def preferred(accepted: str) -> str:
    """The language of an ``Accept-Language`` header that there is; English where none is."""
    wanted: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        wanted.append((-quality, name.strip().lower().partition("-")[0]))
    for _, name in sorted(wanted, key=lambda pair: pair[0]):
        if name in LANGUAGES:
            return name
    return "en"


def said(text: Any, lang: str) -> str:
    """A text that the product has in its languages; what is in one alone is shown in that one."""
    if isinstance(text, Mapping):
        return str(text.get(lang) or text.get("en") or next(iter(text.values()), ""))
    return "" if text is None else str(text)
