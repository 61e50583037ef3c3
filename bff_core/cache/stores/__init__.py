"""Stores of cache entries: in memory, in Redis, and tiered (memory over Redis)."""
