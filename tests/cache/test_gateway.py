"""The cache of a gateway for its author: `app.cache`, fields of screens, settings."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import pytest
from fastapi import Depends

from bff_core import (
    Cache,
    Composition,
    ConfigurationError,
    Gateway,
    Policy,
    ResponseCache,
    Settings,
    Upstream,
    Views,
    compose,
    gateway,
)
from bff_core.answer_cacheability import AnswerCacheability
from bff_core.cache.entry import CacheEntry
from bff_core.scope import Scope
from bff_core.testing import running

ENTRY = CacheEntry(200, (), b"{}", 0.0, 60.0, tags=("product:42",))


class Plain(Upstream):
    """A service whose replies are not cached."""


class Cached(Upstream):
    """A service whose replies are cached by its headers."""

    policy = Policy(cache=Cache())


class Change(Composition):
    """A screen that changes something, and purges what depends on it."""

    cache: ResponseCache
    tag: str

    async def publish(self) -> int:
        """Purge the tag."""
        return await self.cache.purge(self.tag)


views = Views()


@views.post("/changes/{tag}")
async def post_change(change: Annotated[Change, Depends(compose(Change))]) -> int:
    """Tell how many answers were forgotten."""
    return await change.publish()


@pytest.fixture
def make() -> Callable[..., Gateway]:
    """Return what makes a gateway over services that are never called."""

    def build(*services: type[Upstream], faces=(), **settings) -> Gateway:
        upstreams = {kind.name: ("http://127.0.0.1:1",) for kind in services}
        loaded = Settings(env="development", log="off", upstreams=upstreams, **settings)
        return gateway("shop", services=services, faces=faces, settings=loaded)

    return build


async def test_a_policy_with_a_cache_opens_the_cache(make) -> None:
    """Then entries can be purged by tag."""
    app = make(Plain, Cached)
    async with running(app):
        store = app.cache.store
        await store.set("a", ENTRY, store_for=60, mark=store.mark())
        dropped = await app.cache.purge("product:42")

        assert dropped == 1
        assert store.peek("a") is None


async def test_all_services_share_one_cache(make) -> None:
    """Its memory is limited by the settings."""
    app = make(Plain, Cached, cache_size=8 * 2**20)
    async with running(app):
        assert app.cache.store.limit == 8 * 2**20
        assert {runtime.cache for runtime in app.running.upstreams._runtimes.values()} == {
            app.cache
        }


async def test_without_a_policy_there_is_no_cache(make) -> None:
    """Then a purge raises an error that says what to do."""
    app = make(Plain)
    async with running(app):
        assert app.wiring.cache is None
        with pytest.raises(ConfigurationError, match=r"Policy\(cache=Cache\(\)\)"):
            _ = app.cache


async def test_using_a_closed_cache_is_an_error(make) -> None:
    """The cache exists while the gateway runs."""
    app = make(Cached)
    with pytest.raises(ConfigurationError, match="lifespan"):
        _ = app.cache
    async with running(app):
        assert app.cache.report()["entries"] == 0

    with pytest.raises(ConfigurationError, match="lifespan"):
        _ = app.cache


async def test_a_policy_file_opens_the_cache(make, tmp_path) -> None:
    """A reload may add a cache, so it is open from the start."""
    path = tmp_path / "policies.toml"
    path.write_text("")
    app = make(Plain, policies=str(path))
    async with running(app):
        path.write_text("[plain.cache]\nttl = 60")
        changes = app.reload_policies()

        assert any(change.startswith("plain.cache") for change in changes)
        assert app.cache is app.wiring.cache


async def test_a_screen_gets_the_cache_by_type(make) -> None:
    """It purges what its own writes changed."""
    app = make(Cached, faces=[views])
    async with running(app) as client:
        store = app.cache.store
        await store.set("a", ENTRY, store_for=60, mark=store.mark())
        answer = await client.post("/changes/product:42")

    assert (answer.status_code, answer.json()) == (200, 1)


def test_a_screen_that_needs_a_missing_cache_fails_at_startup(make) -> None:
    """The error names the field, and what to do."""
    with pytest.raises(ConfigurationError, match=r"Change\.cache: .*Policy\(cache=Cache\(\)\)"):
        make(Plain, faces=[views])


async def test_the_view_of_a_screen_with_the_cache_is_not_cached(make) -> None:
    """Old figures would be wrong, and a skipped purge worse."""
    app = make(Cached)
    async with running(app):
        scope = replace(Scope(60.0), dependencies=AnswerCacheability())
        screen = app.wiring.build(Change, scope, {"tag": "x"})

        assert screen.cache is app.cache
        assert scope.dependencies.reason
