"""Decisions on calls to services: plain synchronous state machines that are handed `now`."""
