"""Header fields of requests and replies, member by member, with a forger's value each."""

import pytest

from bff_core import EdgeOptions
from bff_core.auth import Viewer
from bff_core.proxy import Headers, PathRewrite, Transform
from tests.proxy.proxied import Recorder, route, send_raw, served

pytestmark = pytest.mark.virtual_time

NEVER_SENT = [
    *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer"),
    *("proxy-authentication-info", "proxy-authorization", "transfer-encoding", "upgrade"),
    *("expect", "authorization", "cookie", "dpop", "x-api-key", "client-cert"),
    *("client-cert-chain", "x-forwarded-client-cert", "forwarded", "x-forwarded-port"),
    *("x-forwarded-prefix", "x-forwarded-server", "x-real-ip", "true-client-ip"),
    *("x-original-url", "x-rewrite-url", "traceparent", "tracestate", "request-timeout"),
    *("x-user", "x-remote-user", "x_real_ip", "x-tenant-id", "proxy-status"),
    *("content_length", "transfer_encoding", "x_forwarded_for", "x-forwarded-path", "proxy-x"),
    *("x-original-uri", "x-rewrite-uri", "x-envoy-original-path", "x-forwarded-uri"),
]


@pytest.mark.parametrize("name", NEVER_SENT)
async def test_a_field_of_a_client_stays_at_the_gateway(name):
    """Those of one connection, credentials, and what only proxies and gateways may say."""
    forged = {"connection": b"x", "request-timeout": b"3", "transfer-encoding": b"identity"}
    suppliers = Recorder()
    async with served(route("a", "/x"), suppliers=suppliers) as opened:
        headers = [(name.encode(), forged.get(name, b"00-1-1-forged")), (b"x-other", b"1")]
        await send_raw(opened, b"/x", headers=headers)

    assert suppliers.sent(name) == []
    assert suppliers.sent("x-other") == [b"1"]


@pytest.mark.parametrize(("methods", "sent"), [((), 3), (("POST",), 0)])
async def test_a_route_that_names_methods_has_no_other_by_a_header(methods, sent):
    """Some services believe a field with another method."""
    suppliers, names = Recorder(), ("x-http-method", "x-http-method-override", "x-method-override")
    async with served(route("a", "/x", match={"methods": methods}), suppliers=suppliers) as opened:
        headers = [(name.encode(), b"DELETE") for name in names]
        await send_raw(opened, b"/x", method="POST", headers=headers)

    assert sum(len(suppliers.sent(name)) for name in names) == sent


async def test_fields_that_connection_names_stay_at_the_gateway():
    """In whatever case; but ours can't be removed so."""
    suppliers = Recorder()
    transform = Transform(request_headers=Headers(set={"X-Tenant": "shop"}))
    async with served(route("a", "/x", transform=transform), suppliers=suppliers) as opened:
        named = b"close, X-One , x-TENANT, x-forwarded-for, via, x-request-id"
        headers = [(b"connection", named), (b"x-one", b"1"), (b"x-two", b"2")]
        await send_raw(opened, b"/x", headers=headers)

    assert suppliers.sent("x-one") == []
    assert suppliers.sent("x-two") == [b"2"]
    assert suppliers.sent("x-tenant") == [b"shop"]
    assert suppliers.sent("x-forwarded-for") == [b"203.0.113.9"]
    assert suppliers.sent("via") == [b"1.1 shop"]


async def test_other_fields_pass_with_repeats_and_order():
    """Conditions, ranges and fields that no standard knows."""
    passed = [
        (b"accept", b"a/b"), (b"x-tag", b"1"), (b"x-tag", b"2"), (b"range", b"bytes=0-9"),
        (b"if-none-match", b'"a"'), (b"if-range", b'"b"'), (b"user-agent", b"me"),
        (b"accept-encoding", b"br"), (b"content-language", b"de"), (b"x-b\xc3\xa4".lower(), b"x"),
    ][:-1]  # fmt: skip
    suppliers = Recorder()
    async with served(route("a", "/x"), suppliers=suppliers) as opened:
        await send_raw(opened, b"/x", headers=passed)

    assert list(suppliers.calls[0].headers[: len(passed)]) == passed


FORGED = [
    (b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"forged.example"), (b"forwarded", b"for=198.51.100.1"),
    (b"via", b"1.1 forged"), (b"x-request-id", b"forged\x7f"),
]  # fmt: skip


async def test_a_client_can_not_forge_where_it_comes_from():
    """What it says itself is replaced by what the gateway saw."""
    suppliers = Recorder()
    async with served(route("a", "/x"), suppliers=suppliers) as opened:
        await send_raw(opened, b"/x", headers=FORGED)

    assert suppliers.sent("x-forwarded-for") == [b"203.0.113.9"]
    assert suppliers.sent("x-forwarded-proto") == [b"http"]
    assert suppliers.sent("x-forwarded-host") == [b"localhost"]
    assert suppliers.sent("forwarded") == []
    assert suppliers.sent("via") == [b"1.1 shop"]
    assert suppliers.sent("x-request-id") not in ([], [b"forged\x7f"])


TRUSTED = EdgeOptions(trusted_proxies=("203.0.113.9",), allowed_hosts=("*",))


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (
            "x-forwarded",
            {
                "x-forwarded-for": [b"198.51.100.1, 203.0.113.9"],
                "x-forwarded-proto": [b"https"],
                "x-forwarded-host": [b"shop.example"],
                "forwarded": [],
            },
        ),
        (
            "forwarded",
            {
                "forwarded": [b'for=198.51.100.1;host="shop.example";proto=https, for=203.0.113.9'],
                "x-forwarded-for": [],
                "x-forwarded-proto": [],
                "x-forwarded-host": [],
            },
        ),
        ("off", {"forwarded": [], "x-forwarded-for": [], "x-forwarded-host": []}),
    ],
)
async def test_what_a_trusted_proxy_reports_is_rebuilt(forwarded, expected):
    """The believed client and the proxy itself; entries before them were forged."""
    suppliers = Recorder()
    headers = [
        (b"x-forwarded-for", b"192.0.2.66, 198.51.100.1"), (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"shop.example"), (b"via", b"1.1 front"),
    ]  # fmt: skip
    routes = [route("a", "/x", transform=Transform(forwarded=forwarded))]
    async with served(*routes, suppliers=suppliers, options=TRUSTED) as opened:
        await send_raw(opened, b"/x", headers=headers)

    assert {name: suppliers.sent(name) for name in expected} == expected
    assert suppliers.sent("via") == [b"1.1 front, 1.1 shop"]


async def test_an_ipv6_client_is_quoted_in_forwarded():
    """As RFC 7239 demands, section 6."""
    suppliers = Recorder()
    routes = [route("a", "/x", transform=Transform(forwarded="forwarded"))]
    async with served(*routes, suppliers=suppliers) as opened:
        await send_raw(opened, b"/x", client=("2001:db8::1", 1))

    assert suppliers.sent("forwarded") == [b'for="[2001:db8::1]";host="localhost";proto=http']


@pytest.mark.parametrize(("host", "sent"), [("upstream", ""), ("client", "localhost")])
async def test_the_host_is_that_of_the_service_unless_the_route_says_so(host, sent):
    """The client's was checked by the edge."""
    suppliers = Recorder()
    routes = [route("a", "/x", transform=Transform(host=host))]
    async with served(*routes, suppliers=suppliers) as opened:
        await send_raw(opened, b"/x")

    assert suppliers.calls[0].host == sent


CHANGES = [
    (Headers(allow=("X-A",)), {"x-a": [b"1"], "x-b": [], "accept": []}),
    (Headers(remove=("X-A",)), {"x-a": [], "x-b": [b"2"]}),
    (Headers(set={"X-A": "9"}), {"x-a": [b"9"], "x-b": [b"2"]}),
    (Headers(append={"X-A": "9"}), {"x-a": [b"1", b"9"]}),
    (Headers(set={"X-A": "{route.id} {headers.x-b} {{}}"}), {"x-a": [b"7/8 2 {}"]}),
    (Headers(set={"X-A": "{claims.tenant}/{claims.sub}"}), {"x-a": [b"north/ada"]}),
    (Headers(set={"X-A": "{claims.scopes}"}), {"x-a": [b"a b"]}),
    (Headers(set={"X-A": "{claims.missing}"}), {"x-a": []}),
    (Headers(set={"X-A": "{claims.__class__}"}), {"x-a": []}),
    (Headers(set={"X-A": "{claims.require}"}), {"x-a": []}),
    (Headers(allow=(), set={"X-C": "3"}), {"x-a": [], "x-c": [b"3"]}),
]


@pytest.mark.parametrize(("changes", "expected"), CHANGES)
async def test_a_route_changes_the_fields_of_requests(changes, expected):
    """A value of the client never survives a name that the route sets, even to nothing."""
    suppliers = Recorder()
    viewer = Viewer("ada", tenant="north", scopes=frozenset({"a", "b"}))
    routes = [route("a", "/{id}", transform=Transform(request_headers=changes))]
    async with served(*routes, suppliers=suppliers, viewer=viewer) as opened:
        await opened.get("/7%2F8", headers={"X-A": "1", "X-B": "2", "Accept": "x/y"})

    assert {name: suppliers.sent(name) for name in expected} == expected


@pytest.mark.parametrize("value", [b"a%0d%0aX-Evil:%201", b"a%00b", b"a%0Ab"])
async def test_a_value_of_the_path_never_splits_the_request(value):
    """It is refused: nothing of it is sent."""
    suppliers = Recorder()
    changes = Headers(set={"X-A": "{route.id}"})
    routes = [route("a", "/{id}", transform=Transform(request_headers=changes))]
    async with served(*routes, suppliers=suppliers) as opened:
        answer = await send_raw(opened, b"/" + value)

    assert (answer.status, [one for one in suppliers.calls if b"Evil" in str(one).encode()]) == (
        400,
        [],
    )


async def test_cookies_pass_by_name_only():
    """In both directions; those of the service become cookies of the gateway's host and path."""
    replied = [
        (b"set-cookie", b"lang=de; Domain=suppliers.internal; Path=/v2/shop; SameSite=Lax"),
        (b"set-cookie", b"session=1; Path=/"),
        (b"set-cookie", b"__Host-lang=1; Path=/; Secure"),
        (b"set-cookie", b"lang=fr; max-age=5"),
    ]
    suppliers = Recorder(headers=replied)
    transform = Transform(
        cookies=("lang", "__Host-lang"), path=PathRewrite(strip="/api", prefix="/v2")
    )
    async with served(route("a", "/api/{x}", transform=transform), suppliers=suppliers) as opened:
        cookies = b"session=s3cret; lang=de; langx=1; xlang=2; lang = 7"
        answer = await send_raw(opened, b"/api/x", headers=[(b"cookie", cookies)])

    assert suppliers.sent("cookie") == [b"lang=de; lang = 7"]
    assert answer.sent("set-cookie") == [
        b"lang=de; SameSite=Lax; Path=/api/shop; Secure; HttpOnly",
        b"__Host-lang=1; Path=/; Secure; HttpOnly",
        b"lang=fr; max-age=5; Path=/api; Secure; HttpOnly",
    ]


NEVER_ANSWERED = [
    *("server", "x-powered-by", "via", "alt-svc", "strict-transport-security", "set-cookie"),
    *("clear-site-data", "access-control-allow-origin", "access-control-allow-credentials"),
    *("part-status", "ratelimit", "ratelimit-policy", "idempotency-replayed", "proxy-status"),
    *("proxy-authenticate", "public-key-pins", "expect-ct", "nel", "report-to"),
    *("x-accel-redirect", "x-sendfile", "x-lighttpd-send-file", "x-reproxy-url", "x-reproxy-file"),
]


@pytest.mark.parametrize("name", NEVER_ANSWERED)
async def test_a_client_gets_no_field_that_only_the_gateway_may_send(name):
    """Nor one that describes the service."""
    suppliers = Recorder(headers=[(name.encode(), b"forged"), (b"x-one", b"1"), (b"x-one", b"2")])
    async with served(route("a", "/x"), suppliers=suppliers) as opened:
        answer = await send_raw(opened, b"/x")

    assert b"forged" not in answer.sent(name)
    assert answer.sent("x-one") == [b"1", b"2"]


async def test_what_the_edge_sets_wins():
    """Request id and cookies of the session are ours."""
    suppliers = Recorder(headers=[(b"x-request-id", b"theirs"), (b"vary", b"x-a")])
    async with served(route("a", "/x"), suppliers=suppliers) as opened:
        answer = await send_raw(opened, b"/x", headers=[(b"x-request-id", b"0123456789")])

    assert answer.sent("x-request-id") == suppliers.sent("x-request-id") == [b"0123456789"]
    assert answer.sent("vary") == [b"x-a, Accept-Encoding"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (Headers(allow=("content-type",)), {"content-type": [b"a/b"], "x-one": []}),
        (Headers(remove=("X-One",)), {"x-one": []}),
        (Headers(set={"X-One": "{route.id}"}), {"x-one": [b"7"]}),
        (Headers(append={"X-One": "2"}), {"x-one": [b"1", b"2"]}),
    ],
)
async def test_a_route_changes_the_fields_of_replies(changes, expected):
    """The full list of `allow` passes, and nothing else."""
    suppliers = Recorder(headers=[(b"content-type", b"a/b"), (b"x-one", b"1")])
    routes = [route("a", "/{id}", transform=Transform(response_headers=changes))]
    async with served(*routes, suppliers=suppliers) as opened:
        answer = await send_raw(opened, b"/7")

    assert {name: answer.sent(name) for name in expected} == expected


LOCATIONS = [
    (None, b"/x", b"/y", b"/y"),
    (None, b"/x", b"http://suppliers.test/y?a=1", b"/y?a=1"),
    (None, b"/x", b"https://other.example/y", b"https://other.example/y"),
    (PathRewrite(strip="/x", prefix="/v2"), b"/x/a", b"/v2/b", b"/x/b"),
    (PathRewrite(strip="/x", prefix="/v2"), b"/x/a", b"/elsewhere", None),
    ("/v2/{rest}", b"/x/a/b", b"http://suppliers.test/v2/c", b"/x/c"),
    ("/v2/{rest}", b"/x/a", b"c", b"/x/c"),
]


@pytest.mark.parametrize(("path", "url", "location", "expected"), LOCATIONS)
async def test_a_redirect_leads_to_our_address(path, url, location, expected):
    """One that leads to nothing that is forwarded is left out."""
    suppliers = Recorder(302, headers=[(b"location", location)])
    template = "/x/{rest:path}" if b"/x/" in url else "/x"
    routes = [route("a", template, transform=Transform(path=path))]
    async with served(*routes, suppliers=suppliers) as opened:
        answer = await send_raw(opened, url)

    assert answer.sent("location") == ([] if expected is None else [expected])


async def test_redirects_may_stay_as_they_are():
    """For a client that can reach the service."""
    suppliers = Recorder(302, headers=[(b"location", b"http://suppliers.test/y")])
    routes = [route("a", "/x", transform=Transform(redirects=False))]
    async with served(*routes, suppliers=suppliers) as opened:
        answer = await send_raw(opened, b"/x")

    assert answer.sent("location") == [b"http://suppliers.test/y"]
