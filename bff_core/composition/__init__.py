"""Putting a screen together from typed parts, each at most once and in parallel."""
