"""What travels between adapters and the engine: batches of columns and the vocabulary of codes."""
