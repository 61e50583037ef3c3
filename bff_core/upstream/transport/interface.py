"""The interface of transports: endpoints, a connector for each, buffered or streamed replies."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from bff_core.call import Call, Headers, Reply

Scheme = Literal["http", "https"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of an upstream.

    `host` is the name for the Host header and for TLS. `address` is the IP address to connect to;
    it is the same as `host` if that is an IP address, or if the transport resolves names itself.
    `base_path` precedes every target: "" or "/v1", without a slash at its end. `fallbacks` are
    addresses of the same host, which are tried in turn if `address` refuses connections.
    """

    scheme: Scheme
    host: str
    port: int
    address: str
    base_path: str = ""
    fallbacks: tuple[str, ...] = ()

    @property
    def authority(self) -> str:
        """The value of the Host header: the host, and the port if it is not the default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL of targets."""
        return f"{self.scheme}://{self.authority}{self.base_path}"

    @property
    def is_secure(self) -> bool:
        """Whether the endpoint is called over TLS."""
        return self.scheme == "https"

    @property
    def name(self) -> str:
        """The name in events and errors: host and port, and the address if it differs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        where = "" if self.address == self.host else f" ({self.address})"
        return f"{host}:{self.port}{where}"


@dataclass(frozen=True, slots=True)
class Load:
    """How many connections of an endpoint are idle or active, and how many calls wait for one."""

    idle: int
    active: int
    waiting: int


class StreamedReply(Protocol):
    """A reply whose body is read while it arrives; iterate it once, inside its context."""

    @property
    def status(self) -> int:
        """The status of the response."""
        ...

    @property
    def headers(self) -> Headers:
        """The end-to-end header fields; names in lower case."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield decoded bytes; the socket is not read while the consumer does not iterate.

        Raises `TransportFailed` if the body ends early or no byte arrives for longer than
        `stream_idle_timeout`, and `BadPayload` if it can't be decoded or is too large.
        """
        ...


class Connector(Protocol):
    """The connections to one endpoint; `send` is a `Handler`."""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that it connects to."""
        ...

    @property
    def load(self) -> Load:
        """How many connections and waiting calls there are now."""
        ...

    async def send(self, call: Call, /) -> Reply:
        """Send a call and return the complete reply, of any status.

        Raises `TransportFailed` if connecting or reading fails or the reply is not HTTP,
        `BadPayload` if the body is too large or can't be decoded, `DeadlineExceeded` at
        `call.deadline`, and `UnsafeRequest`, before anything is sent, if the call could be read as
        another request.
        """
        ...

    def stream(self, call: Call, /) -> AbstractAsyncContextManager[StreamedReply]:
        """Send a call and yield status and headers as soon as they arrive.

        `call.deadline` bounds the wait for the head. Leaving the context early closes the
        connection, so that the service sees it.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection; calls under way fail."""
        ...


class Transport(Protocol):
    """Creates the connectors of endpoints."""

    def connect(self, endpoint: Endpoint, /) -> Connector:
        """Return the connector of an endpoint; opens no socket."""
        ...
