"""Authentication and authorization: who calls, and what the caller may do.

Modules that need cryptography are imported when one of their names is first used, so that
`import bff_core` does not load them.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from bff_core.auth.access import (
    ANYONE,
    Access,
    Anyone,
    Inputs,
    Require,
    StepUpRequired,
    When,
    access,
)
from bff_core.auth.authenticator import (
    Authenticator,
    FirstOf,
    GatewayAuthenticator,
    MakeAuthenticator,
    Resources,
    StatefulAuthenticator,
)
from bff_core.auth.demo import DemoAuthenticator, DemoViewer
from bff_core.auth.devices import ActiveDevices, Device
from bff_core.auth.viewer import Viewer
from bff_core.extras import needs
from bff_core.public_names import publish

if TYPE_CHECKING:  # type checkers read these imports; at run time __getattr__ does them
    from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
    from bff_core.auth.api_keys.lifecycle import ApiKeys
    from bff_core.auth.api_keys.record import ApiKeyRecord
    from bff_core.auth.bearer import BearerAuthenticator
    from bff_core.auth.certificate import CertificateAuthenticator
    from bff_core.auth.devices import DeviceSessions
    from bff_core.auth.dpop import DPoP
    from bff_core.auth.introspection import Introspection, IntrospectionAuthenticator
    from bff_core.auth.issuer_config import Issuer
    from bff_core.auth.oidc.back_channel_logout import BadLogoutToken
    from bff_core.auth.oidc.config import OpenIDProvider
    from bff_core.auth.session.active_sessions import ActiveSessions
    from bff_core.auth.session.authenticator import SessionAuthenticator
    from bff_core.auth.session.csrf import CsrfProtection, Forged
    from bff_core.auth.session.interface import StoredSession
    from bff_core.auth.session.session import Session, SessionTokens
    from bff_core.auth.session.sign_in_flow import SignInFailed
    from bff_core.auth.session.token_refresh import NotSignedIn, SessionEnded

__all__ = [
    "ANYONE",
    "Access",
    "ActiveDevices",
    "ActiveSessions",
    "Anyone",
    "ApiKeyAuthenticator",
    "ApiKeyRecord",
    "ApiKeys",
    "Authenticator",
    "BadLogoutToken",
    "BearerAuthenticator",
    "CertificateAuthenticator",
    "CsrfProtection",
    "DPoP",
    "DemoAuthenticator",
    "DemoViewer",
    "Device",
    "DeviceSessions",
    "FirstOf",
    "Forged",
    "GatewayAuthenticator",
    "Inputs",
    "Introspection",
    "IntrospectionAuthenticator",
    "Issuer",
    "MakeAuthenticator",
    "NotSignedIn",
    "OpenIDProvider",
    "Require",
    "Resources",
    "Session",
    "SessionAuthenticator",
    "SessionEnded",
    "SessionTokens",
    "SignInFailed",
    "StatefulAuthenticator",
    "StepUpRequired",
    "StoredSession",
    "Viewer",
    "When",
    "access",
]

_MODULES: Final = {
    "ActiveSessions": "session.active_sessions",
    "ApiKeyAuthenticator": "api_keys.authenticator",
    "ApiKeyRecord": "api_keys.record",
    "ApiKeys": "api_keys.lifecycle",
    "BadLogoutToken": "oidc.back_channel_logout",
    "BearerAuthenticator": "bearer",
    "CertificateAuthenticator": "certificate",
    "CsrfProtection": "session.csrf",
    "DPoP": "dpop",
    "DeviceSessions": "devices",
    "Forged": "session.csrf",
    "Introspection": "introspection",
    "IntrospectionAuthenticator": "introspection",
    "Issuer": "issuer_config",
    "NotSignedIn": "session.token_refresh",
    "OpenIDProvider": "oidc.config",
    "Session": "session.session",
    "SessionAuthenticator": "session.authenticator",
    "SessionEnded": "session.token_refresh",
    "SessionTokens": "session.session",
    "SignInFailed": "session.sign_in_flow",
    "StoredSession": "session.interface",
}


def __getattr__(name: str) -> object:
    """Import the module of a name that is used for the first time (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with needs("auth", f"{__name__}.{name}"):
        import_module(f"{__name__}.{_MODULES[name]}")
    for one, module in _MODULES.items():  # its errors come with it
        loaded = sys.modules.get(f"{__name__}.{module}")
        if loaded is not None and hasattr(loaded, one):
            globals()[one] = getattr(loaded, one)
    publish(__name__, _MODULES)
    found: object = globals()[name]
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


publish(__name__, __all__)
