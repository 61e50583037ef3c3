"""Cache keys: upstream, audience, target and the headers that a reply may depend on.

Two calls have the same key only if they may share a reply. Every key is printable ASCII of at most
`MAX_KEY_LENGTH` characters.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from bff_core.cache.directives import fields_of
from bff_core.call import Call, Headers

MAX_KEY_LENGTH: Final = 200
"""Longer keys are hashed, so that a URL of kilobytes does not become a key."""

DEFAULT_HEADERS: Final[Headers] = ((b"accept", b"application/json"),)
"""The headers of a call for which the gateway sets none; the fast case of every key."""

IN_EVERY_KEY: Final = frozenset({b"accept", b"authorization", b"cookie"})
"""Request headers that are part of every key, whether or not a reply names them in Vary.

Without the last two, one viewer would get another's data if a service forgets `private`.
"""

_NEVER_VARYING: Final = frozenset({b"accept-encoding", b"host", b"request-timeout", b"traceparent"})
"""Request headers that no stored reply depends on.

Bodies are stored without content coding; only the transport sets the others.
"""

_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_has_bare_percent: Final = re.compile(r"%(?![0-9A-Fa-f]{2})").search
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

Varies = tuple[tuple[bytes, bytes | None], ...]
"""Request headers that a reply varies by, with their values; None for an absent one."""


def is_one_viewer(audience: str | None) -> bool:
    """Whether an audience is a single signed-in viewer, as in a private cache.

    All others are shared: everybody (None), anonymous viewers, a tenant, calls without a request.
    Only the audience of a signed-in viewer begins with a digit.
    """
    return audience is not None and audience[:1].isdecimal()


def primary_key(call: Call, vary: tuple[str, ...] = ()) -> str:
    """Return the primary key of the replies to a call (RFC 9111, section 2).

    It holds the upstream, the audience, the target, and the headers of every key and of the
    policy's `vary`. HEAD has the key of GET, since a reply to GET answers both. Replies that vary
    by more have a secondary key as well.
    """
    audience, target = call.audience, call.target
    who = "*" if audience is None else f"{len(audience)}:{audience}"
    if "%" in target:
        target = canonical(target)
    extra = "" if call.headers == DEFAULT_HEADERS and not vary else _header_part(call.headers, vary)
    method = call.method if call.method not in {"GET", "HEAD"} else None
    if call.body or method is not None:
        body = call.body  # every streamed body is unique
        extra += "!" + digest(method, body.hex() if isinstance(body, bytes) else str(id(body)))
    return shortened(f"{len(call.upstream)}:{call.upstream}{who}{extra} {target}")


def secondary_key(key: str, varies: Varies) -> str:
    """Return the secondary key of a reply that varies (RFC 9111, section 4.1).

    `varies` are the fields that Vary names, with this request's values.
    """
    return f"~{_digest_of_fields(varies)}{key}"


def varying_values(headers: Headers, names: Sequence[bytes], vary: tuple[str, ...] = ()) -> Varies:
    """Return the request's values of the fields that a reply's Vary names (RFC 9111, section 4.1).

    Fields of the primary key (with the same `vary`) and those that no reply depends on are left
    out. Several lines of one field are joined.
    """
    held = _key_header_names(vary)
    wanted = [name for name in names if name not in held and name not in _NEVER_VARYING]
    if not wanted:
        return ()
    found = fields_of(headers, frozenset(wanted))
    return tuple([(name, found.get(name)) for name in wanted])


def canonical(target: str) -> str:
    """Normalise the percent-encoding of a target (RFC 3986, sections 6.2.2.1 and 6.2.2.2).

    Escapes become upper-case, and unreserved characters lose theirs. The order of a query, dot
    segments and empty segments stay: to some services they make another resource. A target with a
    bare "%" stays as it is, since the "%" could become part of an escape.
    """
    if _has_bare_percent(target):
        return target
    return _ESCAPE.sub(_escape, target)


def _escape(match: re.Match[str]) -> str:
    escape = match[0]
    letter = chr(int(escape[1:], 16))
    return letter if letter in _UNRESERVED else escape.upper()


def _header_part(headers: Headers, vary: tuple[str, ...]) -> str:
    """Return the headers' part of a key: a digest, or "" for the default headers."""
    names = _key_header_names(vary)
    found = fields_of(headers, names)
    if not vary and tuple(found.items()) == DEFAULT_HEADERS:
        return ""
    return "#" + _digest_of_fields([(name, found.get(name)) for name in sorted(names)])


@lru_cache(maxsize=256)
def _key_header_names(vary: tuple[str, ...]) -> frozenset[bytes]:
    """Return the names of the headers in a primary key."""
    return IN_EVERY_KEY.union([name.lower().encode("latin-1") for name in vary])


def _digest_of_fields(fields: Sequence[tuple[bytes, bytes | None]]) -> str:
    parts = [
        text
        for name, value in fields
        for text in (name.decode("latin-1"), None if value is None else value.decode("latin-1"))
    ]
    return digest(*parts)


def joined(*parts: str | None) -> str:
    """Join texts unambiguously, as netstrings; None differs from every text.

    The first part has to tell the kinds of keys apart: primary keys are not made here.
    """
    return "".join(["-" if part is None else f"{len(part)}:{part}" for part in parts])


def digest(*parts: str | None) -> str:
    """Return a collision-resistant hash of texts: 40 hexadecimal digits."""
    text = joined(*parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=20, person=b"bff cache key").hexdigest()


def shortened(key: str) -> str:
    """Return a key that is short and ASCII: itself, or "=" and its digest."""
    return key if len(key) <= MAX_KEY_LENGTH and key.isascii() else f"={digest(key)}"
