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
"""What a 304 leaves out, as the client has it (RFC 9110, section 15.4.5)."""


def entity_tag(body: bytes, kind: bytes = b"") -> bytes:
    """Return a strong validator: bodies of one kind that share it are equal, byte by byte.

    `kind` distinguishes representations of one resource whose bytes may be equal, such as those of
    two media types (RFC 9110, section 8.8.1).
    """
    return b'"%b"' % sha256(kind + body).hexdigest()[:32].encode()


def coded(tag: bytes, coding: bytes) -> bytes:
    """Return the tag of the same content in a coding: other bytes, hence another strong one.

    A weak tag stays, since it says no more than that the content is equivalent (RFC 9110,
    section 8.8.3.3).
    """
    return tag if tag[:2] == b"W/" else b'%b-%b"' % (tag[:-1], coding)


def without_content(headers: Fields) -> Fields:
    """Return the fields of a 304: those of the answer without those of its content."""
    return [field for field in headers if field[0] not in _OF_CONTENT]


def with_entity_tag(page: ASGIApp) -> ASGIApp:
    """Return an application whose answers in one piece carry an entity tag."""

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
