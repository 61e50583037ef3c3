"""Wrong values of routes are refused where they are written, with the field and what to write."""

from dataclasses import fields, replace

import pytest

from bff_core.errors import ConfigurationError
from bff_core.proxy import (
    Condition,
    Files,
    Headers,
    Match,
    Mirror,
    PathRewrite,
    Query,
    Route,
    Socket,
    Split,
    Transform,
)
from bff_core.proxy.option_faults import InvalidOptions
from bff_core.proxy.placeholders import Placeholder, parts_of
from bff_core.upstream.client import Upstream


class Suppliers(Upstream):
    """A service of these tests."""


FULL = Route(
    "supplier-read.v2",
    Match(
        "/v1/{country}/items/{n:int}/file-{rest:path}",
        methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"),
        hosts=("shop.example", "*.shop.example", "127.0.0.1", "[::1]", "xn--bcher-kva.example"),
        headers={"X-Beta": "1", "Accept": Condition(prefix="text/"), "X-C": Condition(regex="a|b")},
        query={"q": Condition(exists=True), "sort[by]": "", "café": "ü"},
        cookies={"beta": Condition(absent=True)},
        client="ios",
        app_version=">=4.2,<5",
    ),
    to=Suppliers,
    split=(
        Split(to="suppliers-next", percent=99.5, by="header:X-Tenant"),
        Split(to="b", percent=0.5),
    ),
    transform=Transform(
        path="/v2/{country}/{route.n}%20x/ä/{claims.sub}/{rest}",
        method="POST",
        query=Query(allow=("a", "A"), remove=("b",), set={"c": "{route.n}"}),
        request_headers=Headers(
            allow=("accept",),
            set={"X-Tenant": "{claims.urn:tenant}", "X-Brace": "{{{headers.Accept}}}"},
        ),
        response_headers=Headers(remove=("server",), append={"Vary": "X-Beta"}),
        trailers=Headers(set={"X-Sum": "1"}),
        cookies=("session", "Session"),
        host="client",
        forwarded="forwarded",
    ),
    mirror=Mirror(to="suppliers-next", percent=1, ignore=("$.servedAt", "$['x'][0]")),
)


def test_a_route_may_have_every_option():
    """All that the documentation lists is accepted together."""
    assert FULL.splits[0].by == "header:X-Tenant"
    assert Route("r", Match("/live"), to="x", websocket=Socket(subprotocols=("chat", "v2.chat")))
    assert Route("r", Match("/{p:path}"), files=Files("dist", fallback="index.html")).splits == ()


PATHS = [
    ("a", "must begin with /"),
    ("", "must begin with /"),
    ("https://a.example/b", "address"),
    ("/a?b=c", "query"),
    ("/a#b", "fragment"),
    ("/a\\b", "backslash"),
    ("/a b", "spaces"),
    ("/a\n", "control"),
    ("/a\x00", "control"),
    ("//a", "empty segment"),
    ("/a//b", "empty segment"),
    ("/a/../b", "segment . or .."),
    ("/./b", "segment . or .."),
    ("/a/..", "segment . or .."),
    ("/%41", "decoding"),
    ("/{a", "brace"),
    ("/a}", "brace"),
    ("/{{a}}", "brace"),
    ("/{}", "name"),
    ("/{1a}", "name"),
    ("/{a b}", "name"),
    ("/{a.b}", "name"),
    ("/{ä}", "name"),
    ("/{a:integer}", 'Did you mean "int"'),
    ("/{a}/{a}", "twice"),
    ("/{a}{b}", "one segment"),
    ("/{a}-{b}", "one segment"),
    ("/{a:path}/{b:path}", "two parameters of type path"),
    ("/" + "a" * 1024, "1024"),
    ("/a" * 33, "33 segments"),
]


@pytest.mark.parametrize(("path", "complaint"), PATHS)
def test_a_path_that_no_request_has_is_refused(path: str, complaint: str):
    """A template that can't match, or only slowly, is an error and not a dead route."""
    with pytest.raises(ConfigurationError, match=r"^Match\.path = ") as caught:
        Match(path)

    assert complaint in str(caught.value)


MATCHES = [
    ({"methods": "GET"}, "methods", "must be a tuple of text"),
    ({"methods": ["GET"]}, "methods", "a tuple of text"),
    ({"methods": ("get",)}, "methods[0]", "write 'GET'"),
    ({"methods": ("",)}, "methods[0]", "is no method"),
    ({"methods": ("G T",)}, "methods[0]", "is no method"),
    ({"methods": ("CONNECT",)}, "methods[0]", "never forwarded"),
    ({"methods": ("GET", "TRACE")}, "methods[1]", "never forwarded"),
    ({"methods": ("GET", "GET")}, "methods[1]", "twice"),
    ({"methods": (1,)}, "methods[0]", "must be text"),
    ({"hosts": ("*",)}, "hosts[0]", "leave `hosts` out"),
    ({"hosts": ("https://a.example",)}, "hosts[0]", "no scheme"),
    ({"hosts": ("a.example:443",)}, "hosts[0]", "no port"),
    ({"hosts": ("a.example/b",)}, "hosts[0]", "no path"),
    ({"hosts": ("a.*.example",)}, "hosts[0]", "labels"),
    ({"hosts": ("a.example", "A.EXAMPLE")}, "hosts[1]", "twice"),
    ({"hosts": ("",)}, "hosts[0]", "host"),
    ({"headers": {"X A": "1"}}, 'headers["X A"]', "spaces"),
    ({"headers": {"X-A:": "1"}}, 'headers["X-A:"]', "write 'X-A'"),
    ({"headers": {"": "1"}}, 'headers[""]', "empty"),
    ({"headers": {"X-A": "1", "x-a": "2"}}, 'headers["x-a"]', "another case"),
    ({"headers": {"Host": "a"}}, "headers.Host", "`hosts`"),
    ({"headers": {"Cookie": "a"}}, "headers.Cookie", "`cookies`"),
    ({"headers": {"Authorization": "a"}}, "headers.Authorization", "`access`"),
    ({"headers": {"Connection": "a"}}, "headers.Connection", "one connection"),
    ({"headers": {"Transfer-Encoding": "a"}}, 'headers["Transfer-Encoding"]', "one connection"),
    ({"headers": {"X-A": " 1"}}, 'headers["X-A"]', "write '1'"),
    ({"headers": {"X-A": "a\r\nb"}}, 'headers["X-A"]', "control"),
    ({"headers": {"X-A": "a" * 1025}}, 'headers["X-A"]', "1024"),
    ({"headers": {"X-A": 1}}, 'headers["X-A"]', "must be text or Condition(...)"),
    ({"headers": {"a" * 129: "1"}}, "headers." + "a" * 129, "128"),
    ({"headers": ("X-A",)}, "headers", "a dictionary"),
    ({"query": {"": "1"}}, 'query[""]', "empty"),
    ({"query": {"a\n": "1"}}, 'query["a\n"]', "control"),
    ({"cookies": {"a=b": "1"}}, 'cookies["a=b"]', "no name"),
    ({"cookies": {str(n): "1" for n in range(33)}}, "", "32 conditions"),
    ({"client": "iOS app"}, "client", "one of android, ios"),
    ({"client": 1}, "client", "must be text"),
    ({"app_version": "new"}, "app_version", ">=4.2,<5"),
    ({"app_version": ">5,<4"}, "app_version", "no version"),
    ({"order": 10_001}, "order", "10,000"),
    ({"order": 1.5}, "order", "must be a whole number"),
    ({"order": True}, "order", "must be a whole number"),
]


@pytest.mark.parametrize(("options", "field", "complaint"), MATCHES)
def test_a_condition_that_no_request_meets_is_refused(options, field: str, complaint: str):
    """Each wrong value names its field, and what to write instead."""
    with pytest.raises(InvalidOptions) as caught:
        Match("/", **options)

    message = str(caught.value)
    assert message.startswith(f"Match.{field}" if field else "Match ")
    assert complaint in message


CONDITIONS = [
    ({}, "exactly one"),
    ({"equals": "a", "prefix": "a"}, "exactly one"),
    ({"exists": True, "absent": True}, "exactly one"),
    ({"equals": 1}, "equals = 1: must be text or None"),
    ({"exists": "yes"}, "must be True or False"),
    ({"prefix": ""}, "write exists"),
    ({"prefix": "a\n"}, "control"),
    ({"equals": "a\x00"}, "control"),
    ({"regex": "("}, "unclosed group"),
    ({"regex": "a)|(b"}, "unopened group"),
    ({"regex": r"(a)\1"}, "backreferences"),
    ({"regex": "(?=a)a"}, "look-around"),
    ({"regex": "a" * 257}, "257 characters, 256 at most"),
    ({"regex": "(((a{99}){99}){99}){99}"}, "size limit"),
]


@pytest.mark.parametrize(("options", "complaint"), CONDITIONS)
def test_a_condition_is_one_of_five_and_its_regex_is_linear(options, complaint: str):
    """What could take long on a client's value is refused at start: the dialect is RE2's."""
    with pytest.raises(InvalidOptions) as caught:
        Condition(**options)

    assert complaint in str(caught.value)


OTHERS = [
    (lambda: Files(""), "Files.directory"),
    (lambda: Files("dist", fallback="/etc/passwd"), "Files.fallback"),
    (lambda: Files("dist", fallback="../index.html"), "Files.fallback"),
    (lambda: Files("dist", fallback="a\\..\\b"), "Files.fallback"),
    (lambda: Files("dist", fallback_from="cdn"), "Files.fallback"),
    (lambda: Files("dist", fallback="i.html", fallback_from="a b"), "Files.fallback_from"),
    (lambda: Files("dist", fallback="i.html", fallback_from=Files), "Files.fallback_from"),
    (lambda: Files("dist", immutable="assets/*"), "Files.immutable"),
    (lambda: Files("dist", immutable=("/a/*", "b")), "Files.immutable[1]"),
    (lambda: Files(7), "Files.directory"),
    (lambda: Socket(max_message=0), "Socket.max_message"),
    (lambda: Socket(idle=0), "Socket.idle"),
    (lambda: Socket(ping=float("nan")), "Socket.ping"),
    (lambda: Socket(subprotocols=("a b",)), "Socket.subprotocols[0]"),
    (lambda: Socket(subprotocols=("a", "a")), "Socket.subprotocols[1]"),
    (lambda: Split(to="b", percent=101), "Split.percent"),
    (lambda: Split(to="b", percent=-1), "Split.percent"),
    (lambda: Split(to="", percent=1), "Split.to"),
    (lambda: Split(to=Split, percent=1), "Split.to"),
    (lambda: Split(to="b", percent=1, by="user"), "Split.by"),
    (lambda: Split(to="b", percent=1, by="header:"), "Split.by"),
    (lambda: Split(to="b", percent=1, by="cookie:a b"), "Split.by"),
    (lambda: Mirror(to="b", methods=("POST",)), "Mirror.methods[0]"),
    (lambda: Mirror(to="b", methods=("GET", "DELETE")), "Mirror.methods[1]"),
    (lambda: Mirror(to="b", methods=()), "Mirror.methods"),
    (lambda: Mirror(to="b", compare=("xml",)), "Mirror.compare[0]"),
    (lambda: Mirror(to="b", ignore=("servedAt",)), "Mirror.ignore[0]"),
    (lambda: Mirror(to="b", max_body=-1), "Mirror.max_body"),
    (lambda: Mirror(to="b", concurrent=0), "Mirror.concurrent"),
    (PathRewrite, "PathRewrite needs"),
    (lambda: PathRewrite(strip="a"), "PathRewrite.strip"),
    (lambda: PathRewrite(strip="/{a}"), "PathRewrite.strip"),
    (lambda: PathRewrite(prefix="/a/../b"), "PathRewrite.prefix"),
    (lambda: PathRewrite(prefix="/a/%2e%2E/b"), "PathRewrite.prefix"),
    (lambda: PathRewrite(prefix="/a/.%2e"), "PathRewrite.prefix"),
    (lambda: PathRewrite(prefix="/a b"), "PathRewrite.prefix"),
    (lambda: PathRewrite(prefix="/a%2"), "PathRewrite.prefix"),
    (lambda: PathRewrite(regex=("(", "")), "PathRewrite.regex"),
    (lambda: PathRewrite(regex=("(a)(?!b)", "")), "PathRewrite.regex"),
    (lambda: PathRewrite(regex=("(a)", r"\2")), "PathRewrite.regex"),
    (lambda: PathRewrite(regex=("a", "\\")), "PathRewrite.regex"),
    (lambda: PathRewrite(regex=("a", "b", "c")), "PathRewrite.regex"),
    (lambda: PathRewrite(regex="a"), "PathRewrite.regex"),
    (lambda: Headers(allow="accept"), "Headers.allow"),
    (lambda: Headers(allow=("a b",)), "Headers.allow[0]"),
    (lambda: Headers(remove=("a", "A")), "Headers.remove[1]"),
    (lambda: Headers(set={"a b": "1"}), 'Headers.set["a b"]'),
    (lambda: Headers(set={"A": "1", "a": "1"}), "Headers.set.a"),
    (lambda: Headers(set={"a": "1\r\nb: 2"}), "Headers.set.a"),
    (lambda: Headers(set={"a": "1\n"}), "Headers.set.a"),
    (lambda: Headers(set={"a": 1}), "Headers.set.a"),
    (lambda: Headers(append={"a": "{b}"}), "Headers.append.a"),
    (lambda: Headers(append={"a": "{user.b}"}), "Headers.append.a"),
    (lambda: Headers(append={"a": "{claims.}"}), "Headers.append.a"),
    (lambda: Headers(append={"a": "{headers.a b}"}), "Headers.append.a"),
    (lambda: Headers(append={"a": "{route.x"}), "Headers.append.a"),
    (lambda: Headers(append={"a": "}"}), "Headers.append.a"),
    (lambda: Query(set={"": "1"}), 'Query.set[""]'),
    (lambda: Query(allow=("a", "a")), "Query.allow[1]"),
    (lambda: Transform(path="v2"), "Transform.path"),
    (lambda: Transform(path="/{n:int}"), "Transform.path"),
    (lambda: Transform(path="/a/../b"), "Transform.path"),
    (lambda: Transform(path="/a?b"), "Transform.path"),
    (lambda: Transform(path="/{claims.}"), "Transform.path"),
    (lambda: Transform(path="/{user.id}"), "Transform.path"),
    (lambda: Transform(method="post"), "Transform.method"),
    (lambda: Transform(method="TRACE"), "Transform.method"),
    (lambda: Transform(cookies=("a;b",)), "Transform.cookies[0]"),
    (lambda: Transform(host="a.example"), "Transform.host"),
    (lambda: Transform(forwarded="on"), "Transform.forwarded"),
    (lambda: Transform(redirects="yes"), "Transform.redirects"),
    (lambda: Transform(query=Headers()), "Transform.query"),
]


@pytest.mark.parametrize(("make", "field"), OTHERS)
def test_a_wrong_option_names_its_field(make, field: str):
    """Whatever is wrong is found when the route is written, not when a request arrives."""
    with pytest.raises(ConfigurationError) as caught:
        make()

    assert str(caught.value).startswith(field)


SET_BY_THE_GATEWAY = [
    *("Connection", "keep-alive", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding"),
    *("Upgrade", "Content-Length", "Host", "traceparent", "tracestate", "Request-Timeout"),
    *("Expect", "Proxy-Connection", "Proxy-Authenticate"),
]


@pytest.mark.parametrize("name", [*SET_BY_THE_GATEWAY, "Cookie"])
@pytest.mark.parametrize("change", ["set", "append"])
def test_a_request_header_of_the_gateway_is_never_set(name: str, change: str):
    """A route that sets the framing of a message would smuggle requests."""
    with pytest.raises(InvalidOptions, match=rf"^Transform\.request_headers\.{change}"):
        Transform(request_headers=Headers(**{change: {name: "1"}}))


@pytest.mark.parametrize("name", [*SET_BY_THE_GATEWAY, "Set-Cookie"])
def test_a_response_header_of_the_gateway_is_never_set(name: str):
    """A reply has the framing that the server gives it."""
    with pytest.raises(InvalidOptions, match=r"^Transform\.response_headers\.set"):
        Transform(response_headers=Headers(set={name: "1"}))


@pytest.mark.parametrize(
    "name", ["Content-Type", "Content-Length", "Authorization", "Cache-Control", "Set-Cookie", "TE"]
)
def test_what_clients_need_first_is_no_trailer(name: str):
    """A trailer arrives after the content (RFC 9110, section 6.5.1)."""
    with pytest.raises(InvalidOptions, match=r"^Transform\.trailers\.set"):
        Transform(trailers=Headers(set={name: "1"}))


ROUTES = [
    ({"id": ""}, "id"),
    ({"id": "a b"}, "id"),
    ({"id": "-a"}, "id"),
    ({"id": "a" * 65}, "id"),
    ({"id": "a\n"}, "id"),
    ({"match": "/a"}, "match"),
    ({"to": None}, None),
    ({"files": Files("dist")}, None),
    ({"to": "a b"}, "to"),
    ({"to": FULL}, "to"),
    ({"access": "anyone"}, "access"),
    ({"limits": "10/s"}, "limits"),
    ({"cache": "yes"}, "cache"),
    ({"criticality": "high"}, "criticality"),
    ({"max_body": -1}, "max_body"),
    ({"max_body": 2**41}, "max_body"),
    ({"timeout": 0}, "timeout"),
    ({"idle_timeout": 0.01}, "idle_timeout"),
    ({"idle_timeout": "30s"}, "idle_timeout"),
    ({"cors": True}, "cors"),
    ({"idempotency": 1}, "idempotency"),
    ({"split": Split(to=Suppliers, percent=5)}, "split.to"),
    ({"split": (Split(to="b", percent=60), Split(to="c", percent=41))}, "split"),
    ({"transform": Transform(path="/{nation}")}, "transform.path"),
    ({"transform": Transform(path="/{claims.tenant}/{route.nation}")}, "transform.path"),
    ({"transform": Transform(query=Query(set={"a": "{route.nation}"}))}, "transform.query.set.a"),
    (
        {"transform": Transform(request_headers=Headers(append={"X-A": "{route.m}"}))},
        'transform.request_headers.append["X-A"]',
    ),
    ({"websocket": True}, "mirror"),
    (
        {"websocket": True, "mirror": None, "match": replace(FULL.match, methods=("POST",))},
        "match.methods",
    ),
    ({"websocket": 1}, "websocket"),
    ({"to": None, "files": Files("dist")}, "split"),
]


@pytest.mark.parametrize(("changes", "field"), ROUTES)
def test_options_of_a_route_fit_together(changes, field: str | None):
    """A placeholder that the path lacks, a split above 100 percent: each names its field."""
    with pytest.raises(InvalidOptions) as caught:
        replace(FULL, **changes)

    owner = f"Route({changes.get('id', FULL.id)!r})"
    assert str(caught.value).startswith(f"{owner}.{field}" if field else f"{owner} needs")


def test_all_faults_of_an_object_are_reported_at_once():
    """Who corrects a route does not start the gateway once for each fault."""
    with pytest.raises(InvalidOptions) as caught:
        Match("a", methods=("get", "PUTT"), hosts=("*",), client="X")

    assert [one.path for one in caught.value.faults] == [
        *(("path",), ("methods", 0), ("hosts", 0), ("client",)),
    ]
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.parametrize(
    "kind",
    [Condition, Files, Headers, Match, Mirror, PathRewrite, Query, Route, Socket, Split, Transform],
)
def test_every_class_checks_its_values(kind: type):
    """A class without checks would accept whatever it is given."""
    assert "__post_init__" in vars(kind)
    assert fields(kind)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("a", ("a",)),
        ("a{route.x}b", ("a", Placeholder("route", "x"), "b")),
        (
            "{headers.Accept}{claims.a.b}",
            (Placeholder("headers", "accept"), Placeholder("claims", "a.b")),
        ),
        ("{{a}}", ("{a}",)),
        ("{{{route.x}}}", ("{", Placeholder("route", "x"), "}")),
        ("{claims.urn://a/tenant}", (Placeholder("claims", "urn://a/tenant"),)),
    ],
)
def test_a_value_has_texts_and_placeholders(text: str, parts: tuple[str | Placeholder, ...]):
    """A doubled brace is a brace; everything else in braces is filled by the request."""
    assert parts_of(text) == parts
