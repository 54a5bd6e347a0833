"""A decoder for every field, for commands that check records without judging them."""

from __future__ import annotations

from regtech.adapters.ndjson.decoder import NdjsonDecoder
from regtech.columns.vocabulary import Vocabulary
from regtech.model.fields import COMMON
from regtech.reference.load import Reference


def checking_decoder() -> NdjsonDecoder:
    """Checks records exactly as a run does; it fills the common columns only."""
    table = Reference.shipped().currencies
    currencies = {code: (table[code].index, table[code].exponent) for code in table.codes}
    return NdjsonDecoder(COMMON, Vocabulary(), Vocabulary(), currencies)
