"""Several processes without a shared store: unsafe state is an error, other a warning."""

from typing import Any

import pytest
import strawberry
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.staticfiles import StaticFiles

from bff_core import ANYONE, Cache, Limit, Policy, Saga, Upstream, Views, step
from bff_core.auth import BearerAuthenticator, DeviceSessions, DPoP, Issuer
from bff_core.auth.api_keys.authenticator import ApiKeyAuthenticator
from bff_core.auth.authenticator import FirstOf
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.edge.options import EdgeOptions
from bff_core.errors import ConfigurationError
from bff_core.graphql import GraphQL
from tests.startup.conftest import REDIS, settings, started

KEY = "a key of a test that is long enough for it"
ID = "http://localhost:1"


class Prices(Upstream):
    """A service whose replies are cached."""

    policy = Policy(cache=Cache(ttl=60))


class Buy(Saga):
    """A saga of one step."""

    @step
    async def pay(self) -> int:
        """Pay."""
        return 7


def sessions() -> SessionAuthenticator:
    """Return an authenticator with browser sessions."""
    return SessionAuthenticator(OpenIDProvider(issuer=ID, client_id="web", client_secret="secret"))


def tokens(**options: Any) -> BearerAuthenticator:
    """Return an authenticator for tokens."""
    return BearerAuthenticator(Issuer(issuer=ID, audience=("till",)), **options)


def face(*methods: str) -> Views:
    """Return views with these methods."""
    views = Views(access=ANYONE)
    for method in methods:
        getattr(views, method)("/payments")(answer)
    return views


async def answer() -> int:
    """Answer."""
    return 7


COMMON = {
    "upstreams": {"identity": (ID,), "prices": (ID,)},
    "public_url": "http://localhost:8000",
    "session_keys": (KEY,),
}

# What a gateway is made of, what its settings lack, and the variable that the error names.
PROMISES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "sessions": ({"authenticator": sessions}, {}, "BFF_SESSION_URL"),
    "sessions among others": (
        {"authenticator": lambda: FirstOf(tokens(), sessions())},
        {},
        "BFF_SESSION_URL",
    ),
    "proofs": ({"authenticator": lambda: tokens(dpop=DPoP())}, {}, "BFF_SESSION_URL"),
    "devices": ({"authenticator": lambda: tokens(devices=DeviceSessions())}, {}, "BFF_SESSION_URL"),
    "nonces": (
        {"authenticator": lambda: tokens(dpop=DPoP(nonces=True))},
        {"session_keys": (), "session_url": REDIS},
        "BFF_SESSION_KEYS",
    ),
    "API keys in memory": (
        {"authenticator": ApiKeyAuthenticator},
        {"api_keys_url": "sqlite://"},
        "BFF_API_KEYS_URL",
    ),
    "sagas in memory": ({"sagas": [Buy]}, {"journal_url": "sqlite://"}, "BFF_JOURNAL_URL"),
    "POST": ({"faces": [face("get", "post")]}, {}, "BFF_IDEMPOTENCY_URL"),
    "PUT": ({"faces": [face("put")]}, {}, "BFF_IDEMPOTENCY_URL"),
    "PATCH": ({"faces": [face("patch")]}, {}, "BFF_IDEMPOTENCY_URL"),
    "DELETE": ({"faces": [face("delete")]}, {}, "BFF_IDEMPOTENCY_URL"),
}
SHARED = {
    "BFF_SESSION_URL": {"session_url": REDIS, "idempotency_url": REDIS},
    "BFF_SESSION_KEYS": {"session_keys": (KEY,), "idempotency_url": REDIS},
    "BFF_API_KEYS_URL": {"api_keys_url": "sqlite:///{path}", "idempotency_url": REDIS},
    "BFF_JOURNAL_URL": {"journal_url": "sqlite:///{path}", "idempotency_url": REDIS},
    "BFF_IDEMPOTENCY_URL": {"idempotency_url": REDIS},
}


def built(parts: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a gateway, new at each call."""
    make = parts.get("authenticator")
    made = {} if make is None else {"authenticator": make()}
    return {**parts, "services": [Prices] if "sagas" not in parts else (), **made}


@pytest.mark.parametrize("promise", PROMISES)
async def test_unsafe_state_that_is_not_shared_stops_the_start(promise):
    """The error names the variable, the number of processes and the consequence."""
    parts, values, variable = PROMISES[promise]
    with pytest.raises(ConfigurationError) as refused:
        async with started(settings(**{**COMMON, **values, "workers": 3}), **built(parts)):
            raise AssertionError("it serves")

    lines = str(refused.value).splitlines()
    assert any(line.startswith(f"{variable} is not shared, and") for line in lines)
    assert all("runs in 3 processes: " in line for line in lines)
    assert all(f"Set {line.partition(' ')[0]}=" in line for line in lines)


@pytest.mark.parametrize("promise", PROMISES)
async def test_one_process_needs_no_shared_store(promise):
    """One process needs no Redis."""
    parts, values, _ = PROMISES[promise]
    async with started(settings(**{**COMMON, **values, "workers": 1}), **built(parts)) as heard:
        assert heard.warned == {}


@pytest.mark.parametrize("promise", PROMISES)
async def test_what_is_shared_is_served_by_many_processes(promise, tmp_path):
    """With the variable that the error names, the gateway starts."""
    parts, values, variable = PROMISES[promise]
    shared = {
        name: value.format(path=tmp_path / "file") if isinstance(value, str) else value
        for name, value in SHARED[variable].items()
    }
    values = {**COMMON, **values, **shared, "workers": 3, "cache_url": ""}
    async with started(settings(**values), **built(parts)):
        pass


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    def price(self) -> int:
        """Return a price."""
        return 7


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    def pay(self) -> int:
        """Pay."""
        return 7


READERS: dict[str, dict[str, Any]] = {
    "reads alone": {"faces": [face("get")]},
    "nothing": {},
    "GraphQL without mutations": {"faces": [GraphQL(strawberry.Schema(Query))]},
    "no promise": {"faces": [face("post")], "options": EdgeOptions(idempotency=None)},
    "files": {"add": lambda app: app.mount("/files", StaticFiles(directory="."))},
}


@pytest.mark.parametrize("reader", READERS)
async def test_a_gateway_without_writes_needs_no_store(reader):
    """Reads need no Idempotency-Key, so several processes serve them without Redis."""
    async with started(settings(workers=4), **READERS[reader]) as heard:
        assert heard.warned == {}


def sub_application(app: FastAPI) -> None:
    """Mount an application whose routes the gateway does not know."""
    app.mount("/legacy", Starlette())


WRITERS: dict[str, dict[str, Any]] = {
    "GraphQL with mutations": {"faces": [GraphQL(strawberry.Schema(Query, Mutation))]},
    "FastAPI's own routes": {"add": lambda app: app.post("/orders")(answer)},
    "a mount": {"add": sub_application},
}


@pytest.mark.parametrize("writer", WRITERS)
async def test_every_way_to_write_counts(writer):
    """Also routes that are added to the app later."""
    with pytest.raises(ConfigurationError, match="BFF_IDEMPOTENCY_URL"):
        async with started(settings(workers=2), **WRITERS[writer]):
            raise AssertionError("it serves")


async def test_the_endpoints_of_sign_in_need_no_keys():
    """With its sessions shared, a gateway that only reads starts in several processes."""
    values = settings(**{**COMMON, "workers": 2, "session_url": REDIS})
    async with started(values, authenticator=sessions(), faces=[face("get")]) as heard:
        assert heard.warned == {}


async def test_all_missing_stores_are_reported_at_once():
    """An operator learns of four variables in one start."""
    values = settings(**{**COMMON, "workers": 2, "journal_url": "sqlite://"})
    with pytest.raises(ConfigurationError) as refused:
        async with started(values, authenticator=sessions(), faces=[face("post")], sagas=[Buy]):
            raise AssertionError("it serves")

    named = [line.partition(" ")[0] for line in str(refused.value).splitlines()]
    assert named == ["BFF_SESSION_URL", "BFF_IDEMPOTENCY_URL", "BFF_JOURNAL_URL"]


@pytest.mark.parametrize(
    ("parts", "values", "variable"),
    [
        ({"limits": [Limit(quota=5)]}, {"limits_url": REDIS}, "BFF_LIMITS_URL"),
        ({"services": [Prices]}, {"cache_url": REDIS}, "BFF_CACHE_URL"),
    ],
)
async def test_what_is_less_accurate_in_several_processes_is_a_warning(parts, values, variable):
    """Limits and caches work less accurately; the log names the variable."""
    values = {**COMMON, **values}
    unset = {key: value for key, value in values.items() if value != REDIS}
    async with started(settings(**unset, workers=4), **parts) as blurred:
        pass
    async with started(settings(**unset), **parts) as alone:
        pass

    assert list(blurred.warned) == [variable]
    assert alone.warned == {}
