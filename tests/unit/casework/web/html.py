"""A page read as HTML, with the checks that every page has to pass."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

from httpx2 import Response

VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "wbr", "col", "source"})
LEFT_OPEN = frozenset({"path", "rect", "circle", "line", "polyline", "polygon"})
LABELLED = frozenset({"input", "select", "textarea"})
TAGS = {"en": "en", "zh": "zh-Hans"}
BLOCKS = frozenset(
    {"p", "div", "form", "ul", "ol", "dl", "table", "section", "details", "h2", "h3"}
)
WEIGHT_MAX = 150_000


@dataclass
class Node:
    """An element."""

    tag: str
    attrs: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""


@dataclass
class Page:
    """What an answer says."""

    response: Response
    nodes: list[Node] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Words of the page, blanks as one."""
        plain = re.sub(r"<(script|style)\b.*?</\1>", " ", self.response.text, flags=re.S)
        body = re.sub(r"<[^>]*>", " ", plain.partition("<main")[2])
        import html

        return html.unescape(re.sub(r"\s+", " ", body))

    def all(self, tag: str, **attrs: str) -> list[Node]:
        """Elements by tag and attributes; ``class_`` for class."""
        wanted = {name.rstrip("_"): value for name, value in attrs.items()}
        return [
            node
            for node in self.nodes
            if node.tag == tag and all(node.attrs.get(n) == v for n, v in wanted.items())
        ]

    @property
    def links(self) -> list[str]:
        """Addresses that the page leads to."""
        return [node.attrs["href"] for node in self.all("a") if "href" in node.attrs]

    def values(self, name: str) -> list[str]:
        """Values of the fields of a name."""
        return [n.attrs.get("value", "") for n in self.nodes if n.attrs.get("name") == name]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.nodes: list[Node] = []
        self.open: list[Node] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        node = Node(tag, {n: v or "" for n, v in attrs}, tuple(o.tag for o in self.open))
        self.nodes.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.nodes.append(
            Node(tag, {n: v or "" for n, v in attrs}, tuple(o.tag for o in self.open))
        )

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.text += data


def page_of(response: Response, lang: str) -> Page:
    """The page of an answer, checked."""
    assert response.headers["content-type"].startswith("text/html"), response.text[:500]
    reader = _Reader()
    reader.feed(response.text)
    reader.close()
    assert not reader.open, [node.tag for node in reader.open]
    page = Page(response, reader.nodes)
    check(page, lang)
    return page


def check(page: Page, lang: str) -> None:
    """Structure, names and safety of a page. Raises ``AssertionError``."""
    assert page.response.text.startswith("<!doctype html>")
    assert len(page.response.content) <= WEIGHT_MAX
    _safe(page)
    (root,) = page.all("html")
    assert root.attrs["lang"] == TAGS[lang]
    (title,) = [node for node in page.all("title") if "svg" not in node.parents]
    assert title.text.strip()
    assert len(page.all("main")) == 1
    assert len(page.all("h1")) == 1, [node.text for node in page.all("h1")]
    _headings(page)
    ids = Counter(node.attrs["id"] for node in page.nodes if "id" in node.attrs)
    assert max(ids.values()) == 1, [name for name, count in ids.items() if count > 1]
    for node in page.nodes:
        assert "p" not in node.parents or node.tag not in BLOCKS, f"<{node.tag}> in <p>"
        assert "form" not in node.parents or node.tag != "form", "a form in a form"
        for name in ("aria-labelledby", "aria-describedby", "for", "form", "popovertarget"):
            for target in node.attrs.get(name, "").split():
                assert target in ids, f"<{node.tag} {name}={target}> names nothing"
    _named(page)


def _safe(page: Page) -> None:
    policy = page.response.headers["content-security-policy"]
    assert "'unsafe" not in policy
    for node in page.nodes:
        assert not [name for name in node.attrs if name.startswith("on")], node
        assert "style" not in node.attrs, node
        assert node.tag not in ("style", "base", "iframe", "object", "embed"), node
        if node.tag == "script":
            assert node.attrs.get("src", "").startswith("/static/") and not node.text.strip()
        for name in ("href", "src", "action", "data-src"):
            where = node.attrs.get(name, "/")
            assert where.startswith(("/", "#", "?")) and not where.startswith("//"), (node, where)
        if node.tag == "form" and node.attrs.get("method") == "post":
            assert node.attrs.get("action"), node


def _headings(page: Page) -> None:
    levels = [int(n.tag[1]) for n in page.nodes if re.fullmatch(r"h[1-6]", n.tag)]
    main = [
        int(n.tag[1]) for n in page.nodes if re.fullmatch(r"h[1-6]", n.tag) and "main" in n.parents
    ]
    assert main and main[0] == 1, levels
    for before, after in zip(main, main[1:], strict=False):
        assert after <= before + 1, f"a heading of level {after} follows one of {before}"


def _named(page: Page) -> None:
    """Whatever can be used has a name."""
    labels = {node.attrs.get("for") for node in page.all("label")}
    for node in page.nodes:
        hidden = node.attrs.get("type") == "hidden"
        if node.tag in LABELLED and not hidden:
            wrapped = "label" in node.parents
            named = "aria-label" in node.attrs or node.attrs.get("id") in labels
            assert wrapped or named, f"<{node.tag} name={node.attrs.get('name')}> has no label"
        if node.tag in ("button", "a", "summary"):
            assert node.text.strip() or "aria-label" in node.attrs, node
        if node.tag == "img":
            assert "alt" in node.attrs, node
        if node.tag == "nav":
            assert "aria-label" in node.attrs, node
        if node.tag == "th":
            assert "scope" in node.attrs, node
