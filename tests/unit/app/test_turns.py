"""Quick turns last as long as anybody asks for them, in whatever order they end."""

from __future__ import annotations

import sys

from regtech.app.turns import quick_turns


def test_turns_are_as_before_once_the_last_has_ended() -> None:
    before = sys.getswitchinterval()
    one, other = quick_turns(), quick_turns()
    one.__enter__()
    quick = sys.getswitchinterval()
    assert quick < before
    other.__enter__()
    one.__exit__(None, None, None)
    assert sys.getswitchinterval() == quick
    other.__exit__(None, None, None)
    assert sys.getswitchinterval() == before
