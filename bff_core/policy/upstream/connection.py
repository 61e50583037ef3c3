"""Options of the connections to a service: timeouts, pool size, body caps and TLS."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from bff_core.errors import ConfigurationError
from bff_core.extras import has_extra, missing
from bff_core.keywords import checks_keywords
from bff_core.policy.options import Option, check

KIB: Final = 1024
MIB: Final = 1024 * KIB
CODINGS: Final = frozenset({"gzip", "br", "zstd"})


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How the transport connects to each endpoint of an upstream.

    Durations in seconds. Raises `ConfigurationError` where an option is out of its range.
    """

    connect_timeout: Annotated[
        float,
        Option("The time limit of connecting, TLS included, within the deadline", 0.001, 60),
    ] = 1.0
    max_connections: Annotated[
        int,
        Option("How many connections an endpoint may have; further calls queue", 1, 10_000),
    ] = 100
    # Shorter than the keep-alive of services (uvicorn and Node 5 s, nginx 75 s): the gateway closes
    # first, and sends no request on a connection that the service is about to close.
    idle_expiry: Annotated[
        float, Option("How long an unused connection stays open; 0 closes it at once", 0, 3600)
    ] = 4.0
    lifetime: Annotated[
        float,
        Option("How long a connection is reused, less a random fifth at most", 0.1, 86_400),
    ] = 300.0
    max_body: Annotated[int, Option("How many bytes a decoded body may have", KIB, 1024 * MIB)] = (
        8 * MIB
    )
    max_header_bytes: Annotated[
        int,
        Option("How many bytes a response's head may have, interim ones included", KIB, MIB),
    ] = 64 * KIB
    max_headers: Annotated[int, Option("How many header fields a response may have", 8, 2000)] = 128
    max_streamed: Annotated[
        int | None,
        Option("How many bytes a streamed decoded body may have; None sets no limit", KIB),
    ] = None
    stream_idle_timeout: Annotated[
        float, Option("How long a streamed body may pause", 0.01, 3600)
    ] = 30.0
    stream_timeout: Annotated[
        float | None,
        Option("How long a streamed body may take in all; None sets no limit", 0.01, 604_800),
    ] = None
    # None by default: within a datacentre decompression costs more time than it saves. All codings
    # that a service sends are decoded, whatever the option.
    accept_encoding: Annotated[
        tuple[str, ...],
        Option("Content codings to accept, of gzip, br and zstd, best first; () sends identity"),
    ] = ()
    verify: Annotated[
        bool,
        Option("Whether the service's certificate is verified; only a test may turn it off"),
    ] = True
    ca_file: Annotated[
        str | None, Option("PEM file of the authorities to trust in place of the system's")
    ] = None
    server_name: Annotated[
        str | None, Option("The name that the certificate must carry, where it isn't the host")
    ] = None
    client_cert: Annotated[
        str | None, Option("PEM file of the certificate chain for mutual TLS")
    ] = None
    client_key: Annotated[
        str | None, Option("PEM file of its private key, where client_cert does not hold it")
    ] = None

    def __post_init__(self) -> None:
        check(self)
        self._check_codings()
        self._check_tls()

    def _check_codings(self) -> None:
        if not CODINGS.issuperset(self.accept_encoding):
            _refuse("accept_encoding", self.accept_encoding, "be a tuple of gzip, br, zstd")
        if len(set(self.accept_encoding)) < len(self.accept_encoding):
            _refuse("accept_encoding", self.accept_encoding, "name each coding once")
        if not {"gzip"}.issuperset(self.accept_encoding) and not has_extra("compression"):
            raise missing("compression", "Connection.accept_encoding with br or zstd")

    def _check_tls(self) -> None:
        for option in ("ca_file", "client_cert", "client_key"):
            path = getattr(self, option)
            if path is not None and not Path(path).is_file():
                _refuse(option, path, "be a readable file")
        if self.server_name == "":
            _refuse("server_name", self.server_name, "be a name or None")
        if self.client_key is not None and self.client_cert is None:
            _refuse("client_key", self.client_key, "come with client_cert")
        if self.ca_file is not None and not self.verify:
            _refuse("ca_file", self.ca_file, "not be set where verify is False")


def _refuse(option: str, value: object, rule: str) -> None:
    raise ConfigurationError(f"Connection.{option} must {rule}, not {value!r}")
