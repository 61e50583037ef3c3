"""Stores of rate limits: in memory, or in Redis for several processes."""
