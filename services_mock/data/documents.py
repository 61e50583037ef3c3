"""The seeded documents of suppliers; large ones are made while they are sent.

`sample-<n><unit>.bin` (unit KiB, MiB or GiB, up to 4 GiB) exists for every supplier without being
listed. Its bytes depend on their place only, so that any range of it is made without the rest, and
a piece that is lost, doubled or at another place is noticed.
"""

import functools
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from services_mock.data import seed, suppliers

BLOCK = 64 * 1024
"""Bytes that are made at once; each block begins with its number."""

MAX_SIZE = 4 * 1024**3
UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
BINARY = "application/octet-stream"
LISTED = ("archive.bin", "price-list.csv")
ARCHIVE_SIZE = 8 * 1024**2
PRICES = 500

_sample = re.compile(r"sample-([1-9][0-9]{0,6})(KiB|MiB|GiB)\.bin").fullmatch


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of a document; `pieces` yields those from a place to before another.

    `sha256` is in hexadecimal digits, None if it would take long to know.
    """

    media_type: str
    size: int
    etag: str
    stored_at: str
    sha256: str | None
    pieces: Callable[[int, int], Iterator[bytes]]


@functools.lru_cache(maxsize=64)
def seeded(supplier_id: str, name: str) -> Content | None:
    """Return a document of a supplier that exists, None if there is none of that name."""
    if name == "price-list.csv":
        return whole(_price_list(supplier_id), "text/csv; charset=utf-8", seed.instant(seed.EPOCH))
    if name == "archive.bin":
        return _generated(supplier_id, name, ARCHIVE_SIZE, is_hashed=True)
    found = _sample(name)
    size = int(found[1]) * UNITS[found[2]] if found else MAX_SIZE + 1
    return _generated(supplier_id, name, size) if size <= MAX_SIZE else None


def whole(body: bytes, media_type: str, stored_at: str) -> Content:
    """Return a document whose bytes are in memory."""
    digest = hashlib.sha256(body).hexdigest()

    def pieces(start: int, end: int) -> Iterator[bytes]:
        for place in range(start, end, BLOCK):
            yield body[place : min(end, place + BLOCK)]

    return Content(media_type, len(body), f'"{digest[:32]}"', stored_at, digest, pieces)


def _generated(supplier_id: str, name: str, size: int, *, is_hashed: bool = False) -> Content:
    noise = seed.draw("document", supplier_id, name).randbytes(BLOCK)

    def pieces(start: int, end: int) -> Iterator[bytes]:
        for number in range(start // BLOCK, -(-end // BLOCK)):
            first = number * BLOCK
            block = number.to_bytes(8, "big") + noise[8:]
            yield block[max(0, start - first) : min(BLOCK, end - first)]

    digest = hashlib.sha256()
    if is_hashed:
        for piece in pieces(0, size):
            digest.update(piece)
    etag = f'"{hashlib.sha256(noise + size.to_bytes(8, "big")).hexdigest()[:32]}"'
    return Content(
        media_type=BINARY,
        size=size,
        etag=etag,
        stored_at=seed.instant(seed.EPOCH),
        sha256=digest.hexdigest() if is_hashed else None,
        pieces=pieces,
    )


def _price_list(supplier_id: str) -> bytes:
    changes = islice(suppliers.price_changes(supplier_id, 0), PRICES)
    rows = [f"{one.sku},{one.price.amount},{one.price.currency},{one.at}\n" for one in changes]
    return "".join(["sku,amount,currency,at\n", *rows]).encode()
