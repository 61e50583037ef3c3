"""`bff diff`: what two clients get of the same screen, by real answers."""

import json
from contextlib import ExitStack

import pytest
from fastapi import FastAPI

from bff_core.cli.gateways import load_gateway
from tests.cli.projects import write_shop
from tests.cli.served import served
from tests.processes.ports import free_ports


def catalog() -> FastAPI:
    """Return a service of two products."""
    app = FastAPI()

    @app.get("/products/{product_id}")
    async def product(product_id: str) -> dict[str, str]:
        return {"id": product_id, "title": "Tent", "next": "9"}

    @app.get("/titles")
    async def titles(ids: str) -> dict[str, str]:
        return dict.fromkeys(ids.split(","), "Stove")

    return app


def reviews(*, is_broken: bool = False) -> FastAPI:
    """Return a service of stars, or one that fails."""
    app = FastAPI()

    @app.get("/stars/{product_id}")
    async def stars(product_id: str) -> float:
        if is_broken:
            raise RuntimeError(product_id)
        return 2.5

    return app


@pytest.fixture
def shop(tmp_path, monkeypatch, request):
    """Write the shop over services that run."""
    is_broken = getattr(request, "param", "") == "broken"
    with ExitStack() as running:
        urls = [
            running.enter_context(served(one)) for one in (catalog(), reviews(is_broken=is_broken))
        ]
        ports = [int(url.rpartition(":")[2]) for url in urls]
        gateways = free_ports(2)
        write_shop(
            tmp_path,
            f"diff_shop_{abs(hash(request.node.name))}",
            catalog=ports[0],
            reviews=ports[1],
            mobile=gateways[0],
            web=gateways[1],
        )
        monkeypatch.chdir(tmp_path)
        yield tmp_path


def test_answers_are_compared_by_their_bytes(shop, bff):
    """Each field has its size in each answer; calls are those that the services received."""
    done = bff(
        "diff", "mobile", "web", "--screen", "ProductPage", "--set", "product_id=8", "--json"
    )
    text = bff("diff", "mobile", "web", "--set", "product_id=8")
    ((mobile, web),) = [one["answers"] for one in json.loads(done.out)]

    body = b'{"title":"Tent","stars":2.5,"next":"Stove"}'
    assert (done.status, mobile["size"], mobile["leaves"]) == (0, len(body), 3)
    assert mobile["fields"] == {"title": 6, "stars": 3, "next": 7}
    assert web["fields"] == {"stars": 3, "title": 6}
    assert web["size"] > len(b'{"data":{"product":{"stars":2.5,"title":"Tent"}}}')
    assert mobile["calls"] == [
        "catalog  GET /products/{id}",
        "catalog  GET /titles",
        "reviews  GET /stars/{id}",
    ]
    assert web["calls"] == ["catalog  GET /products/{id}", "reviews  GET /stars/{id}"]
    assert f"answer                         {len(body)} B" in text.out
    assert "  next                         7 B" in text.out
    assert sorted(one.name for one in shop.iterdir() if one.suffix != ".py") == ["pyproject.toml"]


def test_an_input_that_is_missing_is_named(shop, bff):
    """A screen that needs an input says which option gives it, for both kinds of API."""
    named = bff("diff", "mobile", "web", "--screen", "ProductPage")
    every = bff("diff", "mobile", "web")

    assert (named.status, every.status) == (1, 0)
    assert named.err.splitlines() == [
        "bff: mobile: GET /v1/products/{product_id}: add --set product_id=VALUE",
        "bff: web: Query.product (all fields): add --set product_id=VALUE",
    ]


@pytest.mark.parametrize("shop", ["broken"], indirect=True)
def test_a_degraded_answer_is_marked(shop, bff):
    """The bytes of an answer without a part are not those of a whole one."""
    out = bff("diff", "mobile", "web", "--set", "product_id=8", "--json").out
    ((mobile, _),) = [one["answers"] for one in json.loads(out)]

    assert mobile["degraded"].startswith("stars=missing")


def test_services_have_to_run(tmp_path, bff, monkeypatch):
    """Without real answers there are no sizes: the services that are missing are named."""
    ports = free_ports(2)
    write_shop(tmp_path, "diff_shop_down", catalog=ports[0], reviews=ports[1])
    monkeypatch.chdir(tmp_path)
    done = bff("diff", "mobile", "web", "--set", "product_id=8")

    assert done.status == 1
    assert "sizes come from real answers, and catalog, reviews can't be reached" in done.err
    assert "✓" in done.out


@pytest.mark.slow
def test_running_gateways_are_called(shop, bff):
    """With --live the answers are those of the processes at the ports of [tool.bff]."""
    with ExitStack() as running:
        for name in ("mobile", "web"):
            loaded = load_gateway(name, BFF_AUTH="demo", BFF_LOG="off")
            port = loaded.entry.port
            running.enter_context(served(loaded.app, port=port))
        done = bff("diff", "mobile", "web", "--set", "product_id=8", "--live", "--json")
    stopped = bff("diff", "mobile", "web", "--set", "product_id=8", "--live")

    ((mobile, _),) = [one["answers"] for one in json.loads(done.out)]
    assert (done.status, mobile["fields"]["title"], mobile["calls"]) == (0, 6, None)
    assert stopped.status == 1
    assert "mobile does not answer at port" in stopped.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--screen", "ProductPag"), "did you mean ProductPage?"),
        (("--set", "product_id"), "--set 'product_id': write NAME=VALUE"),
        (("--header", "x"), "--header 'x': write NAME:VALUE"),
    ],
)
def test_a_wrong_option_is_explained(tmp_path, bff, monkeypatch, words, complaint):
    """Each mistake gets a line that says what to write."""
    write_shop(tmp_path, f"diff_shop_{abs(hash(words))}")
    monkeypatch.chdir(tmp_path)
    done = bff("diff", "mobile", "web", *words)

    assert done.status == 2
    assert complaint in done.err
