"""Settings and wiring behind the commands; the only place that names concrete classes."""
