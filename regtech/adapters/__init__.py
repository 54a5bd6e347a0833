"""Readers and writers: files and their formats in, alerts and quarantine out."""
