"""Whom a TLS connection trusts, and as whom it speaks."""

import ssl

from bff_core.policy.connection import Connection


def client_context(options: Connection) -> ssl.SSLContext:
    """Build the context of client connections; raise `OSError` where a file can't be loaded."""
    context = ssl.create_default_context(cafile=options.ca_file)
    context.set_alpn_protocols(["http/1.1"])
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.client_cert is not None:
        context.load_cert_chain(options.client_cert, options.client_key, password=_no_password)
    return context


def _no_password() -> str:
    """Refuse to ask at the terminal for the password of an encrypted key."""
    raise ValueError("client_key must not be encrypted")
