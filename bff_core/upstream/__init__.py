"""Calling out: typed clients, the layers around each call, and the transports beneath."""
