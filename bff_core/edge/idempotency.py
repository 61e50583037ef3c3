"""Idempotency: executes a request with an `Idempotency-Key` once, and replays its answer."""

from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import Message, Send
from starlette.types import Scope as ASGIScope

from bff_core.auth.viewer import ANONYMOUS, Viewer
from bff_core.clock import Clock
from bff_core.edge.body_limit import replay, whole
from bff_core.edge.concern import HTTP_ONLY
from bff_core.errors import BFFError, ClientError, KeyReused, StoreUnavailable
from bff_core.events import AnswerForgotten, Events
from bff_core.http_exchange.answer import Answer
from bff_core.http_exchange.request_context import RequestContext, context_of
from bff_core.idempotency.interface import Claim, IdempotencyStore, Reused, Running
from bff_core.policy.edge.idempotency import (
    MIN_ANONYMOUS_KEY_LENGTH,
    UNSAFE,
    IdempotencyOptions,
    StoredAnswer,
    derived_key,
    fingerprint,
    is_final_answer,
    parse_key,
)
from bff_core.routing.access import admit_to_route
from bff_core.routing.route_table import RouteTable
from bff_core.scope import Scope

FIELD = b"idempotency-key"
REPLAYED = (b"idempotency-replayed", b"true")

NOT_STORED = frozenset({b"connection", b"date", b"server-timing", b"set-cookie"})
"""Headers that a stored answer lacks: they hold for one delivery, and cookies are credentials."""

RESERVE_SHARE = 0.1
MAX_RESERVE_SECONDS = 0.1
"""A waiting request gives up before its deadline, so that there is time to answer.

The reserve is a share of the time that is left, and a number of seconds at most.
"""

GetStore = Callable[[], IdempotencyStore]


class KeyInUse(ClientError):
    """The first request with this Idempotency-Key has not ended."""

    status = 409
    code = "idempotency_key_in_use"
    title = "A request with this Idempotency-Key is under way"
    retry_after = 1.0


class MalformedKey(ClientError):
    """The Idempotency-Key is malformed, or is too easy to guess."""


KEY_ERRORS = (MalformedKey, KeyReused, KeyInUse, StoreUnavailable)


class Idempotency:
    """Innermost: executes a request with an Idempotency-Key once, however often it is sent.

    It is behind compression, so that an answer is stored uncompressed, and compressed for each
    client. The route's access rule is checked before the key and the body are read. If the face
    has further rules (`Require(when=…)`, fields of GraphQL), it gets the verdict on the key, and
    sends it after these rules have passed.

    A key belongs to its gateway, viewer and route (method and path). Query and body must equal
    those of the first request, and only a viewer with the same rights gets the stored answer.
    Final answers are stored (`policy.edge.idempotency.is_final_answer`). After an answer that
    leaves the outcome open, the next request with the key is executed again, under the same derived
    keys. Streams are never stored. Requests without the header pass, and so do those of safe
    methods and of routes that change nothing, such as a GraphQL schema without mutations.
    """

    __slots__ = ("_clock", "_events", "_gateway", "_options", "_routes", "_store")
    kinds = HTTP_ONLY

    def __init__(
        self,
        options: IdempotencyOptions,
        *,
        routes: RouteTable,
        store: GetStore,
        gateway: str,
        clock: Clock,
        events: Events,
    ) -> None:
        self._routes = routes
        self._options = options
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._events = events

    def check(self, context: RequestContext) -> Awaitable[Response | None] | None:
        """Claim the key of a request, or replay its answer; a request without a key passes."""
        field = context.fields.get(FIELD)
        if field is None or context.scope.method not in UNSAFE:
            return None
        route = self._routes.match(context.asgi).entry
        return self._keyed(field, context) if route is None or route.is_keyed else None

    async def _keyed(self, field: bytes, context: RequestContext) -> Response | None:
        has_inner_rules, found = admit_to_route(self._routes, context.asgi), None
        try:
            key = _checked(field, context.scope)
            body = await whole(context.receive, context.asgi)  # within the body limit
            context.receive = replay(body, context.receive)
            found = await self._found(key, context.scope, body)
        except KEY_ERRORS as error:
            if not has_inner_rules:
                raise
            context.verdict = error
        if isinstance(found, Claim):
            delivery = _StoringSend(
                found, self._store(), context, self._options.max_answer, context.send
            )
            context.send = context.state[self] = delivery
        elif found is not None and not has_inner_rules:
            return _replayed(found).as_response()
        else:
            context.verdict = context.verdict or found
        return None

    def finish(self, context: RequestContext, response: Response | None) -> None:
        """Release the key of a request whose answer is not stored."""
        del response
        delivery = context.state.get(self)
        is_dropped = delivery is not None and delivery.settle() and delivery.is_too_large
        if is_dropped and self._events.sinks:
            self._events.emit(AnswerForgotten("size"))

    async def _found(self, key: str, request: Scope, body: bytes) -> Claim | StoredAnswer | None:
        """Return the claim or the stored answer; None if the store is down and may be."""
        viewer = Viewer.from_scope(request)
        request.idempotency_key = derived_key(
            key, self._gateway, viewer.identity, request.method, request.path
        )
        try:
            found = await self._claimed(request, fingerprint(request.query, body))
        except StoreUnavailable:
            if self._options.proceeds_without_store:
                return None
            raise
        if isinstance(found, StoredAnswer) and found.rights != viewer.rights:
            raise KeyReused("This Idempotency-Key was used when you had other rights.")
        return found

    async def _claimed(self, request: Scope, print_: bytes) -> Claim | StoredAnswer:
        """Return the claim or the answer of a key; wait while another request holds the key."""
        store = self._store()
        left = request.deadline - self._clock()
        until = request.deadline - min(MAX_RESERVE_SECONDS, RESERVE_SHARE * left)
        while True:
            found = await store.claim(request.idempotency_key, print_)
            if isinstance(found, Reused):
                raise KeyReused("This Idempotency-Key came with another request before.")
            if not isinstance(found, Running):
                return found
            left = until - self._clock()
            if left <= 0 or not self._options.waits:
                raise KeyInUse("The first request with this Idempotency-Key has not ended.")
            await store.wait_for_change(request.idempotency_key, left)


class _StoringSend:
    """A `send` that buffers an answer, stores it if it is final, and then sends it.

    It stores before it sends, so that a client can rely on its answer. The claim is released
    exactly once: by the last message, an error or a cancellation, whichever ends the request first.
    """

    __slots__ = (
        "_claim", "_context", "_held", "_is_settled", "_limit", "_send", "_size", "_store",
        "is_too_large",
    )  # fmt: skip

    def __init__(
        self,
        claim: Claim,
        store: IdempotencyStore,
        context: RequestContext,
        limit: int,
        send: Send,
    ) -> None:
        self._claim = claim
        self._store = store
        self._context = context
        self._limit = limit
        self._send = send
        self._held: list[Message] | None = []
        self._size = 0
        self._is_settled = False
        self.is_too_large = False

    async def __call__(self, message: Message) -> None:
        """Buffer a message; send all messages once the answer is complete, or not stored."""
        if self._held is None:
            await self._send(message)
            return
        self._held.append(message)
        self._size += len(message.get("body", b""))
        self.is_too_large = self._size > self._limit
        is_plain = message["type"] in {"http.response.start", "http.response.body"}
        if not is_plain or self.is_too_large or self._context.is_stream:
            await self._release()
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._finish(self._held)
            await self._release()

    def settle(self) -> bool:
        """Release the key unless that was done before; return whether it was held."""
        if self._is_settled:
            return False
        self._is_settled = True
        self._store.release(self._claim, forget=self._context.scope.outcome == "read")
        return True

    async def _finish(self, messages: list[Message]) -> None:
        request = self._context.scope
        answer, outcome = _answer(messages, Viewer.from_scope(request).rights), request.outcome
        has_retry_after = any(name == b"retry-after" for name, _ in answer.headers)
        self._is_settled = True
        if is_final_answer(answer.status, outcome, has_retry_after=has_retry_after):
            await self._store.save(self._claim, answer)
        else:
            is_refusal = answer.status < 500 and not outcome and not has_retry_after
            self._store.release(self._claim, forget=is_refusal or outcome == "read")

    async def _release(self) -> None:
        held, self._held = self._held or [], None
        for message in held:
            await self._send(message)


def _checked(field: bytes, request: Scope) -> str:
    """Return the key of a request, or refuse it with 400."""
    key = parse_key(field)
    if key is None:
        raise MalformedKey(
            "Idempotency-Key must be one text of 1 to 255 printable ASCII characters, in quotes "
            "where it holds spaces, commas, semicolons or quotes; a UUID is best."
        )
    if request.audience == ANONYMOUS.audience and len(key) < MIN_ANONYMOUS_KEY_LENGTH:
        raise MalformedKey(
            "The Idempotency-Key of somebody who is not signed in must be hard to guess: "
            f"at least {MIN_ANONYMOUS_KEY_LENGTH} characters, such as a UUID."
        )
    return key


def _answer(messages: list[Message], rights: str) -> StoredAnswer:
    start, *pieces = messages
    headers = tuple(
        (bytes(name), bytes(value))
        for name, value in start.get("headers", ())
        if name not in NOT_STORED
    )
    body = b"".join([one.get("body", b"") for one in pieces])
    return StoredAnswer(start["status"], headers, body, rights)


def stored_answer(scope: ASGIScope) -> Answer | None:
    """Return the stored answer of a request's key; None if the request is to be executed.

    A face with further access rules calls this after they have passed. Raises the error of a key
    that is refused.
    """
    verdict = context_of(scope).verdict
    if isinstance(verdict, BFFError):
        raise verdict
    return None if verdict is None else _replayed(verdict)


def _replayed(stored: StoredAnswer) -> Answer:
    """Return a stored answer, marked as replayed."""
    return Answer(stored.status, [*stored.headers, REPLAYED], stored.body)
