"""`Caller`: makes calls for a request, and typed values of their replies."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar, Final, NoReturn, Protocol, Self, TypeVar

from msgspec import structs
from typing_extensions import TypeForm

from bff_core.cache.tags import filled
from bff_core.call import (
    NOT_DECODED,
    SAFE,
    Call,
    ClientEndpoint,
    Decode,
    EndpointChoice,
    Handler,
    Headers,
    Reply,
    ViewerToken,
    find_header,
)
from bff_core.clock import Clock, monotonic
from bff_core.errors import BadPayload, BadStatus, ConfigurationError, redacted
from bff_core.events import CallEnded, Events, LocationDropped, ReplyReduced, Span, StreamEnded
from bff_core.http_statuses import PASSES_THROUGH, WITH_LOCATION
from bff_core.parameter_values import Scalar, UnsupportedValue
from bff_core.policy.edge.idempotency import derived_key
from bff_core.policy.upstream.cache import Cache
from bff_core.policy.upstream.endpoints import EndpointOptions
from bff_core.policy.upstream.policy import Policy
from bff_core.reply_stream import ReplyStream
from bff_core.scope import RunningPart, Scope, StepTry, running_part, writing
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.decoding import Decodings
from bff_core.upstream.discovery.interface import Discovery
from bff_core.upstream.error_mapping import FailsWith, translated
from bff_core.upstream.forwarding import ForwardedRequest, client_reply
from bff_core.upstream.location_rewriting import Locations
from bff_core.upstream.reading.options import Decoder
from bff_core.upstream.reading.tolerant import Reduced
from bff_core.upstream.request_bodies import (
    NO_BODY,
    Content,
    Files,
    Form,
    body_of,
    json_of,
)
from bff_core.upstream.request_headers import Fields, encoded, replaced, with_propagated
from bff_core.upstream.request_target import Query, encode_query, template
from bff_core.upstream.runtime import Spawn
from bff_core.upstream.steering import Steering
from bff_core.upstream.tracing import code_of, outcome_of, traced
from bff_core.upstream.typed_reply import TypedReply

T = TypeVar("T")

ACCEPT_JSON: Headers = ((b"accept", b"application/json"),)
JSON: Headers = (*ACCEPT_JSON, (b"content-type", b"application/json"))
KEYED = frozenset({"POST", "PATCH"})
"""Methods that may be sent again only with an Idempotency-Key (RFC 9110, section 9.2.2)."""

MAX_REPORTED_PLACES: Final = 10
"""How many of the values that tolerant reading omitted from a reply an event lists."""


MAX_UPLOAD_SECONDS: Final = 86_400.0
"""How long an upload may take whose silence is limited, not its duration."""

NO_TRANSLATIONS: Final[FailsWith] = MappingProxyType({})
"""The `fails_with` of a call that has none."""


class Stack(Protocol):
    """The layers that an upstream calls through."""

    @property
    def policy(self) -> Policy:
        """The policy that the layers were built from."""
        ...

    @property
    def handler(self) -> Handler:
        """The outermost layer."""
        ...

    @property
    def origins(self) -> Sequence[str]:
        """The addresses of the upstream, as URLs."""
        ...

    @property
    def steering(self) -> Steering | None:
        """Which endpoint calls go to; None if they may go to any."""
        ...

    @property
    def events(self) -> Events:
        """The sinks of the gateway's events."""
        ...

    @property
    def spawn(self) -> Spawn:
        """Starts work that outlives a request; it is cancelled when the gateway ends."""
        ...


class Caller:
    """The implementation behind the verbs of a service client.

    A bound client calls through the stack that was current when it was bound, also after a reload.
    """

    name: ClassVar[str] = ""
    policy: ClassVar[Policy] = Policy()
    endpoints: ClassVar[Sequence[str | EndpointOptions]] = ()
    """Addresses; a variable `BFF_UPSTREAM_<NAME>` is used in place of these and of `discovery`."""
    discovery: ClassVar[Discovery | None] = None
    """A source of endpoints that change while the gateway runs."""
    decoders: ClassVar[Mapping[type, Decoder]] = {}
    """Functions that convert plain JSON values to a type, by the type."""
    passes_through: ClassVar[AbstractSet[int]] = PASSES_THROUGH
    """The statuses of the service that are passed through to clients."""
    fails_with: ClassVar[FailsWith] = NO_TRANSLATIONS
    """Functions that translate the service's errors into ours, by its status."""
    locations: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Paths of the service in a `Location`, each with the gateway's path that replaces it."""
    _locations: ClassVar[Locations | None] = None
    headers: ClassVar[Mapping[str, object]] = MappingProxyType({})
    """Headers of every call; a call replaces one by a header of the same name."""
    reports_dependencies: ClassVar[bool] = True
    """Whether its replies are noted in `Scope.dependencies`, each with its audience."""
    _default_headers: ClassVar[Headers] = ()
    _json_headers: ClassVar[tuple[Headers, Headers]] = (ACCEPT_JSON, JSON)
    """The headers of a typed call without a body, and of one with a JSON body."""

    _client_endpoint: ClientEndpoint | None = None
    """The endpoint that the client of a bound caller belongs to, once a call was made."""

    def __init__(self, stack: Stack | None = None, *, clock: Clock = monotonic) -> None:
        if stack is None:
            kind = type(self).__name__
            raise ConfigurationError(
                f"a gateway makes {kind}(): pass it the class, services=[{kind}]"
            )
        self._stack = stack
        self._clock = clock
        self._scope: Scope | None = None
        self._decodings = Decodings(stack.policy, self.decoders)

    def bind(self, scope: Scope) -> Self:
        """Return a copy that acts for one request: its viewer, its deadline, its trace."""
        bound = object.__new__(type(self))
        bound._stack = self._stack
        bound._clock = self._clock
        bound._decodings = self._decodings
        bound._scope = scope
        return bound

    def call_through(self, stack: Stack) -> None:
        """Replace the stack; clients that are bound already go on with theirs."""
        self._stack = stack
        self._decodings = Decodings(stack.policy, self.decoders)

    async def typed(
        self,
        method: str,
        path: str,
        model: TypeForm[T],
        parameters: Mapping[str, Scalar],
        *,
        query: Query | None,
        headers: Fields | None,
        json: object = NO_BODY,
        form: Form | None = None,
        files: Files | None = None,
        content: Content | None = None,
        cache: Cache | bool = True,
        purges: Sequence[str] = (),
        fails_with: FailsWith = NO_TRANSLATIONS,
    ) -> T:
        """Make a call with one kind of body, or none, and return its reply as `model`."""
        body: bytes | StreamedBody = b""
        fields, sends_json = self._json_headers
        if json is not NO_BODY:
            body, fields = json_of(json), sends_json
        if form is not None or files is not None or content is not None:
            if json is not NO_BODY:
                raise UnsupportedValue(f"{self.name}: {method} {path}: json= is the whole body")
            try:
                kind, body = body_of(form, files, content, headers or {})
            except UnsupportedValue as error:
                raise UnsupportedValue(f"{self.name}: {method} {path}: {error}") from None
            fields = replaced(fields, ((b"content-type", kind.encode("ascii")),))
        try:
            decode = self._decodings[model]
        except TypeError as error:
            raise _no_type(path, model, error) from None
        call = self.call(
            method,
            path,
            parameters,
            query=query,
            ours=fields,
            headers=headers,
            body=body,
            cache=cache,
            purges=purges,
            decode=decode,
        )
        reply = await self.reply(call)
        known = NOT_DECODED if reply.decoded is None else reply.decoded.get(decode, NOT_DECODED)
        try:
            value = decode.value(reply, call) if known is NOT_DECODED else known
        except BadStatus as failure:
            value = self._see_other(decode, reply, call)
            if value is NOT_DECODED:
                self.fail(failure, fails_with)
        if value.__class__ is Reduced:
            value = self.reduced(value, call, is_new=reply.source == "upstream")
        if self._locations is not None:
            value = self._located(value, reply, call)
        return value  # type: ignore[return-value]  # by the decoding of the model

    def reduced(
        self, reply: Reduced, call: Call, *, is_new: bool = True, reason: str = BadPayload.code
    ) -> Any:
        """Return a reply with omissions, and mark the part that made the call as partial.

        Outside a part the answer can't be marked, and is therefore not cached. A check of a saga
        raises `BadPayload`: the omitted value may be the one that it looks for.
        """
        step = None if self._scope is None else self._scope.step
        if step is not None and step.is_check:
            why = f"a check reads strictly, and this does not fit: {', '.join(reply.lost[:3])}"
            raise BadPayload(why, call=call)
        if (part := running_part.get()) is not None:
            part.mark_partial(reason)
        elif self._scope is not None and self._scope.dependencies is not None:
            self._scope.dependencies.forbid("partial")
        events = self._stack.events
        if is_new and events.sinks:
            lost = reply.lost[:MAX_REPORTED_PLACES]
            events.emit(
                ReplyReduced(call.upstream, call.operation, lost, len(reply.lost), span=call.span)
            )
        return reply.value

    def fail(
        self,
        failure: BadStatus,
        fails_with: FailsWith = NO_TRANSLATIONS,
        passes_through: AbstractSet[int] | None = None,
    ) -> NoReturn:
        """Raise the error for a failure of the service, translated by the call or the class."""
        failure.pass_through(self.passes_through if passes_through is None else passes_through)
        status = failure.reply.status
        translate = fails_with.get(status) or self.fails_with.get(status)
        error = failure if translate is None else translated(failure, translate, self._decodings)
        if error is failure:
            raise error
        raise error from failure

    def _see_other(self, decode: Decode, reply: Reply, call: Call) -> object:
        """Return the value of a write that redirects to its result (303): that of an empty reply.

        `NOT_DECODED` if the type does not allow None, or `locations` does not declare the target.
        """
        is_done = reply.status == 303 and not call.is_safe
        if not is_done or self._own_path(reply, call, "location") is None:
            return NOT_DECODED
        try:
            return decode.value(structs.replace(reply, status=204, body=b""), call)
        except BadPayload:
            return NOT_DECODED

    def _located(self, value: object, reply: Reply, call: Call) -> object:
        """Rewrite a write's Location to a path of this gateway, for the client."""
        location = self._own_path(reply, call, "location")
        if isinstance(value, TypedReply):
            value = replace(value, status=reply.status, location=location)
        if call.is_safe or self._scope is None:
            return value
        if location is not None and reply.status in WITH_LOCATION:
            self._scope.locate(b"location", location)
        content_location = self._own_path(reply, call, "content-location")
        if content_location is not None:
            self._scope.locate(b"content-location", content_location)
        return value

    def _own_path(self, reply: Reply, call: Call, name: str) -> str | None:
        """Return the gateway's path for a reference of the reply; emit an event without one."""
        reference, stack = reply.header(name), self._stack
        if reference is None or self._locations is None:
            return None
        path = self._locations.own_path(reference, call.target, stack.origins)
        if path is None and stack.events.sinks:
            stack.events.emit(
                LocationDropped(call.upstream, call.operation, redacted(reference), span=call.span)
            )
        return path

    async def reply(self, call: Call) -> Reply:
        """Send a call through the stack; note its reply for the running part and the view cache."""
        stack = self._stack
        is_counted = stack.events.is_counted
        started = self._clock() if is_counted else 0.0
        try:
            if call.span is None:
                reply = await stack.handler(call)
            else:
                reply = await traced(call, stack.handler, stack.events, self._clock)
        except BaseException as error:
            if is_counted:
                self._count_failed(call, code_of(error), self._clock() - started)
            raise
        scope, part = self._scope, running_part.get()
        if is_counted:
            seconds = self._clock() - started
            if scope is None or scope.ended_calls is None:
                self._count(call, str(reply.status), reply.source, seconds)
            else:
                name = "" if part is None else part.name
                scope.ended_calls.append(
                    (call.upstream, call.operation, reply.status, reply.source, seconds, name)
                )
        if part is not None and reply.source == "stale":
            part.note_reply(reply)
        if scope is not None and scope.dependencies is not None:
            scope.dependencies.add_reply(call, reply)
        if call.is_streamed and not isinstance(reply.body, bytes):
            self._follow(reply.body, call)
        return reply

    def _count_failed(self, call: Call, code: str, seconds: float) -> None:
        """Note the failure of a call for sinks that count: in its request, while that runs."""
        scope, part = self._scope, running_part.get()
        if scope is None or scope.ended_calls is None:
            self._count(call, code, "", seconds)
        else:
            name = "" if part is None else part.name
            scope.ended_calls.append((call.upstream, call.operation, code, "", seconds, name))

    def _count(self, call: Call, outcome: str, source: str, seconds: float) -> None:
        """Report the end of a call outside of requests to sinks that count."""
        self._stack.events.count(CallEnded(call.upstream, call.operation, outcome, source, seconds))

    def _follow(self, body: ReplyStream, call: Call) -> None:
        """Close a streamed body with the request at the latest, and report its end."""
        events, started = self._stack.events, self._clock()
        if events.sinks:
            body.on_end(
                lambda error: events.emit(
                    StreamEnded(
                        call.upstream,
                        call.operation,
                        outcome_of(error),
                        body.size,
                        self._clock() - started,
                        span=call.span,
                    )
                )
            )
        if self._scope is not None:
            self._scope.own_stream(body)

    def call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, Scalar],
        *,
        query: Query | None,
        ours: Headers = (),
        headers: Fields | None = None,
        body: bytes | StreamedBody = b"",
        cache: Cache | bool = True,
        purges: Sequence[str] = (),
        decode: Decode | None = None,
        is_streamed: bool = False,
    ) -> Call:
        """Return the call: its deadline, viewer and trace come from the request and its part.

        `headers` replace those of `ours` that have the same name.
        """
        compiled = template(path)
        operation = compiled.operation(method)
        try:
            target = compiled.fill(parameters)
            if query:
                target += encode_query(query)
            fields = replaced(ours, encoded(headers)) if headers else ours
        except UnsupportedValue as error:
            raise UnsupportedValue(f"{self.name}: {operation}: {error}") from None
        policy, scope, audience = self._stack.policy, self._scope, "unbound"
        if scope is not None:
            audience = scope.audience
            if policy.per_tenant and scope.tenant:
                audience = f"tenant:{scope.tenant}"
            if scope.idempotency_key and method in KEYED and policy.keyed:
                fields = keyed(fields, scope, self.name, operation, target)
            if scope.propagated:
                fields = with_propagated(fields, scope)
        tags: tuple[str, ...] = ()
        if purges or policy.cache is not None or cache is not True:
            values = {**query, **parameters} if query else parameters
            tags = tags_of(policy.cache, cache, values) if method in SAFE else ()
            purges = filled(tuple(purges), values)
        return self._issued(
            method,
            target,
            operation,
            audience=None if policy.public else audience,
            fields=fields,
            body=body,
            cache=cache,
            tags=tags,
            purges=tuple(purges),
            decode=decode,
            is_streamed=is_streamed,
        )

    def forwarded(self, request: ForwardedRequest) -> Call:
        """Return the call of a request that is sent as it came.

        Its Idempotency-Key is derived from the client's, as that of every other write.
        """
        fields, scope, steering = request.end_to_end_headers, self._scope, self._stack.steering
        if steering is not None:
            fields = steering.without_value(fields)
        is_keyed = request.method in KEYED and self._stack.policy.keyed
        if scope is not None and scope.idempotency_key and is_keyed:
            fields = without_key(fields)
            fields = keyed(fields, scope, self.name, request.operation, request.target)
        elif not self._stack.policy.keyed:
            fields = without_key(fields)
        return self._issued(
            request.method,
            request.target,
            request.operation,
            audience=request.audience,
            fields=fields,
            body=request.body,
            is_streamed=request.is_streamed,
            is_forwarded=True,
            cache=request.cache,
            forwarded=request,
            client_headers=request.client_headers,
        )

    def for_client(self, reply: Reply, call: Call, request: ForwardedRequest) -> Reply:
        """Return a forwarded reply as its client gets it."""
        if reply.status >= 400 and self._scope is not None:
            self._scope.forwarded_failure = BadStatus(reply, call=call)
        origins, events = self._stack.origins, self._stack.events
        answer = client_reply(reply, call, request, self._locations, origins=origins, events=events)
        client = None if call.choice is None else call.choice.client
        if client is None or self._scope is not None:  # with a scope, they are added to the answer
            return answer
        return structs.replace(answer, headers=(*answer.headers, *client.added))

    def _issued(
        self,
        method: str,
        target: str,
        operation: str,
        *,
        audience: str | None,
        fields: Headers,
        body: bytes | StreamedBody,
        is_streamed: bool,
        is_forwarded: bool = False,
        cache: object = True,
        forwarded: ForwardedRequest | None = None,
        tags: tuple[str, ...] = (),
        purges: tuple[str, ...] = (),
        decode: Decode | None = None,
        client_headers: Headers = (),
    ) -> Call:
        """Return a call with the deadline, the trace and the step of the request and its part."""
        stack = self._stack
        deadline, traceparent = self._clock() + stack.policy.timeout, ""
        tracestate, is_unconditional = "", False
        token: ViewerToken | None = None
        scope, part = self._scope, running_part.get()
        if scope is not None:
            deadline, traceparent = min(deadline, scope.deadline), scope.traceparent
            tracestate = scope.tracestate
            token = scope.token
            scope.calls += 1
            if scope.traffic is not None:
                scope.traffic.calls += 1
            if scope.step is not None:
                _check_key(scope.step, method, fields, type(self).__name__)
            if scope.cache_control and method in SAFE:
                fields, is_unconditional = fields + scope.cache_control, True
        if part is not None:
            deadline = min(deadline, part.deadline)
        call = Call(
            self.name,
            method,
            target,
            operation,
            deadline,
            audience,
            fields,
            body,
            traceparent,
            token=token,
            cache=cache,
            tags=tags,
            purges=purges,
            decode=decode,
            is_streamed=is_streamed,
            is_forwarded=is_forwarded,
            span=None if scope is None or scope.span is None else _span_in(part, scope.span),
            tracestate=tracestate,
        )
        if forwarded is not None and (
            forwarded.host or forwarded.head_timeout or forwarded.idle_timeout is not None
        ):
            call = _paced(call, forwarded, self._clock())
        if scope is not None and (is_unconditional or scope.traffic is not None):
            call = structs.replace(call, traffic=scope.traffic, is_unconditional=is_unconditional)
        if stack.steering is not None:
            call = structs.replace(
                call, choice=self._endpoint_choice(stack.steering, target, client_headers)
            )
        if scope is not None and scope.step is not None and method not in SAFE:
            scope.step.unsafe_calls.append(call)
        return call

    def _endpoint_choice(
        self, steering: Steering, target: str, client_headers: Headers
    ) -> EndpointChoice:
        """Return which endpoint a call goes to; calls of one request share what the client sent."""
        scope = self._scope
        headers = client_headers or (() if scope is None else scope.headers)
        client = self._client_endpoint or steering.client(scope, headers)
        if scope is not None:
            self._client_endpoint = client
        return steering.choice(scope, target, headers, client)


def policy_of(caller: Caller) -> Policy:
    """Return the policy that an upstream calls by, with the options of a policy file."""
    return caller._stack.policy  # noqa: SLF001 - a method would take a name from every upstream


def origins_of(caller: Caller) -> Sequence[str]:
    """Return the addresses of an upstream, as URLs."""
    return caller._stack.origins  # noqa: SLF001 - a method would take a name from every upstream


def timeout_of(caller: Caller) -> float:
    """Return the seconds that a call of an upstream may take."""
    return caller._stack.policy.timeout  # noqa: SLF001 - the same


def spawn_of(caller: Caller) -> Spawn:
    """Return what starts background work in the gateway of an upstream."""
    return caller._stack.spawn  # noqa: SLF001 - a method would take a name from every upstream


def _no_type(path: str, model: object, error: TypeError) -> TypeError:
    """Return the error for a call whose last argument is no type."""
    if not isinstance(model, Mapping):
        return error
    return TypeError(
        f"path {path!r}: name the type of the reply after the values of path parameters, as in "
        f'self.get({path!r}, {{"id": user_id}}, User)'
    )


def _paced(call: Call, request: ForwardedRequest, now: float) -> Call:
    """Return a call with the timeouts of a forwarded request; an upload has no deadline."""
    return structs.replace(
        call,
        host=request.host,
        idle_timeout=request.idle_timeout,
        head_timeout=request.head_timeout,
        deadline=now + MAX_UPLOAD_SECONDS if request.head_timeout else call.deadline,
    )


def _span_in(part: RunningPart | None, request: Span) -> Span:
    """Return the span of a new call, within the part that makes it or else the request."""
    parent = part.span if part is not None else None
    return (request if parent is None else parent).child()


def tags_of(default: Cache | None, own: object, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the tags of the stored reply, from the call's own options or the policy's.

    Raises `ConfigurationError` for a wrong `cache=`.
    """
    chosen = default if own is True else own
    if chosen is None or chosen is False:
        return ()
    if not isinstance(chosen, Cache):
        raise ConfigurationError(f"cache={own!r}: pass a Cache(...), True or False")
    if default is None:
        raise ConfigurationError(
            "cache=Cache(...) of a call needs a policy that stores replies: Policy(cache=Cache())"
        )
    return filled(chosen.tags, values)


def keyed(headers: Headers, scope: Scope, *names: str) -> Headers:
    """Add an Idempotency-Key to a write, derived from the request's, unless it has one.

    The order distinguishes writes with the same names. The body is not part of the key: if it
    differs when the request is repeated, the service must refuse the write, not execute it twice.
    """
    if find_header(headers, b"idempotency-key") is not None:
        return headers
    part = running_part.get()
    names = (scope.idempotency_key, writing.get(), part.name if part else "", *names)
    if scope.writes is None:
        scope.writes = {}
    ordinal = scope.writes[names] = scope.writes.get(names, 0) + 1
    return (*headers, (b"idempotency-key", derived_key(*names, str(ordinal)).encode()))


def without_key(headers: Headers) -> Headers:
    """Return the headers without an Idempotency-Key."""
    return tuple(field for field in headers if field[0] != b"idempotency-key")


def _check_key(step: StepTry, method: str, headers: Headers, service: str) -> None:
    """Raise `ConfigurationError` for a write without key in a step of a saga without check."""
    if step.needs_keys and method in KEYED and find_header(headers, b"idempotency-key") is None:
        raise ConfigurationError(unkeyed(step.needs_keys, service))


def unkeyed(step: str, service: str) -> str:
    """Return the error text for a step without check whose write has no key."""
    return (
        f"{step} writes to {service}, which does not support Idempotency-Keys "
        "(Policy(keyed=False)): if a reply is lost, the write can't be repeated safely. Declare a "
        "read that finds out whether it happened: @step(check=...) for a step, "
        "compensation(check=...) for its compensation (docs/how-to/sagas.md)"
    )
