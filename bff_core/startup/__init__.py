"""Checks at start-up: settings that would break a promise in production or in several processes."""
