"""Faults of policy files: a closed table of stable codes, and the list that collects them all.

Codes are never reused or renumbered. The hundreds tell what was being read: 0 the file, 1 the
document, 2 a pattern, 3 a name, 5 logic, 6 tests. They follow those of rulepacks (``RL…``).
"""

from __future__ import annotations

from typing import Final

from regtech.content import faults
from regtech.content.faults import Code

CODES: Final[dict[str, Code]] = {
    "PL001": Code(
        "the file cannot be read as text, or is too large",
        "Save the file as UTF-8 text without control characters; split a file above 2 MiB.",
    ),
    "PL002": Code(
        "the file is not YAML",
        "Look at the place shown: a bracket that is not closed, an indent, a text to be quoted.",
    ),
    "PL003": Code("an anchor, alias or merge key", "Write the value out where it is needed."),
    "PL004": Code("an explicit tag", "Leave the tag (`!…`) out."),
    "PL005": Code("a duplicate key", "Remove one of the two."),
    "PL006": Code("nested too deep", "Use fewer levels of lists and mappings."),
    "PL007": Code("more than one document in a file", "Make a file of each document."),
    "PL008": Code("a key that is not text", "Quote the key."),
    "PL101": Code("an unknown key", "Correct the key; quote a text that has a comma in it."),
    "PL102": Code("a required key is missing", "Add the key."),
    "PL103": Code("a value of the wrong shape", "Give the shape that the message names."),
    "PL104": Code("a word that is not one of those allowed", "Use one of the words named."),
    "PL105": Code(
        "a length of time that cannot be read",
        "Write `24h`, `7d`, `72 hours`, `30 days`; `5 working days` for an SLA alone.",
    ),
    "PL106": Code(
        "an id or version that is not well formed, or differs from the file's name",
        "Ids are lower case, digits and hyphens; a version is `1.0.0`; the file is `<set>.yml`.",
    ),
    "PL107": Code("a number out of its range", "Give a number in the range that is named."),
    "PL108": Code("a text lacks a language", "Give the text as `{en: …, zh: …}`."),
    "PL110": Code("an id used twice", "Ids of policies and themes are unique over all files."),
    "PL111": Code(
        "keys that exclude each other, or a key that needs another",
        "Keep one of the keys, or add the one that is needed.",
    ),
    "PL201": Code("an unknown field in a pattern", "Use a field of the table of patterns."),
    "PL202": Code("a pattern without a field", "Name a field, or write `on: any`."),
    "PL203": Code("too many or too few patterns", "`all` has two to eight patterns."),
    "PL301": Code("an unknown theme", "Use a theme of `policies/themes.yml`."),
    "PL302": Code("an unknown rule or pack", "Use an id of the packs that ship, or a prefix."),
    "PL303": Code("an unknown obligation", "Use an id of the register of obligations."),
    "PL304": Code("an unknown jurisdiction", "Use a profile of `mappings/jurisdictions`."),
    "PL501": Code(
        "no policy takes every alert that is left",
        "End with a policy that has `on: any`; what is left is put in the queue `unsorted`.",
        "warning",
    ),
    "PL502": Code(
        "a policy that no alert can reach",
        "Give it a lower `order` than the policy that takes every alert.",
        "warning",
    ),
    "PL503": Code(
        "a brake that can only tell where a setting says how many there are",
        "Events are counted by institution and day, subjects of other rules are not: add "
        "`per: event` to `on`, and let `over` be whole days; or leave `institution` out.",
        "warning",
    ),
    "PL601": Code("no test in which the policy acts", "Add a test that expects something."),
    "PL602": Code("no test in which the policy does not act", "Add one with `expect: none`."),
    "PL603": Code("a test that cannot fail", "Give the test alerts and something to expect."),
    "PL604": Code("two tests of the same name", "Rename one of them."),
    "PL605": Code("a test's alert has an unknown field or value", "Correct the alert."),
    "PL606": Code("a test expects what a directive does not have", "Correct the key."),
}


class Faults(faults.Faults):
    """Faults of policies and themes."""

    def __init__(self) -> None:
        super().__init__(CODES)
