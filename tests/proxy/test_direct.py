"""`Upstream.forward(request, transforms=...)` in a route of Python."""

from typing import Annotated

import pytest
from fastapi import Depends, Request, Response

from bff_core import Composition, Views, compose, gateway
from bff_core.auth import ANYONE, access
from bff_core.proxy import Headers, Query, Transform
from bff_core.testing import client, fail
from tests.proxy.proxied import Recorder, Suppliers, send_raw

pytestmark = pytest.mark.virtual_time

RENAMED = Transform(
    path="/v2/{rest}",
    query=Query(set={"tenant": "{headers.x-shop}"}),
    request_headers=Headers(remove=("X-Secret",)),
    cookies=("lang",),
)


class Passage(Composition):
    """The way to the service."""

    suppliers: Suppliers


def make():
    """Make a gateway whose routes forward, one of FastAPI's and one of Views."""
    views = Views(access=ANYONE)

    @views.get("/view/{rest:path}")
    async def view(rest: str, request: Request, way: Passage) -> Response:
        return await way.suppliers.forward(request, transforms=RENAMED)

    app = gateway("shop", faces=[views], services=[Suppliers])

    @app.api_route("/plain/{rest:path}", methods=["GET", "PUT"])
    @access(ANYONE)
    async def plain(
        rest: str, request: Request, way: Annotated[Passage, Depends(compose(Passage))]
    ) -> Response:
        return await way.suppliers.forward(request, transforms=RENAMED)

    @app.get("/bare/{rest:path}")
    @access(ANYONE)
    async def bare(rest: str, request: Request) -> Response:
        service = app.services[Suppliers]
        return await service.forward(request, transforms=Transform())

    return app


@pytest.mark.parametrize("prefix", ["view", "plain"])
async def test_a_route_in_python_forwards_with_transforms(prefix):
    """Path, query, headers and cookies are changed as on a proxied route."""
    replied = [
        (b"set-cookie", b"lang=de; Domain=x; Path=/v2/a"),
        (b"location", b"/v2/b"),
        (b"server", b"x"),
    ]
    suppliers = Recorder(302, headers=replied)
    sent = [(b"x-shop", b"7"), (b"x-secret", b"1"), (b"authorization", b"Bearer x"), (b"x-a", b"1")]
    async with client(make, suppliers=suppliers) as opened:
        answer = await send_raw(opened, f"/{prefix}/a%2Fb?q=1".encode(), headers=sent)

    assert suppliers.calls[0].target == "/v2/a%2Fb?q=1&tenant=7"
    assert [suppliers.sent(one) for one in ("x-secret", "authorization", "x-a")] == [[], [], [b"1"]]
    assert suppliers.sent("x-forwarded-for") == [b"203.0.113.9"]
    assert answer.status == 302
    assert answer.sent("location") == [f"/{prefix}/b".encode()]
    assert answer.sent("set-cookie") == [f"lang=de; Path=/{prefix}/a; Secure; HttpOnly".encode()]
    assert answer.sent("server") == []


async def test_a_body_is_passed_on():
    """As it arrives."""
    suppliers = Recorder(201)
    async with client(make, suppliers=suppliers) as opened:
        answer = await opened.put("/plain/x", content=b"body")

    assert (answer.status_code, opened.calls[0].body) == (201, b"body")


@pytest.mark.parametrize("path", [b"/bare/../x", b"/bare/%2e%2e/x", b"/bare/a%5Cb"])
async def test_a_path_never_leaves_its_place(path):
    """It is refused as on a proxied route."""
    async with client(make, suppliers=Recorder()) as opened:
        answer = await send_raw(opened, path)

    assert (answer.status, len(opened.calls)) == (400, 0)


async def test_a_failure_is_reported_as_on_a_proxied_route():
    """With the name of the upstream."""
    async with client(make, suppliers=fail(is_sent=False)) as opened:
        answer = await opened.get("/bare/x")

    assert (answer.status_code, answer.json()["upstream"]) == (502, "suppliers")
    assert answer.headers["proxy-status"] == "shop; error=connection_refused; next-hop=suppliers"


async def test_a_request_without_transforms_is_refused_with_a_hint():
    """The error names both forms."""

    def wrong():
        app = make()

        @app.get("/wrong")
        @access(ANYONE)
        async def route(request: Request) -> None:
            with pytest.raises(TypeError, match=r"or the request with transforms=Transform"):
                await app.services[Suppliers].forward(request)

        return app

    async with client(wrong, suppliers=Recorder()) as opened:
        assert (await opened.get("/wrong")).status_code == 200
