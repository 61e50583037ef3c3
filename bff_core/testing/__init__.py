"""Test kit for users' gateways: virtual time, scripted upstreams and an in-process client."""
