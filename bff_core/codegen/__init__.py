"""Writes code: clients of services for gateways, clients of gateways for apps."""
