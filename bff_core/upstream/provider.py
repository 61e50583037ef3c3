"""An identity provider as a service that is called: its client, its failures, its answers."""

from base64 import b64encode
from codecs import BOM_UTF8
from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Final
from urllib.parse import quote_plus, urlencode

import msgspec

from bff_core.call import Reply
from bff_core.errors import BFFError, UpstreamError
from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.client import Upstream

FORM: Final = "application/x-www-form-urlencoded"

LONGEST: Final = 256 * 1024
"""Bytes of an answer that are read: an ID token alone may have 64 KiB."""

_decode: Final = msgspec.json.Decoder(dict[str, object]).decode


class ProviderUnavailable(BFFError):
    """An identity provider can't be asked; nobody is signed out by that."""

    status = 503
    code = "provider_unavailable"
    title = "The identity provider is unavailable"
    retry_after = 5.0


class ProviderService(Upstream):
    """An identity provider; one at another origin than its issuer needs no variable of its own."""

    name = "provider"
    origin: ClassVar[str] = ""


def name_at(upstream: str, origin: str) -> str:
    """Return the name of the service at another origin of a provider, and note where that is.

    "https://oauth2.googleapis.com" is "identity_oauth2_googleapis_com"; a variable of that name
    (`BFF_UPSTREAM_…`) may say another address.
    """
    scheme, _, host = origin.partition("://")
    place = host.replace("-", "__").replace(".", "_").replace(":", "_port_")
    name = f"{upstream}_{place}" if scheme == "https" else f"{upstream}_{scheme}_{place}"
    for kind in (provider(name), token_endpoint(name)):
        kind.origin = origin
    return name


@cache
def provider(name: str) -> type[ProviderService]:
    """Return the service client of an identity provider; the same one for all who name it."""

    class Provider(ProviderService):
        policy = Policy(timeout=5.0, attempt_timeout=2.5, public=True)

    Provider.name = name
    return Provider


@cache
def token_endpoint(name: str) -> type[ProviderService]:
    """Return the client for what is sent once: codes and refresh tokens.

    A refresh that was cut short may have happened: its tokens would be lost, and the next one be
    taken for theft. So it is given time; who waits for it is bound by deadlines of their own.
    """

    class TokenEndpoint(ProviderService):
        policy = Policy(timeout=20.0, attempt_timeout=20.0, coalesce=False, keyed=False)

    TokenEndpoint.name = name
    return TokenEndpoint


async def post(
    service: Upstream, path: str, asked: Mapping[str, str], authorization: str = ""
) -> Reply:
    """Send a form, once; raises `ProviderUnavailable` where there is no answer."""
    headers = {"content-type": FORM, "accept": "application/json"}
    if authorization:
        headers["authorization"] = authorization
    try:
        return await service.request("POST", path, body=urlencode(asked).encode(), headers=headers)
    except UpstreamError as error:
        raise ProviderUnavailable(error.code) from error


def basic(client_id: str, secret: str) -> str:
    """Return a client's credentials, each part encoded as a form's (RFC 6749, section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def unmarked(document: bytes) -> bytes:
    """Return JSON without the byte order mark that some programs begin it with (RFC 8259)."""
    return document.removeprefix(BOM_UTF8)


def told_in(reply: Reply) -> Mapping[str, object]:
    """Return the JSON object of an answer; nothing where there is none."""
    if len(reply.body) > LONGEST:
        raise ProviderUnavailable("its answer is too long")
    try:
        return _decode(unmarked(reply.body))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
