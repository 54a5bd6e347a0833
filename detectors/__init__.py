"""Pattern detectors: graph motifs, anomaly models, name screening, ownership (next issues)."""
