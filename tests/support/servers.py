"""Servers that tests need: where they are, and what happens where they are not.

A test that needs one is skipped with the reason. Where ``REGTECH_REQUIRE_SERVERS`` is 1, as in
continuous integration, it fails: a suite that quietly skips proves nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ELASTIC = "REGTECH_TEST_ELASTIC"
POSTGRES = "REGTECH_TEST_POSTGRES"
REQUIRED = "REGTECH_REQUIRE_SERVERS"
_HOW = "python .ci/services.py start"


def server_url(variable: str) -> str:
    """The URL that the variable gives; skips, or fails where servers are required."""
    url = os.environ.get(variable)
    if not url:
        missing(f"no server: {variable} is not set ({_HOW})")
    return str(url)


def missing(why: str) -> None:
    """Skip the test, or fail it where servers are required."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


def control(action: str, name: str) -> None:
    """Start, kill or wipe a server that ``.ci/services.py`` runs here.

    Skips where no such script is named, also where servers are required: these tests run alone.
    """
    script = os.environ.get("REGTECH_SERVICES_SCRIPT")
    if not script or not Path(script).is_file():
        pytest.skip("REGTECH_SERVICES_SCRIPT is not set: no server that may be killed")
    command = [sys.executable, str(script), action, name]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
