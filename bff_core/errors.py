"""Every error the framework raises; the branch says whose fault it is, hence the status."""

from collections.abc import Mapping
from typing import ClassVar

from bff_core.call import Call, Reply

LONGEST_WAIT = 3600.0
"""Seconds: the most that a service may make our clients wait before they try again."""


class BFFError(Exception):
    """The root. `status` is what the edge answers; `code` is stable and safe to show."""

    status: int = 500
    code: str = "internal_error"
    title: str = "Internal error"
    retry_after: float | None = None

    @property
    def detail(self) -> str:
        """What may be told to a client: no addresses, no internals."""
        return ""

    @property
    def members(self) -> Mapping[str, object]:
        """What problem details, or GraphQL's extensions, say beside the usual."""
        return {}


class ClientError(BFFError):
    """The caller asked for something that can't be done; the message is shown to the caller."""

    status = 400
    code = "bad_request"
    title = "Bad request"

    @property
    def detail(self) -> str:
        """The message itself: it was written for the caller."""
        return str(self)


class InvalidInput(ClientError):
    """A parameter or body does not fit what the route declares."""

    status = 422
    code = "invalid_input"
    title = "Invalid input"


class NotAuthenticated(ClientError):
    """Nobody is signed in; or not with this: `challenge` is for `WWW-Authenticate`, if any."""

    status = 401
    code = "not_authenticated"
    title = "Not authenticated"

    def __init__(self, message: str, *, challenge: str = "") -> None:
        super().__init__(message)
        self.challenge = challenge


class NotAllowed(ClientError):
    """The viewer is known and may not do this."""

    status = 403
    code = "not_allowed"
    title = "Not allowed"


class NotFound(ClientError):
    """There is no such thing, or the viewer may not know of it."""

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
    """The gateway itself refuses work to stay healthy; `retry_after` is in seconds."""

    status = 503
    code = "overloaded"
    title = "Overloaded"

    def __init__(self, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreUnavailable(BFFError):
    """The store that gateways share is slow, paused or gone; `retry_after` is in seconds."""

    status = 503
    code = "store_unavailable"
    title = "Store unavailable"

    def __init__(self, store: str, message: str, retry_after: float = 1.0) -> None:
        super().__init__(f"{store}: {message}")
        self.store = store
        self.retry_after = retry_after


class UpstreamError(BFFError):
    """A call to a service failed; carries the call and how many attempts were sent."""

    status = 502
    code = "upstream_error"
    title = "Upstream error"

    def __init__(self, message: str, *, call: Call, attempts: int = 1) -> None:
        super().__init__(message)
        self.call = call
        self.attempts = attempts

    @property
    def upstream(self) -> str:
        """The name of the upstream that was called."""
        return self.call.upstream

    def __str__(self) -> str:
        return f"{self.call.upstream}: {self.call.operation}: {super().__str__()}"


class NotSent(UpstreamError):
    """Nothing left this process: never retried, never counted by the breaker."""

    status = 503
    code = "not_sent"
    title = "Service unavailable"


class CircuitOpen(NotSent):
    """The breaker refuses calls; `retry_after` is when it will probe again, in seconds."""

    code = "circuit_open"

    def __init__(self, message: str, *, call: Call, retry_after: float) -> None:
        super().__init__(message, call=call, attempts=0)
        self.retry_after = retry_after


class BulkheadFull(NotSent):
    """All permits are taken and the queue is full, or the wait would outlast the deadline."""

    code = "bulkhead_full"
    retry_after = 1.0


class CredentialsUnavailable(NotSent):
    """What the call has to show to its service can't be had just now; `retry_after` in seconds.

    The fault is that of whoever gives tokens: the service was not called, or had refused the call.
    """

    code = "credentials_unavailable"

    def __init__(self, message: str, *, call: Call, retry_after: float = 1.0) -> None:
        super().__init__(message, call=call, attempts=0)
        self.retry_after = retry_after


class DeadlineExceeded(UpstreamError):
    """The call's deadline passed."""

    status = 504
    code = "timeout"
    title = "Upstream timeout"


class AttemptTimedOut(DeadlineExceeded):
    """One attempt outlasted its own timeout while the call still has time left: retryable."""


class TransportFailed(UpstreamError):
    """Connecting, reading or the protocol itself failed.

    `is_sent` is False when the request certainly never reached the service (connecting failed),
    so that even a call that is not idempotent may be tried elsewhere.
    """

    code = "unavailable"
    title = "Upstream unavailable"

    def __init__(self, message: str, *, call: Call, attempts: int = 1, is_sent: bool) -> None:
        super().__init__(message, call=call, attempts=attempts)
        self.is_sent = is_sent


class BadStatus(UpstreamError):
    """The service answered with a status that is no success.

    402, 404, 409 and 422 are passed through with the problem that the service told; others are 502,
    a 503 stays 503, and a 504 stays 504. The seconds of a 409's or a 503's Retry-After go on.
    """

    code = "bad_status"
    title = "Upstream failed"
    passed_through: ClassVar[dict[int, str]] = {
        402: "Payment required",
        404: "Not found",
        409: "Conflict",
        422: "Unprocessable content",
    }

    def __init__(self, reply: Reply, *, call: Call, attempts: int = 1, detail: str = "") -> None:
        super().__init__(f"answered {reply.status}", call=call, attempts=attempts)
        self.reply = reply
        self.status = reply.status if reply.status in {402, 404, 409, 422, 503, 504} else 502
        told = reply.header("retry-after") or ""
        if self.status in {409, 503} and told.isascii() and told.isdigit():
            self.retry_after = min(float(told), LONGEST_WAIT)
        self._detail = detail

    @property
    def is_passed_through(self) -> bool:
        """Whether the client sees the service's own status."""
        return self.reply.status in self.passed_through

    @property
    def detail(self) -> str:
        """The problem's detail as the service told it, for statuses that are passed through."""
        return self._detail if self.is_passed_through else ""


class BadPayload(UpstreamError):
    """The reply does not fit the declared model, or is no JSON at all.

    `reply` is there where the whole reply was read.
    """

    code = "bad_payload"
    title = "Upstream sent an invalid payload"

    def __init__(
        self, message: str, *, call: Call, attempts: int = 1, reply: Reply | None = None
    ) -> None:
        super().__init__(message, call=call, attempts=attempts)
        self.reply = reply


class CompositionError(BFFError):
    """Putting a screen together failed."""


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
            self.status, self.code, self.title = 504, "timeout", "Deadline exceeded"

    @property
    def detail(self) -> str:
        """What the cause may tell."""
        return self.cause.detail if isinstance(self.cause, BFFError) else ""


class CompositionCycle(CompositionError):
    """Parts await each other and would never end."""

    code = "composition_cycle"
    title = "Composition cycle"


class ConfigurationError(BFFError):
    """Wrong wiring, found at start-up: the message says what to change."""

    code = "configuration_error"
    title = "Configuration error"
