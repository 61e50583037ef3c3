"""A service as a typed class: methods become calls, calls go down the stack, replies come up."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from typing import ClassVar, Protocol, Self, TypeVar

import msgspec
from typing_extensions import TypeForm

from bff_core.call import Call, Handler, Headers, Reply
from bff_core.clock import Clock, monotonic
from bff_core.errors import BadStatus, ConfigurationError
from bff_core.policy.policy import Policy
from bff_core.scope import Scope, running_part
from bff_core.upstream.decoding import decoding
from bff_core.upstream.streaming import ServerSentEvent, events, rows
from bff_core.upstream.target import Query, Scalar, encode_query, template
from bff_core.upstream.transport.interface import StreamedReply

T = TypeVar("T")

JSON: Headers = ((b"content-type", b"application/json"),)
ACCEPT_JSON: Headers = ((b"accept", b"application/json"),)
_NO_BODY = object()


class Streamer(Protocol):
    """Opens replies that are read as they come; the road beside the stack."""

    def stream(self, call: Call, /) -> AbstractAsyncContextManager[StreamedReply]:
        """Open the reply: its head has arrived when the context is entered."""
        ...


class Stack(Protocol):
    """What an upstream calls through: the layers, the streaming road, and how they look."""

    @property
    def handler(self) -> Handler:
        """The outermost layer."""
        ...

    @property
    def streamer(self) -> Streamer:
        """The streaming road."""
        ...


class Upstream:
    """Base of every service client: a frozen policy and typed methods.

        class Users(Upstream):
            policy = Policy(timeout=0.8)

            async def profile(self, user_id: str) -> Profile:
                return await self.get("/users/{id}", Profile, id=user_id)

    One instance serves the whole process; `bind` makes the shallow copy that acts for a request.
    The upstream's name is the class name in snake case unless `name` is given; its addresses come
    from `BFF_UPSTREAM_<NAME>`.

    Each verb takes a path with named parameters, the type of the answer, and raises an
    `UpstreamError`; where the type allows None, a 404 is None. Path parameters are encoded as one
    segment each.
    """

    name: ClassVar[str] = ""
    policy: ClassVar[Policy] = Policy()

    def __init_subclass__(cls) -> None:
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        if not isinstance(cls.policy, Policy):
            raise ConfigurationError(f"{cls.__name__}.policy must be a Policy(...)")

    def __init__(self, stack: Stack, *, clock: Clock = monotonic) -> None:
        self._stack = stack
        self._handler = stack.handler
        self._clock = clock
        self._scope: Scope | None = None

    def bind(self, scope: Scope) -> Self:
        """Return a copy that acts for one request: its viewer, its deadline, its trace."""
        bound = object.__new__(type(self))
        bound._stack = self._stack
        bound._handler = self._handler
        bound._clock = self._clock
        bound._scope = scope
        return bound

    async def get(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Scalar,
    ) -> T:
        """Read a resource."""
        return await self._typed("GET", path, model, parameters, query=query, headers=headers)

    async def post(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        json: object = _NO_BODY,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Scalar,
    ) -> T:
        """Send something; retried only with an `Idempotency-Key` header."""
        return await self._typed(
            "POST", path, model, parameters, query=query, headers=headers, json=json
        )

    async def put(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        json: object = _NO_BODY,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Scalar,
    ) -> T:
        """Replace a resource."""
        return await self._typed(
            "PUT", path, model, parameters, query=query, headers=headers, json=json
        )

    async def patch(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        json: object = _NO_BODY,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Scalar,
    ) -> T:
        """Change a resource; retried only with an `Idempotency-Key` header."""
        return await self._typed(
            "PATCH", path, model, parameters, query=query, headers=headers, json=json
        )

    async def delete(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Scalar,
    ) -> T:
        """Remove a resource; pass None as the type where the service answers without a body."""
        return await self._typed("DELETE", path, model, parameters, query=query, headers=headers)

    async def request(
        self,
        method: str,
        path: str,
        /,
        *,
        body: bytes = b"",
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Scalar,
    ) -> Reply:
        """Send any method with any body and return the reply as it is, whatever its status."""
        call = self._call(
            method, path, parameters, query=query, headers=_encoded(headers), body=body
        )
        return await self._reply(call)

    def stream(
        self,
        path: str,
        /,
        *,
        method: str = "GET",
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        **parameters: Scalar,
    ) -> AbstractAsyncContextManager[StreamedReply]:
        """Open a reply that is read as it comes: no retries, no coalescing, memory stays flat."""
        call = self._call(method, path, parameters, query=query, headers=_encoded(headers))
        return self._stack.streamer.stream(call)

    async def ndjson(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        **parameters: Scalar,
    ) -> AsyncIterator[T]:
        """Yield the typed lines of a newline-delimited JSON stream."""
        headers: Headers = ((b"accept", b"application/x-ndjson"),)
        call = self._call("GET", path, parameters, query=query, headers=headers)
        async with self._stack.streamer.stream(call) as reply:
            _refuse_failure(reply, call)
            async with aclosing(rows(aiter(reply), model, call)) as values:
                async for value in values:
                    yield value

    async def sse(
        self,
        path: str,
        /,
        *,
        query: Query | None = None,
        last_event_id: str = "",
        **parameters: Scalar,
    ) -> AsyncIterator[ServerSentEvent]:
        """Yield the events of a server-sent event stream."""
        headers: Headers = ((b"accept", b"text/event-stream"),)
        if last_event_id:
            headers += ((b"last-event-id", last_event_id.encode()),)
        call = self._call("GET", path, parameters, query=query, headers=headers)
        async with self._stack.streamer.stream(call) as reply:
            _refuse_failure(reply, call)
            async with aclosing(events(aiter(reply), call)) as values:
                async for value in values:
                    yield value

    async def _typed(
        self,
        method: str,
        path: str,
        model: TypeForm[T],
        parameters: Mapping[str, Scalar],
        *,
        query: Query | None,
        headers: Mapping[str, str] | None,
        json: object = _NO_BODY,
    ) -> T:
        fields = ACCEPT_JSON + _encoded(headers) if headers else ACCEPT_JSON
        body = b""
        if json is not _NO_BODY:
            body = msgspec.json.encode(json)
            fields += JSON
        call = self._call(method, path, parameters, query=query, headers=fields, body=body)
        return decoding(model).value(await self._reply(call), call)

    async def _reply(self, call: Call) -> Reply:
        reply = await self._handler(call)
        if reply.source == "stale" and (part := running_part.get()) is not None:
            part.saw(reply)
        return reply

    def _call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Scalar],
        *,
        query: Query | None,
        headers: Headers,
        body: bytes = b"",
    ) -> Call:
        compiled = template(path)
        deadline, audience, traceparent = self._clock() + self.policy.timeout, "unbound", ""
        scope, part = self._scope, running_part.get()
        if scope is not None:
            audience, traceparent = scope.audience, scope.traceparent
            deadline = min(deadline, scope.deadline)
        if part is not None:
            deadline = min(deadline, part.deadline)
        return Call(
            self.name,
            method,
            compiled.fill(parameters) + encode_query(query),
            compiled.operation(method),
            deadline,
            None if self.policy.public else audience,
            headers,
            body,
            traceparent,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}\n{self._stack!r}"


def _encoded(headers: Mapping[str, str] | None) -> Headers:
    if not headers:
        return ()
    return tuple(
        (name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()
    )


def _refuse_failure(reply: StreamedReply, call: Call) -> None:
    if not 200 <= reply.status < 300:
        raise BadStatus(Reply(reply.status, reply.headers), call=call)
