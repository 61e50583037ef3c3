"""Settings of the gateways that tests run in processes of their own."""

import os

PATIENT = {"BFF_MAX_LAG": "0", "BFF_BROWNOUT": "false"}
"""A busy machine is no reason to refuse a request of a test."""

OURS = ("BFF_", "SERVICES_", "SHOP_")
"""How variables of gateways, mock services and pages begin."""


def shop_environment(**variables: str) -> dict[str, str]:
    """Return the environment of a run of the shop: no variable of gateways but these."""
    usual = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
    return {**usual, **PATIENT, **variables}
