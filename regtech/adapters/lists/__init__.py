"""Reads published lists of names: OFAC's CSV files, the UN's XML, and lists of one's own as CSV."""
