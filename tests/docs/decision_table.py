"""The decision table of docs/how-to/caching.md: a row for each kind of response headers."""

from bff_core.cache.storing import NotStorable, admit
from bff_core.call import Call, Headers, Reply
from bff_core.policy.upstream.cache import Cache

POLICIES = {
    "`Cache()`": Cache(),
    "`Cache(ttl=30)`": Cache(ttl=30),
    "`Cache(stale=60, error=3600)`": Cache(stale=60, error=3600),
    "the same with `force_stale=True`": Cache(stale=60, error=3600, force_stale=True),
}

PUBLIC, VIEWER = None, "7:viewer-7"

Said = tuple[str, int, Headers, str | None]


def control(value: str) -> Headers:
    return ((b"cache-control", value.encode()),)


ROWS: tuple[Said, ...] = (
    ("nothing", 200, (), PUBLIC),
    ("nothing but an `ETag`", 200, ((b"etag", b'"1"'),), PUBLIC),
    ("`max-age=60`", 200, control("max-age=60"), PUBLIC),
    ("`max-age=60, s-maxage=10`", 200, control("max-age=60, s-maxage=10"), PUBLIC),
    (
        "`max-age=60, stale-while-revalidate=600`",
        200,
        control("max-age=60, stale-while-revalidate=600"),
        PUBLIC,
    ),
    ("`max-age=60, must-revalidate`", 200, control("max-age=60, must-revalidate"), PUBLIC),
    ("`max-age=60, proxy-revalidate`", 200, control("max-age=60, proxy-revalidate"), PUBLIC),
    ("`no-cache` and an `ETag`", 200, (*control("no-cache"), (b"etag", b'"1"')), PUBLIC),
    ("`no-store`", 200, control("no-store"), PUBLIC),
    ("`private, max-age=60`, and the call is shared", 200, control("private, max-age=60"), PUBLIC),
    (
        "`private, max-age=60`, and the call is one viewer's",
        200,
        control("private, max-age=60"),
        VIEWER,
    ),
    ("`Vary: *`", 200, (*control("max-age=60"), (b"vary", b"*")), PUBLIC),
    ("`Set-Cookie`", 200, (*control("max-age=60"), (b"set-cookie", b"a=b")), PUBLIC),
    ("a part (206)", 206, control("max-age=60"), PUBLIC),
    ("404", 404, (), PUBLIC),
    ("302", 302, (), PUBLIC),
    ("302, `max-age=60`", 302, control("max-age=60"), PUBLIC),
    ("500, `max-age=60`", 500, control("max-age=60"), PUBLIC),
)


def decision_rows() -> list[list[str]]:
    """Return the table as the page has it."""
    return [
        [said, *(_decided(status, headers, audience, one) for one in POLICIES.values())]
        for said, status, headers, audience in ROWS
    ]


def _decided(status: int, headers: Headers, audience: str | None, options: Cache) -> str:
    call = Call("catalog", "GET", "/products/1", "GET /products/{id}", 10.0, audience)
    admitted = admit(call, Reply(status, headers, b"{}"), options, sent_at=0.0, now=0.0, wall=0.0)
    if isinstance(admitted, NotStorable):
        return f"— ({admitted.reason})"
    lifetimes = [
        f"{name} {seconds:g} s"
        for name, seconds in (
            ("fresh", admitted.fresh_for),
            ("stale", admitted.stale_for),
            ("error", admitted.error_for),
        )
        if seconds
    ]
    return ", ".join(lifetimes) or "revalidated each time"
