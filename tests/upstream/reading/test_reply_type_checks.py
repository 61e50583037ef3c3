"""Reply types that no reply can become are found before anything is called."""

from dataclasses import dataclass
from datetime import datetime
from functools import wraps

import pydantic
import pytest

from bff_core import ConfigurationError, Settings, Upstream, gateway
from bff_core.upstream.reading.reply_type_checks import check_reply_types

SETTINGS = Settings(
    env="development", auth="demo", gc_freeze=False, upstreams={"orders": ("http://127.0.0.1:1",)}
)


class Money:
    """A class that no library knows how to make of JSON."""


class Model(pydantic.BaseModel):
    """One that pydantic does."""


@dataclass
class Holds:
    """A dataclass with such a field."""

    total: Money


def logged(method):
    """Decorate a method."""

    @wraps(method)
    async def called(*args):
        return await method(*args)

    return called


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_a_gateway_with_a_reply_type_that_json_does_not_become_does_not_start(verb):
    """The error names the method, the type, and what to write."""
    kinds = {"get": Getting, "post": Posting, "put": Putting, "patch": Patching, "delete": Deleting}
    with pytest.raises(ConfigurationError) as caught:
        gateway("shop", services=[kinds[verb]], settings=SETTINGS)

    assert "total: list[" in str(caught.value)
    assert "Money has no JSON form" in str(caught.value)
    assert "decoders = {Money: …}" in str(caught.value)


class Getting(Upstream):
    """Calls with this verb."""

    name = "orders"

    async def total(self) -> object:
        return await self.get("/total", list[Money])


class Posting(Upstream):
    """Calls with this verb."""

    name = "orders"

    async def total(self) -> object:
        return await self.post("/total", list[Money] | None, json={})


class Putting(Upstream):
    """Calls with this verb."""

    name = "orders"

    async def total(self) -> object:
        return await self.put("/total", list[Money])


class Patching(Upstream):
    """Calls with this verb."""

    name = "orders"

    async def total(self) -> object:
        return await self.patch("/total", list[Money])


class Deleting(Upstream):
    """Calls with this verb."""

    name = "orders"

    @logged
    async def total(self) -> object:
        return await self.delete("/total", list[Money])


class Streaming(Upstream):
    """A stream of lines."""

    async def total(self):
        async for row in self.ndjson("/total", Holds):
            yield row


class Child(Streaming):
    """Inherits the method."""


@pytest.mark.parametrize("kind", [Streaming, Child])
def test_streams_and_inherited_methods_are_looked_at_as_well(kind):
    """Wherever the method stands."""
    with pytest.raises(ConfigurationError, match=r"\.total: Holds can't be decoded"):
        check_reply_types(kind, {})


class Fine(Upstream):
    """What is known, and what can't be known before it is called."""

    async def model(self) -> list[Model] | None:
        return await self.get("/model", list[Model] | None)

    async def nothing(self) -> None:
        return await self.delete("/model", None)

    async def generic(self, kind: type[Money]) -> Money:
        return await self.get("/model", kind)

    async def local(self) -> object:
        kind = dict[str, int]
        return await self.get("/model", kind)

    async def converted(self) -> Money:
        await self.get("/model", object)
        return Money()

    async def computed(self) -> object:
        return await self.get("/model", max([int, str], key=str))


def test_types_that_are_known_or_computed_are_not_refused():
    """No method is refused for what it returns itself."""
    check_reply_types(Fine, {})


def test_a_type_with_a_decoder_is_known():
    """As the error proposes."""
    check_reply_types(Getting, {Money: lambda value: Money()})


@pytest.mark.parametrize("decoders", [[datetime], {"datetime": str}, {datetime: 7}, None])
def test_decoders_that_are_none_are_refused_with_the_class(decoders):
    """A table of types and functions."""
    with pytest.raises(ConfigurationError, match=r"Broken.decoders must map types to functions"):
        type("Broken", (Upstream,), {"decoders": decoders})
