"""The addresses of an upstream: those of the settings, or else those that its class declares."""

from collections.abc import Sequence

from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.destinations import Address


def addresses_of(kind: type[Upstream], settings: Settings) -> Sequence[Address]:
    """Return where an upstream is called; raises `ConfigurationError` if nothing says so."""
    declared: list[Address] = [*kind.endpoints]
    if kind.discovery is not None:
        declared.append(kind.discovery)
    if declared and not settings.has_upstream(kind.name):
        return declared
    return settings.upstream(kind.name)


def urls_of(kind: type[Upstream], settings: Settings) -> list[str]:
    """Return the addresses that are known before the gateway runs, as text."""
    addresses = addresses_of(kind, settings)
    return [
        text
        for one in addresses
        if (text := one if isinstance(one, str) else getattr(one, "url", ""))
    ]
