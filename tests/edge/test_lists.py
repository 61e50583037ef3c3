"""The edge's lists of headers, methods and types, member by member."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from starlette.exceptions import HTTPException

from bff_core.answer_cacheability import AnswerCacheability
from bff_core.edge.options import CorsOptions, EdgeOptions
from bff_core.edge.problem_details import problem
from bff_core.edge.trusted_proxies import TrustedProxies
from bff_core.settings.model import Settings
from bff_core.view_cache.headers import cache_entry
from bff_core.view_cache.key import canonical

SHOP = "https://shop.example"
STRANGER = ("203.0.113.9", 4711)
PROXY = ("10.0.0.7", 4711)
HOST = (b"host", b"testserver")
LARGE = b"word " * 1000


def listed(field: str) -> list[str]:
    """Return the members of a field that is a list."""
    return [one.strip() for one in field.split(",")]


# What pages of other origins may send and read.

REQUEST_HEADERS = [
    "Accept-Language", "Authorization", "Cache-Control", "Content-Type", "Idempotency-Key",
    "If-Match", "If-None-Match", "Request-Timeout", "Traceparent", "X-CSRF", "X-Request-ID",
]  # fmt: skip
EXPOSED_HEADERS = [
    "Cache-Status", "Content-Location", "ETag", "Idempotency-Replayed", "Location", "Part-Status",
    "RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "X-Request-ID",
]  # fmt: skip
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


async def preflight(edged, answering, name):
    """Return a field of the answer to a preflight."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,)))
    question = {"Origin": SHOP, "Access-Control-Request-Method": "PUT"}
    answer = await gateway.ask("OPTIONS", "/", headers=question)
    return listed(answer.headers[f"access-control-{name}"])


@pytest.mark.parametrize("header", REQUEST_HEADERS)
async def test_a_page_of_another_origin_may_send_this_header(edged, answering, header):
    """If the preflight lacks it, the browser does not send the request."""
    assert header in await preflight(edged, answering, "allow-headers")


@pytest.mark.parametrize("method", METHODS)
async def test_a_page_of_another_origin_may_use_this_method(edged, answering, method):
    """If the preflight lacks it, the browser does not send the request."""
    assert method in await preflight(edged, answering, "allow-methods")


async def test_a_page_of_another_origin_may_send_nothing_else(edged, answering):
    """Each allowed header and method is in the lists of this test."""
    assert sorted(await preflight(edged, answering, "allow-headers")) == sorted(REQUEST_HEADERS)
    assert sorted(await preflight(edged, answering, "allow-methods")) == sorted(METHODS)


async def test_a_preflight_is_valid_for_ten_minutes(edged, answering):
    """In seconds, which a browser may shorten."""
    assert await preflight(edged, answering, "max-age") == ["600"]


@pytest.mark.parametrize("header", EXPOSED_HEADERS)
async def test_a_page_of_another_origin_may_read_this_header(edged, answering, header):
    """If the answer does not expose it, scripts can't read the header."""
    gateway = edged(answering(), cors=CorsOptions(origins=(SHOP,)))

    answer = await gateway.get("/", headers={"Origin": SHOP})

    exposed = listed(answer.headers["access-control-expose-headers"])
    assert header in exposed
    assert len(exposed) == len(EXPOSED_HEADERS)


# What a peer that is no trusted hop can't say.

ORIGIN = """
    forwarded x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-prefix x-forwarded-proto
    x-forwarded-protocol x-forwarded-scheme x-forwarded-server x-forwarded-ssl
    x-original-forwarded-for x-original-host x-original-url x-rewrite-url x-scheme x-url-scheme
    front-end-https cf-connecting-ip client-ip fastly-client-ip true-client-ip x-client-ip
    x-cluster-client-ip x-envoy-external-address x-real-ip
""".split()  # noqa: SIM905 # reads like the list that it is
IDENTITY = """
    client-cert client-cert-chain remote-user ssl-client-cert x-client-cert x-client-dn
    x-client-verify x-consumer-id x-consumer-username x-email x-forwarded-client-cert x-groups
    x-remote-user x-tenant-id x-user x-user-id
    x-amzn-oidc-data x-amzn-oidc-identity x-auth-request-user x-auth-request-email
    x-authenticated-userid x-forwarded-access-token x-forwarded-email x-forwarded-groups
    x-forwarded-preferred-username x-forwarded-user x-goog-authenticated-user-email
    x-goog-iap-jwt-assertion x-jwt-claim-sub x-ms-client-principal x-ms-client-principal-id
    x-remote-groups x-ssl-client-s-dn x-webauth-user
""".split()  # noqa: SIM905 # reads like the list that it is
TRACE = """
    b3 baggage traceparent tracestate uber-trace-id x-amzn-trace-id x-b3-flags x-b3-parentspanid
    x-b3-sampled x-b3-spanid x-b3-traceid x-cloud-trace-context
""".split()  # noqa: SIM905 # reads like the list that it is


async def passed_on(name, client, **options):
    """Return whether a header with this name reaches the application."""
    chosen = {"trusted": ("10.0.0.0/8",), "reads": "x-forwarded", "client_traces": False} | options
    scope = {"type": "http", "client": client, "scheme": "http"}
    scope["headers"] = [HOST, (name.encode(), b"198.51.100.4")]
    TrustedProxies(**chosen).apply(scope)
    return name.encode() in {field for field, _ in scope["headers"]}


@pytest.mark.parametrize("name", [*ORIGIN, *IDENTITY, *TRACE])
async def test_a_stranger_can_not_send_this_header(name):
    """Also not with underscores, which some programs read as hyphens."""
    for spelling in (name, name.replace("-", "_"), name.replace("-", "_", 1)):
        assert not await passed_on(spelling, STRANGER)


@pytest.mark.parametrize("name", [*IDENTITY, *TRACE])
async def test_a_trusted_hop_can_send_this_header(name):
    """A trusted proxy may report the user whom it authenticated, and the trace."""
    assert await passed_on(name, PROXY)


@pytest.mark.parametrize("name", ORIGIN)
async def test_what_a_trusted_hop_says_of_the_client_is_used_and_taken_away(name):
    """Applications read the client from the ASGI scope only."""
    assert not await passed_on(name, PROXY)


@pytest.mark.parametrize("name", TRACE)
async def test_a_stranger_may_continue_a_trace_where_that_is_allowed(name):
    """In each trace format, and no other header."""
    assert await passed_on(name, STRANGER, client_traces=True)


@pytest.mark.parametrize("name", [*ORIGIN, *IDENTITY])
async def test_permission_for_traces_permits_nothing_else(name):
    """Headers about the user still need a trusted proxy."""
    assert not await passed_on(name, STRANGER, client_traces=True)


@pytest.mark.parametrize(
    ("kind", "named", "scheme"),
    [
        ("http", "http", "http"),
        ("http", "https", "https"),
        ("http", "ws", "http"),
        ("http", "wss", "https"),
        ("http", "HTTPS", "https"),
        ("websocket", "http", "ws"),
        ("websocket", "https", "wss"),
        ("websocket", "ws", "ws"),
        ("websocket", "wss", "wss"),
    ],
)
async def test_schemes_that_hops_name(kind, named, scheme):
    """Proxies report ws or http for a web socket."""
    scope = {"type": kind, "client": PROXY, "scheme": "unset"}
    scope["headers"] = [HOST, (b"x-forwarded-proto", named.encode())]
    TrustedProxies(trusted=("10.0.0.0/8",), reads="x-forwarded", client_traces=False).apply(scope)

    assert scope["scheme"] == scheme


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "testserver", "localhost:80"])
async def test_a_gateway_in_development_answers_for_this_host(edged, answering, host):
    """Without a setting: the machine itself, and a test's name."""
    hosts = EdgeOptions.of(Settings(env="development")).allowed_hosts
    gateway = edged(answering(), allowed_hosts=hosts)

    assert (await gateway.get("/", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    ("env", "peer", "is_believed"),
    [
        ("development", "127.0.0.1", True),
        ("development", "127.8.8.8", True),
        ("development", "::1", True),
        ("development", "10.0.0.7", False),
        ("production", "127.0.0.1", False),
        ("production", "::1", False),
    ],
)
async def test_the_machine_itself_is_a_hop_in_development_only(env, peer, is_believed):
    """In production trusted proxies must be configured."""
    trusted = EdgeOptions.of(Settings(env=env, allowed_hosts=("shop.example",))).trusted_proxies

    assert await passed_on("x-user-id", (peer, 1), trusted=trusted) is is_believed


# What a request may hold once only, and what is no request at all.


@pytest.mark.parametrize(
    "name",
    [
        "access-control-request-method", "authorization", "content-length", "content-range",
        "content-type", "host", "idempotency-key", "if-modified-since", "if-range",
        "if-unmodified-since", "origin", "proxy-authorization", "range", "request-timeout",
        "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "x-request-id",
    ],
)  # fmt: skip
async def test_this_field_can_not_be_sent_twice(edged, answering, name):
    """Otherwise a proxy and the gateway might read two different requests."""
    gateway = edged(answering(), client_traces=True)
    once = (name.encode(), b"testserver" if name == "host" else b"1")
    others = [] if name == "host" else [HOST]

    await gateway.speak([*others, once, once])

    assert gateway.status == 400
    assert gateway.json["detail"] == f"The header {name} was sent twice."


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/version"])
async def test_a_probe_is_answered_under_any_host(edged, answering, path):
    """To GET and HEAD, without a body to the latter; the application is not called."""
    reached = []
    gateway = edged(answering(scopes=reached))
    probe = [(b"host", b"10.1.2.3")]

    await gateway.speak(probe, path=path)
    await gateway.speak(probe, method="HEAD", path=path)

    (start, body), (head, nothing) = gateway.sent[:2], gateway.sent[2:]
    assert (start["status"], head["status"], reached) == (200, 200, [])
    assert body["body"]
    assert nothing["body"] == b""
    assert dict(head["headers"])[b"content-length"] == b"%d" % len(body["body"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/version"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_probe_is_only_read(edged, answering, path, method):
    """Any other method is refused, with those that are allowed."""
    answer = await edged(answering()).ask(method, path)

    assert answer.status_code == 405
    assert listed(answer.headers["allow"]) == ["GET", "HEAD"]


# What answers hold.

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
}


@pytest.mark.parametrize(("name", "value"), SECURITY_HEADERS.items(), ids=SECURITY_HEADERS)
@pytest.mark.parametrize("host", ["testserver", "evil.example"], ids=["answer", "refusal"])
async def test_every_answer_has_this_security_header(edged, answering, name, value, host):
    """Also a refusal of the edge itself."""
    answer = await edged(answering()).get("/", headers={"host": host})

    assert answer.headers[name] == value


@pytest.mark.parametrize("status", [200, 201, 207, 400, 403, 404, 409, 500, 502, 503])
async def test_only_a_401_says_how_to_authenticate(edged, answering, status):
    """A challenge on another status would make signed-in users sign in again."""
    closed = await edged(answering(401)).get("/")
    answer = await edged(answering(status)).get("/")

    assert closed.headers["www-authenticate"] == "Bearer"
    assert "www-authenticate" not in answer.headers


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/problem+json",
        "application/graphql-response+json",
        "text/html",
        "text/plain; charset=utf-8",
        "text/csv",
    ],
)
async def test_an_answer_of_this_type_is_compressed(edged, answering, kind):
    """Text shrinks to a fraction."""
    gateway = edged(answering(headers=[(b"content-type", kind.encode())], body=LARGE))

    answer = await gateway.get("/", headers={"accept-encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == LARGE


@pytest.mark.parametrize(
    "kind",
    ["image/png", "image/jpeg", "video/mp4", "application/zip", "application/octet-stream", ""],
)
async def test_an_answer_of_this_type_is_not_compressed(edged, answering, kind):
    """It is compressed already, or of an unknown type."""
    gateway = edged(answering(headers=[(b"content-type", kind.encode())], body=LARGE))

    answer = await gateway.get("/", headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "name", ["content-encoding", "content-language", "content-length", "content-type"]
)
async def test_a_304_leaves_this_field_out(edged, answering, name):
    """It describes content, which a 304 does not have (RFC 9110, section 15.4.5)."""
    headers = [(b"etag", b'"a"'), (name.encode(), b"2"), (b"cache-control", b"max-age=9")]
    gateway = edged(answering(headers=headers))

    known = await gateway.get("/", headers={"if-none-match": '"a"', "accept-encoding": "identity"})

    assert known.status_code == 304
    assert name not in known.headers
    assert known.headers["etag"] == '"a"'
    assert known.headers["cache-control"] == "max-age=9"


@pytest.mark.parametrize("status", [201, 202, 206, 207, 301, 400, 404, 409, 412, 500, 503])
async def test_only_a_200_becomes_a_304(edged, answering, status):
    """A failure with a matching entity tag stays a failure."""
    gateway = edged(answering(status, headers=[(b"etag", b'"a"')]))

    answer = await gateway.get("/", headers={"if-none-match": '"a"'})

    assert (answer.status_code, answer.content) == (status, b"{}")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_condition_on_this_method_is_left_to_the_application(edged, answering, method):
    """Only GET and HEAD are answered with 304 (RFC 9110, section 13.1.2)."""
    gateway = edged(answering(headers=[(b"etag", b'"a"')]))

    assert (await gateway.ask(method, "/", headers={"if-none-match": '"a"'})).status_code == 200


@pytest.mark.parametrize("name", ["connection", "date", "server-timing", "set-cookie"])
async def test_a_replayed_answer_lacks_this_field(edged, answering, name):
    """It belongs to the first delivery: a cookie, a time, a connection."""
    headers = [(name.encode(), b"first"), (b"location", b"/orders/1")]
    gateway = edged(answering(201, headers=headers))
    keyed = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}

    first = await gateway.ask("POST", "/", headers=keyed)
    replayed = await gateway.ask("POST", "/", headers=keyed)

    assert first.headers[name] == "first"
    assert name not in replayed.headers
    assert replayed.headers["location"] == "/orders/1"
    assert replayed.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
async def test_a_key_means_nothing_on_this_method(edged, answering, method):
    """Safe methods ignore the key."""
    reached = []
    gateway = edged(answering(scopes=reached))
    keyed = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}

    for _ in range(2):
        await gateway.ask(method, "/", headers=keyed)

    assert len(reached) == 2


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (413, "Content too large"),
        (414, "URI too long"),
        (416, "Range not satisfiable"),
        (422, "Unprocessable content"),
    ],
)
def test_this_status_has_the_phrase_of_the_rfc(status, title):
    """Python's phrases differ between versions; the title must not."""
    assert f'"title": "{title}"'.encode() in problem(HTTPException(status)).body


# What a composed answer is stored by, and without.


@pytest.mark.parametrize("name", [b"server-timing", b"age"])
def test_a_stored_answer_lacks_this_field(name):
    """It belongs to one delivery."""
    entry = cache_entry(
        AnswerCacheability(fresh_until=60.0), [(name, b"7"), (b"etag", b'"a"')], b"{}", 0.0
    )

    assert entry.headers == ((b"etag", b'"a"'),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, False),
        (1, 2),
        (1, True),
        (1.0, 1),
        (1.5, 2.5),
        (b"a", b"b"),
        (b"a", "a"),
        (None, "None"),
        (None, False),
        (Decimal("1.0"), Decimal("1.00")),
        (Decimal(1), 1),
        (UUID(int=1), UUID(int=2)),
        (UUID(int=1), str(UUID(int=1))),
        (date(2020, 1, 1), date(2020, 1, 2)),
        (date(2020, 1, 1), datetime(2020, 1, 1)),  # noqa: DTZ001 # two dates without a zone
        (time(1, 2), time(1, 3)),
        (timedelta(1), timedelta(2)),
        (("a", "b"), ("ab",)),
        (("a", ("b",)), ("a", "b")),
        (frozenset({1}), (1,)),
    ],
)
def test_values_that_differ_are_stored_apart(one, other):
    """Values of different types have different cache keys."""
    assert canonical(one) == canonical(one)
    assert canonical(one) != canonical(other)
