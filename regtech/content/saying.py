"""What is said to people, with its template and parts kept, so that it can be said in any language.

A fault or an error is made where no language is known. ``say`` gives its English text, a ``str``
like every other; whoever shows it to somebody says it again with ``spoken`` and a catalogue.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal


class Said(str):
    """An English text that knows the template it was made from and what stands in its places."""

    template: str
    parts: Mapping[str, object]

    def __new__(cls, template: str, parts: Mapping[str, object]) -> Said:
        made = super().__new__(cls, template % parts)
        made.template, made.parts = template, parts
        return made

    def __reduce__(self) -> tuple[type[Said], tuple[str, dict[str, object]]]:
        return Said, (self.template, dict(self.parts))


Hint = Said | Literal[""]
"""What to do about something, or nothing."""


def say(template: str, /, **parts: object) -> Said:
    """A text in English: ``say("unknown set %(name)r", name=name)``.

    Places are named and filled as by ``%`` with a mapping; a sign ``%`` is written ``%%``. A part
    may be ``Said`` itself. The template is what catalogues are asked for: it is written out where
    ``say`` is called, so that the texts can be collected.
    """
    return Said(template, parts)


def as_said(text: str) -> Said:
    """A text as it is, such as an error's; what of it was said can be said again."""
    return text if isinstance(text, Said) else Said("%(text)s", {"text": text})


def either(words: Iterable[str]) -> str:
    """``a or b or c``."""
    return _joined("%(one)s or %(other)s", words)


def both(words: Iterable[str]) -> str:
    """``a and b and c``."""
    return _joined("%(one)s and %(other)s", words)


def listed(words: Iterable[str]) -> str:
    """``a, b, c``."""
    return _joined("%(one)s, %(other)s", words)


def _joined(template: str, words: Iterable[str]) -> str:
    first, *others = list(words) or [""]
    for other in others:
        first = Said(template, {"one": first, "other": other})
    return first


def N_(text: str) -> str:
    """Marks a template that is not written in a call of ``say``."""
    return text


JOINING = (N_("%(one)s or %(other)s"), N_("%(one)s and %(other)s"), N_("%(one)s, %(other)s"))


def spoken(
    text: str,
    translate: Callable[[str], str],
    word: Callable[[str, str], str] = lambda _, part: part,
) -> str:
    """A text in the language that ``translate`` (``gettext`` of a catalogue) speaks.

    ``word`` is asked for parts that are plain texts, by their name: some are codes. A text that was
    not made by ``say`` stays as it is.
    """
    if not isinstance(text, Said):
        return text
    parts: dict[str, Any] = {}
    for name, part in text.parts.items():
        if isinstance(part, Said):
            parts[name] = spoken(part, translate, word)
        else:
            parts[name] = word(name, part) if isinstance(part, str) else part
    return translate(text.template) % parts


def as_data(text: str) -> Any:
    """A text as plain data, for another process; ``from_data`` makes it again."""
    if not isinstance(text, Said):
        return text
    parts = {
        name: as_data(part) if isinstance(part, str) else part for name, part in text.parts.items()
    }
    return {"template": text.template, "parts": parts}


def from_data(data: Any) -> str:
    """What ``as_data`` gave; parts that are no texts must be what JSON keeps."""
    if not isinstance(data, Mapping):
        return str(data)
    parts = {
        name: part if isinstance(part, int | float) else from_data(part)
        for name, part in data["parts"].items()
    }
    return Said(data["template"], parts)


def read_catalogue(package: str, lang: str, domain: str) -> gettext.NullTranslations:
    """A catalogue from its ``.po`` file in ``locale`` of a package: there is no compiled file that
    could be stale."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = resources.files(package) / "locale" / lang / "LC_MESSAGES" / f"{domain}.po"
    with source.open("rb") as stream:
        read = read_po(stream, locale=lang)
    made = io.BytesIO()
    write_mo(made, read)
    made.seek(0)
    return gettext.GNUTranslations(made)


@cache
def kernel_catalogue(lang: str) -> gettext.NullTranslations:
    """What the kernel says, in a language; English where there is no other."""
    if lang != "zh":
        return gettext.NullTranslations()
    return read_catalogue("regtech.content", lang, "kernel")
