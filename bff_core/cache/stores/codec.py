"""Serialises cache entries: versioned msgpack, compressed if that makes it smaller.

The first byte is the version. Bytes of another version and malformed bytes decode to None. Decoding
runs no code: it is msgpack of declared types, not pickle.
"""

import zlib
from typing import Final

import msgspec

from bff_core.cache.entry import CacheEntry
from bff_core.call import Headers

PLAIN: Final = b"\x11"
"""Version 1, uncompressed. Another layout needs other bytes than these two."""

DEFLATED: Final = b"\x12"
"""Version 1, compressed by zlib (RFC 1950)."""

MIN_COMPRESSED_BYTES: Final = 1024
"""Smaller entries are not compressed."""

MAX_INFLATED_BYTES: Final = 64 * 2**20
"""The largest decompressed entry."""

COMPRESSION_LEVEL: Final = 1
"""The fastest: JSON shrinks to a fifth in 4 µs a KiB; level 6 takes twice as long for a sixth."""


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
    """Encode a key or a tag, which may contain lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def text(name: bytes) -> str:
    """Decode the result of `raw`; raise `ValueError` for other bytes."""
    return name.decode("utf-8", "surrogatepass")


def encode(entry: CacheEntry, now: float) -> bytes:
    """Encode an entry with its age now, since instants mean nothing to other processes."""
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
    if len(plain) >= MIN_COMPRESSED_BYTES:
        packed = zlib.compress(plain, COMPRESSION_LEVEL)
        if len(packed) < len(plain) * 0.9:
            return DEFLATED + packed
    return PLAIN + plain


def decode(data: bytes, now: float, stored_for: float) -> CacheEntry | None:
    """Decode an entry that was stored `stored_for` seconds ago; return None if it is malformed."""
    try:
        stored = _decode(_inflated(data))
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


def _inflated(data: bytes) -> bytes | memoryview:
    head, rest = data[:1], memoryview(data)[1:]
    if head == PLAIN:
        return rest
    if head != DEFLATED:
        raise ValueError("another version")
    inflater = zlib.decompressobj()
    plain = inflater.decompress(rest, MAX_INFLATED_BYTES)
    if not inflater.eof:
        raise ValueError("truncated, or too large")
    return plain
