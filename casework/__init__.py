"""Casework: policies, cases, stores, search, API and pages."""
