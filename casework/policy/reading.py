"""Reading marked YAML nodes: shapes, keys, words, lengths and texts, each fault at its place."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from casework.policy.lengths import EVER, Length, parse_length, parse_window
from regtech.content import reading
from regtech.content.faults import did_you_mean
from regtech.content.reading import IDENTIFIER
from regtech.content.saying import say
from regtech.content.yamlmarks import Node, Scalar

VERSION: Final = re.compile(r"(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\Z")


class NodeReader(reading.NodeReader):
    """Reads nodes of a file of policies or themes."""

    prefix = "PL"

    def word(
        self, node: Node | None, what: str, allowed: Collection[str], code: str = "PL104"
    ) -> str | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        if text not in allowed:
            hint = did_you_mean(text, allowed)
            if not hint and len(allowed) <= 20:
                hint = say("one of %(allowed)s", allowed=", ".join(allowed))
            self.fault(code, say("unknown %(what)s %(text)r", what=what, text=text), node, hint)
            return None
        return text

    def flag(self, node: Node, what: str) -> bool | None:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool):
            return value
        self.fault("PL103", say("%(what)s is true or false", what=what), node)
        return None

    def integer(self, node: Node | None, what: str, least: int, most: int) -> int | None:
        if node is None:
            return None
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault("PL103", say("%(what)s is a whole number", what=what), node)
            return None
        if not least <= value <= most:
            self.fault(
                "PL107",
                say(
                    "%(what)s is a number from %(least)s to %(most)s",
                    what=what,
                    least=least,
                    most=most,
                ),
                node,
            )
            return None
        return value

    def share(self, node: Node | None, what: str) -> int | None:
        """``20%`` or ``0.5%`` in ten-thousandths."""
        text = self.string(node, what)
        if text is None or node is None:
            return None
        found = re.match(r"(\d{1,3})(?:\.(\d{1,2}))?\s*%\Z", text)
        value = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
        if not 0 < value <= 10_000:
            self.fault("PL107", say("%(what)s is a share such as 20%% or 0.5%%", what=what), node)
            return None
        return value

    def window(self, node: Node | None, what: str, *, ever: bool = False) -> int | None:
        """A length of time in microseconds; ``ever`` where it may be without end."""
        text = self.string(node, what)
        if text is None or node is None:
            return None
        if ever and text == "ever":
            return EVER
        length = parse_window(text)
        if length is None:
            hint = say("write 24h, 7d or 30 days, at most ten years")
            self.fault(
                "PL105",
                say("%(what)s: %(text)r is not a length of time", what=what, text=text),
                node,
                hint,
            )
        return length

    def length(self, node: Node | None, what: str) -> Length | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        length = parse_length(text)
        if length is None:
            hint = say("write 5 working days, 10 days or 72 hours")
            self.fault(
                "PL105",
                say("%(what)s: %(text)r is not a length of time", what=what, text=text),
                node,
                hint,
            )
        return length

    def identifier(self, node: Node | None, what: str) -> str | None:
        text = self.string(node, what)
        if text is None or node is None:
            return None
        if not IDENTIFIER.match(text):
            self.fault("PL106", say("%(what)s is lower case, digits and hyphens", what=what), node)
            return None
        return text
