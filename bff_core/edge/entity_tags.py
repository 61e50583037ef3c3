"""Entity tags of answers, and the headers of a 304."""

from hashlib import sha256
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

Fields = list[tuple[bytes, bytes]]

_OF_CONTENT: Final = frozenset(
    {b"content-encoding", b"content-language", b"content-length", b"content-type"}
)
"""Headers of the content, which a 304 leaves out (RFC 9110, section 15.4.5)."""


def entity_tag(body: bytes, kind: bytes = b"") -> bytes:
    """Return a strong entity tag: two bodies of one kind with the same tag are equal.

    `kind` distinguishes representations of one resource whose bytes may be equal, such as those of
    two media types (RFC 9110, section 8.8.1).
    """
    return b'"%b"' % sha256(kind + body).hexdigest()[:32].encode()


def coded(tag: bytes, coding: bytes) -> bytes:
    """Return the tag of an answer after compression: other bytes need another strong tag.

    A weak tag stays, since it only promises equivalent content (RFC 9110, section 8.8.3.3).
    """
    return tag if tag[:2] == b"W/" else b'%b-%b"' % (tag[:-1], coding)


def without_content(headers: Fields) -> Fields:
    """Return the headers of a 304: those of the answer, without those of its content."""
    return [field for field in headers if field[0] not in _OF_CONTENT]


def with_entity_tag(page: ASGIApp) -> ASGIApp:
    """Wrap an application so that its answers in one chunk get an entity tag."""

    async def app(scope: ASGIScope, receive: Receive, send: Send) -> None:
        head: Message = {}

        async def tagged(message: Message) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = message
                return
            if head:
                headers = list(head["headers"])
                if head["status"] == HTTPStatus.OK and not message.get("more_body"):
                    headers.append((b"etag", entity_tag(message["body"])))
                await send({**head, "headers": headers})
                head = {}
            await send(message)

        await page(scope, receive, tagged)

    return app
