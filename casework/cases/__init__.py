"""The domain of casework: frozen values and pure functions; no input, no output, no time."""
