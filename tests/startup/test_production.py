"""Production: unsafe settings stop the start, or are a warning in the log."""

from typing import Any

import pytest

from bff_core import ANYONE, Policy, Saga, Upstream, Views, gateway, step
from bff_core.auth import BearerAuthenticator, Issuer
from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
from bff_core.auth.introspection import Introspection, IntrospectionAuthenticator
from bff_core.edge.options import EdgeOptions
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.credentials import ApiKey
from bff_core.settings.model import Settings
from tests.startup.conftest import production, settings, started

ID = "https://id.example"
DISK = "sqlite:////var/lib/bff/file.sqlite3"


class Maps(Upstream):
    """A service that is sent a secret."""

    policy = Policy(credentials=ApiKey(secret="maps", header="x-key"))


class Buy(Saga):
    """A saga of one step."""

    @step
    async def pay(self) -> int:
        """Pay."""
        return 7


def tokens(issuer: str) -> BearerAuthenticator:
    """Return an authenticator for tokens of an issuer."""
    return BearerAuthenticator(Issuer(issuer=issuer, audience=("till",)))


def introspection(issuer: str) -> IntrospectionAuthenticator:
    """Return an authenticator that uses token introspection."""
    return IntrospectionAuthenticator(
        Introspection(client_id="till", client_secret="s", audience=("till",), issuer=issuer)
    )


def refusal(values: dict[str, Any], **options: Any) -> str:
    """Return the error of a gateway in production; in development it must start."""
    values = {"upstreams": {"identity": (ID,)}, **values}
    gateway("till", settings=settings(**values), **options)
    with pytest.raises(ConfigurationError) as refused:
        gateway("till", settings=production(**values), **options)
    return str(refused.value)


@pytest.mark.parametrize("issuer", ["http://id.example", "HTTP://id.example/realms/shop"])
@pytest.mark.parametrize("make", [None, tokens, introspection])
def test_an_issuer_without_tls_is_refused(issuer, make):
    """An attacker on the network could forge tokens, wherever the issuer is configured."""
    if make is not None and issuer.startswith("HTTP:"):
        issuer = issuer.lower()
    values = {"issuer": issuer} if make is None else {}
    options = {} if make is None else {"authenticator": make(issuer)}

    assert f"BFF_ISSUER={issuer}: use the https:// address of the issuer of tokens" in refusal(
        values, **options
    )


@pytest.mark.parametrize(
    "issuer",
    [
        "http://127.0.0.1.example", "http://localhost.example", "http://0.0.0.0:9010",
        "http://10.0.0.1", "http://[fe80::1]",
    ],
)  # fmt: skip
def test_what_looks_like_this_machine_is_refused(issuer):
    """A host that only contains a loopback name is not this machine."""
    assert "BFF_ISSUER" in refusal({"issuer": issuer})


@pytest.mark.parametrize(
    "issuer",
    [
        "", "https://id.example", "http://localhost:9010", "http://LOCALHOST", "http://id.localhost",
        "http://127.0.0.1:9010", "http://127.9.9.9", "http://[::1]:9010", "http://localhost.:9010",
    ],
)  # fmt: skip
def test_an_issuer_with_tls_or_on_this_machine_is_taken(issuer):
    """A test of the production settings on a laptop works."""
    gateway("till", settings=production(issuer=issuer))


@pytest.mark.parametrize(
    "hops",
    [
        ("0.0.0.0/0",),
        ("::/0",),
        ("0.0.0.0/1", "128.0.0.0/1"),
        ("::/1", "8000::/1"),
        ("10.0.0.0/8", "0.0.0.0/0"),
        ("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"),
        tuple(f"{first}.0.0.0/8" for first in range(1, 224)),
        tuple(f"{first}.0.0.0/8" for first in range(1, 224, 2)),
        ("0.0.0.0/1",),
        ("12.0.0.0/6",),
        ("8.0.0.0/7",),
        ("3.0.0.0/8", "18.0.0.0/16"),
        ("2000::/3",),
        ("2600::/12",),
        ("unix", "::/0"),
    ],
)
def test_trusting_the_internet_is_refused(hops):
    """Each host in such a network could claim any client address, however it is written."""
    text = refusal({"trusted_proxies": hops})

    assert text.startswith(f"BFF_TRUSTED_PROXIES={','.join(hops)}: that is a large part of the")


@pytest.mark.parametrize(
    "hops",
    [
        (),
        ("unix",),
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        ("fc00::/7", "fe80::/10", "::1"),
        ("17.0.0.0/8",),
        ("104.16.0.0/13", "172.64.0.0/13", "131.0.72.0/22", "2400:cb00::/32", "2606:4700::/32"),
        ("35.191.0.0/16", "130.211.0.0/22"),
        ("10.0.0.0/8", "10.0.0.0/9", "10.1.0.0/16"),
    ],
)
def test_proxies_of_ones_own_may_be_trusted(hops):
    """Private networks, and the published networks of a content delivery network."""
    gateway("till", settings=production(trusted_proxies=hops))


def test_the_hops_of_options_in_code_are_checked_as_well():
    """Options in code override the settings."""
    options = EdgeOptions(trusted_proxies=("0.0.0.0/0",))

    assert "BFF_TRUSTED_PROXIES" in refusal({}, options=options)


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"session_keys": ("development-only-secret-of-the-examples",)}, "BFF_SESSION_KEYS"),
        ({"client_secret": "web-secret-for-the-mock-only"}, "BFF_CLIENT_SECRET"),
        ({"operator_token": "Change-me-Change-me-Change-me"}, "BFF_OPERATOR_TOKEN"),
        ({"purge_secret": ("changeme-changeme-changeme",)}, "BFF_PURGE_SECRET"),
        ({"secrets": {"maps": "changeme"}}, "BFF_SECRET_MAPS"),
    ],
)  # fmt: skip
def test_a_secret_of_the_examples_is_refused_and_not_repeated(values, variable):
    """Everybody can read these secrets."""
    text = refusal(values)

    assert text.startswith(f"{variable} holds a secret of the examples")
    assert "changeme" not in text


def test_sagas_in_the_working_directory_are_refused():
    """A new container has no such file, so unfinished sagas would be lost."""
    text = refusal({}, sagas=[Buy])

    assert text.startswith("BFF_JOURNAL_URL is not set: unfinished sagas would be in ")
    assert "as in BFF_JOURNAL_URL=sqlite:////var/lib/bff/bff-journal.sqlite3" in text
    gateway("till", settings=production(journal_url=DISK), sagas=[Buy])
    gateway("till", settings=production(journal_url="sqlite:///here.sqlite3"), sagas=[Buy])
    gateway("till", settings=production())


def test_api_keys_in_the_working_directory_are_refused():
    """A new container has no such file, so all API keys would be lost."""
    text = refusal({}, authenticator=ApiKeyAuthenticator())

    assert text.startswith("BFF_API_KEYS_URL is not set: API keys would be in ")
    assert "as in BFF_API_KEYS_URL=sqlite:////var/lib/bff/bff-api-keys.sqlite3" in text
    gateway("till", settings=production(api_keys_url=DISK), authenticator=ApiKeyAuthenticator())


def test_all_refusals_come_at_once():
    """An operator learns of five variables in one start."""
    text = refusal({"issuer": "http://id.example", "trusted_proxies": ("::/0",)}, sagas=[Buy])

    named = [line.partition("=")[0].partition(" ")[0] for line in text.splitlines()]
    assert named == ["BFF_ISSUER", "BFF_TRUSTED_PROXIES", "BFF_JOURNAL_URL"]


WARNINGS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"allowed_hosts": ["*"]}, {}, "BFF_ALLOWED_HOSTS"),
    ({"public_url": "http://shop.example"}, {}, "BFF_PUBLIC_URL"),
    (
        {"cors_origins": ("http://shop.example",), "cors_credentials": True},
        {},
        "BFF_CORS_ORIGINS",
    ),
    ({"cache_url": "redis://cache.shop.com:6379/0"}, {}, "BFF_CACHE_URL"),
    ({"session_url": "redis://8.8.8.8"}, {}, "BFF_SESSION_URL"),
    ({"limits_url": "redis://[2606:4700::1]"}, {}, "BFF_LIMITS_URL"),
    ({"idempotency_url": "redis://u:p@keys.shop.com"}, {}, "BFF_IDEMPOTENCY_URL"),
    (
        {"upstreams": {"maps": ("http://maps.shop.com",)}, "secrets": {"maps": "secret"}},
        {"services": [Maps]},
        "BFF_UPSTREAM_MAPS",
    ),
    ({"journal_url": "sqlite://"}, {"sagas": [Buy]}, "BFF_JOURNAL_URL"),
    ({"api_keys_url": "sqlite://"}, {"keys": True}, "BFF_API_KEYS_URL"),
]


def built(options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a gateway, new at each call."""
    has_keys = options.get("keys", False)
    rest = {name: value for name, value in options.items() if name != "keys"}
    return rest | ({"authenticator": ApiKeyAuthenticator()} if has_keys else {})


@pytest.mark.parametrize(("values", "options", "variable"), WARNINGS)
async def test_what_is_doubtful_in_production_is_a_warning(values, options, variable):
    """The gateway serves, and the log names the variable; in development there is no warning."""
    async with started(production(**values), **built(options)) as in_production:
        pass
    async with started(settings(**values), **built(options)) as on_a_laptop:
        pass

    assert list(in_production.warned) == [variable]
    assert "u:p" not in in_production.warned[variable]
    assert on_a_laptop.warned == {}


async def test_sound_settings_cause_no_warning():
    """Sound settings cause no warning."""
    values = production(
        allowed_hosts=["shop.example", "*.shop.example"],
        public_url="https://shop.example",
        issuer="https://id.shop.com",
        trusted_proxies=("10.0.0.0/8", "unix"),
        cors_origins=("https://app.shop.com",),
        cors_credentials=True,
        session_url="rediss://sessions.shop.com:6379/0",
        cache_url="redis://redis:6379/0",
        limits_url="redis://10.0.0.7:6379/0",
        journal_url=DISK,
        upstreams={"maps": ("http://maps.default.svc.cluster.local",)},
        secrets={"maps": "secret"},
        operator_token="a token of twenty characters",
    )
    async with started(values, services=[Maps], faces=[Views(access=ANYONE)]) as heard:
        pass

    assert heard.warned == {}


@pytest.mark.parametrize("env", ["development", "production"])
async def test_an_old_name_of_a_variable_is_warned_about(env):
    """The log names the new one."""
    environ = {"BFF_ENV": env, "BFF_ALLOWED_HOSTS": "shop.example", "BFF_TRUSTED_HOPS": "10.0.0.7"}

    async with started(Settings.load(environ)) as heard:
        pass

    assert list(heard.warned) == ["BFF_TRUSTED_HOPS"]
    assert "it is now BFF_TRUSTED_PROXIES" in heard.warned["BFF_TRUSTED_HOPS"]
