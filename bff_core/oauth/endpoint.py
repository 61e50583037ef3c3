"""Calls an identity provider: its services, its endpoints, this gateway as its OAuth client."""

from base64 import b64encode
from codecs import BOM_UTF8
from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Final, Literal, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from bff_core.call import Reply
from bff_core.errors import ProviderUnavailable, UpstreamError
from bff_core.policy.upstream.connection import KIB, Connection
from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.client import Upstream

FORM: Final = "application/x-www-form-urlencoded"

MAX_REPLY_BYTES: Final = 256 * KIB
"""Bytes of a reply that are read: an ID token alone may have 64 KiB."""

ClientAuth = Literal["basic", "post"]
"""How a client sends its secret (RFC 6749, section 2.3.1)."""

decode_object: Final = msgspec.json.Decoder(dict[str, object]).decode


class ProviderEndpoint(NamedTuple):
    """An endpoint that the gateway calls: the upstream's name, a path there and its query."""

    upstream: str
    target: str


class ProviderService(Upstream):
    """An identity provider as an upstream.

    `origin` is its address if that is not the origin of its issuer. Such a service needs no
    `BFF_UPSTREAM_…` variable.
    """

    name = "provider"
    origin: ClassVar[str] = ""


@cache
def document_service(name: str) -> type[ProviderService]:
    """Return the upstream class for documents of a provider, and for introspection."""

    class DocumentService(ProviderService):
        policy = Policy(timeout=5.0, attempt_timeout=2.5, public=True)

    DocumentService.name = name
    return DocumentService


@cache
def grant_service(name: str) -> type[ProviderService]:
    """Return the upstream class for grants that are sent once: codes and refresh tokens.

    A refresh that was cut short may have succeeded at the provider: its tokens would be lost, and
    the next refresh would look like theft. So its timeout is long; its callers have deadlines.
    """

    class Grants(ProviderService):
        policy = Policy(timeout=20.0, attempt_timeout=20.0, coalesce=False, keyed=False)

    Grants.name = name
    return Grants


@cache
def token_service(name: str) -> type[Upstream]:
    """Return the upstream class for tokens of upstream calls, which can be requested again."""

    class Tokens(Upstream):
        policy = Policy(
            timeout=5.0, coalesce=False, keyed=False, connection=Connection(max_body=64 * KIB)
        )

    Tokens.name = name
    return Tokens


def service_name(upstream: str, origin: str) -> str:
    """Return the upstream name of a provider's further origin, and register where that is.

    "https://oauth2.googleapis.com" is "identity_oauth2_googleapis_com". A variable of that name
    (`BFF_UPSTREAM_…`) overrides the address.
    """
    scheme, _, host = origin.partition("://")
    place = host.replace("-", "__").replace(".", "_").replace(":", "_port_")
    name = f"{upstream}_{place}" if scheme == "https" else f"{upstream}_{scheme}_{place}"
    for kind in (document_service(name), grant_service(name)):
        kind.origin = origin
    return name


def origin_in(url: str) -> str | None:
    """Return the origin of an http or https URL, without the default port; None for any other."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if default is None or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port in {None, default} else f":{port}")


class OAuthClient:
    """This gateway as a confidential client of one provider: sends forms with its credentials."""

    __slots__ = ("_authorization", "_parameters")

    def __init__(self, client_id: str, client_secret: str, auth: ClientAuth = "basic") -> None:
        is_basic = auth == "basic"
        self._authorization = _basic(client_id, client_secret) if is_basic else ""
        self._parameters: Mapping[str, str] = (
            {} if is_basic else {"client_id": client_id, "client_secret": client_secret}
        )

    async def post(self, service: Upstream, target: str, form: Mapping[str, str]) -> Reply:
        """Send a form once; raises `ProviderUnavailable` if there is no usable reply."""
        headers = {"content-type": FORM, "accept": "application/json"}
        if self._authorization:
            headers["authorization"] = self._authorization
        body = urlencode({**form, **self._parameters}).encode()
        try:
            reply = await service.request("POST", target, body=body, headers=headers)
        except UpstreamError as error:
            raise ProviderUnavailable(error.code) from error
        if len(reply.content) > MAX_REPLY_BYTES:
            raise ProviderUnavailable("its reply is too long")
        return reply


def _basic(client_id: str, secret: str) -> str:
    """Return HTTP Basic credentials, each part encoded as in a form (RFC 6749, section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def without_bom(document: bytes) -> bytes:
    """Return JSON without the byte order mark that some programs begin it with (RFC 8259)."""
    return document.removeprefix(BOM_UTF8)


def object_in(reply: Reply) -> Mapping[str, object]:
    """Return the JSON object of a reply; an empty one if its body is none."""
    try:
        return decode_object(without_bom(reply.content))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
