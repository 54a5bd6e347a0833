"""Compiled kernels. They know nothing of rules or law: packs reach them as tables of integers."""
