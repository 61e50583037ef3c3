"""The suppliers' part of the inventory service: suppliers, documents and a feed of prices.

Documents stream in both directions, and memory stays flat whatever their size.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from services_mock.answers import answer
from services_mock.conditional import matches
from services_mock.data import suppliers
from services_mock.data.documents import BINARY, Content
from services_mock.data.suppliers import PriceChange, Supplier
from services_mock.pages import Key, Page, Paging, RequestedIds, batch, page
from services_mock.problems import Problem, not_found
from services_mock.stores.documents import Document, Documents, Upload

EVENTS = "text/event-stream"
NDJSON = "application/x-ndjson"
PRIVATE = {"cache-control": "private, no-cache"}
STREAMED = {"cache-control": "no-store", "vary": "Accept"}

LATER = 1_000_000_000
"""The largest sequence number of a feed."""

Sort = Literal["id", "name", "-rating"]

router = APIRouter(tags=["suppliers"])

_range = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))").fullmatch


async def _store(request: Request) -> Documents:
    store: Documents = request.app.state.documents
    return store


async def _known(supplier_id: str) -> str:
    if not suppliers.exists(supplier_id):
        raise not_found("supplier", supplier_id)
    return supplier_id


Store = Annotated[Documents, Depends(_store)]
SupplierId = Annotated[str, Depends(_known)]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


def _key(sort: Sort, one: Supplier) -> Key:
    if sort == "name":
        return (one.name.casefold(), int(one.id))
    return (-int(one.rating * 10), int(one.id)) if sort == "-rating" else (int(one.id),)


@router.get("/suppliers", response_model=Page[Supplier])
async def list_suppliers(
    *,
    ids: RequestedIds,
    window: Paging,
    country: Annotated[str | None, Query(pattern="^[A-Z]{2}$")] = None,
    brand: Annotated[str | None, Query(max_length=100)] = None,
    sort: Sort = "id",
) -> Response:
    """List suppliers, or read many by their ids."""
    if ids is not None:
        found = batch(ids, lambda one: suppliers.supplier(one) if suppliers.exists(one) else None)
        return answer(found)
    rows = [
        one
        for one in suppliers.everyone()
        if country in {None, one.country} and (brand is None or brand in one.brands)
    ]
    rows.sort(key=lambda one: _key(sort, one))
    listed = page(
        rows,
        window,
        key=lambda one: _key(sort, one),
        load=lambda one: one,
        within=f"suppliers {sort} {country} {brand}",
    )
    return answer(listed)


@router.get("/suppliers/{supplier_id}", response_model=Supplier)
async def get_supplier(supplier_id: SupplierId) -> Response:
    """Return one supplier."""
    return answer(suppliers.supplier(supplier_id))


@router.get("/suppliers/{supplier_id}/documents", response_model=Page[Document])
async def list_documents(store: Store, supplier_id: SupplierId) -> Response:
    """List the documents of a supplier."""
    found = store.of(supplier_id)
    return answer(Page(found, None, len(found)), headers=PRIVATE)


@router.put(
    "/suppliers/{supplier_id}/documents/{name}",
    response_model=Document,
    responses={201: {"model": Document}},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {BINARY: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_document(
    request: Request, store: Store, supplier_id: SupplierId, name: Name
) -> Response:
    """Take a document of any size while it arrives; answer with its size and hash."""
    upload = Upload()
    try:
        async for piece in request.stream():
            upload.add(piece)
    except ClientDisconnect:
        return Response(status_code=400)  # to a client that has left; nothing is stored
    media_type = request.headers.get("content-type") or BINARY
    document, is_new = store.put(supplier_id, name, media_type, upload)
    return answer(document, 201 if is_new else 200, _digest(document.sha256))


@router.head("/suppliers/{supplier_id}/documents/{name}", include_in_schema=False)
@router.get(
    "/suppliers/{supplier_id}/documents/{name}",
    response_class=StreamingResponse,
    responses={
        200: {"content": {BINARY: {"schema": {"type": "string", "format": "binary"}}}},
        206: {"content": {BINARY: {"schema": {"type": "string", "format": "binary"}}}},
    },
)
async def get_document(
    request: Request, store: Store, supplier_id: SupplierId, name: Name
) -> Response:
    """Send a document, or the range of it that a download continues with."""
    content = store.content(supplier_id, name)
    headers = PRIVATE | _digest(content.sha256) | {"etag": content.etag, "accept-ranges": "bytes"}
    if matches(request.headers.get("if-none-match"), content.etag):
        return Response(status_code=304, headers=headers)
    span = _span(request, content)
    start, end = span or (0, content.size)
    if span and start >= end:
        problem = Problem(416, "range_not_satisfiable", f"The document has {content.size} bytes.")
        return problem.response({"content-range": f"bytes */{content.size}"})
    if span:
        headers |= {"content-range": f"bytes {start}-{end - 1}/{content.size}"}
    headers |= {"content-length": str(end - start), "content-type": content.media_type}
    pieces = content.pieces(start, end if request.method == "GET" else start)
    return StreamingResponse(_sent(pieces), 206 if span else 200, headers)


def _span(request: Request, content: Content) -> tuple[int, int] | None:
    """Return the requested range as start and end; None for the whole (RFC 9110, section 14).

    A range that is not satisfiable ends before it starts.
    """
    found = _range(request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range")
    if found is None or request.method != "GET" or condition not in {None, content.etag}:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, end = max(0, content.size - int(suffix)), content.size
    else:
        start, end = int(first), min(content.size, int(last) + 1 if last else content.size)
        if last and int(last) < start:
            return None
    return start, end


async def _sent(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield pieces in the event loop: they are made faster than a thread is reached."""
    for piece in pieces:
        yield piece


def _digest(sha256: str | None) -> dict[str, str]:
    """Return the field of RFC 9530 for a hash in hexadecimal digits."""
    if sha256 is None:
        return {}
    return {"repr-digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"}


@router.get(
    "/suppliers/{supplier_id}/prices",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {}, EVENTS: {}}}},
)
async def stream_prices(
    *,
    supplier_id: SupplierId,
    limit: Annotated[int, Query(ge=1, le=100_000)] = 100,
    after: Annotated[int, Query(ge=0, le=LATER)] = 0,
    interval: Annotated[float, Query(ge=0, le=60)] = 0.0,
    follow: bool = False,
    accept: Annotated[str, Header()] = "",
    last_event_id: Annotated[int | None, Header(ge=0, le=LATER)] = None,
) -> Response:
    """Stream price changes as lines, or as events where they are accepted.

    With `follow` the stream has no end, and a pause of at least 0.05 s between two changes.
    """
    begin = after if last_event_id is None else last_event_id
    changes = suppliers.price_changes(supplier_id, begin)
    pause = max(interval, 0.05) if follow else interval
    is_events = EVENTS in accept
    stream = _paced(changes if follow else islice(changes, limit), pause, is_events=is_events)
    return StreamingResponse(stream, headers=STREAMED, media_type=EVENTS if is_events else NDJSON)


async def _paced(
    changes: Iterator[PriceChange], pause: float, *, is_events: bool
) -> AsyncIterator[bytes]:
    write = _event if is_events else _line
    for place, change in enumerate(changes):
        if place and pause:
            await asyncio.sleep(pause)
        yield write(change)


def _line(change: PriceChange) -> bytes:
    return msgspec.json.encode(change) + b"\n"


def _event(change: PriceChange) -> bytes:
    body = msgspec.json.encode(change)
    return b"event: price\nid: %d\ndata: %b\n\n" % (change.sequence, body)
