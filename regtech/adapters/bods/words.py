"""Words of the Beneficial Ownership Data Standard as ours.

Source: the codelists of BODS 0.2 to 0.4 (Open Ownership, https://standard.openownership.org). Older
releases write words with hyphens; they are compared without hyphens and in lower case. What a
register does not say about control is a default of the product and no law: a trustee, settlor or
protector controls a trust, a seat on a board is no control, a nominator stands behind its nominee.
"""

from __future__ import annotations

from typing import Final

INTERESTS: Final[dict[str, str]] = {
    "shareholding": "shares",
    "votingrights": "votes",
    "appointmentofboard": "board",
    "influenceorcontrol": "control",
    "otherinfluenceorcontrol": "control",
    "otherinfluenceorcontroloftrust": "control",
    "controlviacompanyrulesorarticles": "control",
    "controlbylegalframework": "control",
    "settlor": "control",
    "settloroftrust": "control",
    "trustee": "control",
    "trusteeoftrust": "control",
    "protector": "control",
    "protectoroftrust": "control",
    "beneficiaryoflegalarrangement": "income",
    "beneficiaryoftrust": "income",
    "rightstosurplusassets": "income",
    "rightstosurplusassetsondissolution": "income",
    "rightstoprofitorincome": "income",
    "righttoprofitorincomefromassets": "income",
    "enjoymentanduseofassets": "income",
    "rightsgrantedbycontract": "income",
    "conditionalrightsgrantedbycontract": "conditional",
    "seniormanagingofficial": "management",
    "boardmember": "board_seat",
    "boardchair": "board_seat",
    "nominee": "nominee",
    "nominator": "nominator",
    "unknowninterest": "shares",
    "unpublishedinterest": "shares",
}
"""Of an interest whose kind is unknown the share is unknown too: it may be anything."""

UNKNOWN: Final = frozenset({"unknowninterest", "unpublishedinterest"})

ENTITIES: Final[dict[str, str]] = {
    "registeredentity": "entity",
    "legalentity": "entity",
    "arrangement": "entity",
    "anonymousentity": "entity",
    "unknownentity": "entity",
    "state": "government",
    "statebody": "government",
}

LEI: Final = "XI-LEI"


def plain(word: str) -> str:
    """A word of a codelist without case and hyphens."""
    return word.replace("-", "").lower()
