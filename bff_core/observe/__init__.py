"""Sinks for events: logs now."""
