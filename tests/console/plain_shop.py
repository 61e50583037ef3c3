"""A gateway that is configured by its settings alone: `tests.console.plain_shop:app`."""

from bff_core import gateway

app = gateway("shop")
