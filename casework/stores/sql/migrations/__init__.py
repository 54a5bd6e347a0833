"""Migrations of the record, run by themselves when a store is opened."""
