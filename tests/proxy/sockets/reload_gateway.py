"""A gateway with nothing but the routes of a file (BFF_PROXY)."""

from bff_core import gateway

app = gateway("live")
