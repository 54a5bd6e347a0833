"""Questions to detectors and what they found, in both languages."""

from __future__ import annotations

import pytest

from regtech.rulelang.wording import field_words
from regtech.sandbox.findings import LINES_MAX, FindingLines

ENGLISH = FindingLines(lambda en, zh: en, ": ")
CHINESE = FindingLines(lambda en, zh: zh, "：")


@pytest.mark.parametrize(
    ("path", "en", "zh"),
    [
        (
            "event.screened(payer, cn_art40) @CN",
            "the name of the payer is on the list cn_art40",
            "付款方的姓名或名称列于名单cn_art40",
        ),
        (
            "event.owner_share(owner, owned) >= 1/4 @CN",
            "what the owner holds of the owned entity in all, at least 25%",
            "所有者合计持有被持有实体的比例不低于25%",
        ),
        (
            "event.same_owner(holder, counterparty) @CN",
            "one owner controls both the holder and the counterparty",
            "同一所有者控制持有方与交易对手",
        ),
        (
            "event.layers(product) > 1 @INTL",
            "layers of products below product, more than 1",
            "产品之下的产品嵌套层数超过1",
        ),
        (
            "party.crowd(from=2) @INTL",
            "found by the detector crowd (from=2)",
            "检测器crowd的发现（from=2）",
        ),
    ],
)
def test_a_question_in_words(path: str, en: str, zh: str) -> None:
    assert field_words(path, "en") == en
    assert field_words(path, "zh") == zh


def test_a_field_is_no_question() -> None:
    assert field_words("payer.country", "en") == "the payer's country"


def test_a_chain_reads_from_the_owner_down() -> None:
    path = [
        {"owner": "H", "owned": "X", "share": "1/3"},
        {"owner": "P", "owned": "H", "share": {"at_least": "1/2", "at_most": "1"}},
    ]
    data = {"owners": [{"owner": "P", "shares": "1/6", "paths": [path], "more_paths": False}]}
    assert ENGLISH.lines(data) == [
        "- Owners: ",
        "    - owner: P",
        "    - shares: 16.666666666%",
        "    - chains: P 50% to 100% → H 33.333333333% → X",
    ]
    assert CHINESE.lines(data)[3] == "    - 链条：P 50%至100% → H 33.333333333% → X"


def test_a_long_finding_is_cut_and_says_so() -> None:
    lines = ENGLISH.lines({f"k{number}": "v" for number in range(LINES_MAX + 5)})
    assert len(lines) == LINES_MAX + 1 and lines[-1] == "- 5 more lines"
