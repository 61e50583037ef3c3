"""The suppliers' API of the desktop gateway: routes in a file, bodies that stream both ways."""

import hashlib
import json
import time
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from bff_core.proxy import Proxy

STAFF = {"authorization": "Bearer demo-9"}
SUPPLIER = "/v1/suppliers/7"
DOCUMENTS = f"{SUPPLIER}/documents"
ARCHIVE = f"{DOCUMENTS}/archive.bin"
FEED = f"{SUPPLIER}/prices"
MIB = 1024 * 1024

ROUTES = [
    ("GET", "/v1/suppliers"),
    ("GET", SUPPLIER),
    ("GET", DOCUMENTS),
    ("GET", ARCHIVE),
    ("PUT", f"{DOCUMENTS}/mine.bin"),
    ("GET", FEED),
]


@pytest.mark.parametrize("path", ["/suppliers?limit=3&sort=-rating", "/suppliers/7"])
async def test_suppliers_are_those_of_the_service(open_gateway, mocks, path):
    """The body passes as it is."""
    async with open_gateway("desktop", viewer="9") as client:
        answer = await client.get(f"/v1{path}")

    assert answer.status_code == 200
    assert answer.json() == mocks.get("inventory", path).json()


async def test_pages_of_suppliers_follow_each_other(open_gateway):
    """The cursor of the service is that of the gateway."""
    async with open_gateway("desktop", viewer="9") as client:
        first = (await client.get("/v1/suppliers?limit=30")).json()
        rest = {"limit": "30", "cursor": first["next_cursor"]}
        second = (await client.get("/v1/suppliers", params=rest)).json()

    found = [one["id"] for one in first["items"] + second["items"]]
    assert found == [str(number) for number in range(1, 49)]


@pytest.mark.parametrize("path", ["/v1/suppliers/99", f"{DOCUMENTS}/missing.bin"])
async def test_what_the_service_does_not_have_is_its_own_404(open_gateway, path):
    """Its problem document passes."""
    async with open_gateway("desktop", viewer="9") as client:
        answer = await client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["type"].startswith("https://problems.shop.example/")


async def test_an_upload_comes_back_with_the_same_hash(open_gateway):
    """Small enough to be stored by the mock, of a length that is not known before."""
    body = bytes(range(256)) * 3000

    async def pieces():
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    async with open_gateway("desktop", viewer="9") as client:
        stored = await client.put(f"{DOCUMENTS}/small.bin", content=pieces())
        again = await client.get(f"{DOCUMENTS}/small.bin")

    assert stored.status_code in {200, 201}
    assert stored.json()["sha256"] == hashlib.sha256(body).hexdigest()
    assert again.content == body
    assert again.headers["content-disposition"] == "attachment"


def test_megabytes_pass_in_both_directions(desktop_url):
    """Over sockets: what arrives has the hash of what was sent."""
    piece, count = bytes(range(256)) * 4096, 8
    sent = hashlib.sha256(piece * count).hexdigest()
    with httpx.Client(base_url=desktop_url, headers=STAFF, trust_env=False, timeout=30) as client:
        length = {"content-length": str(len(piece) * count), "content-type": "application/zip"}
        pieces = (piece for _ in range(count))
        stored = client.put(f"{DOCUMENTS}/large.zip", content=pieces, headers=length).json()
        loaded = client.get(ARCHIVE)
        listed = client.get(DOCUMENTS).json()["items"]

    known = {one["name"]: one["sha256"] for one in listed}
    assert (stored["sha256"], stored["size"]) == (sent, 8 * MIB)
    assert stored["media_type"] == "application/zip"
    assert len(loaded.content) == 8 * MIB
    assert hashlib.sha256(loaded.content).hexdigest() == known["archive.bin"]
    assert known["large.zip"] == sent


async def test_a_download_continues_where_it_broke_off(open_gateway):
    """By a range, as long as the document did not change."""
    async with open_gateway("desktop", viewer="9") as client:
        whole = await client.get(ARCHIVE)
        same = {"range": "bytes=8000000-", "if-range": whole.headers["etag"]}
        rest = await client.get(ARCHIVE, headers=same)
        other = await client.get(ARCHIVE, headers={**same, "if-range": '"another"'})
        known = await client.get(ARCHIVE, headers={"if-none-match": whole.headers["etag"]})
        behind = await client.get(ARCHIVE, headers={"range": "bytes=8388608-"})

    assert (rest.status_code, rest.content) == (206, whole.content[8_000_000:])
    assert rest.headers["content-range"] == "bytes 8000000-8388607/8388608"
    assert (other.status_code, len(other.content)) == (200, 8 * MIB)
    assert (known.status_code, known.content) == (304, b"")
    assert (behind.status_code, behind.headers["content-range"]) == (416, "bytes */8388608")


async def test_head_describes_a_document(open_gateway):
    """Also one of a gibibyte, without its bytes."""
    async with open_gateway("desktop", viewer="9") as client:
        answer = await client.head(f"{DOCUMENTS}/sample-1GiB.bin")

    assert (answer.status_code, answer.headers["content-length"]) == (200, str(1024 * MIB))


async def test_an_upload_over_the_limit_is_refused_at_its_head(open_gateway):
    """2 GiB at most; the service is not called."""
    headers = {"content-length": str(2048 * MIB + 1)}
    async with open_gateway("desktop", viewer="9") as client:
        answer = await client.put(f"{DOCUMENTS}/huge.bin", content=b"x", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    assert client.calls["inventory"] == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_suppliers_are_for_staff(open_gateway, method, path):
    """No customer learns of purchase prices, and the service is not called."""
    async with open_gateway("desktop", viewer=None) as client:
        anonymous = await client.request(method, path)
        customer = await client.request(method, path, headers={"authorization": "Bearer demo-7"})

    assert (anonymous.status_code, customer.status_code) == (401, 403)
    assert client.calls["inventory"] == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/suppliers", "GET, HEAD"),
        ("DELETE", SUPPLIER, "GET, HEAD"),
        ("PUT", DOCUMENTS, "GET, HEAD"),
        ("DELETE", ARCHIVE, "GET, HEAD, PUT"),
        ("POST", FEED, "GET, HEAD"),
    ],
)
async def test_another_method_is_refused_with_those_that_there_are(
    open_gateway, method, path, allowed
):
    """The routes of one path count together."""
    async with open_gateway("desktop", viewer="9") as client:
        answer = await client.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/suppliers/x",
        "/v1/suppliers/7/stock",
        "/v1/suppliers/7/documents/a/b",
        "/v1/suppliers/",
        "/v1/suppliers/%2e%2e/stock",
        "/v1/suppliers/7%2f..%2f..%2fwarehouses",
        "/v1/suppliers/7/documents/..%2f..%2f..%2fwarehouses",
        "/v1/suppliers/7/documents/%2e%2e",
        "/v1/stock",
        "/v1/warehouses",
        "/suppliers",
    ],
)
async def test_the_rest_of_the_service_is_out_of_reach(open_gateway, path):
    """No other path of the inventory is called, by whatever spelling."""
    async with open_gateway("desktop", viewer="9") as client:
        answer = await client.get(path)

    # A name with an encoded slash is one segment, of which the service has no document.
    called = [one.path for one in client.calls["inventory"]]
    assert answer.status_code in {307, 400, 404, 422}
    assert [one for one in called if not one.startswith("/suppliers/7/documents/")] == []
    assert [one for one in called if "/../" in one or one.endswith("/..")] == []


async def test_the_service_gets_only_the_fields_that_it_needs(open_gateway):
    """Neither cookies, tokens and other headers of the client, nor other parameters."""
    headers = {**STAFF, "x-debug": "1", "cookie": "a=b", "x-api-key": "k", "accept": "*/*"}
    async with open_gateway("desktop", headers=headers) as client:
        await client.get("/v1/suppliers?limit=1&debug=true&__faults__=1")

    (call,) = client.calls["inventory"]
    names = {*call.headers}
    assert call.target == "/suppliers?limit=1"
    assert "accept" in names
    assert names.isdisjoint({"authorization", "cookie", "x-debug", "x-api-key"})


def test_prices_arrive_line_by_line(desktop_url):
    """Each when it is announced, not when the stream ends."""
    with httpx.stream(
        "GET", f"{desktop_url}{FEED}?limit=4&interval=0.2", headers=STAFF, trust_env=False
    ) as answer:
        arrived = [(time.monotonic(), json.loads(line)["sequence"]) for line in answer.iter_lines()]

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [sequence for _, sequence in arrived] == [1, 2, 3, 4]
    assert min(later - before for (before, _), (later, _) in pairwise(arrived)) > 0.05


def test_prices_are_events_where_a_page_reads_them(desktop_url):
    """An event stream continues behind the last event that was received."""
    headers = {**STAFF, "accept": "text/event-stream", "last-event-id": "41"}
    lines = []
    with httpx.stream(
        "GET", f"{desktop_url}{FEED}?follow=true", headers=headers, trust_env=False
    ) as answer:
        for line in answer.iter_lines():
            lines.append(line)
            if line.startswith("id: 43"):
                break

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [line for line in lines if line.startswith("id: ")] == ["id: 42", "id: 43"]


async def test_the_file_is_found_from_any_folder(open_gateway):
    """It stands beside the module that names it."""
    async with open_gateway("desktop") as client:
        (face,) = (one for one in client.app.config.faces if isinstance(one, Proxy))

    assert face.file_path == Path(__file__).parents[2] / "bffs/desktop/proxy.toml"
    assert face.place_of("suppliers").endswith("bffs/desktop/proxy.toml:5")
