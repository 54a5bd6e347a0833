"""Makes ``tests.property.oracle`` and ``tests.property.generate`` importable.

``tests`` is no package (no ``__init__.py``); as a namespace it is found from the folder above it.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.append(ROOT)
