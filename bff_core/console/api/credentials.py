"""How callers of a gateway authenticate, for the form of the API page."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bff_core.auth.authenticator import Authenticator, GatewayAuthenticator, each_of
from bff_core.auth.demo import DemoAuthenticator
from bff_core.console.model import AcceptedCredential

IN_DEVELOPMENT: Final = "Or restart with BFF_AUTH=demo, which accepts demo-1."

IN_BROWSER: Final = (
    "Sign in with this browser: while this field is empty, this page sends the cookie that you "
    "get. Both addresses need the same host, such as localhost."
)


def credentials_of(
    authenticator: Authenticator | None, *, is_development: bool
) -> list[AcceptedCredential]:
    """Return the headers by which callers authenticate, in the order in which they are tried."""
    found = [one for each in each_of(authenticator) for one in _of(each)]
    for one in found:
        if is_development and one.sign_in:
            one.hint = IN_BROWSER
        elif is_development and not one.example:
            one.hint += f" {IN_DEVELOPMENT}"
    return found


def _of(authenticator: Authenticator) -> Iterator[AcceptedCredential]:
    if isinstance(authenticator, DemoAuthenticator):
        yield AcceptedCredential(
            header="Authorization",
            prefix="Bearer ",
            example="demo-1",
            hint="Any user id works, also with other rights: demo-2?scope=openid+orders:read.",
        )
        return
    scheme: Mapping[str, Any] = getattr(authenticator, "security_scheme", None) or {}
    match scheme:
        case {"type": "http", "scheme": "dpop"}:
            hint = "Tokens need a proof of their key (DPoP), which this form can't make."
            yield AcceptedCredential(header="Authorization", prefix="DPoP ", hint=hint)
        case {"type": "http"}:
            yield AcceptedCredential(
                header="Authorization", prefix="Bearer ", hint=_issued(authenticator)
            )
        case {"type": "apiKey", "in": "header", "name": str(name)}:
            hint = "Issue a key by POST /operator/api-keys/issue, with the operator token."
            yield AcceptedCredential(header=name, hint=hint)
        case {"type": "apiKey", "in": "cookie", "name": str(name)}:
            hint = "Sign in, and copy the value of this cookie from the browser's developer tools."
            login = getattr(authenticator, "login", "")
            yield AcceptedCredential(
                header="Cookie", prefix=f"{name}=", hint=hint, sign_in=str(login)
            )


def _issued(authenticator: Authenticator) -> str:
    issuers = authenticator.issuers if isinstance(authenticator, GatewayAuthenticator) else ()
    return f"Get an access token of {' or '.join(issuers)}." if issuers else "Get an access token."
