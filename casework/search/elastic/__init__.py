"""The index in Elasticsearch, by the official client (the extra ``elastic``)."""
