"""What the kernel and casework say, in the language that somebody asked for."""

from __future__ import annotations

from collections.abc import Callable


def translator(lang: str) -> Callable[[str], str]:
    """``gettext`` of the catalogues; texts as they are where the language is English."""
    if lang == "en":
        return lambda text: text
    from casework.web.language import catalogue

    return catalogue(lang).gettext
