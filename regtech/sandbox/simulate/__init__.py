"""Simulated events: a background of all types, and planted cases of every rule with labels.

The same number of events and the same seed give the same bytes, on any machine and however the
work is cut into pieces: every random number is a function of the seed, a stream and an index.
"""
