"""Stores of cache entries: in this process, in Redis, in both."""
