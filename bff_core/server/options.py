"""Options of the server: timeouts, size limits, graceful shutdown."""

from dataclasses import dataclass
from typing import Annotated, Final, Self

from bff_core.policy.options import Option, check
from bff_core.settings.model import Settings

KIB: Final = 1024
MIB: Final = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Limits for the clients of one process; durations in seconds.

    Raises `ConfigurationError` if an option is out of its range.
    """

    header_timeout: Annotated[
        float, Option("How long the head of a request may take to arrive, as a whole", 0.05, 3600)
    ] = 10.0
    # Less than a request's own 10 s, so that the refusal names the slow body.
    body_timeout: Annotated[
        float, Option("How long a request's body may take to arrive", 0.05, 3600)
    ] = 8.0
    body_rate: Annotated[
        int, Option("How many bytes of body extend body_timeout by a second", 1, 1024 * MIB)
    ] = 16 * KIB
    send_timeout: Annotated[
        float, Option("How long a client may leave its answer unread", 0.05, 3600)
    ] = 10.0
    send_buffer: Annotated[
        int, Option("How many unsent bytes stop the handler that writes them", KIB, 64 * MIB)
    ] = 64 * KIB
    # Longer than the idle timeout of load balancers (60 s in nginx and ALB), so that they close
    # connections first, and none sends a request on a connection that is about to be closed.
    keep_alive: Annotated[float, Option("How long an idle connection stays open", 0.05, 3600)] = (
        75.0
    )
    max_head: Annotated[int, Option("How many bytes the head of a request may have", KIB, MIB)] = (
        64 * KIB
    )
    max_fields: Annotated[int, Option("How many header fields a request may have", 8, 2000)] = 200
    linger: Annotated[
        float, Option("How long a refused client is read from, so that it gets the reason", 0, 60)
    ] = 2.0
    drain_delay: Annotated[
        float,
        Option("How long connections are still accepted after the signal to end", 0, 3600),
    ] = 5.0
    grace: Annotated[
        float, Option("How long requests in flight have to end after that", 0, 3600)
    ] = 10.0
    watchdog: Annotated[
        float,
        Option("How long the event loop may be blocked before it is reported; 0 is off", 0, 60),
    ] = 0.25

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the options of a gateway's settings; only production has a default drain delay."""
        delay = settings.drain_delay
        if delay is None:
            delay = cls().drain_delay if settings.env == "production" else 0.0
        return cls(
            header_timeout=settings.header_timeout,
            body_timeout=settings.body_timeout,
            send_timeout=settings.send_timeout,
            keep_alive=settings.keep_alive,
            drain_delay=delay,
            grace=settings.grace,
            watchdog=settings.watchdog,
        )
