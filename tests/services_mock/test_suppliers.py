"""The suppliers of the inventory service: lists, documents that stream, a feed of prices."""

import asyncio
import base64
import hashlib
from itertools import islice
from pathlib import Path

import httpx
import pytest

from services_mock.data import documents, suppliers
from services_mock.data.documents import BLOCK
from services_mock.shop import create_app
from services_mock.stores.documents import MAX_STORED_BYTES

DOCUMENTS = "/suppliers/7/documents"
ARCHIVE = f"{DOCUMENTS}/archive.bin"
MIB = 1024 * 1024


@pytest.fixture
def service(shop):
    """Return the inventory service."""
    return shop("inventory")


def archive() -> bytes:
    """Return the bytes of the archive of supplier 7."""
    content = documents.seeded("7", "archive.bin")
    assert content is not None
    return b"".join(content.pieces(0, content.size))


async def pieces(*sizes: int):
    """Yield pieces of a body."""
    for number, size in enumerate(sizes):
        yield bytes([number % 256]) * size


async def test_suppliers_are_listed_and_sorted(service):
    """By pages, by country, by brand, by rating."""
    first = (await service.get("/suppliers?limit=30")).json()
    second = (await service.get(f"/suppliers?limit=30&cursor={first['next_cursor']}")).json()
    best = (await service.get("/suppliers?sort=-rating&limit=100")).json()["items"]
    brand = best[0]["brands"][0]
    some = (await service.get(f"/suppliers?brand={brand}&limit=100")).json()["items"]

    assert [one["id"] for one in first["items"] + second["items"]] == [
        str(number) for number in range(1, 49)
    ]
    assert [one["rating"] for one in best] == sorted((one["rating"] for one in best), reverse=True)
    assert some == sorted(
        (one for one in best if brand in one["brands"]), key=lambda one: int(one["id"])
    )


async def test_one_supplier_and_many(service):
    """Unknown ids of a batch are named; a single one is a 404."""
    one = (await service.get("/suppliers/7")).json()
    batch = (await service.get("/suppliers?ids=9,7,99,0")).json()

    assert batch["items"][1] == one
    assert batch["missing"] == ["99", "0"]
    assert one["contact"]["email"].endswith(".example")
    for path in ("/suppliers/0", "/suppliers/49", "/suppliers/x", "/suppliers/99/documents"):
        assert (await service.get(path)).json()["code"] == "not_found"


def test_suppliers_are_the_same_in_each_run():
    """Seeded by their id alone."""
    first = suppliers.supplier("7")
    suppliers.supplier.cache_clear()

    assert suppliers.supplier("7") == first
    assert len({one.name for one in suppliers.everyone()}) > 40


async def test_the_documents_of_a_supplier_are_listed_with_their_hashes(service):
    """Uploads are among them."""
    await service.put(f"{DOCUMENTS}/b.txt", content=b"text", headers={"content-type": "text/plain"})
    listed = (await service.get(DOCUMENTS)).json()["items"]

    assert [one["name"] for one in listed] == ["archive.bin", "b.txt", "price-list.csv"]
    for one in listed:
        whole = await service.get(f"{DOCUMENTS}/{one['name']}")
        assert len(whole.content) == one["size"]
        assert hashlib.sha256(whole.content).hexdigest() == one["sha256"]
        assert whole.headers["content-type"] == one["media_type"]


async def test_a_hash_stands_in_the_header_of_each_document(service):
    """As RFC 9530 writes it: Base64 between colons."""
    answer = await service.get(ARCHIVE)
    expected = base64.b64encode(hashlib.sha256(archive()).digest()).decode()

    assert answer.content == archive()
    assert answer.headers["repr-digest"] == f"sha-256=:{expected}:"


@pytest.mark.parametrize(
    ("field", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=65535-65536", 65535, 65537),
        ("bytes=100000-300000", 100_000, 300_001),
        ("bytes=8388600-", 8_388_600, 8_388_608),
        ("bytes=-10", 8_388_598, 8_388_608),
        ("bytes=8388600-9999999", 8_388_600, 8_388_608),
    ],
)
async def test_a_range_of_a_document_is_made_without_the_rest(service, field, start, end):
    """The bytes are those of the whole."""
    answer = await service.get(ARCHIVE, headers={"range": field})

    assert (answer.status_code, answer.content) == (206, archive()[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/8388608"


@pytest.mark.parametrize("field", ["bytes=5-1", "bytes=-", "lines=1-2", "bytes=0-1,4-5", "x"])
async def test_other_ranges_are_ignored(service, field):
    """The whole is a right answer to them."""
    answer = await service.get(f"{DOCUMENTS}/price-list.csv", headers={"range": field})

    assert answer.status_code == 200


async def test_a_range_after_the_end_is_refused(service):
    """With the size in its header."""
    answer = await service.get(ARCHIVE, headers={"range": "bytes=8388608-"})

    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */8388608"


async def test_conditions_of_a_document(service):
    """304 for one that is known, the whole for a range of another state."""
    tag = (await service.head(ARCHIVE)).headers["etag"]
    other = {"range": "bytes=0-1", "if-range": '"x"'}
    same = {"range": "bytes=0-1", "if-range": tag}

    assert (await service.get(ARCHIVE, headers={"if-none-match": tag})).status_code == 304
    assert (await service.get(ARCHIVE, headers=other)).status_code == 200
    assert (await service.get(ARCHIVE, headers=same)).status_code == 206


async def test_head_describes_a_document(service):
    """Also one of a gibibyte."""
    answer = await service.head(f"{DOCUMENTS}/sample-1GiB.bin")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(1024**3)


async def test_each_block_of_a_sample_has_its_number(service):
    """A proxy that loses or doubles a piece is found out."""
    body = (await service.get(f"{DOCUMENTS}/sample-1MiB.bin")).content

    assert len(body) == MIB
    numbers = [int.from_bytes(body[start : start + 8], "big") for start in range(0, MIB, BLOCK)]
    assert numbers == list(range(MIB // BLOCK))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("gone.txt", 404),
        ("sample-5GiB.bin", 404),
        ("sample-0MiB.bin", 404),
        ("sample-1TiB.bin", 404),
        ("-x", 422),
        (".hidden", 422),
        ("a%20b", 422),
        ("a" * 101, 422),
        ("..%2Fx", 404),
    ],
)
async def test_other_names_have_no_document(service, name, status):
    """None leads to a file: documents are in memory."""
    assert (await service.get(f"{DOCUMENTS}/{name}")).status_code == status


async def test_an_upload_is_answered_with_its_hash(service):
    """201 the first time, 200 when it replaces one; it is read as it came."""
    body = b"".join([one async for one in pieces(10, 20, 30)])
    target, headers = f"{DOCUMENTS}/offer.pdf", {"content-type": "application/pdf"}
    first = await service.put(target, content=pieces(10, 20, 30), headers=headers)
    again = await service.put(target, content=body, headers=headers)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["sha256"] == hashlib.sha256(body).hexdigest()
    assert first.json()["size"] == 60
    assert (await service.get(target)).content == body
    assert (await service.get("/suppliers/8/documents/offer.pdf")).status_code == 404


async def test_a_large_upload_is_measured_and_not_stored(service):
    """Its hash is that of all bytes, and memory stays flat."""
    target = f"{DOCUMENTS}/video.mp4"
    body = pieces(*[64 * 1024] * (MAX_STORED_BYTES // (64 * 1024) + 1))
    answer = (await service.put(target, content=body)).json()
    expected = hashlib.sha256(
        b"".join([one async for one in pieces(*[64 * 1024] * (answer["size"] // (64 * 1024)))])
    )

    assert (answer["is_stored"], answer["sha256"]) == (False, expected.hexdigest())
    assert (await service.get(target)).json()["code"] == "not_stored"


async def test_a_seeded_document_may_be_replaced(service):
    """The service is the only one that has it."""
    await service.put(ARCHIVE, content=b"new")

    assert (await service.get(ARCHIVE)).content == b"new"


async def test_an_upload_that_breaks_off_stores_nothing(service):
    """The client has left in the middle."""
    app, messages = create_app("inventory"), [b"half"]
    target = f"{DOCUMENTS}/half.txt"

    async def receive():
        if messages:
            return {"type": "http.request", "body": messages.pop(), "more_body": True}
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    scope = {
        "type": "http",
        "method": "PUT",
        "path": target,
        "raw_path": target.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await app(scope, receive, send)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://inventory"
    ) as client:
        assert (await client.get(target)).status_code == 404


async def test_prices_stream_as_lines(service):
    """Numbered without gaps, and the same for each reader."""
    answer = await service.get("/suppliers/7/prices?after=10&limit=5")
    lines = [httpx.Response(200, content=line).json() for line in answer.text.splitlines()]

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [one["sequence"] for one in lines] == [11, 12, 13, 14, 15]
    expected = islice(suppliers.price_changes("7", 10), 5)
    assert [one["price"]["amount"] for one in lines] == [one.price.amount for one in expected]


async def test_prices_stream_as_events(service):
    """A reader continues behind the last event that it got."""
    headers = {"accept": "text/event-stream", "last-event-id": "41"}
    answer = await service.get("/suppliers/7/prices?limit=2", headers=headers)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [line for line in answer.text.splitlines() if line.startswith("id: ")] == [
        "id: 42",
        "id: 43",
    ]


async def test_a_feed_is_followed_until_the_reader_leaves():
    """It has no end of its own."""
    app, lines, has_left = create_app("inventory"), [], asyncio.Event()

    async def receive():
        await has_left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        lines.append(message.get("body", b""))
        if len(lines) == 4:
            has_left.set()

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/suppliers/7/prices",
        "query_string": b"follow=true",
        "headers": [(b"host", b"localhost")],
    }
    await asyncio.wait_for(app(scope, receive, send), 20)

    assert [line[:13] for line in lines[1:4]] == [b'{"sequence":%d' % n for n in (1, 2, 3)]


async def test_faults_hit_documents_like_everything_else(service):
    """By the name of the route."""
    route = "GET /suppliers/{supplier_id}/documents/{name}"
    faults = {"faults": [{"kind": "unavailable", "route": route}]}
    assert (await service.put("/__faults__", json=faults)).status_code == 200

    assert (await service.get(ARCHIVE)).status_code == 503
    assert (await service.get("/suppliers/7")).status_code == 200


def memory_of(pid: int, figure: str) -> int:
    """Return a figure of the memory of a process: VmRSS now, VmHWM at its highest; in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{figure}:"))


def test_documents_pass_a_real_service_with_flat_memory(inventory):
    """Down and up again, 64 MiB of it: the service holds neither."""
    digest = hashlib.sha256()
    inventory.client.get(ARCHIVE)
    before = memory_of(inventory.pid, "VmRSS")
    with inventory.client.stream("GET", f"{DOCUMENTS}/sample-64MiB.bin") as answer:

        def copied():
            for piece in answer.iter_raw(BLOCK):
                digest.update(piece)
                yield piece

        url = f"http://127.0.0.1:{inventory.port}{DOCUMENTS}/copy.bin"
        stored = httpx.put(url, content=copied(), timeout=60).json()
    grown = memory_of(inventory.pid, "VmHWM") - before

    assert (stored["size"], stored["sha256"]) == (64 * MIB, digest.hexdigest())
    assert grown < 24 * MIB
