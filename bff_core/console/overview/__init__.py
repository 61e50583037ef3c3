"""The overview: which screens suffer, since when, and because of which service."""
