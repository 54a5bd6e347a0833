"""Simulated payments with laundering in them: accounts with habits, and attempts in their style.

The same number of events and the same seed give the same bytes on any machine: every random number
is a function of the seed, a stream and an index, and is used as a whole number. Amounts, limits and
shares here are ours; none of them is law.
"""
