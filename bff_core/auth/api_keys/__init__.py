"""API keys: issued, found by their prefix, verified by their hash, rotated, revoked."""
