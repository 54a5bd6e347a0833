"""Errors as answers: what may be tried again says so, and what is a defect is in the log."""

from __future__ import annotations

import json
import logging

import pytest

from casework.api.problems import answer_error
from regtech.errors import CapacityError, InternalError


def test_a_bound_with_a_code_of_its_own_is_no_defect() -> None:
    """The bench of drafts says ``warming`` for its first minute: the caller tries again."""
    error = CapacityError("being made ready", hint="try again in a moment", code="warming")
    answer = answer_error(error, "r1")
    said = json.loads(bytes(answer.body))
    assert (answer.status_code, said["code"]) == (503, "capacity")
    assert (said["detail"], said["hint"]) == (error.message, error.hint)


def test_a_defect_is_in_the_log_without_what_it_said(caplog: pytest.LogCaptureFixture) -> None:
    def break_a_promise() -> None:
        raise InternalError("Zhang San has no account")

    with pytest.raises(InternalError) as found:
        break_a_promise()
    with caplog.at_level(logging.ERROR, "regtech.api"):
        answer = answer_error(found.value, "r2")
    assert answer.status_code == 500 and b"Zhang" not in bytes(answer.body)
    (record,) = caplog.records
    line = json.loads(record.getMessage())
    assert (line["event"], line["request"], line["error"]) == ("defect", "r2", "InternalError")
    assert any("break_a_promise" in place for place in line["at"])
    assert "Zhang" not in record.getMessage()
