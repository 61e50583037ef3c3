"""Types of settings: addresses, secrets, lists, each with its checks."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from bff_core.errors import ConfigurationError
from bff_core.policy.edge.webhook_signature import key_of
from bff_core.policy.upstream.endpoints import LIST_SCHEMES, SERVICE_SCHEMES, checked_address

PREFIX = "BFF_"

JOURNAL = "sqlite:///bff-journal.sqlite3"
"""The default store of unfinished sagas."""

API_KEYS = "sqlite:///bff-api-keys.sqlite3"
"""The default store of API keys."""

MIN_TOKEN_CHARACTERS = 20
MIN_KEY_CHARACTERS = 32


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def _service_url(url: str) -> str:
    """Check the address of a service: http or https, a host, and optionally a port and a path."""
    return checked_address(url, ("http", "https"))


def _endpoints_url(url: str) -> str:
    """Check the address of a service, or of a list of its endpoints."""
    return checked_address(url, (*SERVICE_SCHEMES, *LIST_SCHEMES))


def _redis_url(url: str) -> str:
    """Check the address of a Redis; rediss is the scheme for TLS."""
    parts = urlsplit(url)
    if url and (parts.scheme not in {"redis", "rediss"} or not parts.hostname):
        raise ValueError("it is not the address of a Redis")
    return url


def _token(secret: SecretStr) -> SecretStr:
    """Check that a token is hard to guess, and valid in a header."""
    text = secret.get_secret_value()
    if text and (len(text) < MIN_TOKEN_CHARACTERS or not text.isascii() or not text.isprintable()):
        raise ValueError(
            f"it has fewer than {MIN_TOKEN_CHARACTERS} characters, or some that are not ASCII"
        )
    return secret


def _signing_secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for secret in secrets:
        if len(key_of(_token(secret).get_secret_value())) < MIN_TOKEN_CHARACTERS:
            raise ValueError(f"decoded it has fewer than {MIN_TOKEN_CHARACTERS} characters")
    return secrets


Secrets = Annotated[
    tuple[SecretStr, ...], BeforeValidator(_split), AfterValidator(_signing_secrets)
]
RedisURL = Annotated[str, AfterValidator(_redis_url)]


def _issuer_url(url: str) -> str:
    """Check an issuer, and return it as it is: tokens repeat it exactly (RFC 8414, section 2)."""
    if url:
        _service_url(url)
    return url


IssuerURL = Annotated[str, AfterValidator(_issuer_url)]


def _absolute_path(path: str) -> str:
    if not path.startswith("/") or path.startswith("//") or not path.isprintable() or " " in path:
        raise ValueError("a path starts with one slash, and has no spaces")
    return path


AbsolutePath = Annotated[str, AfterValidator(_absolute_path)]


def _journal_url(url: str) -> str:
    if (
        not url.startswith(("sqlite:///", "redis://", "rediss://", "unix://"))
        and url != "sqlite://"
    ):
        raise ValueError("its address is sqlite:///file or redis://host")
    return url


def _public_url(url: str) -> str:
    """Check an origin, or a folder of an origin; return it without the last slash."""
    if url:
        url = _service_url(url)
        if not _is_folder(urlsplit(url).path):
            raise ValueError("its path is made of names, each after one slash")
    return url


def base_of(public_url: str) -> str:
    """Return the path below which clients find a gateway; empty if it has a whole origin."""
    return urlsplit(public_url).path.rstrip("/")


_is_folder: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*").fullmatch


def _keys(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for secret in secrets:
        if len(secret.get_secret_value()) < MIN_KEY_CHARACTERS:
            raise ValueError(f"it has fewer than {MIN_KEY_CHARACTERS} characters")
    return secrets


PublicURL = Annotated[str, AfterValidator(_public_url)]
Keys = Annotated[tuple[SecretStr, ...], BeforeValidator(_split), AfterValidator(_keys)]
Token = Annotated[SecretStr, AfterValidator(_token)]
JournalURL = Annotated[str, AfterValidator(_journal_url)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Addresses = Annotated[
    tuple[Annotated[str, AfterValidator(_endpoints_url)], ...],
    BeforeValidator(_split),
    Field(min_length=1),
]


def _access_log(text: str) -> str:
    if text in {"all", "errors", "off"}:
        return text
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError("a share is from 0 to 1")
    return text


AccessLogMode = Annotated[str, AfterValidator(_access_log)]


def without_password(url: str) -> str:
    """Return a text with user and password removed from addresses."""
    return re.sub(r"//[^/@]*@", "//***@", url)


def with_files(environ: Mapping[str, str], prefix: str) -> Mapping[str, str]:
    """Replace each `<NAME>_FILE` by `<NAME>` with the content of the file, as for secrets.

    Raises `ConfigurationError` for a file that can't be read, and if both variables are set.
    """
    found = dict(environ)
    for name, path in environ.items():
        bare = name.removesuffix("_FILE")
        if not name.startswith(prefix) or bare == name or not path.strip():
            continue
        if environ.get(bare, "").strip():
            raise ConfigurationError(f"{bare} and {name} are both set: remove one of them.")
        try:
            found[bare] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{name}={path!r} can't be read: {error}.") from error
        del found[name]
    return found
