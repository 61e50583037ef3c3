"""The router that the identity service's modules add their routes to, and what they share."""

from base64 import b64decode
from binascii import Error
from typing import Annotated
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services_mock.identity.book import Book
from services_mock.identity.clients import Client

router = APIRouter(tags=["identity"])


class Refused(Exception):
    """An error of OAuth (RFC 6749, section 5.2), by its code."""

    def __init__(self, code: str, description: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.description = description
        self.status = status

    def answer(self) -> JSONResponse:
        """Return the error response."""
        headers = {"www-authenticate": "Basic"} if self.status == 401 else None
        body = {"error": self.code, "error_description": self.description}
        return JSONResponse(body, self.status, headers)


async def _book(request: Request) -> Book:
    book: Book = request.app.state.store
    return book


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("latin-1"), keep_blank_values=True))


Store = Annotated[Book, Depends(_book)]
Form = Annotated[dict[str, str], Depends(_form)]


def client_of(request: Request, form: dict[str, str], book: Book) -> Client:
    """Authenticate the client of a request; raises `Refused` for a wrong secret."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    name, secret = form.get("client_id", ""), form.get("client_secret", "")
    if scheme.lower() == "basic":
        try:
            name, _, secret = b64decode(encoded, validate=True).decode().partition(":")
        except (Error, UnicodeDecodeError):
            raise Refused("invalid_client", status=401) from None
        name, secret = unquote_plus(name), unquote_plus(secret)
    client = book.clients.get(name)
    if client is None or client.secret != secret:
        raise Refused("invalid_client", status=401)
    return client
