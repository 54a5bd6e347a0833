"""The commands: thin wrappers over the functions of ``regtech.app``."""
