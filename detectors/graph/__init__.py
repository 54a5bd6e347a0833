"""Networks of payments: a temporal multigraph in arrays, features for models, and motifs."""
