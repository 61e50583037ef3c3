"""Processes that pass web sockets on."""

from tests.server.conftest import depot

__all__ = ["depot"]
