"""Decisions on requests of clients: rate limits, load shedding, idempotency keys, webhooks."""
