"""Networks of payments: a temporal multigraph in arrays, features for models, motifs with evidence."""
