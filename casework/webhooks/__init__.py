"""Webhooks: telling other systems what happened, signed, in order, never into our own network."""
