"""The metrics of several workers on one port: their parent, which nothing blocks, serves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bff_core.errors import ConfigurationError
from bff_core.gateway.metrics_port import bind_metrics, serve_metrics
from bff_core.observe.metrics.scrape import Scrape
from bff_core.settings.model import Settings


def served_metrics(settings: Settings) -> tuple[str, int] | None:
    """Return host and port on which the parent of several workers serves their metrics."""
    if not settings.metrics_port or settings.metrics == "off":
        return None
    return settings.metrics_host, settings.metrics_port


@asynccontextmanager
async def metrics_served(settings: Settings, sockets: Path | None) -> AsyncIterator[None]:
    """Serve the metrics of the workers whose sockets are in a folder, if the settings name a port.

    Raises `ConfigurationError` if the port is taken, or if there is no folder.
    """
    address = served_metrics(settings)
    if address is None:
        yield
        return
    if sockets is None:
        raise ConfigurationError(
            f"BFF_METRICS_PORT={address[1]}: the metrics of several workers need a folder for "
            "their sockets: set TMPDIR to one that can be written"
        )
    async with serve_metrics(bind_metrics(*address), Scrape(sockets)):
        yield
