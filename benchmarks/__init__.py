"""Benchmarks: one command each, with the machine and the load beside every figure."""
