"""Caching by RFC 9111: which replies are stored, for how long, for whom, and where."""
