"""Protocols for the clients of httpx and httpx2: the parts that the httpx transport uses."""

from collections.abc import AsyncIterable, AsyncIterator, MutableMapping
from typing import Protocol, TypeVar


class HttpxRequest(Protocol):
    """A request as the client's library builds it."""

    @property
    def headers(self) -> MutableMapping[str, str]:
        """Its header fields."""
        ...


class RawFields(Protocol):
    """Header fields of a response."""

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """The fields as received."""
        ...


class HttpxResponse(Protocol):
    """A response as the client's library returns it, with its body unread."""

    @property
    def status_code(self) -> int:
        """The status."""
        ...

    @property
    def headers(self) -> RawFields:
        """Its header fields."""
        ...

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """Yield the body without decoding it."""
        ...

    async def aclose(self) -> None:
        """Return the connection to the pool, or close it."""
        ...


RequestT = TypeVar("RequestT", bound=HttpxRequest)


class HttpxClient(Protocol[RequestT]):
    """The methods of `httpx.AsyncClient` and `httpx2.AsyncClient` that the transport calls."""

    def build_request(
        self,
        method: str,
        url: str,
        *,
        content: bytes | AsyncIterable[bytes],
        headers: list[tuple[bytes, bytes]],
        timeout: tuple[float | None, float | None, float | None, float | None],
        extensions: dict[str, str],
    ) -> RequestT:
        """Build a request of the client's library."""
        ...

    async def send(
        self, request: RequestT, *, stream: bool, follow_redirects: bool
    ) -> HttpxResponse:
        """Send a request; return once the head of its response has arrived."""
        ...
