"""Compositions: a screen's data from typed parts, each run at most once, all in parallel."""
