"""Settings that are unsafe in production, but fine in development."""

from collections.abc import Iterator, Sequence
from typing import Final

from bff_core.auth.authenticator import Authenticator, GatewayAuthenticator, HasKeys, each_of
from bff_core.edge.forwarded import UNIX
from bff_core.edge.options import EdgeOptions
from bff_core.settings.model import Settings
from bff_core.startup.addresses import count_public, is_loopback, is_public
from bff_core.startup.sharing import is_memory
from bff_core.startup.weak_secrets import weakness_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.configured_addresses import urls_of

MAX_TRUSTED_IPV4: Final = 2**24
MAX_TRUSTED_IPV6: Final = 2**108
"""The most public addresses that trusted proxies may have: a /8 of IPv4, a /20 of IPv6."""

SAMPLE_SECRETS: Final = ("development-only", "mock-only", "change-me", "changeme")
"""Texts that the secrets in examples contain."""

ELSE: Final = "or set BFF_ENV=development to try things out"


def production_errors(
    settings: Settings,
    options: EdgeOptions,
    authenticator: Authenticator | None,
    *,
    has_sagas: bool,
) -> Iterator[str]:
    """Yield a sentence for each variable that prevents a start in production."""
    for issuer in _issuers(settings, authenticator):
        if issuer.lower().startswith("http:") and not is_loopback(issuer):
            yield (
                f"BFF_ISSUER={issuer}: use the https:// address of the issuer of tokens, or an "
                f"attacker on the network could sign people in as other users; {ELSE}"
            )
    if _trusts_the_internet(options.trusted_proxies):
        yield (
            f"BFF_TRUSTED_PROXIES={','.join(options.trusted_proxies)}: that is a large part of the "
            "internet, and each of its hosts could claim any client address, scheme and host; name "
            "the addresses or private networks of your own proxies, such as 10.0.0.0/8"
        )
    if settings.console == "on" and not settings.operator_token.get_secret_value():
        yield "BFF_CONSOLE=on: set BFF_OPERATOR_TOKEN too, the secret that opens the console"
    yield from _sample_secrets(settings)
    yield from _weak_secrets(settings)
    yield from _unset_files(settings, authenticator, has_sagas=has_sagas)


def production_warnings(
    settings: Settings,
    options: EdgeOptions,
    services: Sequence[type[Upstream]],
    authenticator: Authenticator | None,
    *,
    has_sagas: bool,
) -> Iterator[tuple[str, str]]:
    """Yield what should change in production: a variable, and a sentence for the log."""
    if "*" in options.allowed_hosts:
        yield (
            "BFF_ALLOWED_HOSTS",
            "* accepts any Host header: name the hosts, unless a proxy in front checks them",
        )
    if options.cors.with_credentials:
        for origin in options.cors.origins:
            if origin.startswith("http:") and not is_loopback(origin):
                yield (
                    "BFF_CORS_ORIGINS",
                    f"{origin} may read answers with credentials, in the clear: use https://",
                )
    if settings.public_url.startswith("http:") and not is_loopback(settings.public_url):
        yield "BFF_PUBLIC_URL", "tokens are sent in the clear: give the https:// address of clients"
    yield from _plain_connections(settings, services)
    if has_sagas and is_memory(settings.journal_url):
        yield "BFF_JOURNAL_URL", "memory forgets unfinished sagas with the process"
    if _has_keys(authenticator) and is_memory(settings.api_keys_url):
        yield "BFF_API_KEYS_URL", "memory forgets all API keys with the process"


def _issuers(settings: Settings, authenticator: Authenticator | None) -> list[str]:
    theirs = [
        issuer
        for one in each_of(authenticator)
        if isinstance(one, GatewayAuthenticator)
        for issuer in one.issuers
    ]
    return list(dict.fromkeys([settings.issuer, *theirs]))


def _trusts_the_internet(hops: Sequence[str]) -> bool:
    ipv4, ipv6 = count_public(hop for hop in hops if hop != UNIX)
    return ipv4 > MAX_TRUSTED_IPV4 or ipv6 > MAX_TRUSTED_IPV6


def _sample_secrets(settings: Settings) -> Iterator[str]:
    secrets = {
        "BFF_SESSION_KEYS": settings.sealing_secrets,
        "BFF_CLIENT_SECRET": [settings.client_secret.get_secret_value()],
        "BFF_OPERATOR_TOKEN": [settings.operator_token.get_secret_value()],
        "BFF_PURGE_SECRET": settings.purge_secrets,
        **{
            f"BFF_SECRET_{name.upper()}": [secret.get_secret_value()]
            for name, secret in settings.secrets.items()
        },
    }
    for variable, values in secrets.items():
        if any(map(_is_sample, values)):
            yield (
                f"{variable} holds a secret of the examples, which everybody knows: generate your "
                f"own, as with openssl rand -base64 32, {ELSE}"
            )


def _weak_secrets(settings: Settings) -> Iterator[str]:
    """Check the secrets that operators make up themselves; others come from their services."""
    secrets = {
        "BFF_SESSION_KEYS": settings.sealing_secrets,
        "BFF_OPERATOR_TOKEN": [settings.operator_token.get_secret_value()],
        "BFF_PURGE_SECRET": settings.purge_secrets,
        "BFF_VIEWER_HASH_KEY": [settings.viewer_hash_key.get_secret_value()],
    }
    for variable, values in secrets.items():
        weakness = next((why for one in values if one and (why := weakness_of(one))), "")
        if weakness and not any(map(_is_sample, values)):
            yield (
                f"{variable} {weakness}, so that it can be guessed: generate one, as with "
                f"openssl rand -base64 32, {ELSE}"
            )


def _is_sample(secret: str) -> bool:
    return any(sample in secret.lower() for sample in SAMPLE_SECRETS)


def _unset_files(
    settings: Settings, authenticator: Authenticator | None, *, has_sagas: bool
) -> Iterator[str]:
    needed = {"journal": has_sagas, "api_keys": _has_keys(authenticator)}
    lost = {"journal": "unfinished sagas", "api_keys": "API keys"}
    for name, is_needed in needed.items():
        field, file = f"{name}_url", f"bff-{name.replace('_', '-')}.sqlite3"
        if is_needed and field not in settings.model_fields_set:
            yield (
                f"BFF_{field.upper()} is not set: {lost[name]} would be in {file} in the working "
                "directory, which a new container or release does not have; name a file on a disk "
                f"that stays, as in BFF_{field.upper()}=sqlite:////var/lib/bff/{file}, or a "
                "Redis that stores on disk"
            )


def _plain_connections(
    settings: Settings, services: Sequence[type[Upstream]]
) -> Iterator[tuple[str, str]]:
    stores = ("session", "idempotency", "limits", "cache", "journal", "api_keys")
    for name in stores:
        url: str = getattr(settings, f"{name}_url")
        if url.startswith("redis:") and is_public(url):
            yield (
                f"BFF_{name.upper()}_URL",
                "redis:// sends everything in the clear, and the host looks public: use rediss://",
            )
    for kind in services:
        if kind.policy.credentials is None:
            continue
        for address in urls_of(kind, settings):
            if address.startswith("http:") and is_public(address):
                yield (
                    f"BFF_UPSTREAM_{kind.name.upper()}",
                    f"{address} is sent credentials in the clear, and looks public: use https://",
                )


def _has_keys(authenticator: Authenticator | None) -> bool:
    return any(isinstance(one, HasKeys) for one in each_of(authenticator))
