"""TLS of connections to services: trusted authorities, client certificates, failure reasons."""

import ssl
from typing import Final, NamedTuple

from bff_core.policy.upstream.connection import Connection


def client_context(options: Connection) -> ssl.SSLContext:
    """Return the context of client connections; raise `OSError` if a file can't be loaded."""
    context = ssl.create_default_context(cafile=options.ca_file)
    context.set_alpn_protocols(["http/1.1"])
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.client_cert is not None:
        context.load_cert_chain(options.client_cert, options.client_key, password=_no_password)
    return context


class Reason(NamedTuple):
    """Why TLS failed: a stable code, and a text for the operator."""

    code: str
    text: str


FAILED: Final = Reason("tls_failed", "the two sides do not speak the same TLS")
_INVALID: Final = Reason("tls_certificate_invalid", "its certificate is not valid")
_UNKNOWN: Final = Reason(
    "tls_unknown_issuer",
    "its certificate is of an unknown issuer: name that authority in Connection(ca_file=...)",
)
_WRONG_HOST: Final = Reason("tls_wrong_host", "its certificate is for another host")
CLIENT_CERTIFICATE: Final = Reason(
    "tls_client_certificate",
    "it refused the certificate of the gateway: see Connection(client_cert=...)",
)
_BY_CODE: Final = {
    9: Reason("tls_certificate_not_yet_valid", "its certificate is not valid yet"),
    10: Reason("tls_certificate_expired", "its certificate has expired"),
    18: _UNKNOWN,
    19: _UNKNOWN,
    20: _UNKNOWN,
    21: _UNKNOWN,
    62: _WRONG_HOST,
    64: _WRONG_HOST,
}
"""By the code of OpenSSL's verification (X509_V_ERR_..., openssl-verification-options(1))."""

_ABOUT_CERTIFICATES: Final = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "DECRYPT_ERROR")


def reason_of(error: BaseException | None) -> Reason | None:
    """Return why TLS failed; None if the connection just ended, or the error is not of TLS."""
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        visited.add(id(error))
        if isinstance(error, ssl.SSLCertVerificationError):
            return _BY_CODE.get(error.verify_code, _INVALID)
        if isinstance(error, ssl.SSLError):
            return _of_alert(error)
        error = error.__cause__ or error.__context__
    return None


def _of_alert(error: ssl.SSLError) -> Reason | None:
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return None
    name = error.reason or ""
    is_about_ours = "ALERT" in name and any(word in name for word in _ABOUT_CERTIFICATES)
    return CLIENT_CERTIFICATE if is_about_ours else FAILED


def _no_password() -> str:
    """Raise `ValueError` for an encrypted key; OpenSSL would prompt for its password."""
    raise ValueError("client_key must not be encrypted")
