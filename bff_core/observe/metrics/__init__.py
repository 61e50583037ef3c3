"""Metrics: counts what a gateway does, for Prometheus and the console."""
