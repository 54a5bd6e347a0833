"""Finding cases, alerts and parties by words: one port, three backends, one meaning."""
