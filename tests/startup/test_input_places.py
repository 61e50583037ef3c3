"""Contradictory declarations of inputs are refused at import, with what to write instead."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from fastapi import Body, Cookie, File, Form, Header, Path, Query

from bff_core import Composition, ConfigurationError, Views


@dataclass
class Order:
    """A body."""

    item: str


def in_screen(hints: dict[str, Any]) -> Callable[..., Any]:
    """Return a view of a screen with these inputs."""
    screen = type("Page", (Composition,), {"__annotations__": hints})

    async def view(page: Any) -> int:
        return 1

    view.__annotations__ = {"page": screen, "return": int}
    return view


def in_view(hints: dict[str, Any]) -> Callable[..., Any]:
    """Return a view with these parameters."""

    async def one(x: Any) -> int:
        return 1

    async def two(x: Any, y: Any) -> int:
        return 1

    view = one if len(hints) == 1 else two
    view.__annotations__ = {**hints, "return": int}
    return view


@pytest.mark.parametrize("make", [in_screen, in_view])
@pytest.mark.parametrize(
    ("verb", "path", "hints", "message"),
    [
        *[
            (
                "post",
                "/a/{x}",
                {"x": Annotated[str, marker()]},
                rf"x declares {marker.__name__}\(\), and the path /v1/a/{{x}} has {{x}}: remove",
            )
            for marker in (Header, Query, Cookie, Body, Form, File)
        ],
        ("get", "/a/{x:int}", {"x": Annotated[int, Query(alias="q")]}, "the path /v1/a/{x} has"),
        ("get", "/a", {"x": Annotated[str, Header(), Query()]}, r"Header\(\) and Query\(\)"),
        ("post", "/a", {"x": Annotated[str, Body(), Query()]}, "x declares .*remove one of them"),
        ("get", "/a", {"x": Annotated[str, Body()]}, "x is read from a body, and a GET has none"),
        ("get", "/a", {"x": Order}, "x is read from a body, and a GET has none"),
        ("get", "/a", {"x": Annotated[str, Form()]}, "x is read from a body, and a GET has none"),
        (
            "get",
            "/a",
            {"x": str, "y": Annotated[str, Query(alias="x")]},
            r"x and .*y are both read from 'x' \(query\): give one of them another alias",
        ),
        (
            "get",
            "/a",
            {"x": Annotated[str, Header(alias="X-A")], "y": Annotated[str, Header(alias="x-a")]},
            r"are both read from 'x-a' \(header\)",
        ),
        (
            "post",
            "/a",
            {"x": Annotated[str, Body()], "y": Annotated[str, Body(alias="x")]},
            r"are both read from 'x' \(body\)",
        ),
        ("get", "/a", {"x": Annotated[dict[str, str], Query()]}, "Query parameter 'x' must be"),
    ],
)
def test_contradictory_input_is_refused(
    make: Callable[..., Any], verb: str, path: str, hints: dict[str, Any], message: str
):
    """The error names the input and the declaration."""
    views = Views(prefix="/v1")

    with pytest.raises(ConfigurationError, match=message):
        getattr(views, verb)(path)(make(hints))


@pytest.mark.parametrize("make", [in_screen, in_view])
@pytest.mark.parametrize(
    ("path", "hints"),
    [
        ("/a/{x}", {"x": Annotated[str, Path(max_length=3)]}),
        ("/a/{x}", {"x": str, "y": Annotated[str, Query(alias="x")]}),
        ("/a", {"x": Annotated[str, Header(alias="q")], "y": Annotated[str, Query(alias="q")]}),
    ],
)
def test_one_name_at_two_places_is_no_contradiction(
    make: Callable[..., Any], path: str, hints: dict[str, Any]
):
    """A path, a query and a header may have parameters of one name."""
    Views().get(path)(make(hints))


def test_default_of_a_declared_path_parameter_is_refused():
    """A path always has its parameters, so that the default would have no use."""

    class Page(Composition):
        """A screen."""

        x: Annotated[str, Path()] = "1"

    async def view(page: Page) -> int:
        return 1

    with pytest.raises(ConfigurationError, match=r"Page\.x declares Path\(\) and a default"):
        Views().get("/a/{x}")(view)
