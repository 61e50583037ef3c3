"""Bodies of very many values are refused before validation."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import httpx
import pytest
from fastapi import Body, Depends

from bff_core import (
    ANYONE,
    Composition,
    ConfigurationError,
    Settings,
    Views,
    compose,
    critical,
    gateway,
)
from bff_core.events import Events
from bff_core.rest.value_limit import MAX_VALUES
from tests.cpu_time import cpu_seconds_of

JSON = {"content-type": "application/json"}
MEGABYTE = 1_000_000
MOST_SECONDS = 0.25
"""Of CPU time; an idle machine takes a third of it. Without a limit it takes 1 to 9 seconds."""


@dataclass
class Line:
    """A line of an order."""

    sku: str
    count: int


class Numbers(Composition):
    """A composition whose inputs a POST takes from its body."""

    numbers: Annotated[list[int], Body()]
    name: Annotated[str, Body()]

    @critical
    async def count(self) -> int:
        """Count the numbers."""
        return len(self.numbers)


def numbers_of(
    numbers: Annotated[list[int], Body()], name: Annotated[str, Body()]
) -> tuple[list[int], str]:
    """Read the body for a view."""
    return numbers, name


def count_of(read: Annotated[tuple[list[int], str], Depends(numbers_of)]) -> int:
    """Depend on the function that reads the body."""
    return len(read[0])


@asynccontextmanager
async def opened():
    """Run a gateway with views that take lists."""
    views = Views(access=ANYONE)

    @views.post("/lines")
    async def post_lines(lines: list[Line | int | list[str]]) -> int:
        return len(lines)

    @views.put("/few", max_values=4)
    async def put_few(numbers: list[int]) -> int:
        return len(numbers)

    @views.post("/screen")
    async def post_screen(screen: Annotated[Numbers, Depends(compose(Numbers))]) -> int:
        return await screen.count()

    @views.post("/dependency")
    async def post_dependency(
        read: Annotated[tuple[list[int], str], Depends(numbers_of)],
    ) -> int:
        return len(read[0])

    @views.post("/nested")
    async def post_nested(count: Annotated[int, Depends(count_of)]) -> int:
        return count

    @views.post("/given", dependencies=[Depends(numbers_of)])
    async def post_given() -> int:
        return 9

    @views.post("/text")
    async def post_text(text: dict[str, str]) -> int:
        return len(text["text"])

    app = gateway(
        "shop",
        faces=[views],
        settings=Settings(env="production", gc_freeze=False, allowed_hosts=["testserver"]),
        events=Events(),
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


def repeated(unit: str) -> bytes:
    """Return a list of one unit, a megabyte long."""
    return f"[{','.join([unit] * (MEGABYTE // (len(unit) + 1)))}]".encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        *map(repeated, ("[]", "{}", '""', "1", "null", '{"sku":[]}', '"\\""', "[[[]]]")),
        repeated("[]").decode().replace("[]", '"\\"",[]')[: MEGABYTE // 2 - 9].encode("utf-16-le"),
        b'{"a":' + repeated("[]") + b"}",
    ],
)
async def test_a_body_of_very_many_values_is_refused_fast(body):
    """Half a million values are not validated one by one."""
    async with opened() as client:
        answer = await client.post("/lines", content=body, headers=JSON)
        took = await cpu_seconds_of(partial(client.post, "/lines", content=body, headers=JSON))

    assert answer.status_code in {413, 422}
    assert took < MOST_SECONDS


@pytest.mark.parametrize("path", ["/screen", "/dependency", "/nested", "/given"])
async def test_the_limit_holds_for_bodies_that_dependencies_declare(path):
    """Values that compositions and functions take from the body count as well."""
    async with opened() as client:
        taken = await client.post(path, json={"numbers": [7] * 9, "name": "a"})
        refused = await client.post(path, json={"numbers": [7] * MAX_VALUES, "name": "a"})

    assert (taken.status_code, taken.json()) == (200, 9)
    assert (refused.status_code, refused.json()["code"]) == (413, "content_too_large")


@pytest.mark.parametrize(("count", "status"), [(1, 200), (4, 200), (5, 413), (MAX_VALUES, 413)])
async def test_a_view_may_take_fewer_values(count, status):
    """A view may set its own limit."""
    async with opened() as client:
        answer = await client.put("/few", json=[7] * count)

    assert answer.status_code == status


async def test_as_many_values_as_the_limit_are_accepted():
    """The limit is the documented one."""
    async with opened() as client:
        taken = await client.post("/lines", json=[7] * MAX_VALUES)
        refused = await client.post("/lines", json=[7] * (MAX_VALUES + 1))

    assert (taken.status_code, taken.json()) == (200, MAX_VALUES)
    assert (refused.status_code, refused.json()["code"]) == (413, "content_too_large")
    assert refused.json()["detail"] == "The body has 10,001 values; at most 10,000 are taken."


@pytest.mark.parametrize("text", ["," * 100_000, '"[{,' * 30_000, "\\" * 50_000, '\\"' * 20_000])
async def test_text_is_one_value(text):
    """A long review with commas and brackets is no list."""
    async with opened() as client:
        answer = await client.post("/text", json={"text": text})

    assert (answer.status_code, answer.json()) == (200, len(text))


@pytest.mark.parametrize("most", [0, -1, True, 1.5, "10", None])
def test_a_wrong_limit_is_refused(most):
    """The declaration raises, and the error says what is accepted."""
    with pytest.raises(ConfigurationError, match="max_values="):
        Views().post("/lines", max_values=most)
