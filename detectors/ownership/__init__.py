"""Who owns and controls whom: an effective-dated graph, exact shares, three outcomes.

``OwnershipGraph`` (``graph.py``) is what callers use; the other modules are its parts.
"""
