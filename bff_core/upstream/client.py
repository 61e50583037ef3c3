"""`Upstream`, the base class of service clients, and its verbs such as `get` and `post`."""

import re
from collections.abc import AsyncIterator, Awaitable, Coroutine, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, TypeVar, overload

from typing_extensions import TypeForm

from bff_core.call import MAX_ERROR_BODY_BYTES, SAFE, Call, Headers, Reply, find_header
from bff_core.errors import BadPayload, BadStatus, ConfigurationError, InvalidInput
from bff_core.keywords import check_attribute, check_class_keywords
from bff_core.parameter_values import Scalar
from bff_core.payload_errors import media_type
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.caller import ACCEPT_JSON, JSON, NO_TRANSLATIONS, Caller
from bff_core.upstream.decoding import problem_detail
from bff_core.upstream.destinations import check_endpoints
from bff_core.upstream.error_mapping import FailsWith, check_failures
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.location_rewriting import Locations
from bff_core.upstream.reading.tolerant import Reduced
from bff_core.upstream.request_bodies import NO_BODY, Content, Files, Form, content_of
from bff_core.upstream.request_headers import Fields, default_headers, replaced
from bff_core.upstream.request_target import Query
from bff_core.upstream.streaming import ServerSentEvent, events, lines
from bff_core.upstream.transport.request_writer import UnsafeRequest
from bff_core.upstream.verbs import ABSENT, NO_VALUES, Values, together, verb

T = TypeVar("T")
Q = TypeVar("Q")
R = TypeVar("R")
Request_contra = TypeVar("Request_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)


class ForwardsRequests(Protocol[Request_contra, Answer_co]):
    """Forwards requests of a web framework to an upstream, such as a `Transform`."""

    def forward(self, upstream: "Upstream", request: Request_contra, /) -> Awaitable[Answer_co]:
        """Send a request, and return the answer."""
        ...


LINES = frozenset(
    {
        *(b"application/x-ndjson", b"application/ndjson"),
        *(b"application/jsonl", b"application/x-jsonlines", b"application/json-lines"),
    }
)
"""Media types of newline-delimited JSON; none of the names is registered."""

ACCEPT_LINES: Headers = ((b"accept", b"application/x-ndjson"),)
ACCEPT_EVENTS: Headers = ((b"accept", b"text/event-stream"),)


class Upstream(Caller):
    """Base of every service client: a frozen policy and typed methods.

        class Users(Upstream):
            policy = Policy(timeout=0.8)

            async def profile(self, user_id: str) -> Profile:
                return await self.get("/users/{id}", Profile, id=user_id)

    One instance serves the whole process; `bind` makes the shallow copy that acts for a request.
    The upstream's name is the class name in snake case unless `name` is given; its addresses come
    from `BFF_UPSTREAM_<NAME>`, or else from `endpoints` and `discovery` of the class.

    Each verb takes a path with named parameters and the type of the answer, and raises an
    `UpstreamError`. A 404 is None if the type allows None. `TypedReply[T]` as the type returns
    status and headers, too. `passes_through` are the statuses of the service that clients get.
    `fails_with`, of the class or of one call, translates the service's errors into ours. Path
    parameters are keywords, or a mapping after the path for names that no keyword can have:
    `self.get("/{query}", {"query": text}, Hits)`. Each is encoded as one segment. `purges` are the
    tags of the cached replies that a write changes: "product:{id}" is filled with the parameters of
    the call.
    """

    def __init_subclass__(cls, **options: object) -> None:
        check_class_keywords(cls, options)
        check_attribute(cls, "policy", Policy)
        taken = [name for name in vars(cls) if callable(getattr(Upstream, name, None))]
        taken = [name for name in taken if not name.startswith("__")]
        if taken:
            raise ConfigurationError(
                f"{cls.__name__}.{taken[0]}: every upstream has one; rename it"
            )
        if "__init__" in vars(cls):
            raise ConfigurationError(
                f"{cls.__name__}.__init__: the gateway makes each upstream, and a copy of it for "
                "each request: set attributes on the class instead"
            )
        if "name" not in vars(cls):
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        if not isinstance(cls.name, str):
            raise ConfigurationError(f"{cls.__name__}.name must be text; rename the method")
        if not isinstance(cls.policy, Policy):
            raise ConfigurationError(f"{cls.__name__}.policy must be a Policy(...)")
        decoders = cls.decoders.items() if isinstance(cls.decoders, Mapping) else [(None, None)]
        if not all(isinstance(kind, type) and callable(decode) for kind, decode in decoders):
            raise ConfigurationError(
                f"{cls.__name__}.decoders must map types to functions, such as "
                "{datetime: read_date}"
            )
        check_endpoints(cls.__name__, cls.endpoints, cls.discovery)
        check_failures(cls.__name__, cls.passes_through, cls.fails_with)
        cls._locations = Locations(cls.__name__, cls.locations) if cls.locations else None
        cls._default_headers = default_headers(f"{cls.__name__}.headers", cls.headers)
        cls._json_headers = (
            replaced(ACCEPT_JSON, cls._default_headers),
            replaced(JSON, cls._default_headers),
        )

    @overload
    def get(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        cache: Cache | bool = True,
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, T]: ...
    @overload
    def get(
        self,
        path: str,
        values: Values,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        cache: Cache | bool = True,
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, T]: ...
    def get(
        self,
        path: str,
        given: object,
        last: object = ABSENT,
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        cache: Cache | bool = True,
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, object]:
        """Read a resource; `cache` overrides the policy's, False always calls the service."""
        if last is not ABSENT:
            given, parameters = last, together(path, given, parameters)
        return self.typed(
            "GET", path, given, parameters,  # type: ignore[arg-type]  # by overload
            query=query, headers=headers, cache=cache, fails_with=fails_with,
        )  # fmt: skip

    def _write(
        self,
        method: str,
        path: str,
        given: object,
        last: object = ABSENT,
        /,
        *,
        json: object = NO_BODY,
        form: Form | None = None,
        files: Files | None = None,
        content: Content | None = None,
        query: Query | None = None,
        headers: Fields | None = None,
        purges: Sequence[str] = (),
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, object]:
        """Write a resource: `json`, a `form` with or without `files`, or raw `content`."""
        if last is not ABSENT:
            given, parameters = last, together(path, given, parameters)
        return self.typed(
            method,
            path,
            given,  # type: ignore[arg-type]  # by overload
            parameters,
            query=query,
            headers=headers,
            json=json,
            form=form,
            files=files,
            content=content,
            purges=purges,
            fails_with=fails_with,
        )

    post = verb("POST", _write)
    """Send `json`, a `form` with or without `files`, or raw `content`.

    Retried only with an `Idempotency-Key` header.
    """
    put = verb("PUT", _write)
    """Replace a resource; the options are those of `post`."""
    patch = verb("PATCH", _write)
    """Change a resource; the options are those of `post`.

    Retried only with an `Idempotency-Key` header.
    """

    @overload
    def delete(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        purges: Sequence[str] = (),
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, T]: ...
    @overload
    def delete(
        self,
        path: str,
        values: Values,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        purges: Sequence[str] = (),
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, T]: ...
    def delete(
        self,
        path: str,
        given: object,
        last: object = ABSENT,
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        purges: Sequence[str] = (),
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, object]:
        """Remove a resource; the type None ignores what the service answers with."""
        if last is not ABSENT:
            given, parameters = last, together(path, given, parameters)
        return self.typed(
            "DELETE", path, given, parameters,  # type: ignore[arg-type]  # by overload
            query=query, headers=headers, purges=purges, fails_with=fails_with,
        )  # fmt: skip

    async def request(
        self,
        method: str,
        path: str,
        values: Values = NO_VALUES,
        /,
        *,
        body: Content = b"",
        query: Query | None = None,
        headers: Fields | None = None,
        cache: Cache | bool = True,
        purges: Sequence[str] = (),
        **parameters: Scalar,
    ) -> Reply:
        """Send any method with any body and return the reply, whatever its status.

        Safe methods can't have a streamed body. The method is sent in upper case, so that the rules
        for keys, retries, caches and sagas apply to `post` as to POST.
        """
        call = self._untyped(
            method,
            path,
            together(path, values, parameters),
            body=body,
            query=query,
            headers=headers,
            cache=cache,
            purges=purges,
        )
        return await self.reply(call)

    @overload
    async def forward(self, request: ForwardedRequest, /) -> Reply: ...
    @overload
    async def forward(self, request: Q, /, *, transforms: ForwardsRequests[Q, R]) -> R: ...
    async def forward(
        self, request: object, /, *, transforms: ForwardsRequests[Any, object] | None = None
    ) -> object:
        """Send a client's request on as it came, and return the service's reply, whatever it is.

            @app.get("/suppliers/{rest:path}")
            async def suppliers(request: Request) -> Response:
                return await app.services[Suppliers].forward(request, transforms=Transform())

        With `transforms`, a `Transform` of `bff_core.proxy`, it takes the request of a route and
        returns the answer. Otherwise it takes a `ForwardedRequest` and returns the reply.

        It passes the same layers as any call. The body of a streamed reply is not decoded.
        The reply has no field that describes the service instead of the gateway, and no
        `Location` of the service that clients can't reach. A streamed reply is closed when the
        request of the client ends; close it earlier with `contextlib.aclosing`. Raises
        `UpstreamError` where there is no reply, and `InvalidInput` for a target or a header that
        could split the request.
        """
        if transforms is not None:
            return await transforms.forward(self, request)
        if not isinstance(request, ForwardedRequest):
            raise TypeError(
                f"forward({type(request).__name__}): pass forwarded_request(request, audience=…), "
                "or the request with transforms=Transform(...) of bff_core.proxy"
            )
        call = self.forwarded(request)
        try:
            reply = await self.reply(call)
        except UnsafeRequest as error:
            raise InvalidInput("The request can't be forwarded: a header or its path.") from error
        return self.for_client(reply, call, request)

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        values: Values = NO_VALUES,
        /,
        *,
        method: str = "GET",
        body: Content = b"",
        query: Query | None = None,
        headers: Fields | None = None,
        **parameters: Scalar,
    ) -> AsyncIterator[Reply]:
        """Open a reply of any status that is read while it arrives; memory stays flat.

        The call passes the same layers as any other: it may be sent again until the head of a reply
        has arrived. Caches, coalescing and hedges let it pass. A body that is streamed needs a
        method that changes something.
        """
        given = together(path, values, parameters)
        call = self._untyped(
            method, path, given, body=body, query=query, headers=headers, is_streamed=True
        )
        async with aclosing(await self.reply(call)) as reply:
            yield reply

    @overload
    def ndjson(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        **parameters: Scalar,
    ) -> AsyncIterator[T]: ...
    @overload
    def ndjson(
        self,
        path: str,
        values: Values,
        model: TypeForm[T],
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        **parameters: Scalar,
    ) -> AsyncIterator[T]: ...
    async def ndjson(
        self,
        path: str,
        given: object,
        last: object = ABSENT,
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        **parameters: Scalar,
    ) -> AsyncIterator[object]:
        """Yield the typed lines of a newline-delimited JSON stream.

        An empty body is an empty stream only if its media type is one of JSON lines, or missing.
        With any other type it raises `BadPayload`.
        """
        ours = replaced(self._default_headers, ACCEPT_LINES)
        if last is not ABSENT:
            given, parameters = last, together(path, given, parameters)
        call = self.call(
            "GET", path, parameters, query=query, ours=ours, headers=headers, is_streamed=True
        )
        async with aclosing(await self.reply(call)) as reply:
            await self._refuse_failure(reply, call)
            is_empty = True
            decoding = self._decodings.of_lines(given)
            async with aclosing(lines(aiter(reply), call)) as found:
                async for line in found:
                    if line:
                        is_empty = False
                        value = decoding.line(line, reply.headers, call)
                        yield self.reduced(value, call) if isinstance(value, Reduced) else value
            if is_empty:
                _refuse_void(reply, call)

    async def sse(
        self,
        path: str,
        values: Values = NO_VALUES,
        /,
        *,
        query: Query | None = None,
        headers: Fields | None = None,
        last_event_id: str = "",
        **parameters: Scalar,
    ) -> AsyncIterator[ServerSentEvent]:
        """Yield the events of a server-sent event stream.

        A reply of another media type raises `BadPayload` (WHATWG HTML, section 9.2.2).
        """
        ours = replaced(self._default_headers, ACCEPT_EVENTS)
        if last_event_id:
            headers = {"last-event-id": last_event_id, **(headers or {})}
        given = together(path, values, parameters)
        call = self.call(
            "GET", path, given, query=query, ours=ours, headers=headers, is_streamed=True
        )
        async with aclosing(await self.reply(call)) as reply:
            await self._refuse_failure(reply, call)
            if _type_of(reply) not in {b"", b"text/event-stream"}:
                message = f"the reply is of {_shown_type(reply)}, not an event stream"
                raise BadPayload(message, call=call)
            async with aclosing(events(aiter(reply), call)) as found:
                async for event in found:
                    yield event

    def _untyped(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Scalar],
        *,
        body: Content,
        query: Query | None,
        headers: Fields | None,
        cache: Cache | bool = True,
        purges: Sequence[str] = (),
        is_streamed: bool = False,
    ) -> Call:
        """Return a call of any method with any body, whose reply is not decoded."""
        method, content = method.upper(), content_of(body)
        if method in SAFE and not isinstance(content, bytes):
            raise TypeError(f"{self.name}: {method} {path}: a {method} can't have a streamed body")
        return self.call(
            method,
            path,
            parameters,
            query=query,
            ours=self._default_headers,
            headers=headers,
            body=content,
            cache=cache,
            purges=purges,
            is_streamed=is_streamed,
        )

    async def _refuse_failure(self, reply: Reply, call: Call) -> None:
        """Raise for a status that is not a success."""
        if not 200 <= reply.status < 300:
            whole = await reply.buffered(MAX_ERROR_BODY_BYTES)
            self.fail(BadStatus(whole, call=call, detail=problem_detail(whole)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}\n{self._stack!r}"


def _refuse_void(reply: Reply, call: Call) -> None:
    if _type_of(reply) not in {b"", *LINES}:
        message = f"an empty body of {_shown_type(reply)}, not a stream of lines"
        raise BadPayload(message, call=call)


def _shown_type(reply: Reply) -> str:
    return media_type(reply) or "no known type"


def _type_of(reply: Reply) -> bytes:
    """Return the media type of a reply without its parameters."""
    content_type = find_header(reply.headers, b"content-type") or b""
    return content_type.partition(b";")[0].strip().lower()
