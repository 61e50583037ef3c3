"""Balancing algorithms: each says which of several endpoints takes a call."""
