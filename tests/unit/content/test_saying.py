"""What is said keeps its template and parts, and can be said again in another language."""

from __future__ import annotations

import json
import pickle

import pytest

from regtech.content import saying
from regtech.content.faults import Mark, did_you_mean, meant
from regtech.content.saying import Said, as_said, both, either, kernel_catalogue, say, spoken
from regtech.rulelang.faults import Faults
from regtech.rulelang.packs import load_text

ZH = kernel_catalogue("zh").gettext
WRONG = """\
pack: draft
version: 1.0
jurisdiction: INTL
instruments: [x]
rules:
  - id: one
    title: {en: One}
    severity: loww
    per: custmer
    when: summ(amount, over=day) > CNY 50,000 and not known(amount) = 3
    extra: *a
"""


def test_a_text_is_english_and_knows_its_parts() -> None:
    said = say("unknown set %(name)r", name="lst")
    assert said == "unknown set 'lst'" and isinstance(said, str)
    assert spoken(said, ZH) == "未知的集合 'lst'"
    assert spoken(said, str) == said and spoken("as it is", ZH) == "as it is"
    with pytest.raises(KeyError):
        say("a place %(nobody)s fills", name="x")


def test_parts_that_were_said_are_said_again() -> None:
    kinds = either([say("a time"), say("a date")])
    said = say("%(what)s is a text", what=say("the parameter %(name)r", name="x"))
    assert spoken(said, ZH) == "参数 'x'应为文本"
    assert kinds == "a time or a date" and spoken(kinds, ZH) == "时间或日期"
    assert both(["a"]) == "a" and both(["a", "b", "c"]) == "a and b and c"
    assert spoken(as_said(said), ZH) == spoken(said, ZH) and as_said("50 %") == "50 %"


def test_codes_among_the_parts_are_told_by_whoever_knows_them() -> None:
    said = say("%(one)s is %(state)s", one="draft-1", state="open")
    words = {("state", "open"): "待决"}
    assert spoken(said, ZH, lambda name, part: words.get((name, part), part)) == (
        "draft-1 的状态为待决"
    )


def test_it_goes_to_another_process_and_back_whole() -> None:
    said = say("%(what)s has %(n)s of 100 %%", what=say("a list of words"), n=3)
    for again in (
        pickle.loads(pickle.dumps(said)),
        saying.from_data(json.loads(json.dumps(saying.as_data(said)))),
    ):
        assert isinstance(again, Said) and again == said == "a list of words has 3 of 100 %"
        assert spoken(again, ZH).startswith("词的列表 has 3")
    assert saying.from_data(saying.as_data("plain")) == "plain"


def test_every_fault_of_a_draft_is_told_in_chinese() -> None:
    _, faults = load_text(WRONG, "draft")
    assert len(faults) > 5
    for fault in faults:
        assert isinstance(fault.message, Said), fault
        told = spoken(fault.message, ZH)
        assert told != fault.message and not told.isascii(), fault
        assert fault.hint == "" or isinstance(fault.hint, Said)
        assert fault.told(ZH).startswith(f"{fault.mark}: ")


def test_what_was_meant_is_known_by_itself() -> None:
    hint = did_you_mean("versoin", ["version", "pack"])
    assert hint == "did you mean 'version'?" and meant(hint) == "version"
    assert spoken(hint, ZH) == "是否应为 'version'？"
    assert did_you_mean("zzz", ["version"]) == "" and meant("did you mean 'x'?") == ""
    faults = Faults()
    faults.add("RL101", say("%(what)s has no key %(name)r", what="x", name="y"), Mark("f", 1, 2))
    (fault,) = faults
    assert fault.told(ZH) == "f:1:2: 错误 RL101: x没有键 'y'"
    assert str(fault) == "f:1:2: error RL101: x has no key 'y'"
