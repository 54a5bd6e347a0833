"""The texts that people see, collected from templates and modules, and those of the catalogues."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import casework
import casework.web
import regtech
import regtech.content

Keywords = Mapping[str, Any]

IN_TEMPLATES: Final[Keywords] = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
IN_PAGES: Final[Keywords] = {"N_": None, "gettext": (2,), "ngettext": (1, 2), "say": None}
SAID: Final[Keywords] = {"N_": None, "say": None}

HEADER = """\
msgid ""
msgstr ""
"Language: {lang}\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
"""Without dates and names: the same texts give the same file."""


@dataclass(frozen=True)
class Domain:
    """One catalogue: where it lies, and which texts belong in it."""

    name: str
    home: Path
    sources: tuple[tuple[Path, str, Keywords], ...]
    apart: tuple[str, ...] = ()
    """Files that are carried elsewhere by themselves, with words of their own."""

    def po_file(self, lang: str) -> Path:
        """Where the catalogue of a language is."""
        return self.home / "locale" / lang / "LC_MESSAGES" / f"{self.name}.po"

    def kept(self, lang: str) -> Catalog:
        """The catalogue as it is kept."""
        with self.po_file(lang).open("rb") as stream:
            return read_po(stream, locale=lang)

    def collected(self) -> Catalog:
        """Every text that may be shown, with its plural where it has one."""
        made = Catalog(locale="zh", project="regtech", charset="utf-8")
        for name, line, message, comments, context in _extracted(self.name):
            made.add(message, None, [(name, line)], auto_comments=comments, context=context)
        return made

    def update(self, lang: str, given: dict[str, str] | None = None) -> None:
        """Write the catalogue anew: new texts empty, stale ones gone; ``given`` is put in."""
        made, path = self.collected(), self.po_file(lang)
        old = self.kept(lang) if path.exists() else Catalog(locale=lang)
        for message in made:
            if not message.id:
                continue
            known = old.get(message.id)
            single = message.id if isinstance(message.id, str) else message.id[0]
            text = (given or {}).get(single)
            if text is not None:
                message.string = (text,) if isinstance(message.id, tuple) else text
            elif known is not None and any(_strings(known)):
                message.string = known.string
            message.locations = []
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.write(HEADER.format(lang=lang).encode())
            write_po(stream, made, sort_output=True, omit_header=True, no_location=True, width=100)


_WEB = Path(casework.web.__file__).parent
_CASEWORK = Path(casework.__file__).parent
_KERNEL = Path(regtech.__file__).parent
_OTHERS = tuple(
    (folder, "python", SAID)
    for folder in sorted(_CASEWORK.iterdir())
    if folder.is_dir() and folder != _WEB
)
DOMAINS: Final = (
    Domain(
        "web",
        _WEB,
        ((_WEB, "python", IN_PAGES), (_WEB, "jinja2.ext:babel_extract", IN_TEMPLATES), *_OTHERS),
        apart=("verify_bundle.py",),
    ),
    Domain("kernel", Path(regtech.content.__file__).parent, ((_KERNEL, "python", SAID),)),
)


@cache
def _extracted(domain: str) -> tuple[Any, ...]:
    (wanted,) = (one for one in DOMAINS if one.name == domain)
    return tuple(_extract(wanted))


def _extract(domain: Domain) -> Iterator[Any]:
    for folder, method, keywords in domain.sources:
        pattern = "**.py" if method == "python" else "**.html"
        options = {} if method == "python" else {pattern: {"extensions": "jinja2.ext.i18n"}}
        for found in extract_from_dir(str(folder), [(pattern, method)], options, keywords):
            if Path(found[0]).name not in domain.apart:
                yield found


def _strings(message: Message) -> list[str]:
    text = message.string
    return list(text) if isinstance(text, (tuple, list)) else [text or ""]


def empty(catalog: Catalog) -> list[str]:
    """Texts without a translation, or with one that is not sure."""
    return [
        str(message.id)
        for message in catalog
        if message.id and (message.fuzzy or not all(_strings(message)))
    ]


def names_in(text: str) -> set[str]:
    """Places of a text that are filled in."""
    return set(re.findall(r"%\((\w+)\)", text))
