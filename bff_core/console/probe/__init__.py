"""Requests to the gateway of this process that no metric, limit and cache notices."""
