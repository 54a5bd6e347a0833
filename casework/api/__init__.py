"""The HTTP API: public types of its own over the service; who asks decides what there is."""
