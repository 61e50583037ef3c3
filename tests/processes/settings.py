"""Settings of the gateways that tests run in processes of their own."""

PATIENT = {"BFF_MAX_LAG": "0", "BFF_BROWNOUT": "false"}
"""A busy machine is no reason to refuse a request of a test."""
