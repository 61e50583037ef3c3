"""Requests to the gateway of this process that no metric, limit or cache notices."""
