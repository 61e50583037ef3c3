"""Entries as bytes: compact, versioned and compressed where that pays.

A byte says how to read the rest. What can't be read, because another version wrote it or something
else broke it, is no entry. Nothing of it is run: it is msgpack (and no pickle), of declared types.
"""

import zlib
from typing import Final

import msgspec

from bff_core.cache.entry import CacheEntry
from bff_core.call import Headers

PLAIN: Final = b"\x11"
"""Version 1, as it is. Another layout takes other bytes than these two."""

DEFLATED: Final = b"\x12"
"""Version 1, as zlib has it (RFC 1950)."""

WORTHWHILE: Final = 1024
"""Bytes from which on an entry is compressed."""

LARGEST: Final = 64 * 2**20
"""Bytes that a compressed entry may have at most, once it is read."""

LEVEL: Final = 1
"""The quickest: JSON shrinks to a fifth, in 4 µs a KiB; level 6 takes twice that for a sixth."""


class _Stored(msgspec.Struct, array_like=True, frozen=True, gc=False):
    status: int
    headers: Headers
    body: bytes
    age: float
    fresh_for: float
    stale_for: float
    error_for: float
    has_validator: bool
    varies: tuple[tuple[bytes, bytes | None], ...]
    tags: tuple[bytes, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode


def raw(text: str) -> bytes:
    """Return a key or a tag as bytes; it may hold anything, halves of surrogates as well."""
    return text.encode("utf-8", "surrogatepass")


def text(name: bytes) -> str:
    """Return what `raw` was given; raise `ValueError` for other bytes."""
    return name.decode("utf-8", "surrogatepass")


def encode(entry: CacheEntry, now: float) -> bytes:
    """Return an entry as bytes, with the age that it has now in place of its instant."""
    plain = _encode(
        _Stored(
            status=entry.status,
            headers=entry.headers,
            body=entry.body,
            age=entry.age(now),
            fresh_for=entry.fresh_for,
            stale_for=entry.stale_for,
            error_for=entry.error_for,
            has_validator=entry.has_validator,
            varies=entry.varies,
            tags=tuple(map(raw, entry.tags)),
        )
    )
    if len(plain) >= WORTHWHILE:
        packed = zlib.compress(plain, LEVEL)
        if len(packed) < len(plain) * 0.9:
            return DEFLATED + packed
    return PLAIN + plain


def decode(data: bytes, now: float, stored_for: float) -> CacheEntry | None:
    """Return the entry that was stored so many seconds ago, or None where it is none."""
    try:
        stored = _decode(_unpacked(data))
        tags = tuple(map(text, stored.tags))
    except (ValueError, zlib.error):
        return None
    return CacheEntry(
        status=stored.status,
        headers=stored.headers,
        body=stored.body,
        generated_at=now - stored.age - stored_for,
        fresh_for=stored.fresh_for,
        stale_for=stored.stale_for,
        error_for=stored.error_for,
        has_validator=stored.has_validator,
        varies=stored.varies,
        tags=tags,
    )


def _unpacked(data: bytes) -> bytes | memoryview:
    head, rest = data[:1], memoryview(data)[1:]
    if head == PLAIN:
        return rest
    if head != DEFLATED:
        raise ValueError("another version")
    inflater = zlib.decompressobj()
    plain = inflater.decompress(rest, LARGEST)
    if not inflater.eof:
        raise ValueError("cut off, or too large")
    return plain
