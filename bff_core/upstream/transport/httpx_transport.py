"""The transport over a client of httpx or httpx2, for HTTP/2, proxies and in-process apps.

The user's client has HTTP/2, proxies or `ASGITransport`. Neither library is imported: Protocols
type the clients. The framework itself applies deadlines, caps, decoding and redirects.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Final, Generic

from bff_core.call import Call, Headers, Reply, find_header
from bff_core.clock import Clock, monotonic
from bff_core.errors import (
    ConfigurationError,
    DeadlineExceeded,
    TransportFailed,
    UpstreamError,
)
from bff_core.http_statuses import WITHOUT_BODY
from bff_core.keywords import checks_keywords
from bff_core.policy.upstream.connection import Connection
from bff_core.reply_stream import ReplyStream
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.loopback import LOOPBACK, is_localhost
from bff_core.upstream.transport.failures import RESPONSE_ERRORS, ProtocolViolation, upstream_error
from bff_core.upstream.transport.hop_by_hop import (
    content_coding,
    end_to_end,
    tokens,
    without_coding,
)
from bff_core.upstream.transport.httpx_protocols import HttpxClient, HttpxResponse, RequestT
from bff_core.upstream.transport.interface import Endpoint, Load
from bff_core.upstream.transport.reply_body import BodyDecoder
from bff_core.upstream.transport.request_writer import RequestWriter, default_fields
from bff_core.upstream.transport.tls import reason_of
from bff_core.upstream.user_agent import user_agent

_DEFAULTS: Final = Connection()
_ENDED_TEXTS: Final = ("disconnected", "closed connection", "ConnectionTerminated")
"""Texts in the libraries' errors for a connection that ended; bad HTTP has the same class."""

_UNSENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})


@checks_keywords
class HttpxTransport(Generic[RequestT]):
    """Sends calls through the user's client, which the user closes.

    Cookies of the client's jar are never sent, since they would be those of all viewers. `agent` is
    the User-Agent of calls that do not set one; a gateway's is `runtime.agent`.
    """

    def __init__(
        self,
        client: HttpxClient[RequestT],
        options: Connection = _DEFAULTS,
        *,
        clock: Clock = monotonic,
        agent: str = "",
    ) -> None:
        self._client = client
        self._options = options
        self._clock = clock
        self._agent = agent or user_agent()

    def __repr__(self) -> str:
        kind = type(self._client)
        return f"HttpxTransport({kind.__module__.partition('.')[0]}.{kind.__name__})"

    def connect(self, endpoint: Endpoint) -> "HttpxConnector[RequestT]":
        """Return the connector of an endpoint; opens no socket."""
        return HttpxConnector(self._client, endpoint, self._options, self._clock, agent=self._agent)


class HttpxConnector(Generic[RequestT]):
    """Sends calls to one endpoint through a shared client, which pools connections."""

    def __init__(
        self,
        client: HttpxClient[RequestT],
        endpoint: Endpoint,
        options: Connection,
        clock: Clock,
        *,
        agent: str,
    ) -> None:
        self.endpoint = endpoint
        self._client = client
        self._options = options
        self._clock = clock
        self._writer = RequestWriter(endpoint, options, agent)
        self._defaults = default_fields(options, agent)
        others = LOOPBACK if is_localhost(endpoint.address) else ()
        self._addresses = [_address(endpoint, one) for one in (endpoint.address, *others)]
        self._active = 0
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<httpx {self.endpoint.name}: {self._active} active>"

    @property
    def load(self) -> Load:
        """The running calls; the client's idle connections are unknown."""
        return Load(0, self._active, 0)

    async def send(self, call: Call) -> Reply:
        """Send a call and return the reply; see `Connector.send`."""
        source = None if isinstance(call.body, bytes) else _Source(call.body)
        left = self._time_left(call)
        limit = asyncio.timeout(left)
        try:
            async with limit:
                if call.is_streamed:
                    return await self._streamed(call, left, source)
                async with self._opened(call, left, source) as response:
                    return await self._read(call, response)
        except Exception as error:
            if source is not None and source.error is not None and not limit.expired():
                raise source.error from None
            raise _late(call) if limit.expired() else failure(error, call) from error

    async def _streamed(self, call: Call, left: float, source: "_Source | None") -> Reply:
        async with AsyncExitStack() as stack:
            response = await stack.enter_async_context(self._opened(call, left, source))
            stream = HttpxStream(call, response, self._options)
            body = ReplyStream(stream, stack.pop_all().aclose)
        return Reply(stream.status, stream.headers, body)

    async def aclose(self) -> None:
        """Refuse further calls; the client and its connections are the user's to close."""
        self._is_closed = True

    def _time_left(self, call: Call) -> float:
        """Return how many seconds a call has left; raise if it can't be sent."""
        self._writer.check(call)
        if call.web_socket is not None:
            raise ConfigurationError(
                f"{call.upstream}: this transport opens no web sockets: use the default transport"
            )
        left = call.deadline - self._clock()
        if self._is_closed:
            raise TransportFailed("the connector was closed", call=call, is_sent=False)
        if left <= 0:
            raise DeadlineExceeded("no time left to send", call=call, is_sent=False)
        return left

    def _build(self, address: str, call: Call, left: float, source: "_Source | None") -> RequestT:
        name = self._options.server_name or self.endpoint.host
        request = self._client.build_request(
            call.method,
            f"{address}{call.target}",
            content=call.body if isinstance(call.body, bytes) else source or call.body.open(),
            headers=self._fields(call, left),
            timeout=(self._options.connect_timeout, None, None, None),
            extensions={"sni_hostname": name} if self.endpoint.is_secure else {},
        )
        cookie = find_header(call.headers, b"cookie")
        request.headers.pop("cookie", None)
        if cookie is not None:
            request.headers["cookie"] = cookie.decode("latin-1")
        return request

    def _fields(self, call: Call, left: float) -> list[tuple[bytes, bytes]]:
        named = {name for name, _ in call.headers}
        fields = [
            (b"host", self.endpoint.authority.encode("ascii")),
            *[field for field in self._defaults if field[0] not in named],
            (b"request-timeout", b"%.3f" % left),
            *call.headers,
        ]
        if not isinstance(call.body, bytes) and call.body.length is not None:
            fields.append((b"content-length", b"%d" % call.body.length))
        if call.traceparent:
            fields.append((b"traceparent", call.traceparent.encode("ascii")))
            if call.tracestate:
                fields.append((b"tracestate", call.tracestate.encode("ascii")))
        return fields

    @asynccontextmanager
    async def _opened(
        self, call: Call, left: float, source: "_Source | None" = None
    ) -> AsyncIterator[HttpxResponse]:
        self._active += 1
        try:
            response = await self._respond(call, left, source)
            try:
                yield response
            finally:
                await response.aclose()
        finally:
            self._active -= 1

    async def _respond(self, call: Call, left: float, source: "_Source | None") -> HttpxResponse:
        """Return the head of the reply, from the first address that accepts."""
        *others, last = self._addresses
        for address in others:
            try:
                return await self._respond_at(address, call, left, source)
            except Exception as error:
                if "ConnectError" not in _kinds(error):
                    raise
        return await self._respond_at(last, call, left, source)

    async def _respond_at(
        self, address: str, call: Call, left: float, source: "_Source | None"
    ) -> HttpxResponse:
        request = self._build(address, call, left, source)
        response = await self._client.send(request, stream=True, follow_redirects=False)
        if address != self._addresses[0]:  # from now on it is tried first
            self._addresses.remove(address)
            self._addresses.insert(0, address)
        return response

    async def _read(self, call: Call, response: HttpxResponse) -> Reply:
        headers, coding = _head(response, self._options)
        has_body = call.method != "HEAD" and response.status_code not in WITHOUT_BODY
        content = BodyDecoder(coding if has_body else None, self._options.max_body)
        pieces: list[bytes] = []
        async for (
            raw
        ) in response.aiter_raw():  # even if there is no body, so that the connection is reused
            pieces.extend(content.decode(raw))
        content.end()
        body = b"".join(pieces) if has_body else b""
        is_decoded = coding is not None and has_body
        return Reply(response.status_code, without_coding(headers) if is_decoded else headers, body)


class _Source:
    """Reads a streamed body and stores its error, since the client may wrap it."""

    def __init__(self, body: StreamedBody) -> None:
        self._body = body
        self.error: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async with aclosing(self._body.open()) as pieces:
                async for piece in pieces:
                    yield piece
        except Exception as error:
            self.error = error
            raise


class HttpxStream:
    """A streamed reply, which is read only as fast as it is consumed."""

    def __init__(self, call: Call, response: HttpxResponse, options: Connection) -> None:
        self._call = call
        self._options = options
        fields, coding = _head(response, options)
        if call.is_forwarded:
            coding = None
        self._content = BodyDecoder(coding, options.max_streamed)
        self.status = response.status_code
        self.headers = fields if coding is None else without_coding(fields)
        self._raws = response.aiter_raw()
        self._pieces: Iterator[bytes] = iter(())
        self._is_ended = call.method == "HEAD" or self.status in WITHOUT_BODY
        total = options.stream_timeout
        self._ends_at = math.inf if total is None else asyncio.get_running_loop().time() + total

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while True:
            try:
                piece = next(self._pieces, None)
                if piece is None and self._is_ended:
                    self._content.end()
                    raise StopAsyncIteration
            except RESPONSE_ERRORS as error:
                raise upstream_error(error, self._call) from error
            if piece is not None:
                return piece
            await self._advance()

    async def _advance(self) -> None:
        idle, now = self._options.stream_idle_timeout, asyncio.get_running_loop().time()
        limit = asyncio.timeout(min(idle, self._ends_at - now))
        try:
            async with limit:
                self._pieces = self._content.decode(await anext(self._raws))
        except StopAsyncIteration:
            self._is_ended = True
        except Exception as error:
            if limit.expired() and self._ends_at - now <= idle:
                message = f"the stream took longer than {self._options.stream_timeout} s"
                raise DeadlineExceeded(message, call=self._call) from error
            silence = TimeoutError(f"silent for {idle} s")
            raise failure(silence if limit.expired() else error, self._call) from error


def _late(call: Call) -> DeadlineExceeded:
    return DeadlineExceeded("no reply in time", call=call)


def failure(error: Exception, call: Call) -> UpstreamError:
    """Return the `UpstreamError` for an exception that a client raised.

    The class names, which both libraries share, identify errors. An app behind `ASGITransport` may
    raise any exception, which counts as a failure of the upstream.
    """
    if isinstance(error, RESPONSE_ERRORS):
        return upstream_error(error, call)
    message = f"{type(error).__name__}: {error}"
    kinds = _kinds(error)
    is_sent, reason = kinds.isdisjoint(_UNSENT), reason_of(error)
    if reason is not None:
        message = f"{message}: {reason.text}"
        code, is_lasting = reason.code, not is_sent
    elif "RemoteProtocolError" in kinds and not any(text in message for text in _ENDED_TEXTS):
        code, is_lasting = "protocol_error", True
    else:
        code, is_lasting = TransportFailed.code, False
    return TransportFailed(message, call=call, is_sent=is_sent, code=code, is_lasting=is_lasting)


def _kinds(error: Exception) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _address(endpoint: Endpoint, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{endpoint.scheme}://{host}:{endpoint.port}{endpoint.base_path}"


def _head(response: HttpxResponse, options: Connection) -> tuple[Headers, bytes | None]:
    """Check a head and return its end-to-end fields and its coding; raise `ProtocolViolation`."""
    fields = [(name.lower(), value.strip(b" \t")) for name, value in response.headers.raw]
    size = sum(len(name) + len(value) + 4 for name, value in fields)
    if len(fields) > options.max_headers or size > options.max_header_bytes:
        raise ProtocolViolation("too many header fields, or too large")
    named = [token for name, value in fields if name == b"connection" for token in tokens(value)]
    coding = content_coding(value for name, value in fields if name == b"content-encoding")
    return end_to_end(fields, named=named), coding
