"""Stores that count requests against limits: in this process, or in Redis for many."""
