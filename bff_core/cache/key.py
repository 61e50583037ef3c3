"""Cache keys: they hold all that an answer may depend on, and whose it is.

Two calls have one key only if they may share an answer. Every key is printable ASCII of at most
`LONGEST` letters.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from bff_core.cache.directives import fields_of
from bff_core.call import Call, Headers

LONGEST: Final = 200
"""Longer keys are hashed: neither Redis nor memory is to hold a URL of kilobytes as a name."""

USUAL: Final[Headers] = ((b"accept", b"application/json"),)
"""The headers of a call whose author passed none; such calls differ by nothing else."""

IN_EVERY_KEY: Final = frozenset({b"accept", b"authorization", b"cookie"})
"""Request headers that are part of every key, whether or not a reply names them in Vary.

Without the last two, a service that forgets to say `private` would show one viewer's data to the
next.
"""

_NO_CALLERS: Final = frozenset({b"accept-encoding", b"host", b"request-timeout", b"traceparent"})
"""Request headers that no stored reply depends on.

Bodies are stored decoded; the others are set by the transport alone.
"""

_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_has_bare_percent: Final = re.compile(r"%(?![0-9A-Fa-f]{2})").search
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

Varies = tuple[tuple[bytes, bytes | None], ...]
"""Request headers with the values that a reply was made for; None where there was none."""


def is_one_viewer(audience: str | None) -> bool:
    """Whether replies of this audience are one signed-in viewer's alone, as in a private cache.

    Everybody (None), all anonymous viewers, a tenant and calls that belong to no request share
    theirs. Only what a signed-in viewer calls its audience begins with a digit.
    """
    return audience is not None and audience[:1].isdecimal()


def primary_key(call: Call, vary: tuple[str, ...] = ()) -> str:
    """Return the primary key of the replies to a call (RFC 9111, section 2).

    That is its upstream, audience, target and the headers that are in every key or in `vary` (the
    policy's). HEAD has the key of GET, whose reply answers it, too. Replies that vary by more are
    stored under a key of their own, see `variant`.
    """
    audience, target = call.audience, call.target
    who = "*" if audience is None else f"{len(audience)}:{audience}"
    if "%" in target:
        target = canonical(target)
    extra = "" if call.headers == USUAL and not vary else _extra(call.headers, vary)
    method = call.method if call.method not in {"GET", "HEAD"} else None
    if call.body or method is not None:
        body = call.body  # a streamed one is like no other
        extra += "!" + digest(method, body.hex() if isinstance(body, bytes) else str(id(body)))
    return shortened(f"{len(call.upstream)}:{call.upstream}{who}{extra} {target}")


def secondary_key(key: str, varies: Varies) -> str:
    """Return the secondary key of a reply that varies, beside its primary key (section 4.1).

    `varies` are the fields that Vary names, with the values of the request at hand.
    """
    return f"~{_of_fields(varies)}{key}"


def varying_values(headers: Headers, names: Sequence[bytes], vary: tuple[str, ...] = ()) -> Varies:
    """Return the request's values of the fields that a reply's Vary names (RFC 9111, section 4.1).

    Left out are those that the primary key holds anyway (with the same `vary`), and those that no
    caller can set. Values of several lines are joined.
    """
    held = _held(vary)
    wanted = [name for name in names if name not in held and name not in _NO_CALLERS]
    if not wanted:
        return ()
    found = fields_of(headers, frozenset(wanted))
    return tuple([(name, found.get(name)) for name in wanted])


def canonical(target: str) -> str:
    """Return a target in which equal octets look alike (RFC 3986, sections 6.2.2.1 and 6.2.2.2).

    Escapes are in upper case, and none stands for a letter that needs none. The order of a query
    is significant, and dot segments and empty ones are left alone: not every service takes them
    out, so that two such paths may be two resources. So is a target with a bare "%", which might
    become part of an escape.
    """
    if _has_bare_percent(target):
        return target
    return _ESCAPE.sub(_escape, target)


def _escape(match: re.Match[str]) -> str:
    escape = match[0]
    letter = chr(int(escape[1:], 16))
    return letter if letter in _UNRESERVED else escape.upper()


def _extra(headers: Headers, vary: tuple[str, ...]) -> str:
    """Return what the headers add to a key: nothing, or a digest of those that count."""
    names = _held(vary)
    found = fields_of(headers, names)
    if not vary and tuple(found.items()) == USUAL:
        return ""
    return "#" + _of_fields([(name, found.get(name)) for name in sorted(names)])


@lru_cache(maxsize=256)
def _held(vary: tuple[str, ...]) -> frozenset[bytes]:
    """Return the names of the headers that a primary key holds; policies are few."""
    return IN_EVERY_KEY.union([name.lower().encode("latin-1") for name in vary])


def _of_fields(fields: Sequence[tuple[bytes, bytes | None]]) -> str:
    parts = [
        text
        for name, value in fields
        for text in (name.decode("latin-1"), None if value is None else value.decode("latin-1"))
    ]
    return digest(*parts)


def joined(*parts: str | None) -> str:
    """Return one text for several such that no others make the same; None differs from all text.

    The primary keys of calls are none of these: a caller begins with a part of its own.
    """
    return "".join(["-" if part is None else f"{len(part)}:{part}" for part in parts])


def digest(*parts: str | None) -> str:
    """Return 40 hexadecimal letters for some texts; no one can find others with the same."""
    text = joined(*parts).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=20, person=b"bff cache key").hexdigest()


def shortened(key: str) -> str:
    """Return a key that is short enough and ASCII: itself, or a digest, which begins with "="."""
    return key if len(key) <= LONGEST and key.isascii() else f"={digest(key)}"
