"""Faults of rulepacks: a closed table of stable codes, and the list that collects them all.

Codes are never reused or renumbered. The hundreds tell what was being read: 0 the file, 1 the
document, 2 an expression, 3 a name, 4 the law, 5 logic, 6 tests, 7 the lock.
"""

from __future__ import annotations

from typing import Final

from regtech.content import faults
from regtech.content.faults import Code

CODES: Final[dict[str, Code]] = {
    "RL001": Code("the file cannot be read as text, or is too large"),
    "RL002": Code("the file is not YAML"),
    "RL003": Code("an anchor, alias or merge key"),
    "RL004": Code("an explicit tag"),
    "RL005": Code("a duplicate key"),
    "RL006": Code("nested too deep"),
    "RL007": Code("more than one document in a file"),
    "RL008": Code("a key that is not text"),
    "RL101": Code("an unknown key"),
    "RL102": Code("a required key is missing"),
    "RL103": Code("a value of the wrong shape"),
    "RL104": Code("a word that is not one of those allowed"),
    "RL105": Code("a date that cannot be, or a span that ends before it starts"),
    "RL106": Code("an id or version that is not well formed, or differs from the file's name"),
    "RL107": Code("a figure or length of time that cannot be read"),
    "RL108": Code("a text lacks a language"),
    "RL109": Code("an unknown unit"),
    "RL110": Code("an id used twice"),
    "RL111": Code("keys that exclude each other, or a key that needs another"),
    "RL201": Code("an expression that cannot be parsed"),
    "RL202": Code("Python outside the subset of the language"),
    "RL203": Code("an unknown field or name"),
    "RL204": Code("an unknown function"),
    "RL205": Code("wrong arguments of a function"),
    "RL206": Code("a value of the wrong type"),
    "RL207": Code("units differ"),
    "RL208": Code("currencies differ, or are not known to be the same"),
    "RL209": Code("an unknown currency"),
    "RL210": Code("an unknown set or list"),
    "RL211": Code("a measure without a window"),
    "RL212": Code("a window on a measure that has none"),
    "RL213": Code("an unknown window, or a length that cannot be one"),
    "RL214": Code("a measure where none can be"),
    "RL215": Code("a field that events of this type do not have"),
    "RL216": Code("a word that the field cannot have"),
    "RL217": Code("a subject that events of this type do not have"),
    "RL301": Code("a parameter that is not defined"),
    "RL302": Code("a parameter that is never used"),
    "RL303": Code("a let that is never used"),
    "RL304": Code("a let used before it is defined, or named like a field or function"),
    "RL305": Code("an unknown instrument"),
    "RL306": Code("an instrument that is never cited", severity="warning"),
    "RL307": Code("an unknown obligation"),
    "RL308": Code("an unknown jurisdiction"),
    "RL309": Code("an unknown rule, or one that cannot be yielded to"),
    "RL401": Code("a citation without confidence"),
    "RL402": Code("a product default that pretends to be law"),
    "RL403": Code(
        "a rule that cites law but whose every figure is a product default", severity="warning"
    ),
    "RL404": Code("law from medium memory that is neither advisory nor disabled"),
    "RL405": Code("dated values that overlap"),
    "RL406": Code("dated values with a gap between them", severity="warning"),
    "RL407": Code("an obligation both decided by a rule and named as not decided"),
    "RL408": Code("a citation that claims more confidence than the register has"),
    "RL409": Code("a rule that cites law names no obligation of the register", severity="warning"),
    "RL410": Code("a figure or term said to be law that no cited text has"),
    "RL501": Code("a rule that can never be met"),
    "RL502": Code("a rule that shadows another"),
    "RL503": Code("a rule that contradicts another"),
    "RL504": Code("a condition that is always met"),
    "RL601": Code("no test in which the rule is met"),
    "RL602": Code("no near miss among the tests"),
    "RL603": Code("a test that cannot fail"),
    "RL604": Code("two tests of the same name"),
    "RL605": Code("a test's event has an unknown field or a value the field cannot have"),
    "RL606": Code("a test expects a value that the rule does not have"),
    "RL701": Code("a rule or pack changed without a new version"),
    "RL702": Code("a version that went back"),
    "RL703": Code("a pack is not in the lock, or the lock names one that is gone"),
}


class Faults(faults.Faults):
    """Faults of rulepacks."""

    def __init__(self) -> None:
        super().__init__(CODES)
