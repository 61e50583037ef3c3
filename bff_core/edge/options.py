"""Options of the edge, which are validated at start-up."""

from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from bff_core.edge.forwarded import trust
from bff_core.edge.host_syntax import check_host, check_origin
from bff_core.edge.security_headers import API_POLICY
from bff_core.errors import ConfigurationError
from bff_core.keywords import checks_keywords
from bff_core.policy.edge.idempotency import IdempotencyOptions
from bff_core.policy.options import Option, check
from bff_core.settings.model import Settings

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]", "testserver")
"""The hosts of a gateway on a laptop and in a test."""

LOOPBACK = ("127.0.0.0/8", "::1")
"""The machine itself, which is a trusted proxy in development."""

HSTS = "max-age=31536000"
"""One year, without subdomains: those may belong to others (RFC 6797)."""


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class CorsOptions:
    """The other origins whose pages may read answers; none by default.

    `origins` are exact ("https://shop.example"), patterns with a star for one label before two or
    more ("https://*.preview.example"), or "*" alone, which excludes credentials. A pattern allows
    everyone who can get a name below that host. Browsers cache preflights for `max_age` seconds.
    """

    origins: tuple[str, ...] = ()
    with_credentials: bool = False
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = (
        "Accept-Language",
        "Authorization",
        "Cache-Control",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-None-Match",
        "Request-Timeout",
        "Traceparent",
        "X-CSRF",
        "X-Request-ID",
    )
    exposed_headers: tuple[str, ...] = (
        "Cache-Status",
        "Content-Location",
        "ETag",
        "Idempotency-Replayed",
        "Location",
        "Part-Status",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "Server-Timing",
        "X-Request-ID",
    )
    max_age: int = 600

    def __post_init__(self) -> None:
        for origin in self.origins:
            if origin != "*":
                check_origin(origin)
        if "*" in self.origins and (self.with_credentials or len(self.origins) > 1):
            raise ConfigurationError(
                "CORS origin '*' (BFF_CORS_ORIGINS) stands alone and without credentials: name the "
                "origins instead."
            )


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeOptions:
    """The limits of requests, and the names and headers of the gateway.

    Durations are seconds, `max_body` and `max_field_bytes` are bytes. While a turn of the event
    loop takes longer than `max_lag`, the edge admits fewer than `max_concurrent` requests, down to
    `min_concurrent`. With `brownout`, answers lose their optional parts before requests are
    refused. Raises `ConfigurationError` for an option out of its range.

    `allowed_hosts` are exact names, "*.name" or "*". `policy` is the content security policy,
    `hsts` the value of Strict-Transport-Security. `trusted_proxies` (addresses, networks, "unix")
    may report the client, in the family of headers that `forwarded` names. With `client_traces`
    every client may continue a trace. `idempotency` configures how answers of requests with an
    Idempotency-Key are stored; None leaves the concern out.
    """

    timeout: Annotated[float, Option("The deadline of a request", 0.001)] = 10.0
    grace: Annotated[float, Option("How long after it the edge cancels a request", 0)] = 0.05
    max_body: Annotated[int, Option("The longest body of a request", 0)] = 1024 * 1024
    max_fields: Annotated[int, Option("How many header fields a request has", 1)] = 100
    max_field_bytes: Annotated[int, Option("Their length in total, and that of a URL", 1)] = (
        32 * 1024
    )
    max_concurrent: Annotated[int, Option("How many requests are in flight", 1)] = 1000
    max_streams: Annotated[int, Option("How many streams and web sockets are open", 0)] = 20_000
    min_concurrent: Annotated[int, Option("How many are admitted under load", 1)] = 10
    max_lag: Annotated[float, Option("When load shedding begins; 0: never", 0)] = 0.002
    brownout: bool = True
    longest_wait: Annotated[int, Option("The longest Retry-After of a refusal", 1)] = 4
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS
    trusted_proxies: tuple[str, ...] = ()
    forwarded: Literal["x-forwarded", "forwarded"] = "x-forwarded"
    client_traces: bool = False
    cors: CorsOptions = field(default_factory=CorsOptions)
    policy: str = API_POLICY
    hsts: str = ""
    idempotency: IdempotencyOptions | None = field(default_factory=IdempotencyOptions)

    def __post_init__(self) -> None:
        check(self)
        trust(self.trusted_proxies)
        for host in self.allowed_hosts:
            check_host(host)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the options in the settings; raises `ConfigurationError` for a missing host."""
        is_production = settings.env == "production"
        if is_production and not settings.allowed_hosts:
            raise ConfigurationError(
                "BFF_ALLOWED_HOSTS is not set, and with BFF_ENV=production it must name the hosts "
                "that the gateway answers for, as in BFF_ALLOWED_HOSTS=shop.example,*.shop.example."
            )
        return cls(
            timeout=settings.timeout,
            max_body=settings.max_body,
            max_concurrent=settings.max_concurrent,
            max_streams=settings.max_streams,
            max_lag=settings.max_lag,
            brownout=settings.brownout,
            allowed_hosts=settings.allowed_hosts or LOCAL_HOSTS,
            trusted_proxies=settings.trusted_proxies or (() if is_production else LOOPBACK),
            forwarded=settings.forwarded,
            client_traces=settings.client_traces,
            cors=CorsOptions(
                origins=settings.cors_origins, with_credentials=settings.cors_credentials
            ),
            hsts=HSTS if is_production else "",
        )
