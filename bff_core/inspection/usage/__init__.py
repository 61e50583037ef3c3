"""Reads from source which fields of services' replies a project uses, and what it sends."""
