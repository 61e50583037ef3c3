"""Serves a gateway on sockets: HTTP parsing and limits, workers, graceful shutdown."""
