"""Screens that two or more gateways expose, and the values of a request that they use."""
