"""All errors of the framework; the class of an error sets the HTTP status of the answer."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from bff_core.call import Call, Reply
from bff_core.graphql_response import GraphQLError, GraphQLResponse
from bff_core.http_statuses import CLIENT_ERROR_TITLES, INSTEAD_OF_502, PASSES_THROUGH
from bff_core.payload_errors import SAMPLE_BYTES
from bff_core.public_names import publish
from bff_core.retry_after import retry_after

__all__ = [
    "AffinityLost",
    "AttemptTimedOut",
    "BFFError",
    "BadPayload",
    "BadStatus",
    "BulkheadFull",
    "CircuitOpen",
    "ClientError",
    "CompositionCycle",
    "CompositionError",
    "ConfigurationError",
    "CredentialsUnavailable",
    "DeadlineExceeded",
    "GrantRefused",
    "GraphQLFailed",
    "InvalidInput",
    "KeyReused",
    "MissingExtra",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "NotSent",
    "OAuthError",
    "Overloaded",
    "PartFailed",
    "ProviderUnavailable",
    "RequestTimedOut",
    "StoreUnavailable",
    "TooManyRequests",
    "TransportFailed",
    "UntrustedMetadata",
    "UpstreamError",
]

MAX_RETRY_AFTER_SECONDS: Final = 3600.0
"""The longest Retry-After of a service that is passed on to clients."""

MAX_LISTED_ERRORS: Final = 5
"""How many errors of a GraphQL service a message lists."""


class BFFError(Exception):
    """The base class. `status` is that of the answer; `code` is stable and safe to show."""

    status: int = 500
    code: str = "internal_error"
    title: str = "Internal error"
    retry_after: float | None = None

    @property
    def detail(self) -> str:
        """The detail for clients: no addresses, no internals."""
        return ""

    @property
    def members(self) -> Mapping[str, object]:
        """Further members of the problem details, or of GraphQL's extensions."""
        return {}


class ClientError(BFFError):
    """The caller is at fault; the caller gets the message.

    `status` (400 to 499) also sets code and title, unless they are given. `errors` are the faults
    one by one, as JSON objects, for problem details and GraphQL's extensions.

    If credentials are refused, `reason` is a fixed word and `refused_by` the authenticator's name,
    for the log only.
    """

    status = 400
    code = "bad_request"
    title = "Bad request"
    reason: str = ""
    refused_by: str = ""

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str = "",
        title: str = "",
        errors: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(message)
        if status is not None:
            if not 400 <= status <= 499:
                raise ValueError(f"the status of a ClientError is 400 to 499, not {status}")
            self.status = status
            self.title = CLIENT_ERROR_TITLES.get(status, self.title)
            self.code = code_of(self.title)
        self.code = code or self.code
        self.title = title or self.title
        self.errors = tuple(errors)

    @property
    def detail(self) -> str:
        """The message itself: it was written for the caller."""
        return str(self)

    @property
    def members(self) -> Mapping[str, object]:
        """The faults, if there are any."""
        return {"errors": self.errors} if self.errors else {}


class InvalidInput(ClientError):
    """A parameter or body does not fit what the route declares.

    `where` is body, query, path, header or cookie, and `pointer` a JSON pointer (RFC 6901) into it:
    `InvalidInput("There is no such colour.", where="body", pointer="/colour")`. Both are empty for
    an error that is not about one place; `errors` list several. The others are as in `ClientError`.
    """

    status = 422
    code = "invalid_input"
    title = "Invalid input"

    def __init__(
        self,
        message: str = "",
        *,
        where: str = "",
        pointer: str = "",
        status: int | None = None,
        code: str = "",
        title: str = "",
        errors: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(message, status=status, code=code, title=title, errors=errors)
        self.where = where
        self.pointer = pointer


class NotAuthenticated(ClientError):
    """Credentials are missing or wrong; `challenge` is the value of `WWW-Authenticate`, if any."""

    status = 401
    code = "not_authenticated"
    title = "Not authenticated"

    def __init__(self, message: str, *, challenge: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.challenge = challenge
        self.reason = reason or self.reason


class NotAllowed(ClientError):
    """The viewer is authenticated, but not authorized."""

    status = 403
    code = "not_allowed"
    title = "Not allowed"


class NotFound(ClientError):
    """There is no such resource, or the viewer may not learn of it."""

    status = 404
    code = "not_found"
    title = "Not found"


class KeyReused(ClientError):
    """The Idempotency-Key came with another query or body before."""

    status = 422
    code = "idempotency_key_reused"
    title = "Idempotency-Key is already used"


class TooManyRequests(ClientError):
    """The caller is over a limit; `retry_after` is in seconds."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestTimedOut(BFFError):
    """The request's own deadline passed before an answer was ready."""

    status = 504
    code = "deadline_exceeded"
    title = "Deadline exceeded"


class Overloaded(BFFError):
    """The gateway refuses a request because of its load; `retry_after` is in seconds."""

    status = 503
    code = "overloaded"
    title = "Overloaded"

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreUnavailable(BFFError):
    """A shared store is slow, paused or unreachable; `retry_after` is in seconds."""

    status = 503
    code = "store_unavailable"
    title = "Store unavailable"

    def __init__(self, store: str, message: str, retry_after: float = 1.0) -> None:
        super().__init__(f"{store}: {message}")
        self.store = store
        self.retry_after = retry_after


class OAuthError(BFFError):
    """A request to an identity provider failed; `reason` is a word for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderUnavailable(OAuthError):
    """An identity provider does not answer, or not as it should; sessions stay valid."""

    status = 503
    code = "provider_unavailable"
    title = "The identity provider is unavailable"
    retry_after = 5.0


class UntrustedMetadata(ProviderUnavailable):
    """The discovery document is not acceptable; the message is for operators."""


class GrantRefused(OAuthError):
    """An identity provider does not accept a code, a refresh token or another grant."""

    status = 401
    code = "grant_refused"


class UpstreamError(BFFError):
    """A call to a service failed; carries the call and how many attempts were made.

    `is_sent` is False if the last attempt certainly never reached the service; for the attempts
    before it, see the trail of the call.
    """

    status = 502
    code = "upstream_error"
    title = "Upstream error"
    is_sent: bool = True

    def __init__(self, message: str, *, call: Call, attempts: int = 1) -> None:
        super().__init__(message)
        self.call = call
        self.attempts = attempts

    @property
    def upstream(self) -> str:
        """The name of the upstream that was called."""
        return self.call.upstream

    @property
    def members(self) -> Mapping[str, object]:
        """The upstream of a request that was forwarded: its client sees whose failure it was."""
        return {"upstream": self.upstream} if self.call.is_forwarded else {}

    def __str__(self) -> str:
        return f"{self.call.upstream}: {self.call.operation}: {super().__str__()}"


class NotSent(UpstreamError):
    """The call was not sent: it is never retried, and never counted by the breaker."""

    status = 503
    code = "not_sent"
    title = "Service unavailable"
    is_sent = False


class CircuitOpen(NotSent):
    """The circuit breaker is open; `retry_after` is when it will probe again, in seconds."""

    code = "circuit_open"

    def __init__(self, message: str, *, call: Call, retry_after: float) -> None:
        super().__init__(message, call=call, attempts=0)
        self.retry_after = retry_after


class BulkheadFull(NotSent):
    """All permits are taken and the queue is full, or the wait would outlast the deadline."""

    code = "bulkhead_full"
    retry_after = 1.0


class AffinityLost(NotSent):
    """The endpoint that the client belongs to is gone, and its policy admits no other one."""

    code = "affinity_lost"
    title = "The endpoint of this session is gone"

    def __init__(self, message: str, *, call: Call) -> None:
        super().__init__(message, call=call, attempts=0)


class CredentialsUnavailable(NotSent):
    """There are no credentials for the call now; `retry_after` is in seconds.

    The token endpoint is at fault: the service was not called, or refused other credentials.
    """

    code = "credentials_unavailable"

    def __init__(self, message: str, *, call: Call, retry_after: float = 1.0) -> None:
        super().__init__(message, call=call, attempts=0)
        self.retry_after = retry_after


class DeadlineExceeded(UpstreamError):
    """The call's deadline passed; `is_sent` is False if that was before it was sent."""

    status = 504
    code = "timeout"
    title = "Timed out"

    def __init__(
        self, message: str, *, call: Call, attempts: int = 1, is_sent: bool = True
    ) -> None:
        super().__init__(message, call=call, attempts=attempts)
        self.is_sent = is_sent


class AttemptTimedOut(DeadlineExceeded):
    """One attempt outlasted its own timeout while the call still has time left: retryable."""


class TransportFailed(UpstreamError):
    """The connection failed, or the reply is not HTTP.

    The `code` is `unavailable` for a connection that was refused, lost or not made in time,
    `protocol_error` for a reply that is not HTTP, `tls_…` for a failure of TLS. `is_sent` is False
    if the request certainly never reached the service (connecting failed): even a call that is not
    idempotent may then be tried elsewhere. `is_lasting` is whether the same endpoint would fail
    again, and there is no other: such a call is not retried.
    """

    code = "unavailable"
    title = "Upstream unavailable"

    def __init__(
        self,
        message: str,
        *,
        call: Call,
        attempts: int = 1,
        is_sent: bool,
        code: str = code,
        is_lasting: bool = False,
    ) -> None:
        super().__init__(message, call=call, attempts=attempts)
        self.is_sent = is_sent
        self.code = code
        self.is_lasting = is_lasting


class BadStatus(UpstreamError):
    """The service answered with a status that is not a success.

    The client gets statuses in `passes_through` as they are, with the service's `detail`. Of the
    others 504 stays 504, 503 and 429 (this gateway called too often) become 503, and the rest 502.
    All but 502 and 504 keep the service's Retry-After.
    """

    code = "bad_status"
    title = "Upstream failed"

    def __init__(
        self,
        reply: Reply,
        *,
        call: Call,
        attempts: int = 1,
        detail: str = "",
        passes_through: AbstractSet[int] = PASSES_THROUGH,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(_failed(reply), call=call, attempts=attempts)
        self.reply = reply
        self._detail = detail
        self._wall = wall
        self.pass_through(passes_through)

    def pass_through(self, statuses: AbstractSet[int]) -> None:
        """Set status, code, title and Retry-After; `statuses` are passed through to clients."""
        status = self.reply.status
        self.is_passed_through = status in statuses and status in CLIENT_ERROR_TITLES
        self.status = status if self.is_passed_through else INSTEAD_OF_502.get(status, 502)
        self.title = CLIENT_ERROR_TITLES[status] if self.is_passed_through else BadStatus.title
        self.code = code_of(self.title) if self.is_passed_through else BadStatus.code
        self.retry_after = (
            None if self.status in {502, 504} else retry_after_of(self.reply, self._wall)
        )

    @property
    def sample(self) -> bytes:
        """The first bytes of the body, for the log at debug."""
        return self.reply.content[:SAMPLE_BYTES]

    @property
    def detail(self) -> str:
        """The detail of the service's problem, for statuses that are passed through."""
        return self._detail if self.is_passed_through else ""


class GraphQLFailed(BadStatus):
    """A GraphQL service answered with errors, and without the data.

    `errors` are those of the response. The status of `reply` is the one that their codes stand for:
    401 for UNAUTHENTICATED, 403 for FORBIDDEN, 404 for NOT_FOUND, 422 for BAD_USER_INPUT, 500 for a
    field that failed.
    """

    def __init__(self, reply: Reply, response: GraphQLResponse, *, call: Call) -> None:
        self.errors: tuple[GraphQLError, ...] = response.errors
        first = response.errors[0].message if response.errors else ""
        super().__init__(reply, call=call, detail=first)
        self.args = (_listed(response.errors),)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the errors that have one, in upper case."""
        return tuple(error.code for error in self.errors if error.code)


def _listed(errors: Sequence[GraphQLError]) -> str:
    """Return the codes and paths of errors, and the messages of those about the document."""
    shown = []
    for error in errors[:MAX_LISTED_ERRORS]:
        text = f"{error.code or 'an error'}{f' at {error.path}' if error.path else ''}"
        is_ours = error.status == 400 or not (error.code or error.path)
        shown.append(f"{text}: {error.message[:200]}" if is_ours and error.message else text)
    more = len(errors) - len(shown)
    return f"answered with errors: {'; '.join(shown)}{f'; and {more} more' if more else ''}"


def retry_after_of(reply: Reply, wall: Callable[[], float]) -> float | None:
    """Return the seconds of a service's Retry-After, at most `MAX_RETRY_AFTER_SECONDS`."""
    wait = retry_after(reply, wall=wall())
    return None if wait is None else min(wait, MAX_RETRY_AFTER_SECONDS)


def answered(reply: Reply) -> str:
    """Return the status that a service answered, for the log, with the target of a redirect."""
    location = reply.header("location") if 300 <= reply.status < 400 else None
    leads = "" if location is None else f", a redirect to {redacted(location)!r}"
    return f"answered {reply.status}{leads}"


def _failed(reply: Reply) -> str:
    shown = answered(reply)
    if "a redirect to" not in shown:
        return shown
    return f"{shown}; Policy(redirects=...) follows redirects within the service's own origin"


def redacted(reference: str) -> str:
    """Return a URL reference for the log, without user information and query."""
    try:
        parts = urlsplit(reference)
    except ValueError:
        return "an invalid reference"
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()[:200]


def code_of(title: str) -> str:
    """Return the code of a title: its words in lower case, joined by underscores."""
    return title.lower().replace(" ", "_")


class BadPayload(UpstreamError):
    """The reply does not fit the declared model, or is not JSON.

    `reply` is set if the whole reply was read. `sample` are the first bytes of its body, for the
    log at debug.
    """

    code = "bad_payload"
    title = "Upstream sent an invalid payload"

    def __init__(
        self,
        message: str,
        *,
        call: Call,
        attempts: int = 1,
        reply: Reply | None = None,
        sample: bytes = b"",
    ) -> None:
        super().__init__(message, call=call, attempts=attempts)
        self.reply = reply
        self.sample = sample or (b"" if reply is None else reply.content[:SAMPLE_BYTES])


class CompositionError(BFFError):
    """A composition failed."""


class PartFailed(CompositionError):
    """A critical part failed; its cause decides the status, the code and the title."""

    code = "part_failed"
    title = "A critical part failed"

    def __init__(self, part: str, cause: BaseException) -> None:
        super().__init__(f"critical part {part!r} failed: {cause}")
        self.part = part
        self.cause = cause
        if isinstance(cause, BFFError):
            self.status, self.retry_after = cause.status, cause.retry_after
            self.code, self.title = cause.code, cause.title
        elif isinstance(cause, TimeoutError):
            self.status, self.code, self.title = 504, "timeout", "Timed out"

    @property
    def detail(self) -> str:
        """The cause's detail."""
        return self.cause.detail if isinstance(self.cause, BFFError) else ""


class CompositionCycle(CompositionError):
    """Parts of a composition await each other and would never end."""

    code = "composition_cycle"
    title = "Composition cycle"


class ConfigurationError(BFFError):
    """The gateway is configured wrongly; the message says what to change.

    An error that `has_place` names the file and the line itself.
    """

    code = "configuration_error"
    title = "Configuration error"
    has_place: bool = False


class MissingExtra(ConfigurationError, ImportError):
    """A feature needs a library that is not installed; the message has the command of pip."""


@contextmanager
def wired_in(where: str) -> Iterator[None]:
    """Add a place, such as a route and its function, to a `ConfigurationError` raised within."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error


publish(__name__, __all__)
