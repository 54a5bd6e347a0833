"""Compiled loops of the anomaly models."""
