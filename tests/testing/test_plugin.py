"""The pytest plugin, as a user's project has it: in a process of its own, without our conftest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SHOP = """
from bff_core import ANYONE, Composition, Upstream, Views, compose, critical, gateway
from typing import Annotated
from fastapi import Depends

class Prices(Upstream):
    async def of(self, sku: str) -> int:
        return await self.get("/prices/{sku}", int, sku=sku)

class PriceTag(Composition):
    prices: Prices
    sku: str

    @critical
    async def price(self) -> int:
        return await self.prices.of(self.sku)

views = Views(access=ANYONE)

@views.get("/prices/{sku}")
async def get_price(tag: Annotated[PriceTag, Depends(compose(PriceTag))]) -> int:
    return await tag.price()

def make_app():
    return gateway("shop", services=[Prices], faces=[views])
"""

TESTS = """
import asyncio, time
import pytest
from shop import PriceTag, make_app
from bff_core.testing import client, fail, failure_matrix, hang, reply

@pytest.mark.virtual_time
async def test_an_hour():
    loop, began, really = asyncio.get_running_loop(), asyncio.get_running_loop().time(), time.time()
    await asyncio.sleep(3600)
    assert loop.time() - began >= 3600
    assert time.time() - really < 5

@pytest.mark.virtual_time
class TestInAClass:
    async def test_method(self):
        await asyncio.sleep(3600)

    @pytest.mark.virtual_time(on=False)
    def test_without(self):
        pass

@pytest.mark.virtual_time
def test_synchronous():
    pass

@pytest.mark.virtual_time
async def test_hangs():
    await asyncio.Future()

async def forever():
    await asyncio.sleep(1e6)

@pytest.mark.virtual_time
async def test_leaks():
    globals()["task"] = asyncio.create_task(forever())

@pytest.mark.virtual_time
async def test_five_lines():
    async with client(make_app, prices=[reply(503), reply(200, 995)]) as c:
        assert (await c.get("/prices/42")).json() == 995

@pytest.mark.virtual_time
async def test_fixture(gateway_client):
    async with gateway_client(prices=hang()) as c:
        assert (await c.get("/prices/42")).status_code == 504

@pytest.fixture
async def opened(gateway_client):
    loop = asyncio.get_running_loop()
    async with gateway_client(prices=reply(200, 995, after=60)) as c:
        yield c
    print("closed", loop is asyncio.get_running_loop())

@pytest.mark.virtual_time
async def test_asynchronous_fixture(opened):
    answer = await opened.get("/prices/42", headers={"request-timeout": "2"})
    assert answer.status_code == 504
    assert opened.calls[0].duration == pytest.approx(2, abs=0.2)

test_matrix = failure_matrix(
    make_app, PriceTag, request="GET /prices/42", services={"prices": reply(200, 995)},
    snapshot="outcomes.json",
)

@pytest.mark.virtual_time
async def test_too_late(request):
    request.getfixturevalue("opened")

@pytest.mark.virtual_time
@pytest.mark.parametrize("count", [1, 2])
class TestOfMany:
    @pytest.fixture
    async def waited(self, count):
        await asyncio.sleep(3600)
        yield count
        await asyncio.sleep(3600)

    async def test_waited(self, waited, count):
        assert waited == count

class TestPages:
    test_page = staticmethod(test_matrix)

@pytest.mark.virtual_time
async def test_unscripted(gateway_client):
    async with gateway_client() as c:
        await c.get("/prices/42")

@pytest.mark.virtual_time
async def test_made_too_early():
    async with client(make_app()) as c:
        pass
"""

OTHER_TESTS = """
import asyncio, sys

def test_nothing_is_loaded():
    loaded = {"bff_core", "fastapi", "pydantic", "httpx"} & set(sys.modules)
    assert not loaded, loaded

def test_no_app(gateway_client):
    pass
"""


def run_pytest(folder: Path, *options: str) -> str:
    """Run the tests of a folder as its user would; return the report."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("BFF_")}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--strict-markers",
         "-W", "error", *options],
        cwd=folder,
        env=known | {"PYTHONPATH": str(folder), "BFF_ENV": "production"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a project with tests."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "shop.py").write_text(SHOP)
    (folder / "test_shop.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nbff_app = shop:make_app\n")
    return folder


@pytest.fixture(scope="module")
def recorded(project: Path) -> str:
    """Return the report of the run that records the outcomes."""
    return run_pytest(project, "--bff-record", "-k", "matrix")


@pytest.fixture(scope="module")
def report(project: Path, recorded: str) -> str:
    """Return the report of a run after that."""
    outcomes = project / "outcomes.json"
    outcomes.write_text(outcomes.read_text().replace("502 bad_payload price", "200 complete", 1))
    return run_pytest(project)


def lines_of(report: str, test: str) -> list[str]:
    """Return the lines of the summary on a test."""
    return [line for line in report.splitlines() if f"::{test}" in line and "ED " in line[:8]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "test",
    ["test_an_hour", "TestInAClass::test_method", "TestInAClass::test_without", "test_synchronous",
     "test_five_lines", "test_fixture", "test_asynchronous_fixture", "test_matrix[prices-down]",
     "TestOfMany::test_waited[1]", "TestOfMany::test_waited[2]",
     "TestPages::test_page[prices-down]"],
)  # fmt: skip
def test_tests_run_without_another_plugin(report, test):
    """Asynchronous tests with the mark run, in virtual time, in functions and in classes."""
    assert [line.split()[0] for line in lines_of(report, test)] == ["PASSED"]


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("test_hangs", "every task waits, and no timer, socket or thread can wake one"),
        ("test_leaks", "the test left tasks behind: forever"),
        ("test_too_late", "name the fixture as an argument of the test"),
        ("test_unscripted", "prices was called, GET /prices/42 (GET /prices/{sku}), and it has"),
        ("test_made_too_early", "pass the function, not its result, as in client(make_app, ...)"),
        ("test_matrix[prices-empty]", "if that is intended, run pytest --bff-record"),
    ],
)  # fmt: skip
def test_failures_say_what_is_wrong(report, test, reason):
    """A test that would hang, one that leaves tasks, a service without script, a new outcome."""
    assert [line.split()[0] for line in lines_of(report, test)] == ["FAILED"]
    assert reason in report


def test_asynchronous_fixtures_run_on_the_loop_of_the_test(report):
    """A client that a fixture opens is closed on the loop on which it was opened."""
    assert "closed True" in report


def test_outcomes_are_recorded(recorded, project, report):
    """The file is made to be read in a review."""
    assert "4 passed" in recorded
    assert (project / "outcomes.json").read_text() == (
        "{\n"
        '  "prices-down": "502 unavailable price",\n'
        '  "prices-empty": "200 complete",\n'
        '  "prices-garbage": "502 bad_payload price",\n'
        '  "prices-slow": "504 timeout price"\n'
        "}\n"
    )


def test_projects_without_the_kit_do_not_load_the_framework(tmp_path):
    """The start of pytest is as fast as before; a gateway that is missing is explained."""
    (tmp_path / "test_other.py").write_text(OTHER_TESTS)

    report = run_pytest(tmp_path, "-p", "no:hypothesispytest", "-p", "no:anyio")

    assert "1 passed, 1 error" in report
    assert "gateway_client needs a gateway: define a fixture `gateway_app`" in report


@pytest.mark.slow
def test_a_module_that_makes_a_gateway_is_explained(tmp_path):
    """At import, before a test can replace the environment."""
    (tmp_path / "test_early.py").write_text(f"{SHOP}\napp = make_app()\n")

    report = run_pytest(tmp_path)

    assert "BFF_ALLOWED_HOSTS is not set" in report
    assert "pass the function, not its result" in report


def test_the_mark_is_explained(pytestconfig):
    """`pytest --markers` says what it does."""
    [about] = [one for one in pytestconfig.getini("markers") if one.startswith("virtual_time")]

    assert about.startswith("virtual_time(on=True): run on an event loop whose clock jumps")
