"""Stores of the final answers to keyed requests: in this process, or in Redis for many."""
