"""Headers for caches on the way: each answer says who may store it, and what it varies by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
from fastapi import Header, HTTPException
from fastapi.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from shop import Page, Shop, open_shop, shop_views

from bff_core import Views, gather
from bff_core.edge.compression import FILE_CHUNK_BYTES
from bff_core.testing.scripted import reply

PRIVATE, UNSTORED = "private, no-cache", "no-store"


def own_views() -> Views:
    """Return the views of the shop, and some that return responses of their own."""
    views = shop_views()

    @views.get("/answers")
    async def get_answer(page: Page) -> Response:
        await page.product()
        return Response("as it is", media_type="text/plain")

    @views.get("/answers/degraded/{product_id}")
    async def get_degraded(page: Page) -> Response:
        product, reviews = await gather(page.product(), page.reviews())
        return Response(f"{product.title}: {reviews}", media_type="text/plain")

    @views.get("/answers/stored")
    async def get_stored() -> Response:
        return Response("for all", headers={"Cache-Control": "public, max-age=60"})

    @views.get("/answers/expires")
    async def get_expires() -> Response:
        return Response("for all", headers={"Expires": "Sun, 01 Nov 2026 08:00:00 GMT"})

    @views.get("/tokens")
    async def get_tokens(x_token: Annotated[str, Header()]) -> str:
        return x_token

    @views.get("/large")
    async def get_large() -> list[str]:
        return ["word"] * 1000

    @views.delete("/products/{product_id}", status=204)
    async def delete_product(product_id: str) -> None:
        pass

    return views


async def raw(_scope, _receive, send):
    """Answer as an application that does not write header names in lower case."""
    headers = [(b"Cache-Control", b"max-age=5"), (b"Vary", b"Cookie"), (b"X-Request-ID", b"mine")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"raw"})


@asynccontextmanager
async def open_with_routes(file=None) -> AsyncIterator[Shop]:
    """Open the shop with routes of FastAPI beside its views."""
    async with open_shop(own_views()) as shop:
        app = shop.app
        shop.client.headers["authorization"] = "Bearer demo-1"

        @app.get("/plain")
        async def get_plain() -> dict[str, str]:
            return {"text": "word " * 1000}

        @app.get("/away")
        async def get_away() -> Response:
            return RedirectResponse("https://shop.example/")

        @app.get("/refused")
        async def get_refused() -> None:
            raise HTTPException(409, "not now")

        @app.get("/failed")
        async def get_failed() -> Response:
            return Response("no", 500)

        @app.get("/crash")
        async def get_crash() -> None:
            raise RuntimeError

        @app.get("/in-pieces")
        async def get_in_pieces() -> Response:
            return StreamingResponse(iter([b"a" * 2000, b"b" * 2000]), media_type="text/plain")

        if file is not None:
            app.router.add_route("/file", lambda _: FileResponse(file), methods=["GET"])
        app.mount("/raw", raw)
        yield shop


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/v1/products/7", PRIVATE),
        ("DELETE", "/v1/products/7", PRIVATE),
        ("GET", "/v1/answers?product_id=7", PRIVATE),
        ("GET", "/v1/answers/stored", "public, max-age=60"),
        ("GET", "/v1/products/7/words", UNSTORED),
        ("GET", "/v1/products/7?first=0", UNSTORED),
        ("PATCH", "/v1/products/7", UNSTORED),
        ("GET", "/nowhere", UNSTORED),
        ("GET", "/plain", PRIVATE),
        ("GET", "/plain/", PRIVATE),
        ("POST", "/plain", UNSTORED),
        ("GET", "/away", PRIVATE),
        ("GET", "/refused", UNSTORED),
        ("GET", "/failed", UNSTORED),
        ("GET", "/crash", UNSTORED),
        ("GET", "/in-pieces", PRIVATE),
        ("GET", "/raw/x", "max-age=5"),
        ("GET", "/openapi.json", PRIVATE),
        ("HEAD", "/openapi.json", PRIVATE),
        ("GET", "/docs", UNSTORED),
        ("GET", "/", UNSTORED),
        ("GET", "/healthz", UNSTORED),
    ],
)
async def test_every_answer_says_who_may_store_it(method, path, wanted):
    """Once: Varnish and others store answers without it. The author's own header counts."""
    async with open_with_routes() as shop:
        answer = await shop.client.request(method, path)

    assert answer.headers.get_list("cache-control") == [wanted]


async def test_a_response_of_a_degraded_view_is_not_stored():
    """This holds for a view that builds its own response as well."""
    async with open_with_routes() as shop:
        shop.scripts["reviews"].then(reply(404))
        answer = await shop.client.get("/v1/answers/degraded/7")

    assert answer.text == "A green tent: ()"
    assert answer.headers["cache-control"] == UNSTORED


async def test_expires_of_the_author_counts():
    """`Cache-Control` would overrule it (RFC 9111, section 5.3)."""
    async with open_with_routes() as shop:
        answer = await shop.client.get("/v1/answers/expires")

    assert answer.headers["expires"] == "Sun, 01 Nov 2026 08:00:00 GMT"
    assert "cache-control" not in answer.headers


@pytest.mark.parametrize("lane", ["fast", "fastapi"])
async def test_a_parameter_is_the_first_line_of_a_header(lane):
    """A view reads a header parameter as FastAPI does, on both paths."""
    async with open_with_routes() as shop:
        if lane != "fast":
            shop.app.dependency_overrides[object] = object
        fields = [("x-token", "a"), ("x-token", "b")]
        answer = await shop.client.get("/v1/tokens", headers=fields)

    assert answer.json() == "a"


async def test_a_header_of_the_application_is_not_sent_twice():
    """Also one whose name is not in lower case."""
    async with open_with_routes() as shop:
        answer = await shop.client.get("/raw/x")

    assert answer.headers.get_list("x-request-id") == ["mine"]
    assert answer.headers.get_list("vary") == ["Cookie, Accept-Encoding"]


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    "path",
    [
        "/v1/products/7", "/v1/large", "/v1/answers?product_id=7", "/v1/products/7/words", "/plain",
        "/in-pieces", "/nowhere", "/refused", "/openapi.json",
    ],
)  # fmt: skip
async def test_vary_does_not_depend_on_the_choice(path):
    """A cache must not serve the answer of one client to a client with other preferences."""
    clients = [
        {"accept-encoding": coding, "accept": accept}
        for coding in ("identity", "gzip", "br;q=0", "")
        for accept in ("*/*", "application/json", "application/x-ndjson")
    ]
    async with open_with_routes() as shop:
        answers = [await shop.client.get(path, headers=one) for one in clients]
        tag = answers[0].headers.get("etag", '"x"')
        known = [
            await shop.client.get(path, headers={"if-none-match": tag, "accept-encoding": coding})
            for coding in ("identity", "gzip")
        ]

    named = {frozenset(one.headers["vary"].split(", ")) for one in [*answers, *known]}
    assert len(named) == 1
    assert "Accept-Encoding" in named.pop()


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    "size",
    [
        0,
        10,
        1023,
        1024,
        5000,
        FILE_CHUNK_BYTES - 1,
        FILE_CHUNK_BYTES,
        FILE_CHUNK_BYTES + 1,
        3 * FILE_CHUNK_BYTES,
    ],
)
@pytest.mark.parametrize("accepted", ["gzip", "identity"])
async def test_head_describes_the_file_that_get_sends(size, accepted, tmp_path):
    """A file in one piece is compressed, one in several pieces is not; HEAD agrees."""
    file = tmp_path / "words.txt"
    file.write_bytes(b"w" * size)
    async with open_with_routes(file) as shop:
        headers = {"accept-encoding": accepted}
        get = await shop.client.get("/file", headers=headers)
        head = await shop.client.head("/file", headers=headers)

    for name in ("content-encoding", "content-type", "etag", "vary", "cache-control"):
        assert head.headers.get(name) == get.headers.get(name)
    assert get.content == b"w" * size
    assert head.headers.get("content-length") in {None, get.headers["content-length"]}
    assert ("content-encoding" in get.headers) is (
        accepted == "gzip" and 1024 <= size < FILE_CHUNK_BYTES
    )


async def test_the_openapi_document_has_an_entity_tag():
    """Generators and portals fetch it often; it changes with a release only."""
    async with open_with_routes() as shop:
        first = await shop.client.get("/openapi.json")
        tag = first.headers["etag"]
        head = await shop.client.head("/openapi.json")
        known = await shop.client.get("/openapi.json", headers={"if-none-match": tag})
        known_head = await shop.client.head("/openapi.json", headers={"if-none-match": tag})
        changed = await shop.client.get("/openapi.json", headers={"if-none-match": '"old"'})

    assert head.headers["etag"] == tag
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert known_head.status_code == 304
    assert (changed.status_code, changed.json()) == (200, first.json())
    assert known.headers["cache-control"] == PRIVATE
