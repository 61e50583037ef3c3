"""Generates code from contracts: typed clients of services, and clients of a gateway."""
