"""Settings that a gateway with sessions does not start with, and what else they say of it."""

from urllib.parse import urlsplit

from bff_core.auth.session.cookie import PREFIX
from bff_core.auth.session.sealing import Sealing
from bff_core.errors import ConfigurationError
from bff_core.settings.model import Settings
from bff_core.settings.values import base_of


def check_settings(settings: Settings, prefix: str) -> None:
    """Refuse to start without an address of our own, over TLS, and without a key."""
    Sealing(settings.sealing_secrets)
    is_known = any(one.startswith("development-only") for one in settings.sealing_secrets)
    if is_known and settings.env == "production":
        raise ConfigurationError(
            "BFF_SESSION_KEYS holds the key of the examples, which everybody knows: make your "
            "own, as in BFF_SESSION_KEYS=$(openssl rand -base64 32)"
        )
    if not settings.public_url:
        raise ConfigurationError(
            "BFF_PUBLIC_URL is not set: browsers are sent back there when they have signed "
            "in, and requests of other origins are refused; set it to where browsers find "
            "this gateway, as in BFF_PUBLIC_URL=https://shop.example"
        )
    secure = settings.public_url.startswith("https://")
    if settings.env == "production" and not secure:
        raise ConfigurationError(
            f"BFF_PUBLIC_URL={settings.public_url}: cookies of sessions go over TLS only; "
            "give an https:// address, or set BFF_ENV=development to try things out"
        )
    base = base_of(settings.public_url)
    if base and f"{prefix}/".startswith(f"{base}/"):
        raise ConfigurationError(
            f"BFF_PUBLIC_URL={settings.public_url} ends in the path of the sign-in's endpoints, "
            f"SessionAuthenticator(prefix={prefix!r}): a proxy that strips the first would strip "
            'the second; give another prefix, as in prefix="/auth"'
        )


def cookie_of(public_url: str) -> str:
    """Return the name of the session's cookie, another for each gateway of one host.

    Names of paths stay apart: "/a-b" is not "/a/b".
    """
    path = base_of(public_url).encode()
    octets = (bytes([one]) for one in path)
    named = (b"-" if one == b"/" else one if one.isalnum() else b"_%x" % ord(one) for one in octets)
    return f"{PREFIX}bff{b''.join(named).decode()}"


def origin_of(url: str) -> str:
    """Return the origin of a URL without a path, as browsers write it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ConfigurationError(f"{url!r} is no origin: write it like https://shop.example")
    if "*" in parts.hostname:
        raise ConfigurationError(
            f"{url!r} is a pattern: name each origin whose pages may use a session's cookie, since "
            "patterns are for CORS alone (BFF_CORS_ORIGINS)"
        )
    default = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in {None, default} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
