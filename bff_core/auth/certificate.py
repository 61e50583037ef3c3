"""Mutual TLS: authenticates by the client certificate that a trusted proxy sends in a header."""

import re
import time
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha256
from typing import ClassVar, Final, Literal
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from bff_core.auth.authenticator import GatewayAuthenticator
from bff_core.auth.required_settings import require_settings
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.keywords import checks_keywords
from bff_core.scope import Scope
from bff_core.settings.model import Settings

Header = Literal["client-cert", "x-forwarded-client-cert"]
Name = Literal["uri", "dns", "cn"]

REFUSAL: Final = "The client certificate is not valid."

MAX_HEADER_BYTES: Final = 16 * 1024

_is_bytes: Final = re.compile(rb":([A-Za-z0-9+/=]+):").fullmatch
_field: Final = re.compile(r' *([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;=]*))([;,]|$)').match


@checks_keywords
class CertificateAuthenticator(GatewayAuthenticator):
    """Reads `Client-Cert` (RFC 9440), or the `Cert` of Envoy's `X-Forwarded-Client-Cert`.

    The proxy that terminates TLS has verified the certificate. The gateway removes the header from
    requests of all other senders (`BFF_TRUSTED_PROXIES`), and does not start without a trusted
    proxy. The viewer's subject is the first name of the kind `by`: a URI or a DNS name of the
    certificate (subjectAltName), or the common name. `allowed` are patterns of subjects
    ("spiffe://shop.example/*"), `fingerprints` are SHA-256 digests of certificates in hexadecimal;
    a certificate has to match both where both are given. `scopes` are granted to every viewer.
    Without `allowed`, the patterns are those of `BFF_CERTIFICATE_SUBJECTS`.
    """

    challenge = "Mutual"
    security_scheme: ClassVar[Mapping[str, object]] = {"type": "mutualTLS"}

    def __init__(
        self,
        header: Header = "client-cert",
        *,
        by: Name = "uri",
        allowed: Sequence[str] | None = None,
        fingerprints: Sequence[str] = (),
        scopes: Sequence[str] = (),
        wall: Clock = time.time,
    ) -> None:
        is_given = allowed is not None
        if is_given and (isinstance(allowed, str) or not allowed or not all(allowed)):
            raise ConfigurationError(
                "CertificateAuthenticator: allowed=(...) has to name the accepted subjects, as in "
                '("spiffe://shop.example/*",): a proxy verifies certificates of many others'
            )
        if header not in {"client-cert", "x-forwarded-client-cert"} or by not in {
            "uri",
            "dns",
            "cn",
        }:
            raise ConfigurationError(
                "CertificateAuthenticator: header is client-cert or x-forwarded-client-cert, by is "
                "uri, dns or cn"
            )
        self._header = header.encode()
        self._by = by
        self._is_configured = is_given
        self._allowed = tuple(allowed or ())
        self._fingerprints = frozenset(one.replace(":", "").lower() for one in fingerprints)
        self._scopes = frozenset(scopes)
        self._wall = wall
        self._cached_parse = lru_cache(maxsize=1024)(self._parse)

    def check(self, settings: Settings) -> None:
        """Raise `ConfigurationError` without a trusted proxy: any client could send the header.

        The patterns of subjects are read from the settings, unless they were given.
        """
        if not self._is_configured:
            needed = ("certificate_subjects", "trusted_proxies")
            require_settings("CertificateAuthenticator", settings, *needed)
            self._allowed = settings.certificate_subjects
            self._cached_parse.cache_clear()
        if not settings.trusted_proxies:
            raise ConfigurationError(
                "BFF_TRUSTED_PROXIES is not set: certificates arrive in a header that any client "
                "could send, so it is read from trusted proxies only; set it to the addresses of "
                "the proxies that terminate TLS, as in BFF_TRUSTED_PROXIES=10.0.0.0/8"
            )

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of a certificate; None without one. Raises `NotAuthenticated`."""
        sent = scope.field(self._header)
        if sent is None:
            return None
        found = self._cached_parse(sent)
        if isinstance(found, str):
            raise NotAuthenticated(REFUSAL, reason=found)
        if not found[1] <= self._wall() <= found[2]:
            reason = "not_yet" if self._wall() < found[1] else "expired"
            raise NotAuthenticated(REFUSAL, reason=reason)
        return found[0]

    def _parse(self, sent: bytes) -> tuple[Viewer, float, float] | str:
        """Return the viewer with the begin and the end of the certificate's validity (Unix times).

        Returns the reason for the log instead where the certificate is refused.
        """
        try:
            certificate = self._certificate(sent)
        except (ValueError, Error):
            return "malformed"
        if certificate is None:
            return "malformed"
        subject = self._subject(certificate)
        fingerprint = sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
        is_allowed = any(fnmatchcase(subject, pattern) for pattern in self._allowed)
        if self._fingerprints and fingerprint not in self._fingerprints:
            return "fingerprint"
        if not subject or not is_allowed:
            return "subject_not_allowed" if subject else "no_subject"
        viewer = Viewer(subject, scopes=self._scopes, issuer=f"certificate:{self._by}")
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return viewer, begins.timestamp(), ends.timestamp()

    def _certificate(self, sent: bytes) -> x509.Certificate | None:
        if len(sent) > MAX_HEADER_BYTES:
            return None
        if self._header == b"client-cert":
            found = _is_bytes(sent.strip())
            return None if found is None else x509.load_der_x509_certificate(b64decode(found[1]))
        pem = _last_element(sent.decode("latin-1")).get("cert")
        return x509.load_pem_x509_certificate(unquote(pem).encode()) if pem else None

    def _subject(self, certificate: x509.Certificate) -> str:
        if self._by == "cn":
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return str(names[0].value) if names else ""
        try:
            extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return ""
        kind = x509.UniformResourceIdentifier if self._by == "uri" else x509.DNSName
        found = extension.value.get_values_for_type(kind)
        return found[0] if found else ""


def _last_element(sent: str) -> dict[str, str]:
    """Return the fields of the last element of Envoy's header, which the nearest proxy wrote.

    The client chose the values of Subject, URI and DNS, so text within their quotes is not parsed
    for fields. Raises `ValueError` for a malformed header, or for two certificates in one element.
    """
    fields: dict[str, str] = {}
    at, end = 0, ","
    while end:
        found = _field(sent, at)
        if found is None:
            raise ValueError("no field")
        if end == ",":
            fields = {}
        name, at, end = found[1].lower(), found.end(), found[4]
        if name == "cert" and name in fields:
            raise ValueError("two certificates")
        fields[name] = found[3] if found[2] is None else found[2]
    return fields
