"""Sends the introspection query to a GraphQL service."""

import http.client
from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

from bff_core.errors import ConfigurationError
from bff_core.extras import needs

with needs("graphql", "reading a GraphQL schema"):
    from graphql import get_introspection_query

TIMEOUT_SECONDS: Final = 30.0
MAX_RESPONSE_BYTES: Final = 64 * 1024 * 1024
MAX_MESSAGE_CHARACTERS: Final = 300

WHAT_TO_DO: Final = (
    "take the schema from a development instance, or from the service's repository as SDL, and "
    "pass that file"
)

HEADERS: Final[Mapping[str, str]] = {
    "accept": "application/graphql-response+json, application/json;q=0.9",
    "content-type": "application/json",
}

QUERIES: Final = (
    get_introspection_query(specified_by_url=True, directive_is_repeatable=True),
    get_introspection_query(),
)
"""The query with the newer members, and that which older services know."""


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirect: a POST would become a GET, and its headers go to another server."""

    def redirect_request(self, *_: object) -> None:
        """Return no request."""


_opener: Final = build_opener(_NoRedirects)


class _Error(msgspec.Struct):
    message: str = ""


class _Response(msgspec.Struct):
    data: dict[str, object] | None = None
    errors: list[_Error] | None = None


_decode: Final = msgspec.json.Decoder(_Response).decode


def fetch_introspection(url: str, headers: Mapping[str, str]) -> dict[str, object]:
    """Return the `data` of the introspection of a service; raise `ConfigurationError`."""
    for query in QUERIES:
        response = _fetched(url, {**HEADERS, **headers}, query)
        if response.data is not None and response.data.get("__schema"):
            return response.data
    messages = "; ".join(error.message for error in response.errors or ()) or "no data"
    raise ConfigurationError(
        f"{shown(url)}: refuses introspection ({_short(messages)}): enable it for this address, "
        f"send the headers that permit it, or {WHAT_TO_DO}"
    )


def _fetched(url: str, headers: Mapping[str, str], query: str) -> _Response:
    body = msgspec.json.encode({"query": query, "operationName": "IntrospectionQuery"})
    status = 200
    try:
        address, fields = _without_user(url, headers)
        request = Request(address, body, fields, method="POST")  # noqa: S310 # http or https, see load
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as reply:
            content = reply.read(MAX_RESPONSE_BYTES + 1)
    except HTTPError as error:
        status, content = error.code, error.read(MAX_RESPONSE_BYTES + 1)
    except (URLError, OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ConfigurationError(f"{shown(url)}: can't be called: {reason}") from error
    if len(content) > MAX_RESPONSE_BYTES:
        raise ConfigurationError(f"{shown(url)}: answers with over {MAX_RESPONSE_BYTES} bytes")
    return _read(content, status, url)


def _read(content: bytes, status: int, url: str) -> _Response:
    if status in {401, 403}:
        raise ConfigurationError(
            f"{shown(url)}: answers {status}: pass the headers that permit introspection, such as "
            f"Authorization, or {WHAT_TO_DO}"
        )
    if 300 <= status < 400:
        raise ConfigurationError(
            f"{shown(url)}: answers {status}, a redirect: pass the address that it leads to"
        )
    try:
        return _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(
            f"{shown(url)}: answers {status} without a GraphQL response: pass the whole address "
            "of the GraphQL endpoint, such as https://…/graphql"
        ) from error


def _without_user(url: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return a URL without user information, which becomes a header as curl sends it."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    fields = dict(headers)
    if user and not any(name.lower() == "authorization" for name in fields):
        fields["authorization"] = f"Basic {b64encode(unquote(user).encode()).decode()}"
    return parts._replace(netloc=host, fragment="").geturl(), fields


def shown(url: str) -> str:
    """Return a URL without user information and query, which may hold secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the address"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _short(text: str) -> str:
    plain = "".join(character if character.isprintable() else " " for character in text)
    return plain if len(plain) <= MAX_MESSAGE_CHARACTERS else f"{plain[:MAX_MESSAGE_CHARACTERS]}…"
