"""Rule self-tests, replay, simulation: what an institution runs before the law has to."""
