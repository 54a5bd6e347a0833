"""Use cases: everything that people and machines do with cases, over the ports alone."""
