"""Templates to pages: the environment, the menu, and what every template may use."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from casework.cases.lifecycle import ALLOWED, Action
from casework.cases.times import time_text
from casework.web import formats, markdown
from casework.web.flows import country_name
from casework.web.labels import LABELS
from casework.web.language import LANGUAGES, TAGS, catalogue, said
from casework.web.menu import menu_of
from casework.web.scores import scores
from casework.web.visit import THEMES, Visit
from regtech.content.saying import Said, spoken

PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}
"""Nothing from other hosts, and no script or style that stands in the page."""


@cache
def environment(lang: str) -> Environment:
    """The templates in a language. What is not given to a template is an error, not a blank."""
    made = Environment(
        loader=PackageLoader("casework.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = catalogue(lang)
    with_texts: Any = made  # the extension adds a method that the types of Jinja do not know
    with_texts.install_gettext_translations(texts, newstyle=True)

    def label(kind: str, code: Any) -> str:
        word = LABELS[kind].get(str(code))
        if word is not None:
            return texts.gettext(word)
        if kind != "per":
            return formats.clean(code)
        return ", ".join(" – ".join(map(per, subject_words(part))) for part in str(code).split(","))

    def per(word: str) -> str:
        found = LABELS["per"].get(word)
        return formats.clean(word) if found is None else texts.gettext(found)

    def figure(value: Any) -> str:
        digits, _, unit = formats.clean(value).partition(" ")
        word = LABELS["unit"].get(unit)
        return formats.clean(value) if word is None else f"{digits} {texts.gettext(word)}"

    def told(text: str) -> str:
        """An error or a fault in this language; its codes by their labels."""
        return said_in(text, lang)

    made.filters.update(
        told=told,
        figure=figure,
        said=lambda text: formats.clean(said(text, lang)),
        clean=formats.clean,
        short=formats.shortened,
        number=formats.number,
        markdown=markdown.html_of,
        typed=typed,
    )
    made.globals.update(
        label=label,
        translated=lambda text: texts.gettext(text) if text else "",
        money=formats.money,
        told_in=lambda text: lang if isinstance(text, Said) else "en",
        fact=formats.fact,
        scores=scores,
        is_day=formats.is_day,
        country_name=country_name,
        asset=asset,
        link=link,
        languages=LANGUAGES,
        colours=THEMES,
        lang=lang,
        lang_tag=TAGS[lang],
    )
    return made


def typed(text: str) -> Markup:
    """A text inside of an element of several lines. Quotes end nothing there: a pack has thousands
    of them, and written as entities they would make its page half as heavy again."""
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;"))


def subject_words(path: str) -> list[str]:
    """What a subject is named by, in words that have labels: the id of a party is the party."""
    return [word for word in path.split(".") if word != "id"] or [path]


def link(path: str, **query: Any) -> str:
    """A path with a query; values that are empty are left out."""
    given = {name: value for name, value in query.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(given, doseq=True)}" if given else path


@cache
def _digest(name: str) -> str:
    content = (resources.files("casework.web") / "static" / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file of ``static``, with its digest, so that it may be kept for ever."""
    return f"/static/{_digest(name)}/{name}"


@cache
def has_asset(name: str) -> bool:
    """Whether a file of ``static`` is there."""
    return (resources.files("casework.web") / "static" / name).is_file()


def said_in(text: str, lang: str) -> str:
    """What was said by an error or a fault, in a language; what nobody translated in English.

    Parts that are codes of the product (a state, a gate) are told by their labels.
    """
    if lang == "en":
        return text
    texts = catalogue(lang)

    def word(name: str, code: str) -> str:
        for kind in _KINDS_OF_PARTS.get(name, ()):
            found = LABELS[kind].get(code)
            if found is not None:
                return texts.gettext(found)
        return code

    return spoken(text, texts.gettext, word)


_KINDS_OF_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "action": ("act", "proposal_act"),
    "entry": ("entry",),
    "field": ("field", "filter"),
    "gate": ("gate",),
    "move": ("act",),
    "roles": ("role",),
    "severity": ("severity",),
    "state": ("state", "standing"),
    "state_after": ("state",),
}
"""Which labels the parts of a message have."""


def gettext(visit: Visit, text: str) -> str:
    """A text in the language of the visit."""
    return catalogue(visit.lang).gettext(text)


def page(
    visit: Visit,
    template: str,
    *,
    title: str,
    here: str = "",
    status: int = 200,
    **given: Any,
) -> HTMLResponse:
    """A page. ``here`` is the entry of the menu that it belongs to; ``title`` is in its language
    already."""
    caller = visit.caller
    parts = visit.parts

    def when(value: Any, jurisdiction: str = "") -> formats.Moment | None:
        law = parts.zone_of(jurisdiction) if jurisdiction else None
        return formats.moment(value, visit.zone, law)

    shown = (
        environment(visit.lang)
        .get_template(f"{template}.html")
        .render(
            visit=visit,
            caller=caller,
            scope=None if caller is None else caller.scope,
            csrf=visit.csrf,
            theme=visit.theme,
            zone=visit.zone,
            menu=[] if caller is None else menu_of(caller.scope, parts),
            here=here,
            title=title,
            release=parts.version,
            when=when,
            may=_may(visit),
            bundle=has_asset("bundle/app.js"),
            now=time_text(parts.clock.now_us()),
            **given,
        )
    )
    return HTMLResponse(shown, status, headers=dict(PAGE_HEADERS))


def _may(visit: Visit) -> Callable[[str], bool]:
    roles = frozenset() if visit.caller is None else visit.caller.scope.roles
    return lambda action: bool(roles & ALLOWED[Action(action)])
