"""Credentials of upstream calls: API keys, signatures, relayed, requested and exchanged tokens."""
