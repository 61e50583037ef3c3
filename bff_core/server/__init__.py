"""Serves a gateway on sockets: what happens before ASGI is called, and how a process ends."""
