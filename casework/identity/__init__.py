"""Who may come in: passwords, second factors, sessions, keys of machines. Every act is logged."""
