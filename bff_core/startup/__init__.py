"""Checks at start-up: wrong arguments, settings that are unsafe in production, unshared state."""
