"""The links of the sentences that pages start with: a label, and a path of the console."""

from typing import Final
from urllib.parse import quote

Link = tuple[str, str]

START_SERVICE: Final[Link] = ("Start it on Faults", "/console/faults")
"""The link of a sentence about a service that is stopped."""


def upstream_link(name: str) -> Link:
    """Return the link to the page of a service."""
    return f"Open {name}", f"/console/upstreams/{quote(name)}"
