"""What screening found, as a person reads it on a terminal, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def nothing_text(lang: str) -> str:
    """That there is no hit."""
    return "没有命中" if lang == "zh" else "no hits"


def hit_text(hit: Mapping[str, Any], lang: str) -> str:
    """A hit: its score and entry, the words that were brought together, the other parts."""
    listed = hit["name"]
    if hit["primary"] != listed:
        listed += f" ({hit['primary']})"
    about = " ".join(filter(None, (hit["list"], hit["entry"], hit["kind"], *hit["programs"])))
    lines = [f"{hit['score']:.3f}  {hit['query']}  →  {listed}  [{about}]"]
    if "identifier" in hit:
        lines.append(f"    {hit['identifier']['kind']} {hit['identifier']['value']}")
    for pair in hit["words"]:
        sides = (pair["left"], pair[lang], pair["right"])
        lines.append(f"    {pair['log_odds']:+6.2f}  " + " ".join(filter(None, sides)))
    for part in hit["parts"]:
        if part["part"] == "words":
            continue
        more = f": {part['asked']} / {part['listed']}" if part.get("listed") else ""
        lines.append(f"    {part['log_odds']:+6.2f}  {part[lang]}{more}")
    return "\n".join(lines)
