"""The rule language: YAML documents with typed expressions, checked and turned into rules."""
