"""Stores of final answers by Idempotency-Key: in memory, or in Redis for several processes."""
