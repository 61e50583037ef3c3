"""Authentication and authorization: who calls, and what the caller may do.

Modules that need cryptography are imported when one of their names is first used, so that
`import bff_core` does not load them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from bff_core.auth.access import ANYONE, Require, StepUpRequired, access
from bff_core.auth.authenticator import Authenticator, FirstOf, MakeAuthenticator
from bff_core.auth.demo import DemoAuthenticator
from bff_core.auth.viewer import Viewer

if TYPE_CHECKING:  # type checkers read these imports; at run time __getattr__ does them
    from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
    from bff_core.auth.bearer import BearerAuthenticator
    from bff_core.auth.certificate import CertificateAuthenticator
    from bff_core.auth.devices import DeviceSessions
    from bff_core.auth.dpop import DPoP
    from bff_core.auth.introspection import Introspection, IntrospectionAuthenticator
    from bff_core.auth.issuer_config import Issuer
    from bff_core.auth.oidc.config import OpenIDProvider
    from bff_core.auth.session.authenticator import SessionAuthenticator
    from bff_core.auth.session.csrf import CsrfProtection

__all__ = [
    "ANYONE",
    "ApiKeyAuthenticator",
    "Authenticator",
    "BearerAuthenticator",
    "CertificateAuthenticator",
    "CsrfProtection",
    "DPoP",
    "DemoAuthenticator",
    "DeviceSessions",
    "FirstOf",
    "Introspection",
    "IntrospectionAuthenticator",
    "Issuer",
    "MakeAuthenticator",
    "OpenIDProvider",
    "Require",
    "SessionAuthenticator",
    "StepUpRequired",
    "Viewer",
    "access",
]

_MODULES: Final = {
    "ApiKeyAuthenticator": "api_keys.authenticator",
    "BearerAuthenticator": "bearer",
    "CertificateAuthenticator": "certificate",
    "CsrfProtection": "session.csrf",
    "DPoP": "dpop",
    "DeviceSessions": "devices",
    "Introspection": "introspection",
    "IntrospectionAuthenticator": "introspection",
    "Issuer": "issuer_config",
    "OpenIDProvider": "oidc.config",
    "SessionAuthenticator": "session.authenticator",
}


def __getattr__(name: str) -> object:
    """Import the module of a name that is used for the first time (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
