"""The content codings by name: gzip and deflate, and with the extra `compression` br and zstd."""

import zlib
from collections.abc import Callable
from typing import Final

from bff_core.extras import advice, has_extra
from bff_core.upstream.transport.failures import Undecodable
from bff_core.upstream.transport.gzip_and_deflate import GZIP_WBITS, ContentDecoder, Deflate, Gzip

MAX_CODINGS: Final = 5
"""How many codings one body may have, as many as curl accepts."""

_DECODERS: dict[bytes, Callable[[], ContentDecoder]] = {
    b"gzip": Gzip,
    b"x-gzip": Gzip,
    b"deflate": Deflate,
}

ENCODERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": lambda data: zlib.compress(data, 5, wbits=GZIP_WBITS)
}
"""Functions that encode a complete body; the first coding is preferred."""

if has_extra("compression"):
    from bff_core.upstream.transport.brotli_and_zstd import Brotli, Zstd, brotli_of, zstd_of

    _DECODERS |= {b"br": Brotli, b"zstd": Zstd}
    ENCODERS = {b"zstd": zstd_of, b"br": brotli_of, **ENCODERS}


def decoders(codings: bytes) -> list[ContentDecoder]:
    """Return new decoders for a Content-Encoding, in lower case, in the order of their use.

    The coding that was applied last is listed last (RFC 9110, section 8.4) and decoded first.
    Raises `Undecodable` for an unknown coding, and for more than `MAX_CODINGS`.
    """
    listed = codings.split(b", ")
    if len(listed) > MAX_CODINGS:
        raise Undecodable(f"more than {MAX_CODINGS} content codings")
    return [_decoder(coding) for coding in reversed(listed)]


def _decoder(coding: bytes) -> ContentDecoder:
    create = _DECODERS.get(coding)
    if create is None:
        name = coding.decode("latin-1")
        if name in {"br", "zstd"}:
            raise Undecodable(f"the coding {name} needs an extra: {advice('compression')}")
        raise Undecodable(f"unknown content coding {name!r}")
    return create()
