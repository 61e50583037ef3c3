"""Recorded requests: the list, and one with its sentence, waterfall, bodies and replay."""
