"""Requests of clients that go on to a service, and replies that come back, in pieces."""
