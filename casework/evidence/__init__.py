"""Proof of the record: signed checkpoints, bundles of evidence, and their verifier."""
