"""The test kit for gateways: virtual time, scripted upstreams and an in-process client."""
