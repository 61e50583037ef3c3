"""A gateway can run several times, each time with new connections and stores."""

from dataclasses import FrozenInstanceError

import pytest

from bff_core import Cache, ConfigurationError, Gateway, Policy, Upstream, gateway
from bff_core.testing import running
from tests.startup.conftest import settings


class Catalog(Upstream):
    """A service whose replies are cached."""

    policy = Policy(cache=Cache())


def catalog_gateway() -> Gateway:
    """Return a gateway that has not run yet."""
    return gateway(
        "shop", services=[Catalog], settings=settings(upstreams={"catalog": "http://127.0.0.1:1"})
    )


async def test_each_run_has_connections_and_stores_of_its_own() -> None:
    """An app that is started again has an empty cache and new clients."""
    app, runs = catalog_gateway(), []
    for _ in range(2):
        async with running(app):
            runs.append((app.running, app.services[Catalog], app.cache.store, app.wiring))

    first, second = runs
    assert all(before is not after for before, after in zip(first, second, strict=True))


async def test_a_gateway_that_does_not_run_says_so() -> None:
    """Before and after its lifespan; `repr` of services works all the same."""
    app = catalog_gateway()
    shown = repr(app.services[Catalog])
    errors = []
    for use in (lambda: app.running, lambda: app.cache, lambda: app.wiring, app.reload_policies):
        with pytest.raises(ConfigurationError) as before:
            use()
        async with running(app):
            use()
        with pytest.raises(ConfigurationError) as after:
            use()
        errors += [str(before.value), str(after.value)]

    assert {error.partition(":")[0] for error in errors} == {"the gateway 'shop' does not run"}
    assert repr(app.services[Catalog]) == shown


async def test_a_run_that_fails_leaves_the_gateway_stopped() -> None:
    """The gateway can be started again."""
    app = catalog_gateway()
    with pytest.raises(ZeroDivisionError):
        async with running(app):
            _ = 1 / 0

    with pytest.raises(ConfigurationError, match="does not run"):
        _ = app.running


def test_a_configuration_is_frozen() -> None:
    """The configuration of a gateway can't be changed."""
    with pytest.raises(FrozenInstanceError):
        catalog_gateway().config.has_cache = False  # type: ignore[misc] # it is the point
