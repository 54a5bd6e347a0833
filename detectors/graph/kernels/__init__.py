"""Compiled loops over the payment graph; everything they need is in ``layout.Graph``."""
