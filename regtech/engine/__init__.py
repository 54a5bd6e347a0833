"""The engine: batches of events in, alerts out, by rulepacks compiled to data for fixed kernels."""
