"""Pattern detectors: motifs of payments, anomaly models, screening of names, ownership."""
