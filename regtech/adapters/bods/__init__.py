"""Beneficial Ownership Data Standard (BODS 0.2, 0.3, 0.4) as events."""
