"""The options of connections: how long, how many, how large, and whom to trust."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bff_core.errors import ConfigurationError

KIB: Final = 1024
MIB: Final = 1024 * KIB
CODINGS: Final = frozenset({"gzip", "br", "zstd"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How the transport connects to each endpoint of an upstream.

    Durations are seconds, sizes bytes; a value out of range raises `ConfigurationError`.
    """

    connect_timeout: float = 1.0
    """How long connecting may take, TLS included, within the call's deadline (0.001 to 60)."""

    max_connections: int = 100
    """How many connections one endpoint may have; further calls wait in turn (1 to 10,000)."""

    idle_expiry: float = 4.0
    """How long an unused connection is kept (0 to 3,600; 0 keeps none).

    Shorter than the keep-alive of the services (uvicorn 5 s, Node 5 s, nginx 75 s), so that the
    gateway closes first and no request meets a connection that the service is about to close.
    """

    lifetime: float = 300.0
    """How long a connection is reused, less up to a fifth by chance (0.1 to 86,400)."""

    max_body: int = 8 * MIB
    """How large a decoded body may grow (1 KiB to 1 GiB)."""

    max_header_bytes: int = 64 * KIB
    """How large a response's head may grow, interim responses included (1 KiB to 1 MiB)."""

    max_headers: int = 128
    """How many header fields a response may have (8 to 2,000)."""

    max_streamed: int | None = None
    """How large a streamed decoded body may grow (at least 1 KiB); None sets no limit."""

    stream_idle_timeout: float = 30.0
    """How long a streamed body may fall silent (0.01 to 3,600)."""

    accept_encoding: tuple[str, ...] = ()
    """Which content codings to ask for, of gzip, br and zstd, best first.

    None by default: within a datacentre the time to unpack costs more than the bytes that it
    saves. Whatever a service sends is decoded.
    """

    verify: bool = True
    """Whether the service's certificate is verified; never turn it off outside a test."""

    ca_file: str | None = None
    """PEM file of the authorities to trust in place of the system's (a readable file)."""

    server_name: str | None = None
    """The name that the certificate must carry, sent as SNI, where it isn't the host."""

    client_cert: str | None = None
    """PEM file of the certificate chain shown to the service (a readable file)."""

    client_key: str | None = None
    """PEM file of its private key, where `client_cert` does not hold it (a readable file)."""

    def __post_init__(self) -> None:
        self._check_durations()
        self._check_counts()
        self._check_codings()
        self._check_tls()

    def _check_durations(self) -> None:
        _within("connect_timeout", self.connect_timeout, 0.001, 60)
        _within("idle_expiry", self.idle_expiry, 0, 3600)
        _within("lifetime", self.lifetime, 0.1, 86400)
        _within("stream_idle_timeout", self.stream_idle_timeout, 0.01, 3600)

    def _check_counts(self) -> None:
        _whole("max_connections", self.max_connections, 1, 10_000)
        _whole("max_body", self.max_body, KIB, 1024 * MIB)
        _whole("max_header_bytes", self.max_header_bytes, KIB, MIB)
        _whole("max_headers", self.max_headers, 8, 2000)
        if self.max_streamed is not None:
            _whole("max_streamed", self.max_streamed, KIB, None)

    def _check_codings(self) -> None:
        if isinstance(self.accept_encoding, str) or not CODINGS.issuperset(self.accept_encoding):
            _refuse("accept_encoding", self.accept_encoding, "be a tuple of gzip, br, zstd")
        if len(set(self.accept_encoding)) < len(self.accept_encoding):
            _refuse("accept_encoding", self.accept_encoding, "name each coding once")

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


def _within(option: str, value: float, low: float, high: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        _refuse(option, value, f"be a number of seconds from {low} to {high}")


def _whole(option: str, value: int, low: int, high: int | None) -> None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value < low or (high is not None and value > high):
        top = "" if high is None else f" to {high}"
        _refuse(option, value, f"be a whole number from {low}{top}")


def _refuse(option: str, value: object, rule: str) -> None:
    raise ConfigurationError(f"Connection.{option} must {rule}, not {value!r}")
