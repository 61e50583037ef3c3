"""Screens that two or more gateways expose, and what they know of a request."""
