"""Serves one proxied route: a request goes to an upstream, and its reply to the client."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from http import HTTPStatus
from typing import Final, Protocol

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.access import Require, admit, admit_to
from bff_core.call import Reply
from bff_core.composition.wiring import Wiring
from bff_core.edge.body_limit import whole
from bff_core.edge.idempotency import stored_answer
from bff_core.errors import ClientError, UpstreamError
from bff_core.forwarding.request import after_upload, body_length, uploaded
from bff_core.forwarding.response import answered, fields_of
from bff_core.http_exchange.request_context import EXCHANGE, SCOPE, context_of, declare_stream
from bff_core.policy.edge.rollback import AnswerCount, RollbackGuard
from bff_core.policy.upstream.policy import Policy
from bff_core.proxy.destination import Destination
from bff_core.proxy.exchange import ProxiedExchange, open_exchange, request_of
from bff_core.proxy.mirroring import MirroredReply
from bff_core.proxy.plan import ForwardPlan
from bff_core.proxy.proxy_status import proxy_status
from bff_core.proxy.route import Route
from bff_core.proxy.route_parts import RouteParts, named_sides
from bff_core.proxy.sockets import Socket
from bff_core.proxy.transforms.response_headers import without_ours
from bff_core.proxy.upload_pace import UploadPace
from bff_core.routing.wiring import wiring_of
from bff_core.scope import Scope
from bff_core.upstream.caller import policy_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest

MAX_REPLAYED_BYTES: Final = 64 * 1024
"""A body of a declared length up to this is read first, so that the request can be retried."""

MIN_HEAD_SECONDS: Final = 0.001

GRPC: Final = b"application/grpc"


class ForwardsSockets(Protocol):
    """Forwards a web socket in both directions."""

    def __call__(
        self,
        scope: ASGIScope,
        receive: Receive,
        send: Send,
        *,
        upstream: Upstream,
        request: ForwardedRequest,
        options: Socket,
    ) -> Awaitable[None]:
        """Forward one web socket until it ends."""
        ...


class GrpcNotForwarded(ClientError):
    """A gRPC request: it needs HTTP/2 from end to end, which clients do not speak to a gateway."""

    status = 415
    code = "grpc_not_forwarded"
    title = "gRPC is not forwarded"


class Forwarder:
    """The ASGI application of a proxied route, on the fast path and behind FastAPI."""

    def __init__(self, route: Route, gateway: str) -> None:
        self.route = route
        self._gateway = gateway
        self._parts = RouteParts.of(route)
        self._plan = ForwardPlan.of(route, gateway)
        self._destinations = [Destination(one) for one in named_sides(route)]
        self.answers = AnswerCount()
        """The answers of the route, from which a reload learns whether it fails more."""
        self.guard: RollbackGuard | None = None
        self._forwards_sockets = _forwarding_of_sockets() if route.websocket else None

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Check the access rule, then serve one request or web socket."""
        request: Scope = scope[SCOPE]
        rule = self.route.access
        admit(rule, request)
        if isinstance(rule, Require) and rule.when is not None:
            admit_to(rule, request, lambda: scope["path_params"])
            stored = stored_answer(scope)
            if stored is not None:
                await stored.send(send)
                return
        parts = self._parts
        if parts.wiring is not None:
            parts.wiring.note(scope)
        if parts.files is not None:
            await parts.files(scope, receive, send)
            return
        exchange = open_exchange(self._plan, scope, receive, send)
        if scope["type"] == "websocket":
            await self._forward_socket(exchange)
        else:
            await self._forward(exchange)

    async def _forward(self, exchange: ProxiedExchange) -> None:
        scope, request = exchange.scope, exchange.request
        if self.route.websocket:
            raise HTTPException(426, "This is a web socket.", {"upgrade": "websocket"})
        _refuse_grpc(request)
        upstream = self._upstream(scope).bind(request)
        try:
            reply, mirrored = await self._sent(exchange, upstream, policy_of(upstream))
        except UpstreamError as error:
            request.added.append(proxy_status(error, self._gateway))
            self._count(HTTPStatus.BAD_GATEWAY, scope)
            raise
        self._count(reply.status, scope)
        try:
            async with aclosing(reply):
                await self._answer(exchange, reply, mirrored)
        finally:
            if mirrored is not None:  # it has ended, or the answer was cut off
                mirrored.end(is_whole=False)

    def resolve(self, wiring: Wiring) -> None:
        """Look its upstreams up now: they leave the gateway, and requests under way use them."""
        for one in self._destinations:
            if self.route.to is not None:
                one.resolve(wiring)

    def _count(self, status: int, scope: ASGIScope) -> None:
        self.answers.count(status)
        if self.guard is not None and not self.guard.count(status, wiring_of(scope).clock()):
            self.guard = None

    async def _forward_socket(self, exchange: ProxiedExchange) -> None:
        options, forward_socket = self.route.websocket, self._forwards_sockets
        if forward_socket is None:
            raise HTTPException(404)
        upstream = self._upstream(exchange.scope).bind(exchange.request)
        try:
            await forward_socket(
                exchange.scope,
                exchange.receive,
                exchange.send,
                upstream=upstream,
                request=request_of(exchange, self._plan, policy_of(upstream), b"", "GET"),
                options=options if isinstance(options, Socket) else Socket(),
            )
        except UpstreamError as error:
            exchange.request.added.append(proxy_status(error, self._gateway))
            raise

    def _upstream(self, scope: ASGIScope) -> Upstream:
        splitter = self._parts.splitter
        side = 0 if splitter is None else splitter.choose(scope)
        return self._destinations[side].of(scope)

    async def _sent(
        self, exchange: ProxiedExchange, upstream: Upstream, policy: Policy
    ) -> tuple[Reply, MirroredReply | None]:
        """Return the reply, and what compares it with that of a mirror."""
        scope, method = exchange.scope, self._plan.method or exchange.request.method
        length = body_length(scope)
        if length is None or length > MAX_REPLAYED_BYTES:
            return await self._uploaded(exchange, upstream, policy, length), None
        body = await whole(exchange.receive, scope, length) if length else b""
        forwarded = request_of(exchange, self._plan, policy, body, method)
        mirroring = self._parts.mirroring
        mirrored = None if mirroring is None else mirroring.begin(forwarded)
        try:
            reply = await upstream.forward(forwarded)
        except BaseException:
            if mirrored is not None:
                mirrored.end()
            raise
        if mirrored is None:
            return reply, None
        mirrored.head(reply.status, reply.headers)
        if isinstance(reply.body, bytes):
            mirrored.piece(reply.body)
            mirrored.end()
        return reply, mirrored

    async def _uploaded(
        self, exchange: ProxiedExchange, upstream: Upstream, policy: Policy, length: int | None
    ) -> Reply:
        """Send a request whose body is read meanwhile: its silence is limited, not its time."""
        scope, request = exchange.scope, exchange.request
        left = request.deadline - wiring_of(scope).clock()
        head = max(MIN_HEAD_SECONDS, min(left, policy.timeout))
        context_of(scope).lift_deadline()
        async with UploadPace(self.route.idle_timeout, head) as pace:
            body = uploaded(scope, exchange.receive, length, pace)
            pace.watch(body)
            method = self._plan.method or request.method
            return await upstream.forward(
                request_of(exchange, self._plan, policy, body, method, head_timeout=head)
            )

    async def _answer(
        self, exchange: ProxiedExchange, reply: Reply, mirrored: MirroredReply | None
    ) -> None:
        scope, send, method = exchange.scope, exchange.send, exchange.request.method
        if reply.is_buffered:
            fields, reply = answered(reply, method, Headers(scope=scope))
        else:
            fields = fields_of(reply, method)
        root = scope.get("root_path", "")
        fields = self._plan.reply(fields, exchange.values, exchange.path, root)
        fields = without_ours(fields, scope.get(EXCHANGE))
        start = {"type": "http.response.start", "status": reply.status, "headers": fields}
        if isinstance(reply.body, bytes):
            await send(start)
            await send({"type": "http.response.body", "body": reply.body})
            return
        if not exchange.request.idempotency_key:  # whose answer is stored
            declare_stream(scope)
        pieces = aiter(reply) if mirrored is None else _mirrored(reply, mirrored)
        if _is_cancelled_on_disconnect(scope):
            await send(start)
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        response = StreamingResponse(pieces, reply.status)
        response.raw_headers = fields
        await response(scope, after_upload(scope, exchange.receive), send)


def _forwarding_of_sockets() -> ForwardsSockets:
    """Return what forwards web sockets; raise `MissingExtra` without the extra."""
    from bff_core.proxy.socket_forwarding import forward_socket  # noqa: PLC0415 # needs the extra

    return forward_socket


def _is_cancelled_on_disconnect(scope: ASGIScope) -> bool:
    """Whether the server ends an answer whose client has left, as from version 2.4 on."""
    version: str = scope.get("asgi", {}).get("spec_version", "2.0")
    return version >= "2.4"


async def _mirrored(reply: Reply, mirrored: MirroredReply) -> AsyncIterator[bytes]:
    async for piece in reply:
        mirrored.piece(piece)
        yield piece
    mirrored.end()


def _refuse_grpc(request: Scope) -> None:
    kind = request.field(b"content-type")
    if kind is not None and kind.startswith(GRPC) and kind[len(GRPC) :][:1] in {b"", b"+", b";"}:
        raise GrpcNotForwarded(
            "gRPC needs HTTP/2 from end to end: route it at the front proxy, past this gateway, or "
            "call the service by JSON (gRPC transcoding) or gRPC-Web."
        )
