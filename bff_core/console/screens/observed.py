"""Adds what metrics have observed of a screen: how long its parts and its answers take."""

from collections.abc import Sequence

from bff_core.console.app import Console
from bff_core.console.model import ClientView, PlanNode


async def add_observed(
    console: Console, screen: str, nodes: Sequence[PlanNode], clients: Sequence[ClientView]
) -> None:
    """Set p50 and p95 (seconds) of parts, and p95 of clients, as far as metrics know them."""
