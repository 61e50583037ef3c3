"""The fast path reads inputs as FastAPI does: the same values, and the same errors in one order."""

from typing import Any
from uuid import UUID

import pytest
from fastapi import Depends

from bff_core import Composition, ConfigurationError, Gateway, Views, compose, critical, gateway
from bff_core.testing import client
from tests.rest.conformance.three_ways import Ask, is_compiled


class Numbers(Composition):
    """A screen with inputs that may be wrong."""

    a: int
    b: int

    @critical
    async def shown(self) -> list[int]:
        return [self.a, self.b]


class More(Composition):
    """A second screen, with one input that the first has as well."""

    c: int
    b: int = 3

    @critical
    async def shown(self) -> list[int]:
        return [self.c, self.b]


async def no_op() -> None:
    """Take a view off the fast path."""


def shop() -> Gateway:
    """Return a gateway that serves each view in both ways."""
    fast, slow = Views(prefix="/fast"), Views(prefix="/slow")
    for views, options in ((fast, {}), (slow, {"dependencies": [Depends(no_op)]})):
        declare(views, **options)
    return gateway("shop", faces=[fast, slow])


def declare(views: Views, **options: Any) -> None:
    """Declare the views of the tests."""

    @views.get("/many/{n}", **options)
    async def many(n: int, q: int, first: Numbers, second: More) -> list[Any]:
        return [n, q, await first.shown(), await second.shown()]

    @views.get("/same", **options)
    async def same(first: Numbers, second: Numbers) -> list[bool]:
        return [first is second, await first.shown() == [1, 2]]

    for kind, declared in (("int", str), ("float", str), ("uuid", str), ("path", str), ("int", int),
                           ("int", bool), ("uuid", UUID)):  # fmt: skip

        async def of_path(n: Any) -> str:
            return repr(n)

        of_path.__annotations__["n"] = declared
        views.get(f"/{kind}/{declared.__name__}/{{n:{kind}}}", **options)(of_path)


async def ask(path: str) -> tuple[list[int], list[Any]]:
    """Return the statuses and the bodies of both ways, without the ids of the requests."""
    async with client(shop) as shopper:
        for way in ("/fast", "/slow"):
            assert is_compiled(shopper.app, Ask(way + path)) == (way == "/fast")
        answers = [await shopper.get(way + path) for way in ("/fast", "/slow")]
    bodies = [one.json() for one in answers]
    for body in bodies:
        if isinstance(body, dict):
            body.pop("request_id")
            body.pop("trace_id")
    return [one.status_code for one in answers], bodies


@pytest.mark.parametrize(
    "path",
    [
        "/many/x?q=y&a=z&b=w", "/many/1?q=1", "/many/1?q=1&a=1&b=x&c=y", "/many/x", "/same?a=x",
        "/int/str/5", "/int/str/05", "/float/str/1.5", "/int/bool/7",
        "/uuid/str/00000000-0000-0000-0000-000000000000",
    ],
)  # fmt: skip
async def test_wrong_inputs_are_listed_alike(path: str) -> None:
    """Both ways list all errors of a view and its screens, each once, in the same order."""
    statuses, (fast, slow) = await ask(path)
    assert statuses == [422, 422]
    assert fast == slow
    listed = [str(one) for one in fast["errors"]]
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/many/1?q=2&a=3&b=4&c=5", [1, 2, [3, 4], [5, 4]]),
        ("/same?a=1&b=2", [True, True]),
        ("/path/str/a/b", "'a/b'"),
        ("/int/int/05", "5"),
        ("/int/bool/1", "True"),
        ("/uuid/UUID/00000000-0000-0000-0000-000000000000", f"{UUID(int=0)!r}"),
    ],
)
async def test_right_inputs_have_the_same_values(path: str, expected: object) -> None:
    """Both ways give a view the same values; two parameters of one class are one screen."""
    statuses, bodies = await ask(path)
    assert statuses == [200, 200]
    assert bodies == [expected, expected]


async def test_all_errors_of_a_view_are_listed() -> None:
    """One wrong screen does not hide the errors of another, or of the view."""
    _, (fast, _) = await ask("/many/x?q=y&a=z&b=w")
    found = [f"{one['in']}{one['pointer']}" for one in fast["errors"]]
    assert found == ["query/a", "query/b", "query/c", "path/n", "query/q"]


@pytest.mark.parametrize("name", ["bff_request", "bff_response"])
def test_names_that_the_gateway_uses_are_refused(name: str) -> None:
    """A parameter of such a name would be replaced: the error says to rename it."""
    namespace: dict[str, Any] = {}
    exec(f"async def view({name}: str) -> str: ...", namespace)  # a name per case
    with pytest.raises(ConfigurationError, match="rename it"):
        Views().get("/x")(namespace["view"])


def test_a_screen_with_such_an_input_is_refused() -> None:
    """An input of that name would be replaced by the request."""

    class Page(Composition):
        bff_request: str

    with pytest.raises(ConfigurationError, match=r"Page\.bff_request: rename it"):
        compose(Page)
