"""What the kernel asks of others: protocols alone, filled in by ``regtech.app``."""
