"""Media types of request bodies: JSON or a form, in UTF-8, without content coding; else a 415."""

from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from math import inf
from typing import Final, Literal, NamedTuple, Self

from starlette.exceptions import HTTPException

from bff_core.compat.fastapi import Form, RouteContext

Kind = Literal["json", "form"]
Fields = Iterable[tuple[bytes, bytes]]

UTF_8: Final = frozenset({
    "", "utf-8", "utf8", "u8", "utf8mb3", "utf8mb4", "unicode-1-1-utf-8", "unicode11utf8",
    "unicode20utf8", "x-unicode20utf8", "us-ascii", "ascii", "ansi-x3.4-1968", "iso646-us",
})  # fmt: skip
"""Labels of UTF-8 and of its subset ASCII (WHATWG, IANA, MySQL), with `-` in place of `_`."""

FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})

_EXPECTED: Final = {
    "json": "Send JSON, with Content-Type: application/json.",
    "form": "Send a form, with Content-Type: multipart/form-data.",
}


class Media(NamedTuple):
    """A parsed Content-Type: the media type in lower case, its charsets, its boundary."""

    type: str
    charsets: frozenset[str]
    boundary: bytes

    def is_a(self, kind: Kind) -> bool:
        """Whether this is the media type of JSON, or of a form."""
        return is_json(self.type) if kind == "json" else self.type in FORMS


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON: `application/json` or `application/*+json` (RFC 6839)."""
    main, _, subtype = media_type.partition("/")
    return main == "application" and (subtype == "json" or subtype.endswith("+json"))


def check_media(fields: Fields, kind: Kind) -> Media | None:
    """Return the parsed Content-Type of a request, if it has one; raise a 415 for another kind.

    A 415 for a content coding has `Accept-Encoding: identity` (RFC 7694, section 3).
    """
    content_type = None
    for name, value in fields:
        if name == b"content-type":
            content_type = value
        elif name == b"content-encoding":
            _refuse_coding(value)
    if content_type is None:
        return None
    media = _media_of(content_type)
    if not media.is_a(kind):
        raise unsupported(kind)
    if not media.charsets <= UTF_8:
        raise HTTPException(415, "Send text in UTF-8; charset=utf-8 may be left out.")
    return media


def unsupported(kind: Kind) -> HTTPException:
    """Return a 415 whose detail says which media type to send."""
    return HTTPException(415, _EXPECTED[kind])


def _refuse_coding(value: bytes) -> None:
    for one in value.decode("latin-1").split(","):
        coding = one.strip().lower()
        if coding not in {"", "identity"}:
            message = f"Send the body without Content-Encoding, not as {coding[:40]}."
            raise HTTPException(415, message, {"accept-encoding": "identity"})


@lru_cache(maxsize=64)
def _media_of(content_type: bytes) -> Media:
    message = Message()
    message["content-type"] = content_type.decode("latin-1")
    labels = [value for name, value in message.get_params([])[1:] if name == "charset"]
    charsets = frozenset(str(label).strip().lower().replace("_", "-") for label in labels)
    boundary = (message.get_boundary() or "").encode("latin-1", "replace")
    return Media(message.get_content_type(), charsets, boundary)


@dataclass(frozen=True, slots=True)
class RouteBody:
    """The body that a route declares, of at most `limit` bytes.

    A body without Content-Type counts as JSON, unless the route `needs_type`.
    """

    kind: Kind
    limit: float
    needs_type: bool

    @classmethod
    def of(cls, context: RouteContext) -> Self | None:
        """Read a route; None if it declares no body, or a body of another media type."""
        field = getattr(context, "body_field", None)
        if field is None:
            return None
        info, strict = field.field_info, context.strict_content_type
        kind: Kind = "form" if isinstance(info, Form) else "json"
        if kind == "json" and not is_json(info.media_type):
            return None
        limit = inf if context.max_body_size is None else context.max_body_size
        return cls(kind, limit, getattr(strict, "value", strict))
