"""What the environment says: each `BFF_` variable, its default and what it accepts."""

import os
import re
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal, Self, get_args

from pydantic import ByteSize, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bff_core.errors import ConfigurationError
from bff_core.kubernetes import without_service_variables
from bff_core.variables import (
    Addresses,
    JournalURL,
    Keys,
    Names,
    PublicURL,
    RedisURL,
    Secrets,
    Token,
    with_files,
)

PREFIX = "BFF_"
_UPSTREAM = f"{PREFIX}UPSTREAM_"
_SECRET = f"{PREFIX}SECRET_"
_FAMILIES = {"upstreams": _UPSTREAM, "secrets": _SECRET}
"""Fields that are as many variables as there are names."""

# Read by the test run, not by a gateway.
_FOREIGN = frozenset({"BFF_REQUIRE_ALL"})


class ConfigurationWarning(UserWarning):
    """A variable that nobody reads: most likely misspelt."""


class Settings(BaseSettings):
    """The settings of one gateway process; `Settings.load()` reads the environment.

    Built by hand (`Settings(env="development")`) it reads nothing. Each field's description says
    what is accepted and is part of the error that names the variable.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    env: Literal["development", "production"] = Field(
        default="production", description="development or production"
    )
    auth: Literal["none", "demo"] = Field(default="none", description="none or demo")
    upstreams: dict[str, Addresses] = Field(
        default_factory=dict, description="one or more http(s) addresses separated by commas"
    )
    secrets: dict[str, SecretStr] = Field(
        default_factory=dict, description="what calls to services prove themselves with"
    )
    policies: str = Field(default="", description="a file of policies, in TOML")
    operator_token: Token = Field(
        default=SecretStr(""),
        description="a secret of 20 characters or more (unset: no operator's endpoint)",
    )
    allowed_hosts: Names = Field(
        default=(),
        description="host names separated by commas, such as *.shop.example",
    )
    trusted_hops: Names = Field(
        default=(),
        description="addresses and networks separated by commas, such as 10.0.0.0/8, or unix",
    )
    forwarded: Literal["x-forwarded", "forwarded"] = Field(
        default="x-forwarded", description="x-forwarded or forwarded"
    )
    client_traces: bool = Field(default=False, description="true or false")
    cors_origins: Names = Field(
        default=(), description="origins separated by commas, such as https://shop.example"
    )
    cors_credentials: bool = Field(default=False, description="true or false")
    timeout: float = Field(
        default=10.0, gt=0, le=3600, description="seconds above 0 and up to 3600, such as 10"
    )
    max_body: ByteSize = Field(
        default=ByteSize(1024 * 1024), description="bytes, such as 1048576 or 1MiB"
    )
    max_concurrent: int = Field(default=1000, ge=1, description="a number of requests from 1 up")
    max_lag: float = Field(
        default=0.002, ge=0, le=10, description="seconds up to 10, such as 0.005; 0 for no limit"
    )
    brownout: bool = Field(default=True, description="true or false")
    journal_url: JournalURL = Field(
        default="sqlite:///bff-journal.sqlite3",
        description="sqlite:///file, sqlite:// (memory, for tests), redis:// or rediss:// address",
    )
    journal_lease: float = Field(
        default=10.0, ge=0.1, le=3600, description="seconds from 0.1 to 3600, such as 10"
    )
    limits_url: RedisURL = Field(
        default="", description="a redis:// or rediss:// address (unset: memory of the process)"
    )
    idempotency_url: RedisURL = Field(
        default="", description="a redis:// or rediss:// address (unset: memory of the process)"
    )
    cache_url: RedisURL = Field(
        default="", description="a redis:// or rediss:// address (unset: memory of the process)"
    )
    cache_size: ByteSize = Field(
        default=ByteSize(64 * 1024 * 1024), ge=0, description="bytes, such as 67108864 or 64MiB"
    )
    public_url: PublicURL = Field(
        default="", description="where browsers find the gateway, such as https://shop.example"
    )
    issuer: str = Field(default="", description="the issuer of tokens, such as https://id.example")
    issuer_origins: Names = Field(default=(), description="further origins of the issuer")
    client_id: str = Field(default="", description="what the provider knows the gateway as")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="what the provider knows the gateway by"
    )
    session_keys: Keys = Field(
        default=(),
        description="secrets of 32 characters or more, separated by commas, the newest first",
    )
    session_url: RedisURL = Field(
        default="", description="a redis:// or rediss:// address (unset: memory of the process)"
    )
    api_keys_url: JournalURL = Field(
        default="sqlite:///bff-api-keys.sqlite3",
        description="sqlite:///file, sqlite:// (memory, for tests), redis:// or rediss:// address",
    )
    purge_secret: Secrets = Field(
        default=(),
        description="secrets of 20 characters or more, separated by commas (unset: no webhook)",
    )
    host: str = Field(default="127.0.0.1", description="an address to listen on, such as 0.0.0.0")
    port: int = Field(default=8000, ge=0, le=65535, description="a port, such as 8000")
    workers: int = Field(default=1, ge=1, le=256, description="a number of processes from 1 up")
    header_timeout: float = Field(
        default=10.0, ge=0.05, le=3600, description="seconds from 0.05 to 3600, such as 10"
    )
    body_timeout: float = Field(
        default=8.0, ge=0.05, le=3600, description="seconds from 0.05 to 3600, such as 8"
    )
    send_timeout: float = Field(
        default=10.0, ge=0.05, le=3600, description="seconds from 0.05 to 3600, such as 10"
    )
    keep_alive: float = Field(
        default=75.0, ge=0.05, le=3600, description="seconds from 0.05 to 3600, such as 75"
    )
    drain_delay: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        description="seconds up to 3600 (unset: 5 in production, 0 in development)",
    )
    grace: float = Field(default=10.0, ge=0, le=3600, description="seconds up to 3600, such as 10")
    watchdog: float = Field(
        default=0.25, ge=0, le=60, description="seconds up to 60, such as 0.25; 0 for none"
    )
    log: Literal["json", "text", "off"] | None = Field(
        default=None,
        description="json, text or off (unset: json in production, text in development)",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    revision: str = Field(default="", description="the revision of the source, for /version")
    gc_freeze: bool = Field(default=True, description="true or false")
    gc_threshold: int = Field(
        default=20_000, ge=0, description="allocations between collections; 0 keeps Python's"
    )

    @property
    def log_format(self) -> Literal["json", "text", "off"]:
        """How to log: as told, else for machines in production and for people elsewhere."""
        return self.log or ("json" if self.env == "production" else "text")

    @property
    def sealing_secrets(self) -> tuple[str, ...]:
        """What is sealed with, the newest first."""
        return tuple(secret.get_secret_value() for secret in self.session_keys)

    @property
    def purge_secrets(self) -> tuple[str, ...]:
        """What services may sign their webhooks with."""
        return tuple(secret.get_secret_value() for secret in self.purge_secret)

    def upstream(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a service; raises ConfigurationError when none was given."""
        key = name.lower().replace("-", "_")
        if key not in self.upstreams:
            variable = f"{_UPSTREAM}{key.upper()}"
            raise ConfigurationError(
                f"{variable} is not set: give the address of the service {name!r}, as in "
                f"{variable}=http://127.0.0.1:9001 (several are separated by commas)."
            )
        return self.upstreams[key]

    def secret(self, name: str) -> str:
        """Return a secret; raises ConfigurationError when it was not given."""
        key = name.lower().replace("-", "_")
        if key not in self.secrets:
            variable = f"{_SECRET}{key.upper()}"
            raise ConfigurationError(
                f"{variable} is not set: give the secret {name!r}, or in {variable}_FILE the path "
                "of a file that holds it."
            )
        return self.secrets[key].get_secret_value()

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the `BFF_` variables; an empty one counts as unset.

        Raises one ConfigurationError that names every wrong variable, and warns about those that
        nobody reads. Variables that Kubernetes injects for Services are ignored.
        """
        environ = with_files(without_service_variables(environ, PREFIX), PREFIX)
        _warn_of_unread(environ)
        try:
            return cls(**_Environment(cls, environ)())
        except ValidationError as error:
            raise ConfigurationError(_explain(error, environ)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave the environment to `load`, which is told which one: a value, not a global."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


class _Environment(PydanticBaseSettingsSource):
    """The variables of one environment, and the addresses of services under any name."""

    def __init__(self, settings: type[BaseSettings], environ: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._environ = environ

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        if field_name in _FAMILIES:
            return self._family(_FAMILIES[field_name]), field_name, False
        value = self._environ.get(_variable(field_name), "").strip()
        return value or None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}

    def _family(self, prefix: str) -> dict[str, str]:
        return {
            name.removeprefix(prefix).lower(): value
            for name, value in self._environ.items()
            if name.startswith(prefix) and value.strip()
        }


def _variable(*location: int | str) -> str:
    """Return the variable of a field, or of one upstream."""
    field, *rest = location
    if field in _FAMILIES and rest:
        return f"{_FAMILIES[str(field)]}{rest[0]}".upper()
    return f"{PREFIX}{field}".upper()


def _explain(error: ValidationError, environ: Mapping[str, str]) -> str:
    """Say for each wrong variable what it holds, what is wrong and what is accepted."""
    lines = []
    for fault in error.errors(include_url=False, include_context=False):
        variable = _variable(*fault["loc"])
        field = Settings.model_fields[str(fault["loc"][0])]
        reason = fault["msg"].removeprefix("Value error, ")
        is_secret = SecretStr in {field.annotation, *get_args(field.annotation)}
        shown = "***" if is_secret else _without_credentials(environ.get(variable, ""))
        lines.append(f"{variable}={shown!r}: {reason}. Accepted: {field.description}.")
    return "\n".join(lines)


def _without_credentials(value: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", value)


def _warn_of_unread(environ: Mapping[str, str]) -> None:
    known = {_variable(name) for name in Settings.model_fields if name not in _FAMILIES}
    for name in sorted(environ):
        is_ours = name.startswith(PREFIX) and not name.startswith((_UPSTREAM, _SECRET))
        if is_ours and name not in known | _FOREIGN:
            near = get_close_matches(name, known, n=1)
            hint = f": did you mean {near[0]}?" if near else "."
            message = f"{name} is set, but nothing reads it{hint}"
            warnings.warn(message, ConfigurationWarning, stacklevel=3)
