"""The wire transport: HTTP/1.1 over the event loop's own sockets, parsed by llhttp."""

import ssl
from typing import Final

from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.interface import Endpoint
from bff_core.upstream.transport.pool import Pool
from bff_core.upstream.transport.tls import client_context


class WireTransport:
    """A `Transport` that pools HTTP/1.1 connections and applies every option of `Connection`."""

    needs_addresses: Final = True
    """Names are resolved before it connects."""

    def __init__(self, options: Connection, runtime: Runtime) -> None:
        self._options = options
        self._runtime = runtime
        self._context: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        warning = "" if self._options.verify else ", CERTIFICATES ARE NOT VERIFIED"
        return f"WireTransport(http/1.1, {self._options.max_connections} connections{warning})"

    def connect(self, endpoint: Endpoint) -> Pool:
        """Return the pool of an endpoint; opens no socket."""
        context = self._secure() if endpoint.is_secure else None
        return Pool(endpoint, self._options, self._runtime, context)

    def _secure(self) -> ssl.SSLContext:
        """Load the certificate authorities once, when the first endpoint needs them."""
        if self._context is None:
            try:
                self._context = client_context(self._options)
            except (OSError, ValueError) as error:
                raise ConfigurationError(
                    f"Connection: certificates can't be loaded: {error}"
                ) from error
        return self._context
