"""Routes by subject; each takes the caller's scope, asks a use case, and gives public types."""
