"""The interface of transports: endpoints, a connector for each, buffered or streamed replies."""

from dataclasses import dataclass
from typing import Literal, Protocol

from bff_core.call import Call, Reply

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
        """Send a call and return the reply, of any status.

        It is complete, unless the call is streamed: then its head has arrived, its body is a
        `ReplyStream`, and `call.deadline` bounds the wait for the head.

        Raises `TransportFailed` if connecting or reading fails or the reply is not HTTP,
        `BadPayload` if the body is too large or can't be decoded, `DeadlineExceeded` at
        `call.deadline`, and `UnsafeRequest`, before anything is sent, if the call could be read as
        another request.
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
