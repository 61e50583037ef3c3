"""The provider's metadata: discovery and keys."""

from fastapi import Response

from services_mock.answers import answer
from services_mock.identity.clients import ACRS, SCOPES
from services_mock.identity.routes import Store, router
from services_mock.identity.signing import ALGORITHM


@router.get("/.well-known/openid-configuration")
async def get_metadata(book: Store) -> Response:
    """Return the discovery document (OpenID Connect Discovery, RFC 8414)."""
    at = book.issuer
    secrets = ["client_secret_basic", "client_secret_post"]
    return answer(
        {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/jwks",
            "userinfo_endpoint": f"{at}/userinfo",
            "introspection_endpoint": f"{at}/introspect",
            "revocation_endpoint": f"{at}/revoke",
            "end_session_endpoint": f"{at}/end-session",
            "pushed_authorization_request_endpoint": f"{at}/par",
            "authorization_response_iss_parameter_supported": True,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "code_challenge_methods_supported": ["S256"],
            "response_types_supported": ["code"],
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ],
            "token_endpoint_auth_methods_supported": [*secrets, "none"],
            "introspection_endpoint_auth_methods_supported": secrets,
            "dpop_signing_alg_values_supported": [ALGORITHM],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "scopes_supported": sorted(SCOPES),
            "acr_values_supported": list(ACRS),
        }
    )


@router.get("/jwks")
async def get_keys(book: Store) -> Response:
    """Return the public signing keys: the current one, and previous ones."""
    keys = [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM} for key in book.keys]
    return answer({"keys": keys})
