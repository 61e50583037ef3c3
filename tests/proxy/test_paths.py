"""The path and the query that a service gets, and the paths that it never gets."""

import pytest

from bff_core.auth import Viewer
from bff_core.errors import ConfigurationError
from bff_core.proxy import PathRewrite, Query, Transform
from tests.proxy.proxied import Recorder, route, send_raw, served

pytestmark = pytest.mark.virtual_time


async def targets(path_template, transform, urls, *, headers=()):
    """Return the target of each request, or the status of one that was not forwarded."""
    found = []
    routes = [route("a", path_template, transform=transform)]
    async with served(*routes) as opened:
        for url in urls:
            opened.calls.clear()
            answer = await send_raw(opened, url, headers=headers)
            found.append(opened.calls[0].target if len(opened.calls) else answer.status)
    return found


UNTOUCHED = [
    *(b"/", b"//", b"/a//b/", b"/a%2Fb", b"/a%2fb", b"/%C3%A4", b"/a;v=1", b"/a%3Fb%23c"),
    *(b"/...", b"/.well-known/x", b"/a..b", b"/..a", b"/%2e%2e%2ea", b"/~a!$&'()*+,=:@"),
    *(b"/a%20b", b"/%25", b"/100%25%20off", b"/a?q=%2F..&q=a+b&&=&q", b"/a%2520b"),
]


async def test_path_and_query_stay_as_they_came():
    """Byte for byte: nothing is decoded, encoded or cleaned up."""
    found = await targets("/{rest:path}", None, UNTOUCHED)

    assert found == [one.decode() for one in UNTOUCHED]


CLIMBING = [
    *(b"/../x", b"/a/..", b"/a/../x", b"/.", b"/./x", b"/%2e%2e/x", b"/%2E./x", b"/.%2e"),
    *(b"/a%2F..%2Fx", b"/a%2f%2e%2e%2fx", b"/..%5Cx", b"/..\\x", b"/a%5c..", b"/a%5C%2e%2e/x"),
    *(b"/..;/x", b"/..;a=b/x", b"/%2e%2e%3B/x", b"/.;/x", b"/a\\b", b"/a%5Cb", b"/a%5cb"),
    *(b"/..%00", b"/..%20/x", b"/..%09/x", b"/..%23", b"/..%3f/x", b"/%2e%2e%0a", b"/a%00b"),
    *(b"/%252e%252e/x", b"/a%252F..%252Fx", b"/%25252e%25252e/x", b"/a%255Cb", b"/a%2500"),
    *(b"/%c0%ae%c0%ae/x", b"/%C0%AE./x", b"/..%c0%afx", b"/a%c1%9cb", b"/%252525252e%252525252e/"),
]


@pytest.mark.parametrize(
    "transform",
    [
        None,
        Transform(path="/public/{rest}"),
        Transform(path=PathRewrite(prefix="/public")),
        Transform(path=PathRewrite(regex=("x", "y"))),
    ],
    ids=["as it came", "template", "prefix", "regex"],
)
async def test_a_path_never_leaves_its_route(transform):
    """Whatever the service decodes, and how often, before it resolves the segments."""
    found = await targets("/{rest:path}", transform, CLIMBING)

    assert set(found) <= {400, 404}
    assert found.count(404) == 1  # a path with a line feed matches no route


REWRITES = [
    ("/{rest:path}", "/v2/{rest}", {"/a/b": "/v2/a/b", "/": "/v2/", "/a%2Fb/": "/v2/a%2Fb/"}),
    ("/{a}/{b}", "/x/{b}/y/{a}", {"/1/2": "/x/2/y/1", "/a%2Fb/%20": "/x/%20/y/a%2Fb"}),
    ("/{a}/{b}", "/x-{a}.{b}", {"/1/2": "/x-1.2"}),
    ("/{n:int}", "/number/{n}", {"/007": "/number/007", "/%37": "/number/%37"}),
    ("/v{n}.json", "/{n}", {"/v7.json": "/7", "/v%2F.json": "/%2F"}),
    ("/a/{rest:path}/z", "/{rest}", {"/a/b/c/z": "/b/c"}),
    ("/caf\u00e9/{x}", "/{x}", {"/caf%C3%A9/1": "/1", "/caf%c3%a9/%31": "/%31"}),
    ("/{x}", "/fixed", {"/1?q=1": "/fixed?q=1"}),
    ("/{rest:path}", PathRewrite(strip="/api"), {"/api/x": "/x", "/api": "/", "/apix": "/apix"}),
    ("/{rest:path}", PathRewrite(strip="/api"), {"/%61pi/x": "/x", "/api%2Fx": "/api%2Fx"}),
    ("/{rest:path}", PathRewrite(strip="/a/", prefix="/b/"), {"/a/x": "/b/x", "/a": "/b/"}),
    ("/{rest:path}", PathRewrite(prefix="/b"), {"/a": "/b/a", "/": "/b/"}),
    (
        "/{rest:path}",
        PathRewrite(regex=(r"^/users/([0-9]+)", r"/u/\1")),
        {"/users/7/x": "/u/7/x", "/other": "/other"},
    ),
    ("/{rest:path}", PathRewrite(regex=("/$", "?a=1#b")), {"/x/": "/x%3Fa=1%23b"}),
    ("/{rest:path}", PathRewrite(regex=("^/", "")), {"/x": 400}),
    ("/{rest:path}", PathRewrite(regex=("dots", "..")), {"/dots/x": 400}),
    ("/{x}", "/.{x}/y", {"/.a": "/..a/y"}),
]


@pytest.mark.parametrize(("template", "path", "expected"), REWRITES)
async def test_a_path_is_rewritten(template, path, expected):
    """Values stay inside their segments, as the client encoded them."""
    found = await targets(template, Transform(path=path), [one.encode() for one in expected])

    assert found == [*expected.values()]


async def test_a_value_never_becomes_a_dot_segment():
    """Not even with the text around it."""
    assert await targets("/{x}/{y}", Transform(path="/a{x}/.{y}"), [b"/1/2", b"/1/."]) == [
        "/a1/.2",
        400,
    ]


async def test_claims_and_headers_fill_one_segment_of_a_path():
    """A request without the value is refused: the service would read another path."""
    transform = Transform(path="/{claims.tenant}/{headers.x-shop}/{rest}")
    viewer = Viewer("ada", tenant="a/b")
    routes = [route("a", "/{rest:path}", transform=transform)]
    async with served(*routes, viewer=viewer) as opened:
        await opened.get("/x", headers={"X-Shop": "b/c?"})
        climbing = await opened.get("/x", headers={"X-Shop": "../admin"})
        without_header = await opened.get("/x")
        anonymous = await opened.get("/x", headers={"X-Shop": "1", "authorization": ""})

    assert [one.target for one in opened.calls] == ["/a%2Fb/b%2Fc%3F/x"]
    assert {one.status_code for one in (climbing, without_header, anonymous)} == {400}


QUERIES = [
    (Query(allow=("a",)), "a=1&b=2&a=3&%61=4", "a=1&a=3&%61=4"),
    (Query(remove=("a",)), "a=1&b=2&%61=4&c", "b=2&c"),
    (Query(set={"a": "x y"}), "a=1&b=2", "b=2&a=x%20y"),
    (Query(append={"a": "{route.id}"}), "a=1", "a=1&a=7%2F8"),
    (Query(set={"t": "{claims.tenant}"}), "t=forged&b=1", "b=1"),
    (Query(set={"t": "{headers.x-t}"}), "", "t=a%26b%3D1"),
    (Query(allow=(), set={"k": "{{v}}"}), "a=1", "k=%7Bv%7D"),
    (Query(allow=()), "a=1", ""),
]


@pytest.mark.parametrize(("query", "before", "after"), QUERIES)
async def test_a_query_is_changed(query, before, after):
    """Other parameters stay byte for byte."""
    url = f"/7%2F8?{before}".encode()
    headers = [(b"x-t", b"a&b=1")]
    (found,) = await targets("/{id}", Transform(query=query), [url], headers=headers)

    assert found == (f"/7%2F8?{after}" if after else "/7%2F8")


def test_a_placeholder_that_names_nothing_is_refused():
    """Before the gateway starts."""
    with pytest.raises(ConfigurationError, match="rst"):
        route("a", "/{rest:path}", transform=Transform(path="/{rst}"))


@pytest.mark.parametrize(("path", "raw"), [("/base/a/b", b"/base/a%2Fb"), ("/a/b", b"/a%2Fb")])
async def test_a_gateway_below_a_path_forwards_what_is_below_it(path, raw):
    """Whether the proxy in front strips the path or not; references get it back."""
    suppliers = Recorder(302, headers=[(b"location", b"/v2/c")])
    transform = Transform(path=PathRewrite(prefix="/v2"))
    async with served(route("a", "/{x}", transform=transform), suppliers=suppliers) as opened:
        answer = await send_raw(opened, raw, path=path, root_path="/base")

    assert suppliers.calls[0].target == "/v2/a%2Fb"
    assert answer.sent("location") == [b"/base/c"]


async def test_a_method_is_replaced():
    """The service gets the method of the route."""
    async with served(route("a", "/x", transform=Transform(method="POST"))) as opened:
        await opened.put("/x", content=b"body")

    assert [(one.method, one.body) for one in opened.calls] == [("POST", b"body")]
