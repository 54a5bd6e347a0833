"""The command line. What libraries must be told before they are imported is told here."""

import os

# Tables grow by doubling, so half of a fresh one stays untouched for long. NumPy asks for huge
# pages for every large array, and the system would clear all of that at once.
os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
