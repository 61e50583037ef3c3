"""Requests to the gateway of this process: as its server hands them over."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from bff_core.gateway.app import Gateway


def scope_of(
    gateway: Gateway,
    method: str,
    target: str,
    headers: Sequence[tuple[bytes, bytes]],
    *,
    scheme: str = "http",
    server: tuple[str, int | None] = ("localhost", 80),
) -> dict[str, Any]:
    """Return the ASGI scope of a request from this machine; `target` is a path with its query."""
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": scheme,
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 0),
        "server": server,
        "state": dict(gateway.lifespan_state),
    }
