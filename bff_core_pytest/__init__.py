"""The pytest plugin of bff-core: the mark `virtual_time`, and the fixture `gateway_client`.

It is a package of its own, since pytest imports it at every start: it loads the framework only for
tests that use it.
"""

import asyncio
import functools
import inspect
import warnings
from collections.abc import Callable, Coroutine, Generator, Iterable
from typing import Any

import pytest

MARK = "virtual_time"

AFTERMATH_SECONDS = 0.5
"""How long the tasks that a test started may take to end after it, in virtual time."""

NO_APP = (
    "gateway_client needs a gateway: define a fixture `gateway_app` that returns one, or the "
    "function that makes one, or name it in the settings of pytest: bff_app = 'shop:make_app'"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting that names the gateway of `gateway_client`, and `--bff-record`."""
    parser.addini("bff_app", "the gateway of the fixture gateway_client: shop:make_app", default="")
    about = "record the outcomes of failure matrices in their snapshots"
    parser.getgroup("bff_core").addoption("--bff-record", action="store_true", help=about)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    about = "run on an event loop whose clock jumps to the next timer: waiting takes no time"
    config.addinivalue_line("markers", f"{MARK}(on=True): {about}; the closest mark decides")


@pytest.fixture
def gateway_app(request: pytest.FixtureRequest) -> object:
    """Return the gateway that `gateway_client` opens: that of the setting `bff_app`."""
    app = str(request.config.getini("bff_app"))
    if not app:
        pytest.fail(NO_APP, pytrace=False)
    return app


@pytest.fixture
def gateway_client(gateway_app: Any) -> Callable[..., object]:
    """Return `bff_core.testing.client` for the gateway of `gateway_app` (type `OpenClient`)."""
    from bff_core.testing import client  # noqa: PLC0415 # only tests that use it load the framework

    return functools.partial(client, gateway_app)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pycollect_makeitem() -> Generator[None, object, object]:
    """Take marked tests before other plugins, such as pytest-asyncio, take asynchronous tests."""
    made = yield
    for item in made if isinstance(made, Iterable) else [made]:
        if isinstance(item, pytest.Function):
            _take(item)
    return made


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Take tests that got their mark after they were collected."""
    _take(pyfuncitem)
    with warnings.catch_warnings():
        if pyfuncitem.get_closest_marker(MARK) and pyfuncitem.get_closest_marker("asyncio"):
            # pytest-asyncio warns of marked tests that are not asynchronous any more.
            warnings.filterwarnings("ignore", ".*marked with '@pytest.mark.asyncio'.* not an async")
        return (yield)


def _take(item: pytest.Function) -> None:
    """Run an asynchronous test on a loop in virtual time if it is marked so."""
    mark, test = item.get_closest_marker(MARK), item.obj
    if mark is None or not _is_on(*mark.args, **mark.kwargs):
        return
    if inspect.iscoroutinefunction(test):
        item.obj = _in_virtual_time(test)
    elif inspect.iscoroutinefunction(inner := _property_of(test)):
        test.hypothesis.inner_test = _in_virtual_time(inner)


def _is_on(on: bool = True) -> bool:  # the argument of the mark
    return on


def _property_of(test: Callable[..., object]) -> Callable[..., Any] | None:
    """Return the function inside hypothesis' `@given`, which runs once for each example."""
    return getattr(getattr(test, "hypothesis", None), "inner_test", None)


def _in_virtual_time(test: Callable[..., Coroutine[object, object, None]]) -> Callable[..., None]:
    from bff_core.testing import VirtualTimeLoop  # noqa: PLC0415 # only tests that need it

    @functools.wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(_without_leaks(test(*args, **kwargs)))

    return run


async def _without_leaks(test: Coroutine[object, object, None]) -> None:
    """Run a test; fail if it leaves tasks behind, which would run into nothing."""
    await test
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        _, leaked = await asyncio.wait(others, timeout=AFTERMATH_SECONDS)
        names = sorted(getattr(task.get_coro(), "__qualname__", "?") for task in leaked)
        assert not leaked, f"the test left tasks behind: {', '.join(names)}"  # noqa: S101 # of a test
