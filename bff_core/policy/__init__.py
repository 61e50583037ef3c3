"""Decisions: frozen options, and plain synchronous state machines that are handed `now`."""
