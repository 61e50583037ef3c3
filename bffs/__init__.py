"""The reference application: three gateways of one shop, over shared compositions and services."""
