"""The settings of a gateway process: each `BFF_` variable, its default and what it accepts."""

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Literal, Self, TypeGuard, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)

from bff_core.errors import ConfigurationError
from bff_core.settings.kubernetes import without_service_variables
from bff_core.settings.renamed import warnings_of, with_new_names
from bff_core.settings.values import (
    API_KEYS,
    JOURNAL,
    PREFIX,
    AbsolutePath,
    AccessLogMode,
    Addresses,
    IssuerURL,
    JournalURL,
    Keys,
    Names,
    PublicURL,
    RedisURL,
    Secrets,
    Token,
    with_files,
    without_password,
)

_UPSTREAM = f"{PREFIX}UPSTREAM_"
_SECRET = f"{PREFIX}SECRET_"
_FAMILIES = {"upstreams": _UPSTREAM, "secrets": _SECRET}
"""Fields that have a variable for each name, and the prefix of these variables."""

# Read by the test run, and set by `bff dev` and the parent of workers, not by the settings.
_FOREIGN = frozenset(
    {"BFF_REQUIRE_ALL", "BFF_DEV_TRACES", "BFF_DEV_CONSOLE", "BFF_PROCESS_SOCKETS"}
)


Location = tuple[int | str, ...]
V = TypeVar("V")


def variable_name(name: str) -> str:
    """Return the name of a service or secret in the spelling of its variable, in lower case."""
    return name.lower().replace("-", "_")


def _keyed(values: object) -> object:
    return (
        {variable_name(name): value for name, value in values.items()}
        if is_named(values)
        else values
    )


def is_named(values: object) -> TypeGuard[dict[str, object]]:
    """Whether a value is a dictionary with text as keys."""
    return isinstance(values, dict) and all(isinstance(name, str) for name in values)


Named = Annotated[dict[str, V], BeforeValidator(_keyed)]
"""Values by the name of a service or secret, in any spelling."""


Show = Callable[[Location, object], tuple[str, str]]
"""Returns where a wrong value was set, as a format string for the value, and the value."""


class ConfigurationWarning(UserWarning):
    """A `BFF_` variable that nothing reads: it is probably misspelt."""


class Settings(BaseModel):
    """The settings of one gateway process; `Settings.load()` reads the environment.

    `Settings(env="development", secrets={"maps": "…"})` reads no environment, and accepts the same
    texts as the variables: addresses, secrets, lists. Each field's description says what it
    accepts, and is part of the error. Raises `ConfigurationError` for any other value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: Literal["development", "production"] = Field(
        default="production", description="development or production"
    )
    """Which defaults apply: `production` refuses unsafe settings, `development` suits a laptop."""
    auth: Literal["none", "demo"] = Field(default="none", description="none or demo")
    """`demo` accepts `Bearer demo-<user id>` without a password, outside production."""
    upstreams: Named[Addresses] = Field(
        default_factory=dict,
        description="one or more addresses separated by commas: http(s)://, srv:// or file://",
    )
    """The address of the service, for an upstream class of this name; several are balanced."""
    secrets: Named[SecretStr] = Field(
        default_factory=dict, description="a secret that services accept"
    )
    """A secret that authenticates calls to services; `BFF_SECRET_<NAME>_FILE` names a file."""
    policies: str = Field(default="", description="a file of policies, in TOML")
    """A file that overrides the policies in the code; SIGHUP reloads it."""
    proxy: str = Field(default="", description="a file of proxied routes, in TOML or YAML")
    """A file of routes without code, and of their upstreams."""
    operator_token: Token = Field(
        default=SecretStr(""),
        description="a secret of 20 characters or more (unset: no admin endpoints)",
    )
    """The bearer token of the admin endpoints."""
    console: Literal["on", "off"] | None = Field(
        default=None,
        description="on or off (unset: on for this machine in development, off in production)",
    )
    """Whether the gateway serves `/console`; in production the operator token opens it."""
    metrics: Literal["on", "off"] | None = Field(
        default=None,
        description="on or off (unset: on in development, with a port or with the console)",
    )
    """Whether the gateway counts requests; `/metrics` needs the operator token."""
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="a port, such as 9464 (unset: none)"
    )
    """A port on which `/metrics` is served without a token, to Prometheus only."""
    metrics_host: str = Field(
        default="127.0.0.1", description="an address to listen on, such as 0.0.0.0"
    )
    """The address of this port."""
    allowed_hosts: Names = Field(
        default=(),
        description="host names separated by commas, such as *.shop.example",
    )
    """The values of `Host` that requests may have."""
    trusted_proxies: Names = Field(
        default=(),
        description="addresses and networks separated by commas, such as 10.0.0.0/8, or unix",
    )
    """The trusted proxies: their forwarding headers say who the client is."""
    forwarded: Literal["x-forwarded", "forwarded"] = Field(
        default="x-forwarded", description="x-forwarded or forwarded"
    )
    """Which forwarding headers the trusted proxies set."""
    client_traces: bool = Field(default=False, description="true or false")
    """Whether `traceparent` of clients continues their trace."""
    cors_origins: Names = Field(
        default=(), description="origins separated by commas, such as https://shop.example"
    )
    """The origins whose pages may read answers (CORS)."""
    cors_credentials: bool = Field(default=False, description="true or false")
    """Whether pages of these origins may send cookies."""
    timeout: float = Field(
        default=10.0, gt=0, le=3600, description="seconds above 0 and up to 3600, such as 10"
    )
    """The deadline of a request."""
    max_body: ByteSize = Field(
        default=ByteSize(1024 * 1024), description="bytes, such as 1048576 or 1MiB"
    )
    """The longest body of a request."""
    max_concurrent: int = Field(default=1000, ge=1, description="a number of requests from 1 up")
    """How many requests one process handles at once."""
    max_streams: int = Field(default=20_000, ge=0, description="a number of streams from 0 up")
    """How many streams and web sockets of clients one process holds open."""
    max_lag: float = Field(
        default=0.002, ge=0, le=10, description="seconds up to 10, such as 0.005; 0 for no limit"
    )
    """How long the event loop may lag before load shedding begins."""
    brownout: bool = Field(default=True, description="true or false")
    """Whether optional parts are left out under load."""
    journal_url: JournalURL = Field(
        default=JOURNAL,
        description="sqlite:///file, sqlite:// (memory, for tests), redis:// or rediss:// address",
    )
    """Where sagas are stored."""
    journal_lease: float = Field(
        default=10.0, ge=0.1, le=3600, description="seconds from 0.1 to 3600, such as 10"
    )
    """After how long another process takes over the sagas of one that died."""
    limits_url: RedisURL = Field(
        default="", description="a redis:// or rediss:// address (unset: memory of the process)"
    )
    """Where rate limits are counted."""
    idempotency_url: RedisURL = Field(
        default="", description="a redis:// or rediss:// address (unset: memory of the process)"
    )
    """Where Idempotency-Keys and their answers are stored."""
    cache_url: RedisURL = Field(
        default="", description="a redis:// or rediss:// address (unset: memory of the process)"
    )
    """Where replies of services are cached beside the memory of each process."""
    cache_size: ByteSize = Field(
        default=ByteSize(64 * 1024 * 1024), ge=0, description="bytes, such as 67108864 or 64MiB"
    )
    """The memory of one process for cached replies and answers."""
    public_url: PublicURL = Field(
        default="", description="the public URL of the gateway, such as https://shop.example"
    )
    """The address of the gateway as browsers see it."""
    issuer: IssuerURL = Field(
        default="", description="the issuer of tokens, such as https://id.example"
    )
    """The OpenID provider that signs people in."""
    issuer_origins: Names = Field(
        default=(), description="origins separated by commas, such as https://oauth2.example"
    )
    """Origins besides that of the issuer where its endpoints may be."""
    client_id: str = Field(default="", description="the id from the registration at the provider")
    """The client id of the gateway at the OpenID provider."""
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="the secret from the registration at the provider"
    )
    """The client secret of the gateway at the OpenID provider."""
    audience: Names = Field(
        default=(),
        description="audiences separated by commas, such as https://api.shop.example",
    )
    """The audiences that name this gateway in access tokens."""
    jwks_path: AbsolutePath = Field(
        default="/.well-known/jwks.json", description="a path, such as /.well-known/jwks.json"
    )
    """Where the issuer publishes the keys of its access tokens."""
    introspection_path: AbsolutePath = Field(
        default="/introspect", description="a path, such as /oauth2/introspect"
    )
    """Where the issuer introspects opaque access tokens."""
    certificate_subjects: Names = Field(
        default=(),
        description="patterns of subjects separated by commas, such as spiffe://shop.example/*",
    )
    """The subjects of client certificates that are accepted."""
    session_keys: Keys = Field(
        default=(),
        description="secrets of 32 characters or more, separated by commas, the newest first",
    )
    """The keys that encrypt sessions and cookies."""
    session_url: RedisURL = Field(
        default="", description="a redis:// or rediss:// address (unset: memory of the process)"
    )
    """Where browser sessions are stored."""
    api_keys_url: JournalURL = Field(
        default=API_KEYS,
        description="sqlite:///file, sqlite:// (memory, for tests), redis:// or rediss:// address",
    )
    """Where API keys are stored."""
    purge_secret: Secrets = Field(
        default=(),
        description="secrets of 20 characters or more, separated by commas (unset: no webhook)",
    )
    """The secrets that sign purge webhooks of services."""
    host: str = Field(default="127.0.0.1", description="an address to listen on, such as 0.0.0.0")
    """The address that the server listens on."""
    port: int = Field(default=8000, ge=0, le=65535, description="a port, such as 8000")
    """The port that the server listens on."""
    workers: int = Field(default=1, ge=1, le=256, description="a number of processes from 1 up")
    """How many processes serve."""
    header_timeout: float = Field(
        default=10.0, ge=0.05, le=3600, description="seconds from 0.05 to 3600, such as 10"
    )
    """How long a client may take to send the head of a request."""
    body_timeout: float = Field(
        default=8.0, ge=0.05, le=3600, description="seconds from 0.05 to 3600, such as 8"
    )
    """How long a client may pause while it sends a body."""
    send_timeout: float = Field(
        default=10.0, ge=0.05, le=3600, description="seconds from 0.05 to 3600, such as 10"
    )
    """How long a client may pause while it reads an answer."""
    keep_alive: float = Field(
        default=75.0, ge=0.05, le=3600, description="seconds from 0.05 to 3600, such as 75"
    )
    """How long an idle connection of a client stays open."""
    drain_delay: float | None = Field(
        default=None,
        ge=0,
        le=3600,
        description="seconds up to 3600 (unset: 5 in production, 0 in development)",
    )
    """How long a stopping process still accepts, so that balancers notice `/readyz`."""
    grace: float = Field(default=10.0, ge=0, le=3600, description="seconds up to 3600, such as 10")
    """How long a stopping process waits for requests in flight."""
    watchdog: float = Field(
        default=0.25, ge=0, le=60, description="seconds up to 60, such as 0.25; 0 for none"
    )
    """After how long a blocked event loop is logged with its stack."""
    log: Literal["json", "text", "root", "off"] | None = Field(
        default=None,
        description="json, text, root or off (unset: json in production, text in development)",
    )
    """The form of logs."""
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    """The least level that is logged."""
    access_log: AccessLogMode = Field(
        default="all", description="all, errors, off, or a share from 0 to 1, such as 0.1"
    )
    """Which requests have a line in the log; with a share all errors (400 up) have one."""
    access_log_exclude: Names = Field(
        default=(), description="routes separated by commas, such as /v1/ping,/internal/*"
    )
    """Routes whose requests have a line only if they fail."""
    viewer_hash_key: Token = Field(
        default=SecretStr(""),
        description="a secret of 20 characters or more (unset: derived from another secret)",
    )
    """The key of the hash that names viewers in logs and traces."""
    revision: str = Field(default="", description="the revision of the source, for /version")
    """The revision that `/version` reports."""
    gc_freeze: bool = Field(default=True, description="true or false")
    """Whether start-up objects are excluded from garbage collection."""
    gc_threshold: int = Field(
        default=20_000, ge=0, description="allocations between collections; 0 leaves Python's"
    )
    """How rarely the garbage collector runs."""
    _old_names: tuple[str, ...] = PrivateAttr(default=())

    def __init__(self, **values: object) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(_explain(error, _given)) from None

    @property
    def renamed(self) -> Mapping[str, str]:
        """The old names of variables that are in use, each with what to do about it."""
        return warnings_of(self._old_names)

    @property
    def log_format(self) -> Literal["json", "text", "root", "off"]:
        """The form of logs: BFF_LOG, else JSON in production and text in development."""
        return self.log or ("json" if self.env == "production" else "text")

    @property
    def own_log_level(self) -> str:
        """The level of the framework's logger; with BFF_LOG=root that of the root, by default."""
        is_inherited = self.log == "root" and "log_level" not in self.model_fields_set
        return "notset" if is_inherited else self.log_level

    @property
    def sealing_secrets(self) -> tuple[str, ...]:
        """The keys that seal sessions, the newest first."""
        return tuple(secret.get_secret_value() for secret in self.session_keys)

    @property
    def viewer_hash_keys(self) -> tuple[str, ...]:
        """Secrets from which the key of viewers' hashes is derived: the first that is set counts.

        In development it is fixed, so that hashes are the same after a restart.
        """
        own = self.viewer_hash_key.get_secret_value()
        others = (
            *self.sealing_secrets[-1:],
            self.operator_token.get_secret_value(),
            self.client_secret.get_secret_value(),
            *(secret for secret in self.purge_secrets[-1:]),
        )
        return (own, *((self.env,) if self.env == "development" else others))

    @property
    def purge_secrets(self) -> tuple[str, ...]:
        """The secrets with which services sign webhooks."""
        return tuple(secret.get_secret_value() for secret in self.purge_secret)

    @property
    def affinity_secrets(self) -> tuple[str, ...]:
        """The secrets that sign the values of affinity, the newest first.

        Those of BFF_SECRET_AFFINITY, else the keys of sessions; in development a fixed one.
        """
        own = self.secrets.get("affinity")
        if own is not None:
            return tuple(one.strip() for one in own.get_secret_value().split(",") if one.strip())
        return self.sealing_secrets or ((self.env,) if self.env == "development" else ())

    def has_upstream(self, name: str) -> bool:
        """Whether a variable gives the addresses of a service."""
        return variable_name(name) in self.upstreams

    def upstream(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a service; raises ConfigurationError when none was given."""
        key = variable_name(name)
        if key not in self.upstreams:
            variable = f"{_UPSTREAM}{key.upper()}"
            near = get_close_matches(key, self.upstreams, n=1)
            hint = f" {_UPSTREAM}{near[0].upper()} is set: is it meant?" if near else ""
            raise ConfigurationError(
                f"{variable} is not set: give the address of the service {name!r}, as in "
                f"{variable}=http://127.0.0.1:9001 (several are separated by commas).{hint}"
            )
        return self.upstreams[key]

    def secret(self, name: str) -> str:
        """Return a secret; raises ConfigurationError when it was not given."""
        key = variable_name(name)
        if key not in self.secrets:
            variable = f"{_SECRET}{key.upper()}"
            raise ConfigurationError(
                f"{variable} is not set: give the secret {name!r}, or in {variable}_FILE the path "
                "of a file that holds it."
            )
        return self.secrets[key].get_secret_value()

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the `BFF_` variables; an empty variable counts as unset.

        Raises one `ConfigurationError` that names every wrong variable, and warns about variables
        that nothing reads. It ignores variables that Kubernetes sets for Services.
        """
        given = with_files(without_service_variables(environ, PREFIX), PREFIX)
        environ, old_names = with_new_names(given)
        _warn_of_unread(environ)
        settings = cls.__new__(cls)
        try:
            BaseModel.__init__(settings, **_values_in(environ))
        except ValidationError as error:
            raise ConfigurationError(_explain(error, partial(_in, environ))) from None
        settings._old_names = old_names  # noqa: SLF001 # of this class
        return settings


def _values_in(environ: Mapping[str, str]) -> dict[str, object]:
    """Return the value of each field whose variable is set; families are dictionaries by name."""
    values: dict[str, object] = {
        field: {
            name.removeprefix(prefix).lower(): value
            for name, value in environ.items()
            if name.startswith(prefix) and value.strip()
        }
        for field, prefix in _FAMILIES.items()
    }
    for field in Settings.model_fields:
        value = environ.get(_variable(field), "").strip()
        if value and field not in _FAMILIES:
            values[field] = value
    return values


def _variable(*location: int | str) -> str:
    """Return the variable of a field, or of one upstream."""
    field, *rest = location
    if field in _FAMILIES and rest:
        return f"{_FAMILIES[str(field)]}{rest[0]}".upper()
    return f"{PREFIX}{field}".upper()


def _explain(error: ValidationError, show: Show) -> str:
    """Return a line for each wrong value: where it was set, what is wrong, what is accepted."""
    lines = []
    for fault in error.errors(include_url=False, include_context=False):
        name = str(fault["loc"][0])
        field = Settings.model_fields.get(name)
        if field is None:
            lines.append(f"Settings({name}=...) is no setting{_near(name, Settings.model_fields)}")
            continue
        where, held = show(fault["loc"], fault["input"])
        is_secret = "SecretStr" in str(field.annotation)
        shown = where.format("'***'" if is_secret else without_password(held))
        lines.append(f"{shown} is not accepted{_reason(fault['msg'])}: give {field.description}.")
    return "\n".join(lines)


def _reason(message: str) -> str:
    """Return the message of our own checks; for pydantic's, the field's description is clearer."""
    _, is_ours, reason = message.partition("Value error, ")
    return f" ({reason})" if is_ours else ""


def _in(environ: Mapping[str, str], location: Location, _: object) -> tuple[str, str]:
    """Show a value as the environment variable that holds it."""
    variable = _variable(*location[:2])
    return f"{variable}={{}}", repr(environ.get(variable, ""))


def _given(location: Location, value: object) -> tuple[str, str]:
    """Show a value as the keyword that got it."""
    return f"Settings({'.'.join(map(str, location[:2]))}={{}})", repr(value)


def _warn_of_unread(environ: Mapping[str, str]) -> None:
    known = {_variable(name) for name in Settings.model_fields if name not in _FAMILIES}
    for name in sorted(environ):
        is_ours = name.startswith(PREFIX) and not name.startswith((_UPSTREAM, _SECRET))
        if is_ours and name not in known | _FOREIGN:
            message = (
                f"{name} is set, but nothing reads it{_near(name, known | _of_families(name))}"
            )
            warnings.warn(message, ConfigurationWarning, stacklevel=3)


def _of_families(name: str) -> set[str]:
    """Return a variable's names in the families: BFF_X_MAPS may be meant as BFF_UPSTREAM_MAPS."""
    _, _, rest = name.removeprefix(PREFIX).partition("_")
    return {f"{family}{rest}" for family in _FAMILIES.values()} if rest else set()


def _near(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: the known name that is most like it."""
    near = get_close_matches(name, list(known), n=1)
    return f": did you mean {near[0]}?" if near else "."
