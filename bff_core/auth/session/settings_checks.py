"""Which settings a gateway with sessions refuses at start, and what it derives from them."""

from dataclasses import replace
from urllib.parse import urlsplit

from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.required_settings import require_settings
from bff_core.auth.session.cookie import PREFIX
from bff_core.auth.session.sealing import Sealing
from bff_core.errors import ConfigurationError
from bff_core.settings.model import Settings
from bff_core.settings.values import base_of


def provider_of(settings: Settings, scope: tuple[str, ...]) -> OpenIDProvider:
    """Return the provider of the settings; raise `ConfigurationError` for those that are missing.

    `scope` are the scopes to request; if empty, those of `OpenIDProvider`.
    """
    needed = ("issuer", "client_id", "client_secret", "public_url", "session_keys", "upstreams")
    require_settings("SessionAuthenticator", settings, *needed)
    provider = OpenIDProvider(
        issuer=settings.issuer,
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
    )
    return replace(provider, scope=scope) if scope else provider


def check_settings(settings: Settings, prefix: str) -> None:
    """Raise `ConfigurationError` without a public URL over TLS, or without a key of one's own."""
    Sealing(settings.sealing_secrets)
    is_example = any(one.startswith("development-only") for one in settings.sealing_secrets)
    if is_example and settings.env == "production":
        raise ConfigurationError(
            "BFF_SESSION_KEYS holds the key of the examples, which is public: generate one of "
            "your own, as in BFF_SESSION_KEYS=$(openssl rand -base64 32)"
        )
    if not settings.public_url:
        raise ConfigurationError(
            "BFF_PUBLIC_URL is not set: browsers return there after sign-in, and requests of "
            "other origins are refused; set it to the URL of this gateway in browsers, as in "
            "BFF_PUBLIC_URL=https://shop.example"
        )
    secure = settings.public_url.startswith("https://")
    if settings.env == "production" and not secure:
        raise ConfigurationError(
            f"BFF_PUBLIC_URL={settings.public_url}: browsers send session cookies over TLS only; "
            "set an https:// URL, or BFF_ENV=development to try things out"
        )
    base = base_of(settings.public_url)
    if base and f"{prefix}/".startswith(f"{base}/"):
        raise ConfigurationError(
            f"BFF_PUBLIC_URL={settings.public_url} ends in the path of the sign-in endpoints, "
            f"SessionAuthenticator(prefix={prefix!r}): a proxy that strips the first would strip "
            'the second; choose another prefix, as in prefix="/auth"'
        )


def cookie_of(public_url: str) -> str:
    """Return the name of the session cookie; each gateway of one host has its own.

    Different paths give different names: "/a-b" is not "/a/b".
    """
    path = base_of(public_url).encode()
    characters = (bytes([one]) for one in path)
    escaped = (
        b"-" if one == b"/" else one if one.isalnum() else b"_%x" % ord(one) for one in characters
    )
    return f"{PREFIX}bff{b''.join(escaped).decode()}"


def origin_of(url: str) -> str:
    """Return the origin of a URL without a path, as browsers write it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ConfigurationError(f"{url!r} is not an origin, such as https://shop.example")
    if "*" in parts.hostname:
        raise ConfigurationError(
            f"{url!r} is a pattern: list each origin whose pages may use the session cookie; "
            "patterns work for CORS only (BFF_CORS_ORIGINS)"
        )
    default = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, default} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
