"""The texts of the pages, collected from templates and modules, and the catalogue's."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import casework.web

ROOT = Path(casework.web.__file__).parent
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
IN_MODULES = {"N_": None, "gettext": (2,), "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]

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


def collected() -> Catalog:
    """Every text that a page may show, with its plural where it has one."""
    made = Catalog(locale="zh", project="regtech", charset="utf-8")
    for method, keywords in (("python", IN_MODULES), ("jinja2.ext:babel_extract", KEYWORDS)):
        pattern = "**.py" if method == "python" else "**.html"
        options = {} if method == "python" else {pattern: {"extensions": "jinja2.ext.i18n"}}
        found = extract_from_dir(str(ROOT), [(pattern, method)], options, keywords)
        for name, line, message, comments, context in found:
            made.add(message, None, [(name, line)], auto_comments=comments, context=context)
    return made


def po_file(lang: str) -> Path:
    """Where the catalogue of a language is."""
    return ROOT / "locale" / lang / "LC_MESSAGES" / "web.po"


def catalogue(lang: str) -> Catalog:
    """The catalogue as it is kept."""
    with po_file(lang).open("rb") as stream:
        return read_po(stream, locale=lang)


def update(lang: str, given: dict[str, str] | None = None) -> None:
    """Write the catalogue anew: new texts empty, stale ones gone; translations given are put in."""
    made, path = collected(), po_file(lang)
    old = catalogue(lang) if path.exists() else Catalog(locale=lang)
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
    with path.open("wb") as stream:
        stream.write(HEADER.format(lang=lang).encode())
        write_po(stream, made, sort_output=True, omit_header=True, no_location=True, width=100)


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
    import re

    return set(re.findall(r"%\((\w+)\)s", text))
