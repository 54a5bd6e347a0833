"""regtech: compliance and surveillance engine for regulatory sandboxes and supervisors."""

__version__ = "0.1.0"
