"""Requests as gateways report them, for tests of how they are shown."""

from bff_core.observe.request_records import RequestRecord, SpanRecord


def degraded() -> RequestRecord:
    """Return a dashboard: a retried part, a cached one, a stale one, and one that timed out."""
    return RequestRecord(
        time=0.0,
        method="GET",
        request_id="317787c3aa",
        route="/v1/dashboard",
        status=200,
        seconds=0.65,
        size=39_800,
        spans=[
            SpanRecord("part", "profile", "Home", 0.0, -1, 0.038, "ok", is_critical=True),
            SpanRecord("call", "GET /users/{id}", "users", 0.0, 0, 0.038, "200", source="upstream"),
            SpanRecord("attempt", "127.0.0.1:9001", "users", 0.0, 1, 0.037, "200"),
            SpanRecord("part", "orders", "Home", 0.0, -1, 0.3, "ok"),
            SpanRecord("call", "GET /orders", "orders", 0.0, 3, 0.3, "200", source="upstream"),
            SpanRecord("attempt", "127.0.0.1:9005", "orders", 0.0, 4, 0.1, "503"),
            SpanRecord("attempt", "127.0.0.1:9005", "orders", 0.2, 4, 0.1, "200"),
            SpanRecord("part", "deals", "Home", 0.0, -1, 0.0004, "stale"),
            SpanRecord(
                "call", "GET /deals", "pricing", 0.0, 7, 0.0004, "200", source="stale", age=23
            ),
            SpanRecord("part", "summary", "Home", 0.01, -1, 0.002, "ok"),
            SpanRecord("call", "GET /p", "catalog", 0.01, 9, 0.002, "200", source="cache", age=5.0),
            SpanRecord("part", "rating", "Home", 0.05, -1, 0.6, "fallback", reason="timeout"),
            SpanRecord("call", "GET /summaries", "reviews", 0.05, 11, 0.6, "cancelled"),
            SpanRecord("attempt", "127.0.0.1:9008", "reviews", 0.05, 12, 0.6, "cancelled"),
        ],
    )


def failed() -> RequestRecord:
    """Return a home screen whose critical part failed, which cancelled the other one."""
    attempts = [
        SpanRecord("attempt", "127.0.0.1:9001", "users", start, 1, 0.01, "500")
        for start in (0.0, 0.015, 0.03)
    ]
    return RequestRecord(
        time=0.0,
        method="GET",
        request_id="1ae36fe9",
        route="/v1/home",
        status=502,
        seconds=0.047,
        size=206,
        error="BadStatus: users: GET /users/{id}: answered 500",
        spans=[
            SpanRecord(
                "part", "profile", "Home", 0.0, -1, 0.047, "failed", "bad_status", is_critical=True
            ),
            SpanRecord("call", "GET /users/{id}", "users", 0.0, 0, 0.047, "500"),
            *attempts,
            SpanRecord("part", "cart", "Home", 0.0, -1, 0.04, "failed", "part_cancelled"),
        ],
    )


def plain(
    *, route: str = "/v1/home", status: int = 200, seconds: float = 0.01, **more: object
) -> RequestRecord:
    """Return a request without parts."""
    return RequestRecord(0.0, "GET", "0123456789", route, status=status, seconds=seconds, **more)
