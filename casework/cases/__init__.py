"""The pure domain of casework: no I/O, time and chance passed in."""
