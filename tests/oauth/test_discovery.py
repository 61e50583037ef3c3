"""Discovery documents: endpoints of other origins, null members, and what is refused."""

from typing import Any

import httpx
import pytest

from bff_core.call import Reply
from bff_core.errors import ConfigurationError, UntrustedMetadata
from bff_core.oauth.discovery import DiscoveryOptions, metadata_of
from bff_core.oauth.endpoint import ProviderEndpoint
from tests.auth.browser.site import ISSUER, sign_in_at

DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
}
GOOGLE = {
    "issuer": "https://accounts.google.com",
    "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
    "token_endpoint": "https://oauth2.googleapis.com/token",
    "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
    "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
    "code_challenge_methods_supported": ["plain", "S256"],
}
COGNITO = {
    "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc",
    "authorization_endpoint": "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
    "token_endpoint": "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/token",
    "revocation_endpoint": "https://shop.auth.eu-west-1.amazoncognito.com/oauth2/revoke",
    "end_session_endpoint": "https://shop.auth.eu-west-1.amazoncognito.com/logout",
    "jwks_uri": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc/.well-known/jwks.json",
}


def read(document: dict[str, Any], **changed: Any):
    """Return the metadata in a document."""
    options = DiscoveryOptions(document["issuer"], "identity", **changed)
    return metadata_of(Reply(200, (), httpx.Response(200, json=document).content), options)


def test_googles_endpoints_are_found():
    """At two further origins, which the operator names."""
    origins = ("https://oauth2.googleapis.com", "https://www.googleapis.com")
    metadata = read(GOOGLE, origins=origins)

    assert metadata.token == ProviderEndpoint("identity_oauth2_googleapis_com", "/token")
    assert metadata.keys == ProviderEndpoint("identity_www_googleapis_com", "/oauth2/v3/certs")
    assert metadata.revocation == ProviderEndpoint("identity_oauth2_googleapis_com", "/revoke")


def test_cognitos_endpoints_are_found():
    """The keys at the issuer, the rest at another domain; no list of PKCE methods."""
    metadata = read(COGNITO, origins=("https://shop.auth.eu-west-1.amazoncognito.com",))

    assert metadata.keys.upstream == "identity"
    assert metadata.token.upstream == "identity_shop_auth_eu__west__1_amazoncognito_com"
    assert metadata.end_session.endswith("/logout")


@pytest.mark.parametrize(
    "name",
    [
        "code_challenge_methods_supported",
        "revocation_endpoint",
        "end_session_endpoint",
        "pushed_authorization_request_endpoint",
        "authorization_response_iss_parameter_supported",
        "scopes_supported",
    ],
)
def test_a_member_that_is_null_is_left_out(name):
    """Some providers write null for what they do not support."""
    assert read({**DOCUMENT, name: None}) == read(DOCUMENT)


def test_endpoints_may_have_a_query():
    """As Azure AD B2C writes them."""
    metadata = read({**DOCUMENT, "token_endpoint": f"{ISSUER}/token?p=sign-in"})

    assert metadata.token == ProviderEndpoint("identity", "/token?p=sign-in")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"issuer": "https://else.example"}, "https://else.example"),
        ({"issuer": f"{ISSUER}/"}, f"{ISSUER}/"),
        ({"issuer": None}, "None"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"token_endpoint": "https://oauth2.example/token"}, "BFF_ISSUER_ORIGINS"),
        ({"token_endpoint": "https://id.example@evil.example/token"}, "token_endpoint"),
        ({"token_endpoint": "https://u@id.example/token"}, "token_endpoint"),
        ({"token_endpoint": "https://id.example:8443/token"}, "BFF_ISSUER_ORIGINS"),
        ({"token_endpoint": "http://id.example/token"}, "BFF_ISSUER_ORIGINS"),
        ({"token_endpoint": f"{ISSUER}/{{tenantid}}/token"}, "token_endpoint"),
        ({"token_endpoint": f"{ISSUER}/a b"}, "token_endpoint"),
        ({"token_endpoint": f"{ISSUER}/token#x"}, "token_endpoint"),
        ({"token_endpoint": "/token"}, "token_endpoint"),
        ({"token_endpoint": 7}, "token_endpoint"),
        ({"jwks_uri": "https://[half"}, "jwks_uri"),
        ({"revocation_endpoint": "https://oauth2.example/revoke"}, "revocation_endpoint"),
        ({"authorization_endpoint": None}, "authorization endpoint"),
        ({"authorization_endpoint": "http://id.example/authorize"}, "without TLS"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"code_challenge_methods_supported": "S256"}, "PKCE"),
    ],
)
def test_the_error_names_the_fault_of_a_document(changed, reason):
    """Endpoints at other origins would receive the client secret."""
    document = {**DOCUMENT, **changed}

    with pytest.raises(UntrustedMetadata, match=reason):
        metadata_of(
            Reply(200, (), httpx.Response(200, json=document).content),
            DiscoveryOptions(ISSUER, "identity"),
        )


@pytest.mark.parametrize(
    "origin",
    [
        "https://oauth2.example/",
        "https://oauth2.example/path",
        "oauth2.example",
        "http://oauth2.example",
        "https://oauth2.example:443",
        "https://u@oauth2.example",
        "ftp://oauth2.example",
    ],
)
def test_origins_have_no_path_and_use_tls(origin):
    """A secret that goes over TLS to the issuer goes over TLS to other origins too."""
    with pytest.raises(ConfigurationError, match="BFF_ISSUER_ORIGINS"):
        sign_in_at(origins=(origin,))
