"""API keys: how they are issued, stored, verified, rotated and revoked."""
