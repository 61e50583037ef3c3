"""What a test replaces while it makes a gateway: the environment, addresses, authentication."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from pydantic import SecretStr

from bff_core.settings.model import Settings, variable_name
from bff_core.upstream.client import Upstream
from bff_core.upstream.credentials.factory import secrets

ADDRESS = "http://{}.test"
"""The address of a service without one; names below `.test` exist nowhere (RFC 6761)."""

SECRET = "a-secret-of-the-test-which-no-service-accepts"  # noqa: S105 # opens nothing
"""The secret of a service without one."""


@dataclass(frozen=True, slots=True)
class MakingForTest:
    """How gateways are made for a test.

    `environ` replaces the environment of the process. Without `has_own_authenticator` the demo
    authenticator replaces that of the gateway, if it has one, so that no issuer has to be set.
    """

    environ: Mapping[str, str]
    has_own_authenticator: bool = False


_MAKING: ContextVar[MakingForTest | None] = ContextVar("making_for_test", default=None)


@contextmanager
def made_for_test(making: MakingForTest) -> Iterator[None]:
    """Make all gateways for a test until the context ends."""
    token = _MAKING.set(making)
    try:
        yield
    finally:
        _MAKING.reset(token)


def load_settings() -> Settings:
    """Return the settings of the environment, or of the environment that a test gives."""
    making = _MAKING.get()
    return Settings.load() if making is None else Settings.load(making.environ)


def replaces_authenticator() -> bool:
    """Whether a test replaces the authenticator of the gateway that it makes."""
    making = _MAKING.get()
    return making is not None and not making.has_own_authenticator


def with_test_values(services: Sequence[type[Upstream]], settings: Settings) -> Settings:
    """Return the settings; in a test, with an address and a secret for each service without one."""
    if _MAKING.get() is None:
        return settings
    names = [variable_name(kind.name) for kind in services]
    addresses = {name: (ADDRESS.format(name.replace("_", "-")),) for name in names}
    made_up = dict.fromkeys(secrets(services), SecretStr(SECRET))
    return settings.model_copy(
        update={
            "upstreams": {**addresses, **settings.upstreams},
            "secrets": {**made_up, **settings.secrets},
        }
    )
